//! `dump --snapshot`: what another session's snapshot shows, or nothing.

use testkit::Client;

use super::choice::tool;
use crate::pair::Pair;
use crate::support::{self, assert_same};

fn export(client: &Client) -> String {
    client.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
    client.value("SELECT pg_export_snapshot()")
}

#[test]
fn a_given_snapshot_is_what_pg_dump_shows_of_it() {
    for version in testkit::versions() {
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
    for version in testkit::versions() {
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
