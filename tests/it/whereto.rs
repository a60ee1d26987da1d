//! Where a restore goes, and whose tables it fills: a database that is named, another's tables,
//! event triggers that stand in the way.

use crate::pair::Pair;
use crate::support::{Silverback, is_marked, temp_dir};

#[test]
fn a_restore_asks_where() {
    let pair = Pair::new("CREATE TABLE t AS SELECT 1 AS a");
    pair.dump().run().expect(0);
    let port = pair.copy.server().port().to_string();
    let run = || Silverback::new(["restore"]).arg(pair.file());
    let say = "-d DBNAME";
    run().run().expect(2).says("nothing says which database is meant").says(say);
    run().arg("--dry-run").run().expect(2).says(say);
    run()
        .args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres"])
        .run()
        .expect(2)
        .says("it would be postgres")
        .says(say);
    run()
        .args(["-d", &format!("postgresql://postgres@127.0.0.1:{port}")])
        .run()
        .expect(2)
        .says(say);
    run()
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", &port)
        .env("PGUSER", "postgres")
        .run()
        .expect(2)
        .says(say);
    run().env("PGDATABASE", "").run().expect(2).says(say);
    run().env("KONG_PG_HOST", "").env("KONG_PROXY_LISTEN", "off").run().expect(2).says(say);
    Silverback::new(["restore", "-d", ""])
        .arg(pair.file())
        .env("PGDATABASE", "x")
        .run()
        .expect(2)
        .says("--dbname: it is empty");
    Silverback::new(["dump", "-d", "", "-f", "/nowhere/x"])
        .run()
        .expect(2)
        .says("--dbname: it is empty");
    // Each way to name it leads to a server that is not there.
    run().env("KONG_PG_PORT", "1").run().expect(4);
    run().args(["-p", "1", "-h", "127.0.0.1", "-U", "x"]).env("PGDATABASE", "x").run().expect(4);
    let folder = temp_dir();
    let services = folder.path().join("services");
    std::fs::write(&services, "[there]\nhost=127.0.0.1\nport=1\nuser=x\ndbname=x\n[nowhere]\nhost=127.0.0.1\nport=1\nuser=x\n")
        .expect("the folder is ours");
    run().env("PGSERVICEFILE", &services).env("PGSERVICE", "there").run().expect(4);
    run().env("PGSERVICEFILE", &services).env("PGSERVICE", "nowhere").run().expect(2).says(say);
    // Reading changes nothing: a dump goes where Kong's own defaults say.
    Silverback::new(["dump", "-f"])
        .arg(folder.path().join("x.sbk"))
        .env("KONG_PG_PORT", "1")
        .run()
        .expect(4);
}

const SHOP: &str = "CREATE TABLE parents (id int PRIMARY KEY); INSERT INTO parents SELECT \
    generate_series(1, 10);
    CREATE TABLE children (id int GENERATED ALWAYS AS IDENTITY, parent int REFERENCES parents, \
    late text); INSERT INTO children (parent) SELECT generate_series(1, 10);
    CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM children;";

