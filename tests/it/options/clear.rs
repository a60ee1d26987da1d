//! `--clean=schemas`: all that the role owns in the archive's schemas goes, and nothing else; and
//! what is dropped where the server's lock table has no room for all of it.

use testkit::Server;

use crate::pair::Pair;
use crate::support::{self, wait_for};

use super::{SHOP, is_marked};

/// Somebody else's, under the same role in the same schema: tables that refer to each other, a type
/// with its functions, what stands on them.
const NEIGHBOUR: &str = "
    CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN shop.low AS integer CHECK (VALUE < 10);
    CREATE FUNCTION shop.vat(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
    CREATE TABLE shop.a (id integer PRIMARY KEY, m shop.mood, l shop.low);
    CREATE TABLE shop.b (id integer PRIMARY KEY REFERENCES shop.a);
    ALTER TABLE shop.a ADD FOREIGN KEY (id) REFERENCES shop.b;
    CREATE VIEW shop.both_of_them AS SELECT a.id, o.net FROM shop.a JOIN shop.orders o USING (id);
    CREATE TABLE shop.parts (at date) PARTITION BY RANGE (at);
    CREATE TABLE shop.part PARTITION OF shop.parts DEFAULT;
    CREATE TEXT SEARCH DICTIONARY shop.words (TEMPLATE = simple);
    CREATE SEQUENCE shop.counted;
    CREATE TYPE shop.span AS RANGE (SUBTYPE = float8);
    CREATE TABLE public.beside (a integer);";

#[test]
fn all_that_the_role_owns_in_the_schemas_goes_and_is_named() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), SHOP);
        pair.carry();
        pair.copy.connect().execute(NEIGHBOUR);
        pair.copy.connect().execute("DROP VIEW shop.open; CREATE TABLE shop.open (a integer)");
        let guest = pair.copy.server().role("guest");
        pair.copy.execute(&format!(
            "GRANT USAGE, CREATE ON SCHEMA shop TO {0}; SET ROLE {0}; CREATE TABLE shop.foreigner \
             (a integer); RESET ROLE; CREATE EXTENSION hstore SCHEMA shop",
            guest.name()
        ));
        let clear = |more: &[&str]| pair.restore().arg("--clean=schemas").args(more);
        let plan = clear(&["--dry-run"]).run().expect(0);
        let told = clear(&[]).run().expect(0);
        for what in [
            "TYPE shop.mood",
            "TYPE shop.low",
            "ROUTINE shop.vat(pg_catalog.text)",
            "TABLE shop.a",
            "TABLE shop.b",
            "VIEW shop.both_of_them",
            "TABLE shop.parts",
            "TEXT SEARCH DICTIONARY shop.words",
            "SEQUENCE shop.counted",
            "TYPE shop.span",
        ] {
            assert!(told.stderr.contains(what), "{what}: {}", told.stderr);
            assert!(plan.stdout.contains(what), "{what}: {}", plan.stdout);
        }
        for kept in ["shop.foreigner", "public.beside", "shop.hstore", "shop.vat(numeric)"] {
            let (_, told) = told.stderr.split_once("dropped too").expect("it is told");
            assert!(!told.contains(kept), "{kept}: {told}");
        }
        assert_eq!(pair.copy.value("SELECT count(*) FROM shop.foreigner, public.beside"), "0");
        pair.copy.execute(
            "DROP TABLE shop.foreigner, public.beside; DROP EXTENSION hstore; REVOKE ALL ON SCHEMA \
             shop FROM PUBLIC",
        );
        pair.copy.execute(&format!("REVOKE ALL ON SCHEMA shop FROM {}", guest.name()));
        pair.assert_same();
    }
}

