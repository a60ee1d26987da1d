//! Options that change what a dump holds and how a restore begins and ends: each with the meaning
//! that `pg_dump` and `pg_restore` give it.

use silverback::archive::Archive;
use testkit::Server;

use crate::pair::Pair;
use crate::support::{self, Silverback, assert_same_schema, is_marked};

mod before;
mod by_name;
mod choice;
mod clean;
mod clear;
mod encodings;
mod given_snapshot;
mod sections;

const SHOP: &str = "
    CREATE SCHEMA shop;
    CREATE TYPE shop.state AS ENUM ('new', 'paid');
    CREATE FUNCTION shop.vat(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.2';
    CREATE TABLE shop.customers (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE shop.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer integer \
    REFERENCES shop.customers, state shop.state DEFAULT 'new',
        net numeric CHECK (net > 0), vat numeric GENERATED ALWAYS AS (shop.vat(net)) STORED);
    CREATE INDEX ON shop.orders (shop.vat(net));
    CREATE VIEW shop.open AS SELECT o.id, c.name FROM shop.orders o JOIN shop.customers c ON c.id \
    = o.customer WHERE state = 'new';
    CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER touch BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
    CREATE TABLE shop.log (at date) PARTITION BY RANGE (at);
    CREATE TABLE shop.log_now PARTITION OF shop.log DEFAULT;
    CREATE INDEX ON shop.log (at);
    INSERT INTO shop.customers (name) VALUES ('a'), ('b');
    INSERT INTO shop.orders (customer, net) VALUES (1, 10), (2, 20);
    INSERT INTO shop.log VALUES ('2026-01-01');
    COMMENT ON TABLE shop.orders IS 'what was sold'";

#[test]
fn the_sections_one_after_the_other_make_the_whole() {
    for version in testkit::versions() {
        // The view is whole only once the key is there.
        let sums = "; CREATE VIEW shop.sums AS SELECT c.id, c.name, sum(o.net) AS net FROM \
            shop.customers c JOIN shop.orders o ON o.customer = c.id GROUP BY c.id;
            CREATE MATERIALIZED VIEW shop.kept_sums AS TABLE shop.sums";
        let unproven =
            "; CREATE TABLE shop.notes (note text); INSERT INTO shop.notes VALUES (NULL);
            ALTER TABLE shop.notes ADD CONSTRAINT noted NOT NULL note NOT VALID";
        let pair = Pair::on(
            testkit::server(version),
            &[SHOP, sums, if version >= 18 { unproven } else { "" }].concat(),
        );
        pair.dump().run().expect(0);
        for section in ["pre-data", "data", "post-data"] {
            pair.restore().args(["--section", section]).run().expect(0);
        }
        pair.assert_same();
    }
}

#[test]
fn post_data_alone_wants_its_tables_and_nothing_of_its_own() {
    let pair = Pair::new(SHOP);
    pair.dump().run().expect(0);
    let post_data = || pair.restore().args(["--section", "post-data"]);
    post_data().run().expect(6).says("shop.orders does not exist").says("--section pre-data");
    assert!(!is_marked(pair.copy.admin()));
    pair.restore().args(["--section", "pre-data", "--section", "data"]).run().expect(0);
    post_data().run().expect(0);
    pair.assert_same();
    post_data().run().expect(6).says("orders_pkey").says("exists already");
    assert!(!is_marked(pair.copy.admin()));
    support::assert_same(&pair.source, &pair.copy);
}

#[test]
fn an_archive_with_a_part_of_a_database_cleans_that_part() {
    let pair = Pair::new(SHOP);
    pair.carry();
    pair.copy.connect().execute("DELETE FROM shop.log; DELETE FROM shop.orders");
    pair.restore().args(["-c", "-t", "shop.log*"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM shop.log"), "1");
    assert_eq!(pair.copy.value("SELECT count(*) FROM shop.orders"), "0");
}

/// All that `-C` is to bring back.
const PROPERTIES: &str = "SELECT r.rolname, pg_encoding_to_char(encoding), datcollate, datctype, \
    to_jsonb(d) ->> 'datlocprovider', \
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), to_jsonb(d) ->> \
    'daticurules', datconnlimit, datistemplate, ARRAY(SELECT a::text FROM unnest(datacl) a ORDER \
    BY 1), shobj_description(d.oid, 'pg_database'), \
    ARRAY(SELECT coalesce(s.setrole::regrole::text, '') || s.setconfig::text FROM \
    pg_db_role_setting s WHERE s.setdatabase = d.oid ORDER BY 1) \
    FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE datname = current_database()";

#[test]
fn create_makes_the_database_with_all_its_properties() {
    for version in testkit::versions() {
        let (server, other) = (testkit::server(version), Server::spec(version).start());
        let pair = Pair::on(server, SHOP);
        let (name, owner) = (pair.source.name().to_owned(), pair.owner.name().to_owned());
        pair.source.execute(&format!(
            "ALTER DATABASE {name} CONNECTION LIMIT 50; ALTER DATABASE {name} IS_TEMPLATE true;
             ALTER DATABASE {name} SET search_path TO shop, \"$user\", \"A, b\"; ALTER DATABASE \
             {name} SET app.tenant TO 'it''s';
             ALTER DATABASE {name} SET default_transaction_read_only TO on; ALTER ROLE {owner} IN \
             DATABASE {name} SET work_mem TO '8MB';
             REVOKE CONNECT ON DATABASE {name} FROM PUBLIC; GRANT TEMPORARY ON DATABASE {name} TO \
             postgres; COMMENT ON DATABASE {name} IS 'the shop'"
        ));
        pair.dump().run().expect(0);
        pair.source.execute(&format!("ALTER DATABASE {name} IS_TEMPLATE false"));
        let target = |words: &[&str]| {
            Silverback::new(["restore", "-d", &other.url("postgres", "postgres")])
                .arg(pair.file())
                .args(words)
        };
        target(&["-C"]).run().expect(6).says(&format!("role {owner} does not exist"));
        other.connect("postgres").execute(&format!("CREATE ROLE {owner} LOGIN"));
        let plan = target(&["-C", "--dry-run"]).run().expect(0);
        assert!(
            plan.stdout.contains(&format!("CREATE DATABASE {name} WITH TEMPLATE = template0")),
            "{}",
            plan.stdout
        );
        target(&["-C", "-c"]).run().expect(6).says(&format!("database {name} does not exist"));
        target(&["-C"]).run().expect(0);
        let copy = other.connect(&name);
        let mut expected = pair.source.rows(PROPERTIES);
        expected[0][8] = Some("t".to_owned());
        assert_eq!(copy.rows(PROPERTIES), expected);
        assert_eq!(copy.value("SELECT count(*) FROM shop.orders"), "2");
        assert!(!is_marked(&copy));
        target(&["-C"]).run().expect(6).says(&format!("database {name} exists"));
        copy.execute(
            "SET default_transaction_read_only TO off; SET transaction_read_only TO off; \
             DROP TABLE shop.orders CASCADE",
        );
        target(&["-C", "-c"]).run().expect(6).says("connected to the database that -c is to drop");
        drop(copy);
        let admin = other.connect("postgres");
        support::wait_for("the session to end", || {
            admin.value(&format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"))
                == "0"
        });
        target(&["-C", "-c", "--if-exists"]).run().expect(0);
        assert_eq!(other.connect(&name).value("SELECT count(*) FROM shop.orders"), "2");
    }
}

#[test]
fn the_plain_owner_may_create_when_it_may_create_databases() {
    let pair = Pair::new(SHOP);
    pair.source.execute(&format!("COMMENT ON DATABASE {} IS 'the shop'", pair.source.name()));
    pair.dump().run().expect(0);
    let other = Server::spec(testkit::newest()).start();
    let owner = pair.owner.name();
    other.connect("postgres").execute(&format!("CREATE ROLE {owner} LOGIN"));
    let target =
        || Silverback::new(["restore", "-C", "-d", &other.url(owner, "postgres")]).arg(pair.file());
    target().run().expect(6).says("may not create databases");
    other.connect("postgres").execute(&format!("ALTER ROLE {owner} CREATEDB"));
    target().run().expect(0);
    let copy = other.connect(pair.source.name());
    assert_eq!(copy.rows(PROPERTIES), pair.source.rows(PROPERTIES));
}

/// The late index takes as long as a setting of the role says.
#[test]
fn who_finishes_a_restore_that_made_the_database_says_of_it_the_same() {
    let pair = Pair::new(
        "CREATE TABLE t (a integer); INSERT INTO t VALUES (1);
         CREATE FUNCTION held(a integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
           IF current_setting('test.hold', true) = 'on' THEN PERFORM pg_sleep(3600); END IF; \
           RETURN a;
         END $$",
    );
    pair.source.execute(&format!(
        "CREATE INDEX ON t (held(a)); COMMENT ON DATABASE {0} IS 'the shop'; ALTER DATABASE {0} \
         CONNECTION LIMIT 50;
         REVOKE CONNECT ON DATABASE {0} FROM PUBLIC",
        pair.source.name()
    ));
    pair.dump().run().expect(0);
    let other = Server::spec(testkit::newest()).start();
    let admin = other.connect("postgres");
    admin.execute(&format!("CREATE ROLE {} LOGIN", pair.owner.name()));
    admin.execute("ALTER ROLE postgres SET test.hold = 'on'");
    let restore = |database: &str| {
        Silverback::new(["restore", "--ready-early", "-d", &other.url("postgres", database)])
            .arg(pair.file())
    };
    let run = restore("postgres").arg("-C").spawn();
    support::wait_for("the late index", || {
        admin.value(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX \
             CONCURRENTLY%' AND wait_event = 'PgSleep'",
        ) == "1"
    });
    run.signal("TERM");
    run.wait().expect(143);
    admin.execute("ALTER ROLE postgres RESET test.hold");
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
    );
    restore(pair.source.name()).run().expect(0);
    let copy = other.connect(pair.source.name());
    assert_eq!(copy.rows(PROPERTIES), pair.source.rows(PROPERTIES));
    assert_eq!(
        copy.value("SELECT count(*) FROM pg_index WHERE indisvalid AND indrelid = 't'::regclass"),
        "1"
    );
}

#[test]
fn without_create_the_database_stays_as_it_is() {
    let pair = Pair::new("CREATE TABLE t (a integer)");
    pair.source.execute(&format!(
        "COMMENT ON DATABASE {} IS 'x'; ALTER DATABASE {} CONNECTION LIMIT 7",
        pair.source.name(),
        pair.source.name()
    ));
    pair.carry();
    assert_eq!(
        pair.copy.value(
            "SELECT datconnlimit || coalesce(shobj_description(oid, 'pg_database'), '') FROM \
             pg_database WHERE datname = current_database()"
        ),
        "-1"
    );
}

#[test]
fn keep_going_does_what_can_be_done_and_names_what_cannot() {
    let pair = Pair::new(SHOP);
    pair.source.execute(
        "SET session_replication_role = replica; UPDATE shop.orders SET customer = 77 WHERE id = \
         2; RESET session_replication_role;
         CREATE TABLE schema_meta (key text); INSERT INTO schema_meta VALUES ('core')",
    );
    pair.source.execute(&format!("ALTER TABLE schema_meta OWNER TO {}", pair.owner.name()));
    pair.dump().run().expect(0);
    pair.restore().arg("-e").run().expect(7).says("orders_customer_fkey");
    pair.copy.execute(
        "DROP SCHEMA silverback_restore CASCADE; DROP SCHEMA shop CASCADE; DROP TABLE schema_meta",
    );
    let kept = pair
        .restore()
        .arg("--keep-going")
        .run()
        .expect(7)
        .says("2 errors:")
        .says("Key (customer)=(77)")
        .says("schema_meta");
    assert!(kept.stderr.contains("marks the target as incomplete"), "{}", kept.stderr);
    assert!(is_marked(pair.copy.admin()));
    assert_eq!(pair.copy.value("SELECT count(*) FROM shop.orders"), "2");
    assert_eq!(
        pair.copy.value("SELECT count(*) FROM schema_meta"),
        "0",
        "nothing declares it usable"
    );
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_trigger WHERE tgname = 'touch'"), "1");
}

#[test]
fn keep_going_changes_nothing_where_nothing_fails() {
    let pair = Pair::new(SHOP);
    pair.dump().run().expect(0);
    pair.restore().arg("--keep-going").run().expect(0);
    pair.assert_same();
    Silverback::new(["restore", "x", "--keep-going", "-e"]).run().expect(2);
    Silverback::new(["restore", "x", "--if-exists"]).run().expect(2);
    Silverback::new(["restore", "x", "-a", "-c"]).run().expect(2);
}

#[test]
fn row_security_chooses_only_when_asked() {
    let pair = Pair::new(
        "CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(1, 10); CREATE POLICY \
         low ON t USING (a <= 3);
         ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY",
    );
    pair.dump().run().expect(6).says("row-level security");
    pair.dump().arg("--enable-row-security").run().expect(0);
    pair.restore().run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM t"), "3");
    assert_same_schema(&pair.source, &pair.copy);
}

#[test]
fn what_may_be_left_out_is() {
    let pair = Pair::new("CREATE TABLE t (a integer PRIMARY KEY); COMMENT ON TABLE t IS 'x'");
    pair.source.execute("CREATE PUBLICATION p FOR TABLE t");
    pair.dump()
        .args([
            "--no-publications",
            "--no-subscriptions",
            "--no-comments",
            "--no-security-labels",
            "--strict-names",
            "-t",
            "t",
        ])
        .run()
        .expect(0);
    let archive = Archive::open_path(&pair.file()).expect("the archive can be read");
    assert!(archive.manifest.objects.iter().all(|object| object.comments.is_empty() && !object.identity.starts_with("PUBLICATION")));
    let all = pair.path("all.sbk");
    Silverback::new(["dump", "-d", &pair.source.url_as("postgres"), "-f"])
        .arg(&all)
        .run()
        .expect(0);
    support::restore(&all, &pair.copy)
        .args(["--no-publications", "--no-comments", "--no-security-labels"])
        .run()
        .expect(0);
    assert_eq!(
        pair.copy.value(
            "SELECT (SELECT count(*) FROM pg_publication) || \
             coalesce(obj_description('t'::regclass), '')"
        ),
        "0"
    );
}

#[test]
fn rows_of_partitions_go_through_the_root_when_asked() {
    let pair = Pair::new(SHOP);
    pair.dump().arg("--load-via-partition-root").run().expect(0);
    let archive = Archive::open_path(&pair.file()).expect("the archive can be read");
    let root = |name: &str| {
        archive.manifest.tables.iter().find(|table| table.name == name).expect("there").root.clone()
    };
    assert_eq!(root("log_now").expect("a root").name, "log");
    assert_eq!(root("orders"), None);
    let plan = pair.restore().arg("--dry-run").run().expect(0);
    assert!(plan.stdout.contains("COPY shop.log (at) FROM STDIN"), "{}", plan.stdout);
    pair.restore().run().expect(0);
    support::assert_same(&pair.source, &pair.copy);
}
