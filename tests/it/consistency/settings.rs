//! Settings of a role or a database that would change formats, end sessions, or put other objects
//! in the place of the catalogs'.

use testkit::{Server, quote};

use super::{Paused, waits};
use crate::pair::Pair;
use crate::support::{self, wait_for};

const SETTINGS: &[(&str, &str)] = &[
    ("DateStyle", "German, DMY"),
    ("TimeZone", "Asia/Kathmandu"),
    ("IntervalStyle", "sql_standard"),
    ("extra_float_digits", "-15"),
    ("bytea_output", "escape"),
    ("xmlbinary", "hex"),
    ("array_nulls", "off"),
    ("quote_all_identifiers", "on"),
    ("standard_conforming_strings", "off"),
    ("transform_null_equals", "on"),
    ("search_path", "evil, pg_catalog, public"),
    ("row_security", "on"),
    ("client_min_messages", "debug1"),
    ("default_transaction_read_only", "on"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("enable_seqscan", "off"),
    ("jit", "on"),
    ("jit_above_cost", "0"),
    ("default_toast_compression", "pglz"),
    ("client_encoding", "LATIN1"),
];

/// Since when each is known, and short; on a busy machine the first statement of a session, which
/// switches them off, may take as long.
const TIMEOUTS: &[(u32, &str, &str)] = &[
    (12, "statement_timeout", "400ms"),
    (12, "lock_timeout", "100ms"),
    (12, "idle_in_transaction_session_timeout", "200ms"),
    (14, "idle_session_timeout", "300ms"),
    (17, "transaction_timeout", "500ms"),
];

/// Rows that travel as text, by way of a composite type; every field has more than one way to be
/// written.
const SETUP: &str = "
    CREATE SCHEMA evil;
    CREATE FUNCTION evil.format_type(oid, integer) RETURNS text LANGUAGE sql AS $$ SELECT \
    'evil'::text $$;
    CREATE FUNCTION evil.pg_get_expr(text, oid) RETURNS text LANGUAGE sql AS $$ SELECT \
    'evil'::text $$;
    CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '0'::text $$;
    CREATE TABLE evil.pg_class (oid oid, relname name);
    CREATE TABLE shape (d date, t timestamptz, i interval, f double precision, r real, b bytea, n \
    integer[], m text);
    CREATE TABLE held (id integer PRIMARY KEY, s shape, at timestamptz DEFAULT '2024-02-01 \
    03:04:05+00', e text DEFAULT E'a\\\\b''c');
    CREATE INDEX ON held (at, (e || 'x\\y')) WHERE e IS NOT NULL;
    INSERT INTO held SELECT n, ROW('2024-02-03', '2024-02-03 04:05:06.789+00', '-1 year 2 mons -3 \
    days 04:05:06.7', 0.1::float8 + n * 1e-17 + 1.0 / 3, 1.0 / 3,
        '\\xdeadbeef00ff5c'::bytea, '{1,NULL,3}', E'tab\\tback\\\\slash \"quoted\", \
        (brackets)')::shape FROM generate_series(1, 50) AS n;
    INSERT INTO held VALUES (0, NULL), (-1, ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
    NULL)::shape), (-2, ROW('infinity', '-infinity', '0', 'NaN', '-Infinity', '', '{}', '')::shape);
    CREATE TABLE spans (i interval, t timestamptz, f double precision); INSERT INTO spans VALUES \
    ('-1 day 2 hours', '1900-01-01 00:00:00+00', 1e-310);";

fn set(pair: &Pair, server: &Server, target: &str) {
    let known = |name: &&str| match *name {
        "default_toast_compression" => server.version() >= 14,
        // From 19 on it is always on.
        "standard_conforming_strings" => server.version() < 19,
        _ => true,
    };
    for (name, value) in SETTINGS.iter().copied().filter(|(name, _)| known(name)) {
        let value = if name == "search_path" { value.to_owned() } else { format!("'{value}'") };
        pair.source.execute(&format!("ALTER {target} SET {name} = {value}"));
    }
}

fn set_timeouts(pair: &Pair, server: &Server, target: &str) {
    for (_, name, value) in TIMEOUTS.iter().filter(|(version, ..)| server.version() >= *version) {
        pair.source.execute(&format!("ALTER {target} SET {name} = '{value}'"));
    }
}

fn reset(pair: &Pair, target: &str) {
    pair.source.execute(&format!("ALTER {target} RESET ALL"));
}

/// Settings that both sides share would cancel out: each side has them alone.
const SIDES: [(bool, bool); 2] = [(true, false), (false, true)];

#[test]
fn settings_of_the_role_change_nothing() {
    for version in support::ends() {
        for (dumping, restoring) in SIDES {
            let server = testkit::server(version);
            let pair = Pair::on(server, SETUP);
            let role = format!("ROLE {}", quote(pair.owner.name()));
            if dumping {
                set(&pair, server, &role);
            }
            pair.dump().run().expect(0);
            reset(&pair, &role);
            if restoring {
                set(&pair, server, &role);
            }
            pair.restore().run().expect(0);
            pair.assert_same();
        }
    }
}

#[test]
fn settings_of_the_database_change_nothing() {
    for version in support::ends() {
        for (dumping, restoring) in SIDES {
            let server = testkit::server(version);
            let pair = Pair::on(server, SETUP);
            let databases = [&pair.source, &pair.copy]
                .map(|database| format!("DATABASE {}", quote(database.name())));
            for (database, _) in
                databases.iter().zip([dumping, restoring]).filter(|(_, with)| *with)
            {
                set(&pair, server, database);
            }
            pair.carry();
            for database in &databases {
                reset(&pair, database);
            }
            support::assert_same(&pair.source, &pair.copy);
        }
    }
}

#[test]
fn timeouts_of_the_role_end_neither_the_waiting_nor_the_holding() {
    let pair = Pair::new(super::BIG);
    set_timeouts(&pair, testkit::newest_server(), &format!("ROLE {}", quote(pair.owner.name())));
    let holder = pair.source.connect_as("postgres");
    holder.execute("BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE");
    let mut running = pair.dump().spawn();
    let longer = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
        application_name = 'silverback'
                     AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > '700 ms'";
    wait_for("the dump to wait for longer than its timeouts", || {
        pair.source.value(longer) != "0" || running.is_done()
    });
    holder.execute("COMMIT");
    running.wait().expect(0);
    std::fs::remove_file(pair.file()).expect("the archive is there");

    let paused = Paused::start(&pair, &["-j", "1"]);
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
        application_name = 'silverback'
                   AND state = 'idle in transaction' AND clock_timestamp() - state_change > '700 ms'";
    wait_for("the dump to hold its snapshot for longer than its timeouts", || {
        pair.source.value(idle) != "0"
    });
    paused.go_on().expect(0);
    assert!(!waits(&pair.source));
    pair.restore().run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM big"), "45000");
}
