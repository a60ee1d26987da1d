//! A dump shows a state that was once committed, whatever others do meanwhile; and says what stands
//! in its way.
//!
//! Nothing here depends on time: locks are held by the test's own sessions until the dump is seen
//! to wait, and a dump that is to be slow is stopped.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use testkit::{Client, Database, Direction, Proxy};

use crate::pair::{Pair, contents};
use crate::support::{self, Outcome, Running, Silverback, wait_for};

mod forbidden;
mod settings;

/// About 40 MB, so that a dump is still at it when 3 MB have come.
const BIG: &str =
    "CREATE TABLE big (id integer PRIMARY KEY, value bigint NOT NULL, filler text NOT NULL);
    INSERT INTO big SELECT n, n, repeat(md5(n::text), 25) FROM generate_series(1, 45000) AS n;";

/// Whether a session of the dump waits for a lock.
fn waits(database: &Database<'_>) -> bool {
    let sql = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'silverback' AND \
                wait_event_type = 'Lock'";
    database.value(sql) != "0"
}

/// Whether somebody waits for a lock on a table.
fn is_waited_for(database: &Database<'_>, table: &str) -> bool {
    database.value(&format!(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{table}'::regclass"
    )) != "0"
}

/// A transaction that is left open after `sql`.
fn begin(database: &Database<'_>, sql: &str) -> Client {
    let client = database.connect();
    client.execute("BEGIN");
    client.execute(sql);
    client
}

/// Dumps while a transaction that ran `sql` is open, which commits when the dump waits for its
/// lock.
#[track_caller]
fn dump_across(pair: &Pair, sql: &str) -> Outcome {
    let other = begin(&pair.source, sql);
    let mut running = pair.dump().spawn();
    wait_for("the dump to wait for the lock", || waits(&pair.source) || running.is_done());
    other.execute("COMMIT");
    running.wait()
}

/// A dump that stands still after it has read some rows, until it is told to go on.
struct Paused {
    running: Running,
    _proxy: Proxy,
}

impl Paused {
    #[track_caller]
    fn start(pair: &Pair, arguments: &[&str]) -> Self {
        let proxy = Proxy::to(pair.source.server().port());
        let url = proxy.url(pair.source.owner(), pair.source.name());
        let mut running =
            Silverback::new(["dump", "-d", &url, "-f"]).arg(pair.file()).args(arguments).spawn();
        wait_for("the dump to read rows", || {
            proxy.carried_bytes(Direction::Down) > 3_000_000 || running.is_done()
        });
        running.signal("STOP");
        Self { running, _proxy: proxy }
    }

    #[track_caller]
    fn go_on(mut self) -> Outcome {
        self.running.signal("CONT");
        // Waiting for a lock that never comes would be a hang, not an exit code.
        wait_for("the dump to end", || self.running.is_done());
        self.running.wait()
    }
}

#[test]
fn money_that_moves_during_the_dump_is_neither_lost_nor_doubled() {
    let pair = Pair::new(
        "CREATE TABLE left_purse (id integer PRIMARY KEY, amount bigint NOT NULL, filler text);
         CREATE TABLE right_purse (LIKE left_purse INCLUDING ALL);
         INSERT INTO left_purse SELECT n, 1000, repeat(md5(n::text), 25) FROM generate_series(1, \
         30000) AS n;
         INSERT INTO right_purse SELECT n, 1000, repeat(md5(n::text), 25) FROM generate_series(1, \
         30000) AS n;",
    );
    let (stop, moves) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (pair, stop, moves) = (&pair, &stop, &moves);
            scope.spawn(move || move_money(&pair.source, writer, stop, moves));
        }
        let _stop = StopOnDrop(&stop);
        wait_for("the first transfers", || moves.load(Relaxed) > 10);
        let paused = Paused::start(&pair, &["-j", "2"]);
        let before = moves.load(Relaxed);
        wait_for("transfers while the dump stands still", || moves.load(Relaxed) > before + 300);
        paused.go_on().expect(0);
    });
    pair.restore().run().expect(0);
    let total =
        "SELECT (SELECT sum(amount) FROM left_purse) + (SELECT sum(amount) FROM right_purse)";
    assert_eq!(pair.copy.value(total), "60000000");
    let left = "SELECT md5(string_agg(amount::text, ',' ORDER BY id)) FROM left_purse";
    assert_ne!(pair.copy.value(left), pair.source.value(left), "money moved after the snapshot");
}

