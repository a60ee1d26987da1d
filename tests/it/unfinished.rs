//! What a restore leaves while it works, or when it is killed: who sees the marker, what a dump
//! makes of it, and how one begins anew.

use testkit::{Database, Server, newest_server};

use crate::invariants::{Gate, Scene};
use crate::pair::Pair;
use crate::support::{Outcome, Running, Silverback, assert_same, dump, restore, wait_for};

const NO_MARKER: &str = "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^silverback_restore'";

fn state(database: &Database<'_>, schema: &str) -> String {
    database.value(&format!("SELECT state FROM {schema}.run"))
}

/// A restore that stands at the gate, with what it is to make.
fn held<'s>(scene: &Scene<'s>, target: &Database<'s>) -> (std::path::PathBuf, Gate, Running) {
    let file = scene.archive();
    let gate = Gate::close(target);
    let running = gate.hold(restore(&file, target));
    (file, gate, running)
}

#[test]
fn a_target_that_is_not_ready_is_dumped_only_as_that() {
    for version in crate::support::ends() {
        let scene = Scene::new(testkit::server(version), 100).waits("load");
        let target = scene.target();
        let (_, gate, running) = held(&scene, &target);
        let out = |name: &str| scene.path(name);
        dump(&target, &out("a.sbk"))
            .run()
            .expect(6)
            .says("incomplete restore")
            .says("--allow-incomplete");
        assert!(!out("a.sbk").exists());
        // A stranger may know, too.
        assert_eq!(
            target
                .server()
                .connect(target.name())
                .value("SELECT has_table_privilege('public', 'silverback_restore.run', 'SELECT')"),
            "t"
        );
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        // Only the schemas that it fills are incomplete.
        target.connect().execute("CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS a");
        dump(&target, &out("c.sbk")).args(["-n", "other"]).run().expect(0);
        target.connect().execute("DROP SCHEMA other CASCADE");
        dump(&target, &out("b.sbk"))
            .arg("--allow-incomplete")
            .run()
            .expect(10)
            .says("silverback_restore")
            .says("objects and rows may be missing");
        let copy = scene.target();
        restore(&out("b.sbk"), &copy).run().expect(10).says("objects and rows may be missing");
        assert_eq!(copy.value(NO_MARKER), "0");
    }
}

#[test]
fn a_plain_owner_begins_anew() {
    for version in crate::support::ends() {
        let scene = Scene::new(testkit::server(version), 100).waits("load");
        let target = scene.target();
        let (file, gate, running) = held(&scene, &target);
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        restore(&file, &target).run().expect(6).says("-c, which begins anew");
        restore(&file, &target).arg("-c").run().expect(0);
        assert_same(&scene.source, &target);
        assert_eq!(target.value(NO_MARKER), "0");
    }
}

#[test]
fn nobody_begins_anew_beside_a_restore_that_is_at_work() {
    let scene = Scene::new(newest_server(), 100).waits("load");
    let target = scene.target();
    let (file, gate, running) = held(&scene, &target);
    restore(&file, &target)
        .arg("-c")
        .run()
        .expect(6)
        .says("another restore is at work in the target");
    drop(gate);
    running.wait().expect(0);
    assert_same(&scene.source, &target);
}

/// A server notices a killed client in its own time.
pub(crate) fn end_sessions(server: &Server, target: &str) {
    let ours = format!("datname = '{target}' AND application_name = 'silverback'");
    wait_for("the sessions of the killed one to end", || server.terminate(&ours) == 0);
}

#[test]
fn nothing_of_another_archive_stays_behind() {
    let scene = Scene::new(newest_server(), 100).waits("load");
    let target = scene.target();
    let (file, gate, running) = held(&scene, &target);
    running.signal("KILL");
    running.wait();
    drop(gate);
    end_sessions(newest_server(), target.name());
    let small = Pair::new("CREATE TABLE parents (id int PRIMARY KEY, more text)");
    small.dump().run().expect(0);
    let before = target.column(
        "SELECT oid::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    );
    restore(&small.file(), &target)
        .arg("-c")
        .args(["-O", "-x"])
        .run()
        .expect(6)
        .says("would stay")
        .says("nothing was changed");
    assert_eq!(
        target.column(
            "SELECT oid::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        ),
        before
    );
    assert_eq!(state(&target, "silverback_restore"), "not ready");
    // An archive that drops all that is there takes its place, whatever the options of the first
    // were.
    let again = scene.path("again.sbk");
    dump(&scene.source, &again).run().expect(0);
    restore(&again, &target).args(["-c", "--no-comments"]).run().expect(0);
    assert_same(&scene.source, &target);
    assert!(file.exists());
}

#[test]
fn a_ready_target_is_dumped_and_its_marker_is_not() {
    for version in crate::support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT n, n FROM \
             generate_series(1, 1000) n; CREATE INDEX t_a ON t (a)",
        );
        pair.dump().run().expect(0);
        let old = pair.copy.connect_as("postgres");
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
        let running = pair.restore().arg("--ready-early").spawn();
        wait_for("a build that waits", || {
            pair.copy.value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = \
                 current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event = \
                 'virtualxid'",
            ) == "1"
        });
        assert_eq!(state(&pair.copy, "silverback_restore"), "ready");
        let file = pair.path("ready.sbk");
        crate::support::dump(&pair.copy, &file)
            .run()
            .expect(10)
            .says("schema silverback_restore")
            .says("indexes and the validation of foreign keys may be missing");
        pair.restore().arg("-c").run().expect(6).says("run the same command again without -c");
        running.signal("KILL");
        running.wait();
        end_sessions(pair.copy.server(), pair.copy.name());
        pair.restore().arg("-c").run().expect(6).says("run the same command again without -c");
        old.execute("ROLLBACK");
        pair.restore().arg("--ready-early").run().expect(0);
        pair.assert_same();
        // What was dumped meanwhile can be restored.
        let third = pair.copy.server().database_of(&pair.owner, "third");
        crate::support::restore(&file, &third).run().expect(10);
        assert_eq!(third.value(NO_MARKER), "0");
        assert_eq!(third.value("SELECT count(*) FROM t"), "1000");
    }
}

