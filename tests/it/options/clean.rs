//! `-c`: what the archive holds goes first, all of it or nothing, and nothing else does.

use crate::pair::Pair;
use crate::support::{self, Silverback};

use super::SHOP;

#[test]
fn clean_replaces_what_the_archive_holds_and_nothing_else() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), SHOP);
        pair.carry();
        let owner = pair.copy.connect();
        owner.execute(
            "CREATE TABLE mine (a integer); INSERT INTO mine VALUES (1); DROP VIEW \
             shop.open; ALTER TABLE shop.orders ADD extra text; DELETE FROM shop.orders",
        );
        pair.restore().run().expect(6).says("is not empty").says("-c");
        pair.restore()
            .arg("-c")
            .run()
            .expect(6)
            .says("1 object of the archive is not there, which -c is to drop: VIEW shop.open")
            .says("--if-exists");
        assert_eq!(
            pair.copy.value("SELECT count(extra) FROM shop.orders"),
            "0",
            "the column is still there"
        );
        assert!(!support::is_marked(pair.copy.admin()));
        let plan = pair.restore().args(["-c", "--if-exists", "--dry-run"]).run().expect(0);
        assert!(plan.stdout.contains("DROP TABLE IF EXISTS shop.orders;"), "{}", plan.stdout);
        pair.restore().args(["-c", "--if-exists"]).run().expect(0);
        assert_eq!(pair.copy.value("SELECT a FROM mine"), "1");
        pair.copy.execute("DROP TABLE mine");
        pair.assert_same();
        pair.restore().arg("--clean").run().expect(0);
        support::assert_same(&pair.source, &pair.copy);
    }
}

#[test]
fn clean_keeps_a_schema_with_something_else_in_it() {
    let pair = Pair::new(SHOP);
    pair.carry();
    pair.copy.connect().execute("CREATE TABLE shop.mine (a integer)");
    pair.restore().arg("-c").run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM shop.mine"), "0");
    pair.copy.execute("DROP TABLE shop.mine");
    pair.assert_same();
}

#[test]
fn clean_drops_nothing_that_something_else_needs() {
    let pair = Pair::new(SHOP);
    pair.carry();
    pair.copy.connect().execute("CREATE VIEW mine AS SELECT * FROM shop.customers");
    for dry_run in [&["--dry-run"][..], &[]] {
        let outcome = pair.restore().arg("-c").args(dry_run).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("1 object needs what -c drops, and would stay"), "{said}");
        assert!(said.contains("view public.mine"), "{said}");
    }
    assert_eq!(pair.copy.value("SELECT count(*) FROM mine"), "2");
    assert!(!support::is_marked(pair.copy.admin()));
}

#[test]
fn clean_takes_operators_that_were_only_named() {
    let pair = Pair::new(
        "CREATE TYPE grade AS ENUM ('low', 'high');
         CREATE FUNCTION below(grade, grade) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 \
         < $2';
         CREATE OPERATOR <<< (FUNCTION = below, LEFTARG = grade, RIGHTARG = grade, COMMUTATOR = \
         >>>, NEGATOR = >>>=)",
    );
    pair.carry();
    pair.restore().arg("-c").run().expect(0);
    pair.assert_same();
}

#[test]
fn clean_takes_a_range_together_with_its_canonical_function() {
    for version in support::ends() {
        let server = testkit::server(version);
        let folder = support::temp_dir();
        let (source, copy) = (server.database("range"), server.database("copy"));
        source.execute(
            "CREATE TYPE cr; CREATE FUNCTION crcan(cr) RETURNS cr LANGUAGE internal IMMUTABLE \
             STRICT AS 'int4range_canonical';
             CREATE TYPE cr AS RANGE (subtype = int4, canonical = crcan); CREATE TABLE t (a cr, b \
             cr[]); INSERT INTO t VALUES ('[1,2]', '{}')",
        );
        let file = support::round_trip(&source, &copy, folder.path());
        support::restore(&file, &copy).arg("-c").run().expect(0);
        support::assert_same(&source, &copy);
        let others =
            if version >= 14 { "cr, cr_multirange, cr_multirange[], cr[]" } else { "cr, cr[]" };
        for (at, other) in others.split(", ").enumerate() {
            copy.execute(&format!("CREATE TABLE mine (a {other})"));
            support::restore(&file, &copy)
                .arg("-c")
                .run()
                .expect(6)
                .says("drop")
                .says("table public.mine");
            assert_eq!(copy.value("SELECT count(*) FROM t"), "1", "{at}: {other}");
            copy.execute("DROP TABLE mine");
        }
        support::assert_same(&source, &copy);
    }
}

