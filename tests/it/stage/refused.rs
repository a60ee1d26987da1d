//! What cannot be staged is refused, or left out and named; and one stage at a time.

use super::{Upgraded, leavings, live_rows, stage, swap};
use crate::invariants::{Gate, Scene};
use crate::support::{dump, temp_dir};

#[test]
fn options_that_make_no_sense_with_it() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "public");
    for option in [
        &["-c"][..],
        &["-C"],
        &["-a"],
        &["-s"],
        &["--section", "data"],
        &["--rename-schema", "public=a"],
        &["--keep-going"],
        &["--ready-early"],
        &["--replace-bootstrap"],
        &["--kong-ignore", "connected"],
        &["--status"],
    ] {
        scene.stage().args(option).run().expect(2);
    }
    scene.stage().args(["-t", "consumers"]).run().expect(2).says("single tables are not staged");
    let rows = scene.stage().args(["--exclude-table-data", "consumers"]).run();
    rows.expect(2).says("a table without its rows would become live");
    let bumped = scene.stage().arg("--bump-sync-version").run();
    bumped.expect(2).says("give it to silverback swap");
    scene.stage().args(["-n", "nowhere"]).run().expect(6).says("no object matches nowhere (-n)");
    let rows = scene.folder.path().join("rows.sbk");
    dump(&scene.older, &rows).arg("-a").run().expect(0);
    stage(&rows, &scene.live).run().expect(6).says("rows and no definitions");
    assert_eq!(leavings(&scene.live), Vec::<String>::new());
}

#[test]
fn what_exists_once_in_a_database() {
    let server = testkit::newest_server();
    let (source, live) = (server.database("source"), server.database("live"));
    source.execute(
        "CREATE EXTENSION citext; CREATE TABLE t (a citext PRIMARY KEY, b int); INSERT INTO t \
         VALUES ('A', 1); CREATE INDEX ON t (a citext_pattern_ops); CREATE VIEW v AS SELECT * FROM \
         t WHERE a = 'a'; CREATE PUBLICATION p FOR TABLE t; SELECT lo_create(0); CREATE FUNCTION \
         told() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON \
         ddl_command_end EXECUTE FUNCTION told(); ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT \
         SELECT ON TABLES TO PUBLIC",
    );
    let folder = temp_dir();
    let file = folder.path().join("source.sbk");
    dump(&source, &file).run().expect(0);
    live.execute("CREATE TABLE t (a int)");
    stage(&file, &live)
        .run()
        .expect(6)
        .says("extension citext exists once in a database and is not staged")
        .says("create it in the database first");
    live.execute("CREATE SCHEMA ext; CREATE EXTENSION citext SCHEMA ext");
    stage(&file, &live).run().expect(6).says("stands in another schema here");
    live.execute("DROP EXTENSION citext; CREATE EXTENSION citext");
    let told = stage(&file, &live).run().expect(10);
    for what in ["publication p", "event trigger e", "large object", "default acl"] {
        assert!(told.stderr.contains(&format!("skipped: {what}")), "{what}: {}", told.stderr);
    }
    swap(&live).run().expect(0);
    swap(&live).arg("--drop-old").run().expect(0);
    assert_eq!(live.value("SELECT count(*) FROM v"), "1");
    assert_eq!(live.value("SELECT count(*) FROM pg_largeobject_metadata"), "0");
}

#[test]
fn what_runs_while_rows_come_in_does_not_read_what_is_live() {
    let server = testkit::newest_server();
    let role = server.role("owner");
    let (source, live) = (server.database_of(&role, "source"), server.database_of(&role, "live"));
    source.connect().execute(
        "CREATE TABLE limits (n int); INSERT INTO limits VALUES (9); CREATE FUNCTION fits(int) \
         RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < max(n) FROM public.limits'; CREATE \
         TABLE t (a int CHECK (fits(a)))",
    );
    let folder = temp_dir();
    let file = folder.path().join("source.sbk");
    dump(&source, &file).run().expect(0);
    stage(&file, &live)
        .run()
        .expect(6)
        .says("runs while rows come in, and names the schema public");
    assert_eq!(leavings(&live), Vec::<String>::new());
}

