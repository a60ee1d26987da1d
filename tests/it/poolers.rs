//! Poolers: what a dump sets holds for its own transactions and for nobody else; a restore wants a
//! session that stays.
//!
//! `SILVERBACK_TEST_DUMPS` is the number of dumps through a busy pool, 8 unless it is given;
//! `scripts/poolers` makes a hundred.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use testkit::{Client, Pgbouncer, Server, quote};

use crate::pair::{Pair, contents};
use crate::support::{Silverback, wait_for};

mod greetings;
mod restores;

/// Rows that row security hides from all but the owner, and rows whose text depends on settings.
const SETUP: &str = "CREATE SCHEMA evil;
    CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$ SELECT \
    '0'::text $$;
    CREATE TABLE evil.pg_class (oid oid, relname name);
    CREATE TABLE hidden (id integer PRIMARY KEY, filler text);
    INSERT INTO hidden SELECT n, md5(n::text) FROM generate_series(1, 1000) AS n;
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
    CREATE POLICY half ON hidden USING (id <= 500);
    CREATE TABLE shape (f double precision, t timestamptz, d date, i interval, b bytea);
    CREATE TABLE shapes (s shape);
    INSERT INTO shapes SELECT ROW(n + 1.0 / 3, '2024-02-03 04:05:06.789+00', '2024-02-03', '-1 day \
    2 hours', '\\xdeadbeef00ff5c')::shape FROM generate_series(1, 300) AS n;
    GRANT SELECT ON ALL TABLES IN SCHEMA public, evil TO PUBLIC; GRANT USAGE ON SCHEMA evil TO PUBLIC;";

/// Settings of role and database that would change what is dumped.
const HOSTILE: [(&str, &str); 10] = [
    ("extra_float_digits", "-10"),
    ("DateStyle", "German, DMY"),
    ("TimeZone", "Asia/Kathmandu"),
    ("IntervalStyle", "sql_standard"),
    ("bytea_output", "escape"),
    ("row_security", "on"),
    ("search_path", "evil, pg_catalog, public"),
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "serializable"),
    ("quote_all_identifiers", "on"),
];

fn oldest_and_newest() -> Vec<u32> {
    let mut versions = vec![testkit::versions()[0], testkit::newest()];
    versions.dedup();
    versions
}

/// Sessions of the server for each role.
const POOL: usize = 5;

fn through(
    pgbouncer: &Pgbouncer,
    pair: &Pair,
    role: &str,
    name: &str,
) -> (Silverback, std::path::PathBuf) {
    let file = pair.path(name);
    (
        Silverback::new(["dump", "-j", "2", "-d", &pgbouncer.url(role, pair.source.name()), "-f"])
            .arg(&file),
        file,
    )
}

fn set(pair: &Pair, target: &str) {
    for (name, value) in HOSTILE {
        let value = if name == "search_path" { value.to_owned() } else { format!("'{value}'") };
        pair.source.execute(&format!("ALTER {target} SET {name} = {value}"));
    }
}

/// What the sessions of a pool are: all settings, who they work as, and what is prepared in them but
/// for what PgBouncer itself prepares (from 1.21 on), under names of its own.
fn state_of(pgbouncer: &Pgbouncer, role: &str, database: &str) -> BTreeSet<String> {
    let clients: Vec<Client> = (0..POOL).map(|_| pgbouncer.connect(role, database)).collect();
    // Each of them holds another session of the server.
    all(&clients, "BEGIN");
    let sql = "SELECT pg_catalog.string_agg(name || '=' || setting, ' ' ORDER BY name) || ' ' || \
        current_user || ' ' || (SELECT count(*) FROM pg_catalog.pg_prepared_statements \
        WHERE name !~ '^PGBOUNCER_') FROM \
        pg_catalog.pg_settings";
    let states = clients.iter().map(|client| client.value(sql)).collect();
    all(&clients, "COMMIT");
    states
}

fn all(clients: &[Client], sql: &str) {
    for client in clients {
        client.execute(sql);
    }
}

/// Other clients of a pool, at work for as long as `meanwhile` takes.
fn busy<T>(
    pgbouncer: &Pgbouncer,
    roles: &[&str],
    database: &str,
    meanwhile: impl FnOnce() -> T,
) -> T {
    struct StopOnDrop<'a>(&'a AtomicBool);
    impl Drop for StopOnDrop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    let (stop, done) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for role in roles.iter().flat_map(|role| [role, role]) {
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                let client = pgbouncer.connect(role, database);
                while !stop.load(Relaxed) {
                    client.execute("BEGIN; SELECT count(*) FROM pg_catalog.pg_class; COMMIT");
                    client.execute("SELECT pg_catalog.pg_sleep(0.001)");
                    done.fetch_add(1, Relaxed);
                }
            });
        }
        let _stop = StopOnDrop(&stop);
        wait_for("the pool to be busy", || done.load(Relaxed) > 10);
        meanwhile()
    })
}

