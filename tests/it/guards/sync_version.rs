//! The incremental sync's version is raised beyond what data planes may have.

use serde_json::Value;

use super::Scene;
use crate::support::dump;

const MAX: &str = "SELECT max(version) FROM clustering_sync_version";

#[test]
fn beyond_what_stood_in_the_target() {
    let scene = Scene::new(testkit::newest_server());
    testkit::kong::load(&scene.source);
    testkit::kong::load(&scene.copy);
    scene
        .source
        .connect()
        .execute("INSERT INTO clustering_sync_version SELECT generate_series(1, 7)");
    scene
        .copy
        .connect()
        .execute("INSERT INTO clustering_sync_version SELECT generate_series(1, 40)");
    let file = scene.archive();
    let clean = |option: &str| scene.restore(&file, &["-c", option]);
    clean("--bump-sync-version").run().expect(0).says("the incremental sync's version is 1040");
    assert_eq!(scene.copy.value(MAX), "1040");
    let next = "SELECT nextval('clustering_sync_version_version_seq')";
    assert_eq!(scene.copy.connect().value(next), "1041");
    assert_eq!(scene.copy.value("SELECT count(*) FROM clustering_sync_version"), "8");
    let told = clean("--bump-sync-version=5000").arg("--log-format=json").run().expect(0);
    let summary = told.stderr.lines().last().expect("a summary");
    let summary: Value = serde_json::from_str(summary).expect("JSON");
    assert_eq!(summary["kong"]["sync_version"], 5000);
    assert_eq!(summary["kong"]["next_start"], "nothing");
    assert_eq!(summary["kong"]["restart"], "every node");
    assert_eq!(scene.copy.value(MAX), "5000");
    clean("--bump-sync-version=3000000000").run().expect(2).says("does not fit");
}

#[test]
fn an_older_kong_has_none() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let file = scene.folder.path().join("kong.sbk");
    dump(&scene.source, &file).run().expect(0);
    scene
        .restore(&file, &["--bump-sync-version"])
        .run()
        .expect(0)
        .says("the archive's Kong (3.4) has no incremental sync");
}