#[test]
fn schemas_and_tables_that_are_left_out_stay_live() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "public");
    scene.older.connect().execute("CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS a");
    scene.live.connect().execute("CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 2 AS a");
    scene.stage().args(["-n", "public", "-T", "marks*"]).run().expect(0);
    swap(&scene.live).run().expect(0);
    assert_eq!(scene.live.value("SELECT a FROM other.t"), "2");
    assert_eq!(scene.live.value("SELECT rows FROM marks"), "500");
    assert_eq!(scene.live.value("SELECT count(*) FROM consumers"), "300");
    swap(&scene.live).args(["--back", "--yes"]).run().expect(0);
    swap(&scene.live).arg("--drop-old").run().expect(0);
    assert_eq!(scene.live.value("SELECT count(*) FROM consumers"), "500");
}

#[test]
fn beside_another_stage() {
    let server = testkit::newest_server();
    let scene = Scene::new(server, 100).waits("load");
    let (file, target) = (scene.archive(), scene.target());
    let gate = Gate::close(&target);
    let first = gate.hold(stage(&file, &target));
    for more in [&[][..], &["--resume"]] {
        stage(&file, &target).args(more).run().expect(6).says("another stage is at work");
    }
    drop(gate);
    first.wait().expect(0);
    stage(&file, &target).run().expect(6).says("a complete copy is staged already");
    swap(&target).arg("--drop-old").run().expect(0);
}

#[test]
fn beside_another_restore() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "public");
    let before = live_rows(&scene.live);
    // A node of Kong that is connected, and a lock in what is live, are nobody's affair.
    let node = scene.live.connect();
    node.execute("INSERT INTO locks VALUES ('migrations', 'n', now() + interval '1 hour')");
    scene.stage().run().expect(0);
    // The live database is restored over meanwhile; the copy stays.
    node.execute("DELETE FROM locks");
    drop(node);
    let file = scene.folder.path().join("live.sbk");
    dump(&scene.live, &file).run().expect(0);
    crate::support::restore(&file, &scene.live).arg("-c").run().expect(0);
    assert_eq!(live_rows(&scene.live), before);
    swap(&scene.live).run().expect(0);
    assert_eq!(live_rows(&scene.live), live_rows(&scene.older));
    let empty = server.database_of(&role, "empty");
    stage(&scene.archive(), &empty).run().expect(0);
    swap(&empty).run().expect(0);
    swap(&empty).arg("--drop-old").run().expect(0);
    crate::support::assert_same(&scene.older, &empty);
}

#[test]
fn what_would_go_along_with_a_table_and_is_not_in_the_copy() {
    let server = testkit::newest_server();
    let (source, live) = (server.database("source"), server.database("live"));
    let schema = "CREATE TABLE ev (d int, x int) PARTITION BY LIST (d); CREATE TABLE ev_1 PARTITION \
        OF ev FOR VALUES IN (1); INSERT INTO ev VALUES (1, 1); CREATE TABLE s (id int NOT NULL, v \
        serial); INSERT INTO s VALUES (1)";
    source.execute(schema);
    live.execute(schema);
    let folder = temp_dir();
    let file = folder.path().join("source.sbk");
    dump(&source, &file).run().expect(0);
    stage(&file, &live).run().expect(0);
    live.execute(
        "CREATE TABLE ev_2 PARTITION OF ev FOR VALUES IN (2); INSERT INTO ev VALUES (2, 2); CREATE \
         TABLE heir (id int NOT NULL, v \
         int NOT NULL); ALTER TABLE s INHERIT heir; CREATE SEQUENCE ticket OWNED BY s.id",
    );
    for more in [&["--dry-run"][..], &[]] {
        let run = swap(&live).args(more).run().expect(6);
        let said = format!("{}{}", run.stdout, run.stderr);
        for what in [
            "table public.ev_2 is a partition that the copy does not have",
            "table public.heir is not exchanged",
            "sequence public.ticket goes with the table that owns it",
        ] {
            assert!(said.contains(what), "{what}: {said}");
        }
    }
    live.execute(
        "ALTER TABLE s NO INHERIT heir; DROP TABLE ev_2; ALTER SEQUENCE ticket OWNED BY NONE",
    );
    swap(&live).run().expect(0);
    // What has come since may be given up on the way back.
    live.execute("CREATE TABLE ev_3 PARTITION OF ev FOR VALUES IN (3)");
    swap(&live).args(["--back", "--yes"]).run().expect(0);
}
