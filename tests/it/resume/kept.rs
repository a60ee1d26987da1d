//! What a restore that goes on keeps: what is done, what it found when it began, what it may not
//! drop.

use testkit::newest_server;

use super::finished;
use crate::invariants::{Gate, Scene};
use crate::pair::Pair;
use crate::support::{assert_same, dump, is_marked, restore, wait_for};
use crate::unfinished::end_sessions;

const DONE: &str = "SELECT count(*) FROM silverback_restore.done";

#[test]
fn what_is_done_stays() {
    for version in testkit::versions() {
        let scene = Scene::new(testkit::server(version), 3000).waits("load");
        let own = "CREATE SCHEMA app; COMMENT ON SCHEMA app IS 'ours'; CREATE TABLE app.t AS \
            SELECT generate_series(1, 5) AS a";
        scene.source.connect().execute(own);
        if version >= 15 {
            // The target has it: what was changed of it is not taken for what was found.
            scene.source.connect().execute(
                "COMMENT ON SCHEMA public IS 'changed'; REVOKE USAGE ON SCHEMA public FROM PUBLIC",
            );
        }
        let target = scene.target();
        let file = scene.archive();
        let gate = Gate::close(&target);
        let running = gate.hold(restore(&file, &target));
        let admin = target.connect_as("postgres");
        let sql = "SELECT count(*) FROM pg_index i WHERE indisvalid AND indrelid = \
            'public.filler'::regclass";
        wait_for("the key and the index of a table", || admin.value(sql) == "2");
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        let (before, done) = (finished(&target), admin.value(DONE));
        assert!(before.len() >= 2 && done != "0", "{before:?}");
        let files = "SELECT string_agg(relname || pg_relation_filenode(oid), ' ' ORDER BY relname) \
            FROM pg_class WHERE relname IN ('filler', 'empty')";
        let tables = admin.value(files);
        // -c has dropped what there was when it began.
        restore(&file, &target)
            .args(["-c", "--resume"])
            .run()
            .expect(0)
            .says("resuming an earlier restore");
        assert_eq!(admin.value(files), tables);
        assert!(before.is_subset(&finished(&target)));
        assert_same(&scene.source, &target);
    }
}

#[test]
fn rows_alone_are_gone_on_with() {
    for version in testkit::versions() {
        let scene = Scene::new(testkit::server(version), 3000).waits("load");
        let target = scene.target();
        let file = scene.archive();
        restore(&file, &target).arg("-s").run().expect(0);
        let gate = Gate::close(&target);
        // Parents come first: nothing of it is done yet but what refers to nothing.
        let running = gate.hold(restore(&file, &target).arg("-a"));
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        restore(&file, &target).arg("-a").run().expect(6).says("--resume");
        restore(&file, &target).args(["-a", "--resume"]).run().expect(0);
        assert_same(&scene.source, &target);
    }
}

#[test]
fn what_failed_is_not_done() {
    let pair = Pair::new(
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int); INSERT INTO c SELECT \
         generate_series(1, 10); INSERT INTO p VALUES (1);
         CREATE TABLE other AS SELECT generate_series(1, 9) AS a",
    );
    pair.source.execute(
        "ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p NOT VALID; UPDATE \
         pg_constraint SET convalidated = true WHERE conname = 'c_p';
         CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE \
         EVENT TRIGGER seen ON sql_drop EXECUTE FUNCTION seen()",
    );
    dump(&pair.source, &pair.file()).run().expect(0);
    let copy = pair.copy.server().database("copy");
    let run = || restore(&pair.file(), &copy);
    // The end is made all the same, the second time what is left of it.
    run().arg("--keep-going").run().expect(7).says("c_p");
    run().args(["--keep-going", "--resume"]).run().expect(7).says("c_p");
    copy.execute("DELETE FROM c WHERE p > 1");
    run().arg("--resume").run().expect(0);
    assert_eq!(
        copy.value("SELECT count(*) FROM pg_constraint WHERE conname = 'c_p' AND convalidated"),
        "1"
    );
    assert_eq!(copy.value("SELECT count(*) FROM other"), "9");
    assert_eq!(copy.value("SELECT count(*) FROM pg_event_trigger"), "1");
    assert!(!is_marked(copy.admin()));
}

#[test]
fn a_marker_without_a_ledger_is_not_gone_on_with() {
    let scene = Scene::new(newest_server(), 100).waits("load");
    let target = scene.target();
    let file = scene.archive();
    let gate = Gate::close(&target);
    let running = gate.hold(restore(&file, &target));
    running.signal("KILL");
    running.wait();
    drop(gate);
    end_sessions(newest_server(), target.name());
    target.connect().execute("DROP TABLE silverback_restore.done");
    restore(&file, &target).arg("--resume").run().expect(6).says("cannot be read and written");
    restore(&file, &target).arg("-c").run().expect(0);
    assert_same(&scene.source, &target);
}