#[test]
fn what_others_have_there_is_refused_by_name() {
    let pair = Pair::new(SHOP);
    pair.carry();
    pair.copy.connect().execute("CREATE TABLE shop.a (id integer); DROP VIEW shop.open");
    let guest = pair.copy.server().role("guest");
    pair.copy.execute(&format!(
        "GRANT USAGE, CREATE ON SCHEMA shop TO {0}; GRANT SELECT ON shop.a TO {0}; SET ROLE {0}; \
         CREATE VIEW shop.theirs AS SELECT id FROM shop.a; CREATE TABLE shop.open (a integer); RESET ROLE",
        guest.name()
    ));
    for more in [&["--dry-run"][..], &[]] {
        let outcome = pair.restore().arg("--clean=schemas").args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains("view shop.theirs"), "{said}");
        assert!(said.contains("table shop.open belongs to another role"), "{said}");
    }
    assert_eq!(pair.copy.value("SELECT count(*) FROM shop.orders"), "2", "nothing was dropped");
    assert!(!is_marked(&pair.copy));
}

#[test]
fn a_part_of_a_schema_is_not_cleared() {
    let pair = Pair::new(SHOP);
    pair.carry();
    for part in [&["-t", "shop.orders"][..], &["-T", "shop.log"], &["--section", "pre-data"]] {
        let refused = pair.restore().arg("--clean=schemas").args(part).run().expect(2);
        refused.says("--clean=schemas").says(part[0]);
    }
    pair.restore().args(["-C", "--clean=schemas"]).run().expect(2).says("-C -c");
    pair.restore().args(["-a", "--clean=schemas"]).run().expect(2);
    pair.restore().arg("--clean=everything").run().expect(2).says("objects, schemas");
    pair.assert_same();
}

/// Its lock table has room for 200 locks, so that no more than 100 are to be taken at a time.
fn small_server() -> Server {
    Server::spec(testkit::newest()).conf("max_locks_per_transaction=10\nmax_connections=20").start()
}

#[test]
fn what_cannot_be_locked_at_a_time_is_dropped_in_batches_and_gone_on_with() {
    let server = small_server();
    let role = server.role("kong");
    let (source, copy) = (server.database_of(&role, "source"), server.database_of(&role, "copy"));
    for database in [&source, &copy] {
        testkit::kong::load(database);
        testkit::kong::seed(database, 20);
    }
    copy.execute("DELETE FROM acls; CREATE TABLE mine (a integer)");
    let folder = support::temp_dir();
    let file = folder.path().join("kong.sbk");
    support::dump(&source, &file).run().expect(0);
    support::verify(&file).run().expect(0);
    let clean = |more: &[&str]| support::restore(&file, &copy).args(["-j", "2", "-c"]).args(more);
    let plan = clean(&["--dry-run"]).run().expect(0);
    assert!(plan.stdout.contains("in several transactions"), "{}", plan.stdout);

    // A reader of one table, and the restore is killed while it waits for it.
    let reader = copy.connect();
    reader.execute("BEGIN; LOCK TABLE workspaces IN ACCESS SHARE MODE");
    let mut running = clean(&[]).spawn();
    wait_for("some of it to be dropped", || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        copy.value(waiting) == "1" || running.is_done()
    });
    running.signal("KILL");
    running.wait();
    assert!(is_marked(&copy), "the mark comes first");
    assert_eq!(copy.value("SELECT state FROM silverback_restore.run"), "dropping");
    reader.execute("COMMIT");
    let resume = support::restore(&file, &copy).args(["-j", "2", "--resume"]).run().expect(6);
    resume.says("stopped while it dropped").says("-c");
    let told = support::Silverback::new(["restore", "--status", "-d", &copy.url()]).run().expect(7);
    assert!(told.stdout.contains(" -c "), "{}", told.stdout);
    clean(&["--resume"]).run().expect(0);
    assert_eq!(copy.value("SELECT count(*) FROM mine"), "0");
    copy.execute("DROP TABLE mine");
    support::assert_same(&source, &copy);

    // Begun anew, as it was typed first.
    clean(&[]).run().expect(0);
    support::assert_same(&source, &copy);
}