#[test]
fn who_may_read_and_insert_brings_rows() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let pair = Pair::on(server, SHOP);
        let clerk = server.role("clerk");
        pair.dump().run().expect(0);
        pair.restore().arg("-s").run().expect(0);
        let run = || {
            Silverback::new(["restore", "-a", "-d", &pair.copy.url_as(clerk.name())])
                .arg(pair.file())
        };
        let owner = pair.copy.connect();
        owner.execute(&format!(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{0}\"; GRANT \
             INSERT ON parents TO \"{0}\"",
            clerk.name()
        ));
        run()
            .run()
            .expect(6)
            .says("this role may not read and fill table public.children")
            .says("GRANT SELECT, INSERT");
        owner.execute(&format!("GRANT INSERT (id, parent) ON children TO \"{}\"", clerk.name()));
        run().run().expect(6).says("this role may not read and fill table public.children");
        owner.execute(&format!("GRANT INSERT (late) ON children TO \"{}\"", clerk.name()));
        // A trigger that would fire.
        owner.execute(
            "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.late := \
             ''fired''; RETURN NEW; END';
             CREATE TRIGGER late BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION late()",
        );
        run()
            .run()
            .expect(6)
            .says("trigger late of table public.children would fire")
            .says("--fire-triggers");
        owner.execute("ALTER TABLE children DISABLE TRIGGER late");
        // What only an owner may do is named.
        let outcome = run()
            .run()
            .expect(10)
            .says("no marker is set")
            .says("sequence value public.children_id_seq")
            .says("materialized view public.seen");
        assert!(outcome.stderr.contains("20 rows"), "{}", outcome.stderr);
        assert_eq!(pair.copy.value("SELECT count(*) FROM children WHERE late IS NULL"), "10");
        assert_eq!(pair.copy.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'late'"), "D");
        run().run().expect(6).says("table public.children holds rows");
        owner.execute(&format!(
            "TRUNCATE parents, children; ALTER TABLE children ENABLE TRIGGER late; GRANT UPDATE ON \
             SEQUENCE children_id_seq TO \"{}\"",
            clerk.name()
        ));
        run()
            .args(["--fire-triggers", "-t", "parents", "-t", "children*"])
            .run()
            .expect(0)
            .says("no marker is set");
        assert_eq!(pair.copy.value("SELECT count(*) FROM children WHERE late = 'fired'"), "10");
        assert_eq!(pair.copy.value("SELECT last_value FROM children_id_seq"), "10");
        // Row security would hide or refuse rows.
        owner.execute("TRUNCATE parents, children; ALTER TABLE parents ENABLE ROW LEVEL SECURITY");
        run()
            .args(["-t", "parents"])
            .run()
            .expect(6)
            .says("row security of table public.parents applies to this role");
        owner.execute("ALTER TABLE parents DISABLE ROW LEVEL SECURITY");
        // The owner's triggers fire too where that is asked for, and do not otherwise.
        pair.restore().args(["-a", "--fire-triggers"]).run().expect(0);
        assert_eq!(pair.copy.value("SELECT count(*) FROM children WHERE late = 'fired'"), "10");
        pair.copy.execute(&format!("DROP OWNED BY \"{}\"", clerk.name()));
    }
}

#[test]
fn a_borrowed_table_that_refuses_rows_says_that_nothing_marks_it() {
    let pair = Pair::new("CREATE TABLE t AS SELECT n AS a FROM generate_series(1, 10) n");
    pair.dump().run().expect(0);
    pair.restore().arg("-s").run().expect(0);
    let clerk = pair.copy.server().role("clerk");
    pair.copy.execute(&format!(
        "GRANT SELECT, INSERT ON t TO \"{}\"; ALTER TABLE t ADD CHECK (a < 10)",
        clerk.name()
    ));
    let run = || {
        Silverback::new(["restore", "-a", "-d", &pair.copy.url_as(clerk.name())]).arg(pair.file())
    };
    run().run().expect(7).says("nothing marks the target as incomplete");
    assert!(!is_marked(pair.copy.admin()));
    pair.copy.execute(&format!("DROP OWNED BY \"{}\"", clerk.name()));
}

#[test]
fn an_event_trigger_of_the_target_is_named() {
    for version in crate::support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE INDEX t_late ON \
             t ((a + 1))",
        );
        pair.dump().run().expect(0);
        pair.copy.execute(
            "CREATE FUNCTION pg_catalog.guard() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN \
             RAISE ''no changes on fridays''; END';
             CREATE EVENT TRIGGER \"Guard\" ON ddl_command_start WHEN TAG IN ('CREATE SCHEMA') \
             EXECUTE FUNCTION guard()",
        );
        let only = |tag: &str| {
            pair.copy.execute(&format!(
                "DROP EVENT TRIGGER \"Guard\"; CREATE EVENT TRIGGER \"Guard\" ON ddl_command_start \
                 WHEN TAG IN ('{tag}') EXECUTE FUNCTION guard()"
            ));
        };
        pair.restore().run().expect(6).says("no changes on fridays").says("\"Guard\"");
        only("CREATE TABLE");
        pair.restore().run().expect(6).says("no changes on fridays").says("\"Guard\"");
        pair.restore()
            .args(["-c", "--if-exists"])
            .run()
            .expect(6)
            .says("no changes on fridays")
            .says("\"Guard\"");
        assert!(!is_marked(pair.copy.admin()));
        only("CREATE INDEX");
        pair.restore().run().expect(7).says("no changes on fridays");
        pair.copy.execute("DROP EVENT TRIGGER \"Guard\"");
        pair.restore().arg("-c").run().expect(0);
        pair.copy.execute("DROP FUNCTION pg_catalog.guard()");
    }
}