#[test]
fn clean_takes_nothing_out_of_publications_and_subscriptions_in_silence() {
    for version in support::ends() {
        let server = testkit::server(version);
        let pair = Pair::on(
            server,
            "CREATE SCHEMA apart; CREATE TABLE apart.t (a integer); CREATE TABLE u (a integer)",
        );
        pair.carry();
        pair.copy.connect().execute(
            "CREATE PUBLICATION p FOR TABLE apart.t; ALTER DEFAULT PRIVILEGES IN SCHEMA apart \
             GRANT SELECT ON TABLES TO pg_monitor",
        );
        let mut made =
            vec!["table apart.t in publication p", "default privileges on new relations"];
        pair.copy.execute(
            "CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = \
             false, slot_name = NONE); INSERT INTO pg_subscription_rel SELECT s.oid, \
             'u'::regclass, 'r', NULL FROM pg_subscription s",
        );
        made.push("table public.u of subscription s");
        if version >= 15 {
            pair.copy.execute("CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA apart");
            made.push("schema apart in publication of_schema");
        }
        let restore = || pair.restore().arg("-c");
        let dry = restore().arg("--dry-run").run().expect(6).stdout;
        for what in made {
            assert!(dry.contains(what), "{what}: {dry}");
        }
        restore().run().expect(6).says("does not make them again").says("subscription s");
        assert!(!support::is_marked(pair.copy.admin()));
        // What the archive makes again is nobody's loss.
        let all = pair.path("all.sbk");
        pair.copy.execute("DELETE FROM pg_subscription_rel");
        support::dump(&pair.copy, &all).run().expect(10);
        let before = testkit::pg_dump_schema(&pair.copy);
        let superuser = pair.copy.url_as("postgres");
        let restore = Silverback::new(["restore", "-c", "--while-connected", "-d", &superuser]);
        restore.arg(&all).run().expect(10);
        assert_eq!(testkit::pg_dump_schema(&pair.copy), before);
    }
}

#[test]
fn clean_tears_no_table_out_of_its_parent_and_takes_no_sequence_in_silence() {
    let pair = Pair::new("CREATE TABLE s (id integer PRIMARY KEY, v serial)");
    pair.carry();
    for (make, told, take) in [
        (
            "CREATE TABLE par (id integer NOT NULL, v integer NOT NULL) PARTITION BY LIST (id);
             ALTER TABLE par ATTACH PARTITION s FOR VALUES IN (1)",
            "table public.s as a child or partition of public.par",
            "ALTER TABLE par DETACH PARTITION s; DROP TABLE par",
        ),
        (
            "CREATE TABLE par (v integer NOT NULL); ALTER TABLE s INHERIT par",
            "table public.s as a child or partition of public.par",
            "ALTER TABLE s NO INHERIT par; DROP TABLE par",
        ),
        (
            "CREATE SEQUENCE ticket OWNED BY s.id",
            "sequence public.ticket",
            "ALTER SEQUENCE ticket OWNED BY NONE",
        ),
    ] {
        pair.copy.connect().execute(make);
        let dry = pair.restore().args(["-c", "--dry-run"]).run().expect(6);
        assert!(dry.stdout.contains(told), "{told}: {}", dry.stdout);
        pair.restore().arg("-c").run().expect(6).says(told);
        pair.copy.connect().execute(take);
    }
    // A column that has come since is a part of its table, and so is what numbers it.
    pair.copy.connect().execute("ALTER TABLE s ADD n serial; SELECT nextval('ticket')");
    pair.restore().arg("-c").run().expect(0);
    assert_eq!(pair.copy.value("SELECT last_value FROM ticket"), "1");
}

#[test]
fn clean_tells_of_rows_that_go_and_do_not_come_back() {
    let pair = Pair::new("CREATE TABLE kept (a integer); CREATE TABLE log (a integer)");
    pair.carry();
    pair.copy.connect().execute("INSERT INTO kept VALUES (1); INSERT INTO log VALUES (1)");
    let told = "-c drops the rows of these tables, and the options restore none of theirs: ";
    let restore = || pair.restore().arg("-c");
    let run = restore().args(["--exclude-table-data", "log", "--dry-run"]).run().expect(0);
    assert!(run.stdout.contains(&format!("{told}public.log")), "{}", run.stdout);
    restore().args(["-s", "--dry-run"]).run().expect(0);
    restore().arg("-s").run().expect(0).says(&format!("{told}public.kept, public.log"));
    pair.copy.connect().execute("INSERT INTO log VALUES (1)");
    assert!(!restore().run().expect(0).stderr.contains(told));
}
