//! What a crash of the server takes away: rows of unlogged tables and values of unlogged sequences
//! come again, and only these.

use testkit::{Database, Server, Stop};

use crate::invariants::{Gate, Scene};
use crate::support::{ends, is_marked, restore, wait_for};
use crate::unfinished::end_sessions;

const FLEETING: &str = "
    CREATE UNLOGGED TABLE up (id int PRIMARY KEY); INSERT INTO up SELECT generate_series(1, 50);
    CREATE UNLOGGED TABLE fleeting (id serial PRIMARY KEY, up int REFERENCES up, a text);
    INSERT INTO fleeting (up, a) SELECT n % 50 + 1, repeat('x', 1000) FROM generate_series(1, \
    3000) n;
    CREATE UNLOGGED TABLE heap AS SELECT 1 AS a FROM generate_series(1, 20);
    CREATE TABLE lasting AS SELECT 1 AS a FROM generate_series(1, 20);
    CREATE FUNCTION twice() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a = NEW.a || NEW.a; \
    RETURN NEW; END';
    CREATE TRIGGER twice BEFORE INSERT ON fleeting FOR EACH ROW EXECUTE FUNCTION twice()";

/// A restore that was killed when all that is unlogged was made, with keys and triggers, and waited
/// for other rows.
fn killed<'s>(scene: &Scene<'s>) -> (std::path::PathBuf, Database<'s>) {
    scene.source.connect().execute(FLEETING);
    let (target, file) = (scene.target(), scene.archive());
    let gate = Gate::close(&target);
    let running = gate.hold(restore(&file, &target));
    let admin = target.connect_as("postgres");
    let made = "SELECT (SELECT count(*) FROM pg_constraint WHERE conname = 'fleeting_up_fkey' AND \
        convalidated) + (SELECT count(*) FROM pg_trigger WHERE tgname = 'twice') \
                || ' ' || (SELECT count(*) FROM public.heap) || ' ' || (SELECT count(*) FROM \
                public.lasting) || ' ' || (SELECT last_value FROM public.fleeting_id_seq)";
    wait_for("all that is unlogged to be made", || admin.value(made) == "2 20 20 3000");
    running.signal("KILL");
    running.wait();
    drop(gate);
    end_sessions(scene.server(), target.name());
    // What was committed last is on the disk.
    admin.execute("CHECKPOINT");
    (file, target)
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM public.up) || ' ' || (SELECT count(*) FROM \
    public.fleeting) || ' ' || (SELECT count(*) FROM public.heap)";

/// Goes on after the server was stopped so, which leaves these rows in the unlogged tables.
fn check(version: u32, how: Stop, left: &str) {
    let server = Server::spec(version).start();
    let scene = Scene::new(&server, 100).waits("load");
    let (file, target) = killed(&scene);
    // The source loses its own.
    let expect = testkit::digests_by(&server.connect(scene.source.name()));
    server.restart(how);
    assert_eq!(server.connect(target.name()).value(COUNTS), left);
    restore(&file, &target).arg("--resume").run().expect(0);
    let copy = server.connect(target.name());
    assert_eq!(testkit::digests_by(&copy), expect);
    assert_eq!(copy.value("SELECT last_value FROM public.fleeting_id_seq"), "3000");
    assert_eq!(copy.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'twice'"), "O");
    assert_eq!(copy.value("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"), "0");
    assert!(!is_marked(&copy));
}

#[test]
fn rows_that_a_crash_took_come_again() {
    for version in ends() {
        check(version, Stop::Immediate, "0 0 0");
    }
}

#[test]
fn rows_that_a_stop_of_the_server_kept_do_not_come_again() {
    check(testkit::newest(), Stop::Fast, "50 3000 20");
}
