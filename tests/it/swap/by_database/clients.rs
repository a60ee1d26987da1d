//! Clients that work while the databases take each other's name, and runs that are killed.
//!
//! `SILVERBACK_TEST_ROWS` is how many rows lie beside those that the clients work with;
//! `SILVERBACK_TEST_KILLS` the number of kills.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Pair;
use crate::support::{ends, wait_for};
use crate::swap::ends_well;

/// Two tables in each database that bear its mark.
fn marked(server: &testkit::Server) -> Pair<'_> {
    let rows = std::env::var("SILVERBACK_TEST_ROWS").unwrap_or_else(|_| "10".to_owned());
    let pair = Pair::new(server);
    for (database, mark) in [(pair.live.clone(), 1), (pair.staged(), 2)] {
        pair.client_of(&database).execute(&format!(
            "CREATE TABLE one (mark int, n int); INSERT INTO one VALUES ({mark}, 0); CREATE TABLE \
             two (mark int, n int); INSERT INTO two VALUES ({mark}, 0); CREATE TABLE consumers AS \
             SELECT md5(i::text)::uuid AS id, i, repeat('x', 100) AS more FROM generate_series(1, \
             {rows}) i; CREATE UNIQUE INDEX ON consumers (id)"
        ));
    }
    pair.note();
    pair
}

/// Lets the clients end, however the test does.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One transaction of a client: both marks.
fn work(client: &testkit::Client) -> Result<(String, String), tokio_postgres::Error> {
    client.try_execute("BEGIN")?;
    client.try_execute(
        "UPDATE two SET n = n + 1 WHERE false; INSERT INTO one SELECT mark FROM two",
    )?;
    let marks = client.try_rows("SELECT min(one.mark), max(two.mark) FROM one, two")?;
    client.try_execute("ROLLBACK")?;
    let mark = |place: usize| marks[0][place].clone().expect("a mark");
    Ok((mark(0), mark(1)))
}

#[test]
fn a_client_sees_one_whole_database_or_none() {
    for version in ends() {
        let pair = marked(testkit::server(version));
        let stop = AtomicBool::new(false);
        let seen = [AtomicU32::new(0), AtomicU32::new(0)];
        thread::scope(|scope| {
            let _stop = StopAtEnd(&stop);
            for _ in 0..3 {
                scope.spawn(|| {
                    let (mut client, mut lost, mut gaps) = (None, None, Vec::new());
                    while !stop.load(Ordering::Relaxed) {
                        let done = match &client {
                            None => pair.try_client_of(&pair.live).map(|new| client = Some(new)),
                            Some(open) => work(open).map(|(one, two)| {
                                assert_eq!(one, two, "a mixture");
                                seen[usize::from(one == "2")].fetch_add(1, Ordering::Relaxed);
                                if let Some(since) = lost.take() {
                                    gaps.push(Instant::elapsed(&since));
                                }
                            }),
                        };
                        if done.is_err() {
                            client = None;
                            lost = lost.or_else(|| Some(Instant::now()));
                        }
                        thread::sleep(Duration::from_millis(10));
                    }
                    println!("PostgreSQL {version}: gaps of a client {gaps:?}");
                });
            }
            let again = |place: usize| {
                let before = seen[place].load(Ordering::Relaxed);
                wait_for("the clients to see the copy", || {
                    seen[place].load(Ordering::Relaxed) > before + 5
                });
            };
            again(0);
            for _ in 0..2 {
                pair.swap().run().expect(0);
                again(1);
                pair.swap().args(["--back", "--yes"]).run().expect(0);
                again(0);
            }
        });
    }
}

#[test]
fn killed_at_any_moment_one_whole_database_is_live() {
    let kills: u32 = std::env::var("SILVERBACK_TEST_KILLS")
        .map_or(6, |count| count.parse().expect("SILVERBACK_TEST_KILLS is a number"));
    let pair = marked(testkit::newest_server());
    let begun = Instant::now();
    pair.swap().run().expect(0);
    let whole = begun.elapsed();
    let (mut live, mut kept_back) = (2, true);
    for kill in 0..kills {
        let run = || if kept_back { pair.swap().args(["--back", "--yes"]) } else { pair.swap() };
        // Somebody is connected, so that there is something to wait for.
        let client = pair.live();
        let running = run().spawn();
        thread::sleep(whole.mul_f64(f64::from(kill % 10 + 1) / 10.0));
        running.signal("KILL");
        running.wait();
        drop(client);
        let marks = || pair.live().value("SELECT one.mark * 10 + two.mark FROM one, two");
        wait_for("the live database to answer", || pair.try_client_of(&pair.live).is_ok());
        let found = marks();
        assert!(found == "11" || found == "22", "{found}");
        ends_well(run);
        live = 3 - live;
        kept_back = !kept_back;
        assert_eq!(marks(), (live * 11).to_string());
        assert_eq!(pair.names().len(), 2);
    }
}
