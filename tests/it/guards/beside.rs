//! A bootstrapped target that somebody uses meanwhile, and one whose restore is gone on with; tables
//! that somebody has locked; several Kongs in one database, and one under another name.

use testkit::KongVersion;

use super::{LOCKED, Scene, USED};
use crate::invariants::{GATE, Gate, hold_until};
use crate::support::{Silverback, assert_same, dump, ends, restore};
use crate::unfinished::end_sessions;

/// How many locks are waited for in a database.
const WAITS: &str = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE \
    NOT l.granted AND l.locktype = 'relation' AND d.datname = current_database()";

/// A table whose rows are not loaded while the gate is closed.
fn waiting() -> String {
    format!(
        "CREATE FUNCTION wait(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM \
         pg_catalog.pg_advisory_xact_lock_shared({GATE}); RETURN $1; END'; CREATE TABLE waiting (id \
         int CHECK (public.wait(id) = id)); INSERT INTO waiting VALUES (1)"
    )
}

#[test]
fn somebody_uses_it_between_the_look_and_the_lock() {
    for version in ends() {
        let scene = Scene::of(testkit::server(version), "3.4.2");
        let file = scene.archive();
        KongVersion::new("3.4.2").load(&scene.copy);
        let (user, watcher) = (scene.copy.connect(), scene.copy.connect_as("postgres"));
        let replace = |end: &str| {
            user.execute(&format!("BEGIN; {USED}"));
            let restore = scene.restore(&file, &["--replace-bootstrap"]);
            let running = hold_until(restore, || watcher.value(WAITS) != "0");
            user.execute(end);
            running.wait()
        };
        replace("COMMIT")
            .expect(6)
            .says("look whether somebody has used what is dropped: somebody has, a moment ago")
            .says("rows in consumers")
            .says("nothing was changed");
        assert_eq!(scene.copy.value("SELECT count(*) FROM consumers"), "30");
        scene.copy.connect().execute("TRUNCATE consumers, tags CASCADE");
        replace("ROLLBACK").expect(0);
        assert_same(&scene.source, &scene.copy);
    }
}

#[test]
fn a_replacement_is_gone_on_with() {
    for version in ends() {
        let scene = Scene::of(testkit::server(version), "3.4.2");
        scene.source.connect().execute(&waiting());
        let file = scene.archive();
        KongVersion::new("3.4.2").load(&scene.copy);
        let replace = |more: &[&str]| scene.restore(&file, &["--replace-bootstrap"]).args(more);
        let gate = Gate::close(&scene.copy);
        let running = gate.hold(replace(&[]));
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.copy.server(), scene.copy.name());
        replace(&[]).run().expect(6).says("restore again with --resume, which goes on");
        let plan = replace(&["--resume", "--dry-run"]).run().expect(0).stdout;
        assert!(plan.contains("compare public.schema_meta with the archive"), "{plan}");
        replace(&["--resume"]).run().expect(0);
        assert_same(&scene.source, &scene.copy);
    }
}

#[test]
fn the_syncs_version_stays_what_it_was_to_be() {
    let scene = Scene::new(testkit::newest_server());
    testkit::kong::load(&scene.source);
    testkit::kong::load(&scene.copy);
    let versions = "INSERT INTO clustering_sync_version SELECT generate_series(1, 7)";
    scene.source.connect().execute(&format!("{versions}; {}", waiting()));
    let file = scene.archive();
    let options = ["--replace-bootstrap", "--bump-sync-version"];
    let gate = Gate::close(&scene.copy);
    let running = gate.hold(scene.restore(&file, &options));
    running.signal("KILL");
    running.wait();
    drop(gate);
    end_sessions(scene.copy.server(), scene.copy.name());
    // What the first run has brought is no version of the target's own.
    let again = scene.restore(&file, &options).arg("--resume").run().expect(0);
    again.says("the incremental sync's version is 1007");
    let max = "SELECT max(version) FROM clustering_sync_version";
    assert_eq!(scene.copy.value(max), "1007");
    assert_eq!(scene.copy.value("SELECT count(*) FROM clustering_sync_version"), "8");
}

