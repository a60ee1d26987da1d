//! `dump --snapshot`: what another session's snapshot shows, or nothing.

use testkit::Client;

use super::choice::tool;
use crate::pair::Pair;
use crate::support::{self, Silverback, assert_same};

fn export(client: &Client) -> String {
    client.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    client.value("SELECT pg_export_snapshot()")
}

#[test]
fn a_given_snapshot_is_what_pg_dump_shows_of_it() {
    for version in support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g; CREATE TABLE u (id int)",
        );
        let exporter = pair.source.connect();
        let id = export(&exporter);
        pair.source.execute("DELETE FROM t WHERE id > 10; INSERT INTO u VALUES (1)");
        pair.dump().args(["--snapshot", &id]).run().expect(0);
        let theirs = pair.path("theirs.sql").display().to_string();
        tool("pg_dump", &["-a", "--snapshot", &id, "-d", &pair.source.url(), "-f", &theirs]);
        let lines = std::fs::read_to_string(theirs).expect("it was written");
        let rows = lines.lines().filter(|line| line.parse::<u32>().is_ok()).count();
        assert_eq!(rows, 1000);
        pair.restore().run().expect(0);
        assert_eq!(pair.copy.value("SELECT count(*) FROM t"), "1000");
        assert_eq!(pair.copy.value("SELECT count(*) FROM u"), "0");
        exporter.execute("ROLLBACK");
        let again = pair.path("again.sbk");
        let dump = support::dump(&pair.source, &again).args(["--snapshot", &id]);
        dump.run().expect(6).says("import the snapshot").says("must still be in that transaction");
        assert!(!again.exists());
        pair.source.execute("INSERT INTO t SELECT generate_series(11, 1000); TRUNCATE u");
        assert_same(&pair.source, &pair.copy);
    }
}

#[test]
fn what_is_not_any_more_what_a_given_snapshot_shows_is_refused() {
    for version in support::ends() {
        let server = testkit::server(version);
        for (change, says) in [
            ("TRUNCATE t", "t was rewritten"),
            ("ALTER TABLE t ALTER id TYPE bigint", "t was"),
            ("ALTER TABLE t ADD more text", "t was altered, renamed or dropped"),
            ("ALTER TABLE t RENAME TO v; CREATE TABLE t (id integer)", "t was altered"),
            ("DROP TABLE t", "since the snapshot was taken"),
        ] {
            let pair =
                Pair::on(server, "CREATE TABLE t AS SELECT 1 AS id; CREATE TABLE u (id int)");
            let exporter = pair.source.connect();
            let id = export(&exporter);
            pair.source.connect().execute(change);
            let dump = || pair.dump().args(["--snapshot", &id]);
            dump().run().expect(9).says(says).says("export a new snapshot");
            assert!(!pair.file().exists(), "{change}");
            dump().args(["-t", "u"]).run().expect(0);
        }
    }
}

const DEFINED: &str = "CREATE TABLE t (id integer, at date);
    ALTER TABLE t ADD CONSTRAINT above CHECK (id > 0) NOT VALID;
    CREATE TABLE other (id integer);
    CREATE TYPE mood AS ENUM ('low', 'high');
    CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
    CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER fires BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION fires();
    CREATE INDEX by_f ON t (f(id));
    CREATE STATISTICS two (ndistinct) ON id, at FROM t;
    CREATE VIEW v AS SELECT id, f(id) AS f FROM t;
    CREATE TABLE moods (mood mood DEFAULT 'low');
    ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY mine ON t USING (f(id) = 1)";

#[test]
fn what_functions_of_the_server_tell_is_what_a_given_snapshot_shows_or_is_refused() {
    for version in support::ends() {
        let server = testkit::server(version);
        for (change, says) in [
            (
                "CREATE OR REPLACE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS \
                 'SELECT 2'",
                "function public.f was altered, renamed or dropped",
            ),
            ("ALTER FUNCTION f(integer) COST 7", "function public.f was"),
            ("ALTER FUNCTION f(integer) RENAME TO g", "function public.f was"),
            ("ALTER INDEX by_f RENAME TO by_g", "public.by_f was"),
            ("ALTER VIEW v RENAME f TO g", "public.v was"),
            ("ALTER TYPE mood RENAME VALUE 'low' TO 'lower'", "type public.mood was"),
            ("ALTER TYPE mood RENAME TO mode", "type public.mood was"),
            ("ALTER STATISTICS two RENAME TO three", "statistics public.two was"),
            ("ALTER TRIGGER fires ON t RENAME TO flies", "public.t was"),
            ("DROP STATISTICS two", "since the snapshot was taken"),
            ("DROP INDEX by_f", "since the snapshot was taken"),
            ("ALTER ROLE {role} RENAME TO {role}_2", "role reader"),
            ("REVOKE SELECT ON v FROM {role}; DROP ROLE {role}", "role reader"),
            ("REVOKE SELECT ON v FROM {role}", ""),
            ("CREATE OR REPLACE VIEW v AS SELECT id, 2 AS f FROM t", ""),
            ("ALTER TABLE t VALIDATE CONSTRAINT above", ""),
            ("ALTER TABLE t RENAME CONSTRAINT above TO below", ""),
            ("ALTER POLICY mine ON t USING (f(id) = 2)", ""),
            ("ALTER TABLE moods ALTER mood SET DEFAULT 'high'", ""),
            ("GRANT EXECUTE ON FUNCTION f(integer) TO PUBLIC", ""),
            ("CREATE FUNCTION f(text) RETURNS integer LANGUAGE sql AS 'SELECT 3'", ""),
            ("ALTER TABLE other ADD more text; CREATE INDEX ON other (id)", ""),
            ("CREATE INDEX ON t (at); REINDEX TABLE t; ANALYZE t", ""),
        ] {
            let pair = Pair::on(server, DEFINED);
            let role = server.role("reader");
            let change = &change.replace("{role}", role.name());
            pair.source.connect().execute(&format!("GRANT SELECT ON v TO {}", role.name()));
            let exporter = pair.source.connect();
            let id = export(&exporter);
            let dump = |to: &str| {
                support::dump(&pair.source, &pair.path(to))
                    .args(["--snapshot", &id, "--exclude-table", "other"])
                    .run()
            };
            dump("before.sbk").expect(0);
            pair.source.admin().execute(change);
            if says.is_empty() {
                dump("after.sbk").expect(0);
                assert_eq!(sql(&pair, "after.sbk"), sql(&pair, "before.sbk"), "{change}");
            } else {
                dump("after.sbk").expect(9).says(says).says("export a new snapshot");
            }
        }
    }
}

/// Without what is said of the run.
fn sql(pair: &Pair, archive: &str) -> String {
    let file = pair.path(archive);
    let all = Silverback::new(["list", "--sql"]).arg(file).run().expect(0).stdout;
    all.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}
