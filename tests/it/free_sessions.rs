//! How many sessions a command opens where no number is asked for: never more than half of those
//! that are free.

use crate::pair::Pair;
use crate::support::{ends, wait_for};

/// Several jobs for a dump, and for a restore.
const SCHEMA: &str = "DO $$ BEGIN FOR n IN 1..100 LOOP EXECUTE pg_catalog.format(
    'CREATE TABLE t%s (a int PRIMARY KEY); INSERT INTO t%1$s VALUES (%1$s)', n); END LOOP; END $$;";

#[test]
fn no_more_than_half_of_the_free_sessions_are_taken() {
    for version in ends() {
        let pair = Pair::on(testkit::server(version), SCHEMA);
        let (admin, database) = (pair.source.admin(), pair.source.name());
        let role = |limit: &str| {
            admin.execute(&format!("ALTER ROLE {} CONNECTION LIMIT {limit}", pair.owner.name()));
        };
        // A session counts until its server process has ended.
        let alone = || {
            let sessions = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = '{}'",
                pair.owner.name()
            );
            wait_for("the sessions to end", || admin.value(&sessions) == "0");
        };
        let dump = |says: &str| {
            alone();
            pair.dump().arg("-v").run().expect(0).says(says);
            std::fs::remove_file(pair.file()).expect("it was just made");
        };
        // One holds the snapshot.
        role("2");
        dump("1 session copies");
        role("6");
        dump("2 sessions copy");
        role("-1");
        let connected = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' \
             AND backend_type = 'client backend'"
        );
        let others: u32 = pair.source.value(&connected).parse().expect("a number");
        admin.execute(&format!("ALTER DATABASE {database} CONNECTION LIMIT {}", others + 6));
        dump("2 sessions copy");
        admin.execute(&format!("ALTER DATABASE {database} CONNECTION LIMIT -1"));
        // A number that is asked for is tried.
        role("3");
        alone();
        pair.dump().args(["-j", "4"]).run().expect(4).says("too many connections for role");
        alone();
        pair.dump().run().expect(0);
        role("1");
        alone();
        pair.restore().run().expect(0);
        role("-1");
        pair.assert_same();
    }
}