#[test]
fn a_locked_table_is_waited_for_as_long_as_is_said() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let file = scene.archive();
    KongVersion::new("3.4.2").load(&scene.copy);
    // The server's log keeps what was asked for.
    let (server, name) = (scene.copy.server(), testkit::quote(scene.copy.name()));
    scene.copy.execute(&format!("ALTER DATABASE {name} SET log_statement = 'all'"));
    let before = server.log_size();
    let (locker, watcher) = (scene.copy.connect(), scene.copy.connect_as("postgres"));
    for table in ["schema_meta", "consumers"] {
        locker.execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
        let pid = locker.value("SELECT pg_backend_pid()");
        for options in [&["-c"][..], &["--replace-bootstrap"]] {
            scene
                .restore(&file, options)
                .args(["--lock-wait-timeout", "613"])
                .run()
                .expect(9)
                .says("no lock within 613 ms: blocked by process")
                .says(&format!("process {pid} of role {}", scene.copy.owner()));
        }
        let running = hold_until(scene.restore(&file, &["-c"]), || watcher.value(WAITS) != "0");
        locker.execute("COMMIT");
        running.wait().expect(0);
        assert_same(&scene.source, &scene.copy);
    }
    let log = server.log_since(before);
    assert!(log.contains("SET LOCAL lock_timeout = 613"), "the guards wait as long, too");
}

#[test]
fn each_of_several_kongs_is_looked_at() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    KongVersion::new("2.8.5").half_migrated().schema("Gate way").load(&scene.source);
    let file = scene.folder.path().join("kong.sbk");
    let half = "schema \"Gate way\": the source is half migrated";
    dump(&scene.source, &file).run().expect(0).says(half);
    let one = dump(&scene.source, &scene.folder.path().join("one.sbk"));
    let told = one.args(["-n", "public"]).run().expect(0);
    assert!(!told.stderr.contains("half migrated"), "{}", told.stderr);
    KongVersion::new("2.8.5").schema("Gate way").load(&scene.copy);
    let lock = LOCKED.replace("INTO locks", "INTO \"Gate way\".locks");
    scene.copy.connect().execute(&lock);
    let clean = |more: &[&str]| scene.restore(&file, &["-c", "--if-exists"]).args(more);
    clean(&[])
        .run()
        .expect(6)
        .says("schema \"Gate way\": in the target, node node-1 holds Kong's lock");
    clean(&["--kong-ignore", "locked"])
        .run()
        .expect(0)
        .says("schema \"Gate way\": the archive is half migrated");
    assert_same(&scene.source, &scene.copy);
}

#[test]
fn a_kong_under_another_name_is_looked_for_there() {
    for version in ends() {
        let scene = Scene::new(testkit::server(version));
        testkit::kong::load(&scene.source);
        scene.source.connect().execute(USED);
        let file = scene.archive();
        KongVersion::new("3.9.3").schema("there").load(&scene.copy);
        let rename =
            |more: &[&str]| scene.restore(&file, &["--rename-schema", "public=there"]).args(more);
        rename(&[]).run().expect(6).says("kong migrations bootstrap has just made it");
        rename(&["--replace-bootstrap", "--bump-sync-version=70"])
            .run()
            .expect(0)
            .says("the incremental sync's version is 70");
        let value = |sql: &str| scene.copy.value(sql);
        assert_eq!(value("SELECT count(*) FROM there.consumers"), "30");
        assert_eq!(value("SELECT max(version) FROM there.clustering_sync_version"), "70");
        rename(&["--replace-bootstrap"]).run().expect(6).says("rows in consumers");
    }
}

#[test]
fn rows_of_a_plugin_that_the_target_has_not() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let session = "INSERT INTO sessions (id, session_id) SELECT md5('s')::uuid, 's'";
    scene.source.connect().execute(session);
    let file = scene.archive();
    KongVersion::new("3.4.2").load(&scene.copy);
    scene.copy.connect().execute("DROP TABLE sessions");
    let rows = |more: &[&str]| {
        let tables = ["-a", "-t", "consumers", "-t", "sessions"];
        restore(&file, &scene.copy).args(tables).args(more)
    };
    rows(&[])
        .run()
        .expect(6)
        .says("the archive has 1 rows of sessions, a table of plugin session, which the target has")
        .says("leave it out: -T sessions");
    rows(&["-T", "sessions"]).run().expect(0);
}

#[test]
fn a_lock_without_an_end_holds() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let endless = "INSERT INTO locks VALUES ('migrations', 'node-1', NULL)";
    scene.source.connect().execute(endless);
    let file = scene.folder.path().join("kong.sbk");
    dump(&scene.source, &file)
        .run()
        .expect(0)
        .says("node node-1 holds Kong's lock for migrations for ever")
        .says("delete that row of the table locks if no kong migrations is running");
    let info = Silverback::new(["kong", "info", "--json", "-d"]).arg(scene.source.url());
    let told = info.run().expect(10).stdout;
    assert!(told.contains("\"migrations_locked\""), "{told}");
    KongVersion::new("3.4.2").load(&scene.copy);
    scene.copy.connect().execute(endless);
    let clean = |more: &[&str]| scene.restore(&file, &["-c"]).args(more);
    clean(&[]).run().expect(6).says("for ever").says("--kong-ignore locked goes past");
    clean(&["--kong-ignore", "locked"]).run().expect(0);
}