/// A user's own, with a table of the same name and other columns.
const OWN: &str = "CREATE SCHEMA silverback_restore; CREATE TABLE silverback_restore.run (id int \
    PRIMARY KEY, state text); \
    INSERT INTO silverback_restore.run VALUES (1, 'mine'); COMMENT ON SCHEMA silverback_restore IS \
    'incomplete restore of kong.sbk'";

#[test]
fn a_users_schema_of_that_name_is_carried() {
    for version in crate::support::ends() {
        let scene = Scene::new(testkit::server(version), 100).waits("load");
        scene.source.connect().execute(OWN);
        let target = scene.target();
        let (file, gate, running) = held(&scene, &target);
        assert_eq!(state(&target, "silverback_restore_1"), "not ready");
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        dump(&target, &scene.path("a.sbk")).run().expect(6).says("silverback_restore_1");
        restore(&file, &target).arg("-c").run().expect(0);
        assert_same(&scene.source, &target);
        assert_eq!(target.value(NO_MARKER), "1");
        // Rows alone, beside a schema that stands already.
        target.connect().execute("TRUNCATE silverback_restore.run, filler, parents, empty");
        restore(&file, &target).arg("-a").run().expect(0);
        assert_same(&scene.source, &target);
    }
}

#[test]
fn a_restore_of_an_archive_that_has_the_schema_begins_beside_no_other() {
    let scene = Scene::new(newest_server(), 100).waits("load");
    let own = Pair::new(OWN);
    own.dump().run().expect(0);
    let target = scene.target();
    let (_, _gate, running) = held(&scene, &target);
    restore(&own.file(), &target).args(["-O", "-x"]).run().expect(6).says("silverback_restore");
    drop(running);
}

/// Both are held before they look. The first may be done before the second looks: this finds what
/// the first has left.
#[test]
fn of_two_restores_that_begin_at_one_moment_one_goes_on() {
    const SETTING: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"mark"));
    for version in crate::support::ends() {
        let scene = Scene::new(testkit::server(version), 100);
        let file = scene.archive();
        let standing = scene.target();
        restore(&file, &standing).arg("-s").run().expect(0);
        for (target, option) in [(scene.target(), "--no-analyze"), (standing, "-a")] {
            let lock = target.connect_as("postgres");
            let (class, object) = SETTING;
            lock.execute(&format!("SELECT pg_advisory_lock({class}, {object})"));
            let waiting = format!(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = {class} \
                 AND objid = {object} AND NOT granted"
            );
            let both: Vec<Running> =
                (0..2).map(|_| restore(&file, &target).arg(option).spawn()).collect();
            wait_for("both to be about to look", || lock.value(&waiting) == "2");
            lock.execute(&format!("SELECT pg_advisory_unlock({class}, {object})"));
            let mut ended: Vec<Outcome> = both.into_iter().map(Running::wait).collect();
            ended.sort_unstable_by_key(|outcome| outcome.code);
            assert_eq!((ended[0].code, ended[1].code), (Some(0), Some(6)), "{option}: {ended:#?}");
            assert_same(&scene.source, &target);
            assert_eq!(target.value(NO_MARKER), "0");
        }
    }
}

/// No marker tells them of each other.
#[test]
fn two_restores_by_who_may_only_insert_bring_no_row_twice() {
    let server = newest_server();
    let (source, target, clerk) =
        (server.database("source"), server.database("target"), server.role("clerk"));
    source.execute("CREATE TABLE t AS SELECT generate_series(1, 20000) AS a");
    let folder = crate::support::temp_dir();
    let file = folder.path().join("t.sbk");
    dump(&source, &file).run().expect(0);
    restore(&file, &target).arg("-s").run().expect(0);
    target.execute(&format!("GRANT SELECT, INSERT ON t TO \"{}\"", clerk.name()));
    let into = || {
        Silverback::new(["restore", "-a", "-d", &target.url_as(clerk.name())]).arg(&file).spawn()
    };
    let both = [into(), into(), restore(&file, &target).arg("-a").spawn()];
    let mut codes: Vec<Option<i32>> = both.into_iter().map(|running| running.wait().code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(6), Some(6)]);
    assert_eq!(target.value("SELECT count(*) FROM t"), "20000");
    assert_eq!(target.value(NO_MARKER), "0");
}