#[test]
fn dumps_through_a_busy_transaction_pool_are_right_or_refused_and_leave_its_sessions_as_they_were()
{
    let dumps = std::env::var("SILVERBACK_TEST_DUMPS")
        .map_or(8, |count| count.parse().expect("SILVERBACK_TEST_DUMPS is a number"));
    for version in oldest_and_newest() {
        let server = testkit::server(version);
        let reader = server.role("reader");
        let pair = Pair::on(server, SETUP);
        pair.dump().run().expect(0);
        let right = contents(&pair.file());
        let (owner, reader) = (pair.owner.name(), reader.name());
        set(&pair, &format!("ROLE {}", quote(owner)));
        set(&pair, &format!("DATABASE {}", quote(pair.source.name())));
        let pgbouncer = Pgbouncer::start(server, "transaction", POOL, &[owner, reader], "");
        let before = [owner, reader].map(|role| state_of(&pgbouncer, role, pair.source.name()));
        busy(&pgbouncer, &[owner, reader], pair.source.name(), || {
            for dump in 0..dumps {
                let role = if dump % 2 == 0 { owner } else { reader };
                let (run, file) =
                    through(&pgbouncer, &pair, role, &format!("{version}-{dump}.sbk"));
                if role == owner {
                    run.run().expect(0);
                    assert_eq!(contents(&file), right, "dump {dump}");
                } else {
                    run.run().expect(6).says("row-level security");
                    let (run, file) =
                        through(&pgbouncer, &pair, role, &format!("{version}-{dump}.sbk"));
                    run.arg("--enable-row-security").run().expect(0);
                    let mut found = contents(&file);
                    assert_eq!(
                        found.remove("public.hidden").map(|(rows, _)| rows),
                        Some(500),
                        "dump {dump}"
                    );
                    assert!(found.iter().all(|(name, table)| right[name] == *table), "dump {dump}");
                }
            }
        });
        let after = [owner, reader].map(|role| state_of(&pgbouncer, role, pair.source.name()));
        assert_eq!(after, before);
        println!("PostgreSQL {version}: {dumps} dumps were right or refused");
    }
}

#[test]
fn what_other_clients_left_in_a_transaction_pool_changes_no_dump() {
    let server = testkit::newest_server();
    let reader = server.role("reader");
    let pair = Pair::on(server, SETUP);
    pair.dump().run().expect(0);
    let right = contents(&pair.file());
    let (owner, name) = (pair.owner.name(), pair.source.name());
    pair.source.execute(&format!("GRANT {} TO {}", quote(reader.name()), quote(owner)));
    let pgbouncer = Pgbouncer::start(server, "transaction", POOL, &[owner], "");
    let clients: Vec<Client> = (0..POOL).map(|_| pgbouncer.connect(owner, name)).collect();
    all(&clients, "BEGIN");
    for client in &clients {
        for (name, value) in HOSTILE {
            let value = if name == "search_path" { value.to_owned() } else { format!("'{value}'") };
            client.execute(&format!("SET {name} = {value}"));
        }
        client.execute(&format!("SET ROLE {}", quote(reader.name())));
    }
    all(&clients, "COMMIT");
    let before = state_of(&pgbouncer, owner, name);
    let (run, file) = through(&pgbouncer, &pair, owner, "pool.sbk");
    run.run().expect(0);
    assert_eq!(contents(&file), right);
    assert_eq!(state_of(&pgbouncer, owner, name), before);
}

#[test]
fn a_truncate_that_commits_while_its_lock_is_waited_for_leaves_its_new_row_through_a_pool() {
    for mode in ["transaction", "session"] {
        let pair =
            Pair::new("CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(1, 100);");
        let pgbouncer =
            Pgbouncer::start(testkit::newest_server(), mode, POOL, &[pair.owner.name()], "");
        let other = pair.source.connect();
        other.execute("BEGIN; TRUNCATE t; INSERT INTO t VALUES (42)");
        let (run, file) = through(&pgbouncer, &pair, pair.owner.name(), "race.sbk");
        let mut running = run.spawn();
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        wait_for("the dump to wait for the lock", || {
            pair.source.value(waits) != "0" || running.is_done()
        });
        other.execute("COMMIT");
        running.wait().expect(0);
        crate::support::restore(&file, &pair.copy).run().expect(0);
        assert_eq!(pair.copy.column("SELECT a FROM t"), ["42"], "{mode}");
    }
}

#[test]
fn a_pool_of_one_session_is_dumped_by_that_one() {
    for mode in ["transaction", "session"] {
        let pair = Pair::new(SETUP);
        pair.dump().run().expect(0);
        let pgbouncer =
            Pgbouncer::start(testkit::newest_server(), mode, 1, &[pair.owner.name()], "");
        let url =
            format!("{}?connect_timeout=2", pgbouncer.url(pair.owner.name(), pair.source.name()));
        let file = pair.path("one.sbk");
        Silverback::new(["dump", "-j", "2", "-d", &url, "-f"])
            .arg(&file)
            .run()
            .expect(0)
            .says("one session fewer");
        assert_eq!(contents(&file), contents(&pair.file()), "{mode}");
    }
}

/// A pool for the owner of a pair's target.
fn pool(server: &Server, pair: &Pair, mode: &str, size: usize) -> Pgbouncer {
    Pgbouncer::start(server, mode, size, &[pair.owner.name()], "")
}

#[test]
fn a_pool_that_gives_each_statement_a_session_is_refused() {
    let pair = Pair::new("CREATE TABLE t (a integer)");
    let pgbouncer =
        Pgbouncer::start(testkit::newest_server(), "statement", POOL, &[pair.owner.name()], "");
    let (run, file) = through(&pgbouncer, &pair, pair.owner.name(), "a.sbk");
    run.run().expect(6).says("statement pooling").says("transaction mode");
    assert!(!file.exists());
}
