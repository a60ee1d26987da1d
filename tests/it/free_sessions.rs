//! How many sessions a command opens where no number is asked for: never more than half of those
//! that are free.

use std::time::Duration;

use testkit::Proxy;

use crate::pair::Pair;
use crate::support::{self, Silverback, ends, wait_for};

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

#[test]
fn sessions_join_the_snapshot_of_a_far_server_while_its_catalog_is_read() {
    let pair = Pair::new(
        "CREATE TABLE other (a int PRIMARY KEY); CREATE TABLE t (a int REFERENCES other); \
         INSERT INTO other VALUES (1); INSERT INTO t VALUES (1)",
    );
    let proxy = Proxy::to(pair.source.server().port());
    proxy.delay(Duration::from_millis(5));
    // The catalog's functions wait for the lock of a table that is not dumped.
    let other = pair.source.connect();
    other.execute("BEGIN");
    other.execute("LOCK TABLE other IN ACCESS EXCLUSIVE MODE");
    let file = pair.path("far.sbk");
    let url = proxy.url(pair.owner.name(), pair.source.name());
    let dump = Silverback::new(["dump", "-t", "t", "-j", "2", "-d", &url, "-f"]).arg(&file);
    let running = dump.spawn();
    let (admin, database) = (pair.source.admin(), pair.source.name());
    let ours = |state: &str| {
        let sql = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND \
             application_name = 'silverback' AND {state}"
        );
        admin.value(&sql)
    };
    wait_for("the sessions", || {
        ours("wait_event_type = 'Lock'") == "1" && ours("state = 'idle in transaction'") == "2"
    });
    other.execute("COMMIT");
    running.wait().expect(10).says("foreign key t_a_fkey");
    support::verify(&file).run().expect(0); // Those that are not needed may fail.
    drop(other);
    wait_for("the sessions to end", || {
        admin.value(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = '{}'",
            pair.owner.name()
        )) == "0"
    });
    admin.execute(&format!("ALTER ROLE {} CONNECTION LIMIT 3", pair.owner.name()));
    let dump = Silverback::new(["dump", "-t", "other", "-j", "6", "-d", &url, "-f"]);
    dump.arg(pair.path("few.sbk")).run().expect(0);
}