/// One transaction a transfer, from a row of one table to a row of the other.
fn move_money(database: &Database<'_>, writer: u64, stop: &AtomicBool, moves: &AtomicU64) {
    let client = database.connect();
    for step in 0_u64.. {
        if stop.load(Relaxed) {
            return;
        }
        let (from, to) = (
            1 + (step * 7919 + writer) % 10_000 * 3 % 30_000,
            1 + (step * 104_729 + writer) % 30_000,
        );
        let (from_table, to_table) = if step % 2 == 0 {
            ("left_purse", "right_purse")
        } else {
            ("right_purse", "left_purse")
        };
        let transfer = format!(
            "BEGIN; UPDATE {from_table} SET amount = amount - {step} WHERE id = {from};
             UPDATE {to_table} SET amount = amount + {step} WHERE id = {to}; COMMIT"
        );
        match client.try_execute(&transfer) {
            Ok(()) => {
                moves.fetch_add(1, Relaxed);
            }
            // Two writers met crosswise: the whole transfer is undone.
            Err(_) => client.execute("ROLLBACK"),
        }
    }
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn a_truncate_that_commits_while_its_lock_is_waited_for_leaves_its_new_row() {
    let pair =
        Pair::new("CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(1, 100);");
    dump_across(&pair, "TRUNCATE t; INSERT INTO t VALUES (42)").expect(0);
    pair.restore().run().expect(0);
    assert_eq!(pair.copy.column("SELECT a FROM t"), ["42"]);
}

#[test]
fn a_rewrite_that_commits_while_its_lock_is_waited_for_leaves_its_rows() {
    let pair = Pair::new("CREATE TABLE t (a integer); INSERT INTO t VALUES (7);");
    dump_across(&pair, "ALTER TABLE t ALTER a TYPE bigint USING a * 6").expect(0);
    pair.restore().run().expect(0);
    assert_eq!(pair.copy.column("SELECT a FROM t"), ["42"]);
    pair.assert_same();
}

#[test]
fn what_changes_while_the_dump_starts_is_dumped_as_it_is_then() {
    let check = |change: &str| {
        let setup = "CREATE TABLE t (a integer PRIMARY KEY, b text DEFAULT 'x'); CREATE TABLE \
            other (c integer);
             INSERT INTO t VALUES (1, 'one'), (2, 'two'); INSERT INTO other VALUES (3);";
        let pair = Pair::new(setup);
        dump_across(&pair, change).expect(0);
        pair.restore().run().expect(0);
        pair.assert_same();
    };
    check("ALTER TABLE t DROP COLUMN b");
    check("ALTER TABLE t DROP COLUMN b, ADD COLUMN b integer DEFAULT 5");
    check("ALTER TABLE t RENAME COLUMN b TO new_name");
    check("DROP TABLE t");
    check("DROP TABLE t; CREATE TABLE t (z text); INSERT INTO t VALUES ('again')");
    check("ALTER TABLE t RENAME TO u; CREATE TABLE brand_new (n integer)");
    check("CREATE SCHEMA elsewhere; ALTER TABLE t SET SCHEMA elsewhere");
}

#[test]
fn a_schema_that_never_stops_changing_is_given_up() {
    let pair = Pair::new("CREATE TABLE t (a integer)");
    let mut holder = begin(&pair.source, "ALTER TABLE t ADD COLUMN c0 integer");
    let mut running = pair.dump().spawn();
    for change in 1..20 {
        wait_for("the dump to wait for the lock", || waits(&pair.source) || running.is_done());
        if running.is_done() {
            break;
        }
        // Stands in the queue behind the dump, and so has the lock before the dump can ask again.
        let next = pair.source.connect();
        next.execute("BEGIN");
        let locking = next.start("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let queue = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        wait_for("the next change to wait, too", || pair.source.value(queue) == "2");
        holder.execute("COMMIT");
        locking.wait().expect("the dump lets go of its lock when it looks again");
        next.execute(&format!("ALTER TABLE t ADD COLUMN c{change} integer"));
        holder = next;
    }
    running.wait().expect(9).says("changing");
    assert!(!pair.file().exists());
}

#[test]
fn an_alter_that_waits_for_the_dump_does_not_stop_it() {
    let pair = Pair::new(&format!(
        "{BIG} CREATE TABLE small_a AS SELECT generate_series(1, 10) AS a; CREATE TABLE small_b AS \
         SELECT generate_series(1, 20) AS b;
         CREATE TABLE small_c AS SELECT generate_series(1, 30) AS c;"
    ));
    let paused = Paused::start(&pair, &["-j", "1"]);
    let sessions = ["small_b", "big"].map(|table| {
        let session = pair.source.connect();
        let altering = session.start(&format!("ALTER TABLE {table} ADD COLUMN late integer"));
        wait_for("the ALTER to wait", || is_waited_for(&pair.source, table));
        (session, altering)
    });
    paused.go_on().expect(0);
    for (_session, altering) in sessions {
        altering.wait().expect("the dump has let go of its locks");
    }
    pair.restore().run().expect(0);
    let counts = "SELECT (SELECT count(*) FROM big) || ' ' || (SELECT count(*) FROM small_a) || ' \
        ' || (SELECT count(*) FROM small_b) || ' ' || (SELECT count(*) FROM small_c)";
    assert_eq!(pair.copy.value(counts), "45000 10 20 30");
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_attribute WHERE attname = 'late'"), "0");
}

#[test]
fn a_table_cut_into_ranges_is_whole_while_it_is_updated() {
    for version in testkit::versions() {
        let pair = Pair::on(testkit::server(version), BIG);
        let paused = Paused::start(&pair, &["-j", "3"]);
        // Every row moves to a new page, beyond those that the dump knows; some go, some come.
        pair.source.connect().execute(
            "UPDATE big SET value = -id; DELETE FROM big WHERE id % 10 = 0; INSERT INTO big SELECT \
             n, 0, '' FROM generate_series(50000, 60000) AS n",
        );
        pair.source.execute("VACUUM big");
        paused.go_on().expect(0);
        pair.restore().run().expect(0);
        assert_eq!(
            pair.copy.value(
                "SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || sum(value) \
                 FROM big WHERE value = id AND filler = repeat(md5(id::text), 25)"
            ),
            format!("45000 45000 {}", 45_000_u64 * 45_001 / 2)
        );
        assert_eq!(pair.copy.value("SELECT count(*) FROM big"), "45000");
        assert_eq!(contents(&pair.file())["public.big"].0, 45_000);
    }
}

#[test]
fn an_object_that_the_server_cannot_describe_is_no_change_of_the_schema() {
    let source = testkit::newest_server().database("broken");
    source.execute(
        "CREATE TABLE base (a integer); CREATE VIEW v AS SELECT a FROM base; DELETE \
         FROM pg_class WHERE relname = 'base'",
    );
    let folder = support::temp_dir();
    let refused = support::dump(&source, &folder.path().join("a.sbk"))
        .run()
        .expect(1)
        .says("could not open relation")
        .says("one of its own objects");
    assert!(!refused.stderr.contains("kept changing"), "{}", refused.stderr);
}
