//! Clients that work while copies are exchanged: none loses its connection, none sees a mixture, and
//! one that holds a table keeps the swap out.
//!
//! `SILVERBACK_TEST_ROWS` is how many rows lie beside those that the clients work with;
//! `SILVERBACK_TEST_KILLS` the number of kills.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::Database;

use super::{STAGED, away, ends_well, note_staged, swap};
use crate::support::wait_for;

/// Two tables in each copy that bear its mark, and so many between that one is moved long before the
/// other.
fn marked<'s>(server: &'s testkit::Server, role: &testkit::Role<'s>) -> Database<'s> {
    let database = server.database_of(role, "marked");
    let client = database.connect();
    client.execute(&format!("CREATE SCHEMA {STAGED}"));
    let rows = std::env::var("SILVERBACK_TEST_ROWS").unwrap_or_else(|_| "10".to_owned());
    for (schema, mark) in [("public", 1), (STAGED, 2)] {
        client.execute(&format!(
            "CREATE TABLE {schema}.one (mark int, n int); INSERT INTO {schema}.one VALUES \
             ({mark}, 0); DO $$ BEGIN FOR i IN 1..150 LOOP EXECUTE format('CREATE TABLE \
             {schema}.between_%s (a int)', i); END LOOP; END $$; CREATE TABLE {schema}.two (mark \
             int, n int); INSERT INTO {schema}.two \
             VALUES ({mark}, 0); CREATE TABLE {schema}.consumers AS SELECT md5(i::text)::uuid AS \
             id, i, repeat('x', 100) AS more FROM generate_series(1, {rows}) i; CREATE UNIQUE INDEX \
             ON {schema}.consumers (id)"
        ));
    }
    note_staged(&database);
    database
}

#[test]
fn no_client_loses_its_connection_or_sees_a_mixture() {
    for version in crate::support::ends() {
        let server = testkit::server(version);
        let role = server.role("kong");
        let database = marked(server, &role);
        let stop = Arc::new(AtomicBool::new(false));
        let seen = [Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0))];
        let workers: Vec<_> = (0..3)
            .map(|worker| {
                let (client, stop) = (database.connect(), Arc::clone(&stop));
                let seen = seen.clone();
                thread::spawn(move || {
                    let mut longest = Duration::ZERO;
                    while !stop.load(Ordering::Relaxed) {
                        let isolation = ["READ COMMITTED", "REPEATABLE READ"][worker % 2];
                        let begun = Instant::now();
                        client.execute(&format!("BEGIN ISOLATION LEVEL {isolation}"));
                        let one = client.value("SELECT mark FROM one");
                        client.execute("UPDATE two SET n = n WHERE false");
                        let two = client.value("SELECT mark FROM two");
                        let written = client.try_execute("INSERT INTO one SELECT mark, 1 FROM two");
                        written.expect("the client goes on");
                        client.execute("ROLLBACK");
                        longest = longest.max(begun.elapsed());
                        assert_eq!(one, two, "a mixture");
                        let place = usize::from(one == "2");
                        seen[place].fetch_add(1, Ordering::Relaxed);
                        thread::sleep(Duration::from_millis(10));
                    }
                    println!("PostgreSQL {version}: a client's longest transaction {longest:?}");
                })
            })
            .collect();
        let again = |place: usize| {
            let before = seen[place].load(Ordering::Relaxed);
            wait_for("the clients to see the copy", || {
                seen[place].load(Ordering::Relaxed) > before + 5
            });
        };
        again(0);
        for _ in 0..2 {
            swap(&database).run().expect(0);
            again(1);
            swap(&database).args(["--back", "--yes"]).run().expect(0);
            again(0);
        }
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().expect("no client lost its connection");
        }
    }
}

#[test]
fn a_client_that_holds_a_table_keeps_the_swap_out() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = marked(server, &role);
    let holder = database.connect();
    holder.execute("BEGIN; SELECT * FROM two");
    let pid = holder.value("SELECT pg_backend_pid()");
    let (before, old) = (away(&database), database.column("SELECT oid FROM pg_class ORDER BY 1"));
    swap(&database)
        .args(["--lock-wait-timeout", "300ms", "--retries", "2"])
        .run()
        .expect(9)
        .says("attempt 2 of 3")
        .says(&format!("blocked by process {pid}"))
        .says("nothing was changed");
    assert_eq!(database.column("SELECT oid FROM pg_class ORDER BY 1"), old);
    assert_eq!(away(&database), before);
    assert_eq!(database.value("SELECT mark FROM public.one"), "1");
    // With patience it comes to its turn.
    let running = swap(&database).args(["--retries", "100"]).spawn();
    thread::sleep(Duration::from_millis(900));
    holder.execute("COMMIT");
    running.wait().expect(0);
    assert_eq!(database.value("SELECT mark FROM public.one"), "2");
}

#[test]
fn rows_of_a_client_that_keeps_the_way_back_waiting_are_counted() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = marked(server, &role);
    swap(&database).run().expect(0);
    let back = |more: &[&str]| {
        let holder = database.connect();
        holder.execute("BEGIN; INSERT INTO two VALUES (7, 7)");
        let running = swap(&database).args(["--back", "--lock-wait-timeout", "60s"]).args(more);
        let running = running.spawn();
        wait_for("the way back to wait", || {
            let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = \
                'AccessExclusiveLock' AND relation = 'public.two'::regclass";
            database.value(sql) != "0"
        });
        holder.execute("COMMIT");
        running.wait()
    };
    back(&[]).expect(2).says("1 inserted or updated").says("nothing was changed");
    assert_eq!(database.value("SELECT mark FROM public.one"), "2");
    assert_eq!(database.value("SELECT count(*) FROM public.two WHERE mark = 7"), "1");
    back(&["--yes"]).expect(0);
    assert_eq!(database.value("SELECT mark FROM public.one"), "1");
}

#[test]
fn killed_at_any_moment_one_whole_copy_is_live() {
    let kills: u32 = std::env::var("SILVERBACK_TEST_KILLS")
        .map_or(6, |count| count.parse().expect("SILVERBACK_TEST_KILLS is a number"));
    let server = testkit::newest_server();
    let role = server.role("kong");
    let database = marked(server, &role);
    let begun = Instant::now();
    swap(&database).run().expect(0);
    let whole = begun.elapsed();
    let (mut live, mut kept_back) = (2, true);
    for kill in 0..kills {
        let run = || {
            let run = swap(&database).args(["--retries", "100"]);
            if kept_back { run.args(["--back", "--yes"]) } else { run }
        };
        let running = run().spawn();
        thread::sleep(whole.mul_f64(f64::from(kill % 10 + 1) / 10.0));
        running.signal("KILL");
        running.wait();
        let marks = database.value("SELECT one.mark * 10 + two.mark FROM public.one, public.two");
        assert!(marks == "11" || marks == "22", "{marks}");
        ends_well(run);
        live = 3 - live;
        kept_back = !kept_back;
        assert_eq!(database.value("SELECT mark FROM public.one"), live.to_string());
        assert_eq!(database.value("SELECT mark FROM public.two"), live.to_string());
    }
}
