//! What is looked at in a live Kong before a copy takes its place, and what is said then.

use testkit::KongVersion;

use super::{Upgraded, stage, swap};
use crate::support::{dump, temp_dir};

#[test]
fn migrations_that_may_be_running_and_nodes_that_are_connected() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "public");
    let live = &scene.live;
    scene.stage().run().expect(0);
    let node = live.connect();
    node.execute("SET application_name = ''");
    let pid = node.value("SELECT pg_backend_pid()");
    node.execute("INSERT INTO locks VALUES ('migrations', 'node-1', now() + interval '1 hour')");
    let held = "node node-1 holds Kong's lock for migrations until 2";
    for more in [&[][..], &["--dry-run"]] {
        let refused = swap(live).args(more).run().expect(6);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains(held) && said.contains("--kong-ignore locked"), "{said}");
    }
    swap(live)
        .args(["--kong-ignore", "locked"])
        .run()
        .expect(0)
        .says("gone past, as asked")
        .says(&format!("server process {pid} of role {}", role.name()))
        .says("restart every Kong node now")
        .says("Kong 3.4 has no migrations to run at its next start");
    assert_eq!(node.value("SELECT count(*) FROM consumers"), "300");
}

#[test]
fn a_half_migrated_kong_is_swapped_away() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let (older, live) = (server.database_of(&role, "older"), server.database_of(&role, "live"));
    KongVersion::new("2.8.5").load(&older);
    KongVersion::new("2.8.5").half_migrated().load(&live);
    let folder = temp_dir();
    let file = folder.path().join("older.sbk");
    dump(&older, &file).run().expect(0);
    stage(&file, &live).run().expect(0);
    swap(&live).run().expect(0).says("is half migrated").says("the other copy takes its place");
    swap(&live)
        .arg("--back")
        .run()
        .expect(0)
        .says("Kong starts, and needs kong migrations finish of Kong 3.0");
}

#[test]
fn the_version_of_the_incremental_sync() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let (older, live) = (server.database_of(&role, "older"), server.database_of(&role, "live"));
    for (database, version) in [(&older, 42), (&live, 142)] {
        KongVersion::new("3.9.3").load(database);
        database
            .connect()
            .execute(&format!("INSERT INTO clustering_sync_version (version) VALUES ({version})"));
    }
    let folder = temp_dir();
    let file = folder.path().join("older.sbk");
    dump(&older, &file).run().expect(0);
    stage(&file, &live).run().expect(0);
    // It goes on while the copy waits.
    live.connect().execute("INSERT INTO clustering_sync_version (version) VALUES (200)");
    let raise = |option: &str| swap(&live).args([option, "--dry-run"]).run().expect(0).stdout;
    assert!(raise("--bump-sync-version").contains("INSERT INTO public.clustering_sync_version"));
    swap(&live).arg("--bump-sync-version").run().expect(0).says("sync's version is 1200");
    let versions = "SELECT string_agg(version::text, ',' ORDER BY version) FROM \
        clustering_sync_version";
    assert_eq!(live.value(versions), "42,1200");
    swap(&live).args(["--back", "--yes", "--bump-sync-version=5000"]).run().expect(0);
    assert_eq!(live.value(versions), "142,200,5000");
    swap(&live)
        .args(["--bump-sync-version=99999999999"])
        .run()
        .expect(6)
        .says("nothing was changed");
    assert_eq!(live.value(versions), "142,200,5000");
    // A copy that has no such table.
    let scene = Upgraded::new(server, &role, "public");
    scene.stage().run().expect(0);
    swap(&scene.live).arg("--bump-sync-version").run().expect(0).says("has no incremental sync");
}
