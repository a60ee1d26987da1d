//! Subscriptions and publications as the catalogs have them, on one server and from one version to
//! another.

use testkit::{Database, Server};

use crate::support::{self, Silverback};

const HERE: &str = "(SELECT s.* FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid \
    WHERE d.datname = current_database()) s";

/// A database of a server, with what `sql` makes in it.
fn subscriber(server: &'static Server, sql: &str) -> Database<'static> {
    let database = server.database("sub");
    database.execute(sql);
    database
}

/// Dumps and restores, and demands the exit code of the restore; gives what it said.
#[track_caller]
fn carry(source: &Database<'_>, copy: &Database<'_>, args: &[&str], code: i32) -> String {
    let folder = support::temp_dir();
    let file = folder.path().join("sub.sbk");
    support::dump(source, &file).run().expect(0);
    support::verify(&file).run().expect(0);
    Silverback::new(["restore", "-d", &copy.url()]).arg(&file).args(args).run().expect(code).stderr
}

/// Every option of every subscription, without what is each database's own.
fn options(subscriber: &Database<'_>) -> Vec<String> {
    let server = if subscriber.server().version() >= 19 {
        "(SELECT srvname FROM pg_foreign_server f WHERE f.oid = s.subserver)"
    } else {
        "NULL"
    };
    let sql = format!(
        "SELECT (to_jsonb(s) - '{{oid,subdbid,subserver}}'::text[] || jsonb_build_object('server', \
         {server}))::text FROM {HERE} ORDER BY subname"
    );
    subscriber.column(&sql)
}

#[test]
fn streaming_stays_as_it_is_on_every_version() {
    let made = |name: &str, option: &str| {
        format!(
            "CREATE SUBSCRIPTION {name} CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = \
             false, slot_name = NONE{option});"
        )
    };
    let newest = testkit::newest_server();
    for version in testkit::versions().into_iter().filter(|version| *version >= 14) {
        let sql = [
            made("by_default", ""),
            made("is_off", ", streaming = off"),
            made("is_on", ", streaming = on"),
        ]
        .concat();
        let source = subscriber(testkit::server(version), &sql);
        for server in [testkit::server(version), newest] {
            let copy = subscriber(server, "");
            carry(&source, &copy, &[], 0);
            // A boolean before 16, a letter since.
            let sql = format!(
                "SELECT subname || ' ' || CASE substream::text WHEN 'true' THEN 't' WHEN 'false' \
                 THEN 'f' ELSE substream::text END FROM {HERE} ORDER BY 1"
            );
            assert_eq!(source.column(&sql), copy.column(&sql), "{version} to {}", server.version());
        }
    }
}

/// Before 16 the owner of a subscription applied its changes; since then the owners of the tables
/// do, unless it says otherwise.
#[test]
fn who_applies_changes_stays_the_same_on_every_version() {
    let sql = "CREATE SUBSCRIPTION one CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = \
        false, slot_name = NONE)";
    for version in testkit::versions() {
        let source = subscriber(testkit::server(version), sql);
        for server in [testkit::server(version), testkit::newest_server()] {
            let copy = subscriber(server, "");
            carry(&source, &copy, &[], 0);
            let by_owner =
                format!("SELECT coalesce(to_jsonb(s) ->> 'subrunasowner', 'true') FROM {HERE}");
            assert_eq!(
                source.column(&by_owner),
                copy.column(&by_owner),
                "{version} to {}",
                server.version()
            );
        }
    }
}

/// What came with 19.
const NEW: &str = "
    CREATE FUNCTION connected(oid, oid, internal) RETURNS text LANGUAGE c AS \
    '$libdir/postgres_fdw', 'postgres_fdw_connection';
    CREATE FOREIGN DATA WRAPPER w CONNECTION connected; CREATE SERVER \"The Publisher\" FOREIGN \
    DATA WRAPPER w; CREATE USER MAPPING FOR PUBLIC SERVER \"The Publisher\";
    CREATE SUBSCRIPTION served SERVER \"The Publisher\" PUBLICATION x WITH (connect = false, \
    slot_name = NONE);
    CREATE SUBSCRIPTION waits CONNECTION 'dbname=nowhere' PUBLICATION x WITH (connect = false, \
    slot_name = NONE, max_retention_duration = 7, wal_receiver_timeout = '5s');
    CREATE SCHEMA \"S s\"; CREATE TABLE \"S s\".\"T t\" (a int); CREATE TABLE shown (a int); \
    CREATE TABLE parted (a int) PARTITION BY LIST (a);
    CREATE PUBLICATION excepting FOR ALL TABLES EXCEPT (TABLE \"S s\".\"T t\", parted), ALL \
    SEQUENCES; COMMENT ON PUBLICATION excepting IS 'not all';
    CREATE PUBLICATION sequences FOR ALL SEQUENCES; CREATE PUBLICATION everything FOR ALL TABLES, \
    ALL SEQUENCES;
    CREATE TABLE tuned (a int) WITH (autovacuum_parallel_workers = 2, log_autoanalyze_min_duration \
    = 5, fillfactor = 70)";

const PUBLISHED: &str = "SELECT p.pubname || ' ' || t.tablename FROM pg_publication p, \
    pg_get_publication_tables(p.pubname) g \
    JOIN pg_class c ON c.oid = g.relid JOIN pg_tables t ON t.tablename = c.relname WHERE p.pubname \
    <> 'x' ORDER BY 1";

#[test]
fn what_came_with_19_comes_back() {
    for version in testkit::versions().into_iter().filter(|version| *version >= 19) {
        let server = testkit::server(version);
        let (source, copy) = (subscriber(server, NEW), subscriber(server, ""));
        carry(&source, &copy, &[], 0);
        assert_eq!(options(&source), options(&copy));
        support::assert_same_schema(&source, &copy);
        for query in [
            PUBLISHED,
            "SELECT pubname || ' ' || puballtables || puballsequences FROM pg_publication ORDER BY 1",
            "SELECT fdwname || ' ' || fdwconnection::regproc FROM pg_foreign_data_wrapper ORDER BY 1",
        ] {
            assert_eq!(source.column(query), copy.column(query), "{query}");
        }
        assert!(!source.column(PUBLISHED).contains(&"excepting T t".to_owned()));
    }
}

#[test]
fn a_publication_does_not_come_without_a_table_that_it_excepts() {
    for version in testkit::versions().into_iter().filter(|version| *version >= 19) {
        let server = testkit::server(version);
        let source = server.database("except");
        source.execute(
            "CREATE TABLE secret (a int); CREATE TABLE shown (a int); CREATE PUBLICATION \
                p FOR ALL TABLES EXCEPT (TABLE secret)",
        );
        let folder = support::temp_dir();
        let file = folder.path().join("except.sbk");
        support::dump(&source, &file)
            .args(["-T", "secret"])
            .run()
            .expect(10)
            .says("publication p: it needs public.secret");
    }
}

#[test]
fn what_18_does_not_know_is_left_out_and_named() {
    let versions = testkit::versions();
    for (from, to) in versions
        .iter()
        .filter(|from| **from >= 19)
        .flat_map(|from| versions.iter().filter(|to| **to < 19).map(move |to| (*from, *to)))
    {
        let source = subscriber(testkit::server(from), NEW);
        // The library of the other server has no such function.
        source.execute("ALTER FOREIGN DATA WRAPPER w NO CONNECTION");
        source.execute(
            "CREATE OR REPLACE FUNCTION connected(oid, oid, internal) RETURNS text \
             LANGUAGE internal AS 'textin'; ALTER FOREIGN DATA WRAPPER w CONNECTION connected",
        );
        let copy = subscriber(testkit::server(to), "");
        let said = carry(&source, &copy, &[], 10);
        for words in [
            "PUBLICATION excepting with EXCEPT",
            "PUBLICATION sequences with ALL SEQUENCES",
            "ALL SEQUENCES of PUBLICATION everything",
            "CONNECTION of FOREIGN DATA WRAPPER w",
            "SUBSCRIPTION served with SERVER",
            "max_retention_duration of SUBSCRIPTION waits",
            "wal_receiver_timeout of SUBSCRIPTION waits",
            "autovacuum_parallel_workers of TABLE public.tuned",
            "log_autoanalyze_min_duration of TABLE public.tuned",
        ] {
            assert!(said.contains(words), "{from} to {to} does not say {words:?}: {said}");
        }
        assert_eq!(copy.column("SELECT pubname FROM pg_publication"), ["everything"]);
        assert_eq!(copy.column(&format!("SELECT subname FROM {HERE}")), ["waits"]);
        assert_eq!(
            copy.column("SELECT reloptions::text FROM pg_class WHERE relname = 'tuned'"),
            ["{fillfactor=70}"]
        );
    }
}

#[test]
fn one_cause_is_told_once() {
    let versions = testkit::versions();
    let newer = versions.iter().find(|version| **version >= 18);
    let Some((from, to)) = newer.zip(versions.iter().rfind(|version| **version < 18)) else {
        return;
    };
    let setup = "CREATE SCHEMA s; CREATE TABLE s.t (a int PRIMARY KEY, b int REFERENCES s.t, c int \
        GENERATED ALWAYS AS (a * 2) VIRTUAL); CREATE INDEX i ON s.t (b); \
        COMMENT ON TABLE s.t IS 'x'; GRANT SELECT ON s.t TO PUBLIC; CREATE VIEW s.v AS SELECT a \
        FROM s.t; COMMENT ON VIEW s.v IS 'y'; CREATE VIEW s.w AS SELECT a FROM s.v; \
        CREATE TABLE s.fine (a int); INSERT INTO s.t VALUES (1, 1); INSERT INTO s.fine VALUES (1)";
    let (source, copy) =
        (subscriber(testkit::server(*from), setup), subscriber(testkit::server(*to), ""));
    let said = carry(&source, &copy, &["--keep-going"], 7);
    let (_, said) =
        said.split_once("1 error:").unwrap_or_else(|| panic!("more than one error: {said}"));
    let (_, consequences) = said
        .split_once("without it not made: ")
        .unwrap_or_else(|| panic!("nothing failed for want of it: {said}"));
    for name in ["VIEW s.v", "VIEW s.w", "t_pkey ON s.t", "INDEX s.i", "t_b_fkey ON s.t"] {
        assert_eq!(consequences.matches(name).count(), 1, "{name}: {said}");
    }
    assert_eq!(copy.column("SELECT a FROM s.fine"), ["1"]);
}
