//! A client that writes every ten milliseconds, and connects again whenever it must.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Gate, Target, scene};
use crate::invariants::hold_until;
use crate::support::{assert_same_schema, ends, wait_for};

/// Rows of its own, each with when it was written.
const WRITE: &str = "INSERT INTO parents SELECT 1000 + (SELECT count(*) FROM parents), 'client ' || \
    clock_timestamp()";

#[derive(Default)]
pub(super) struct Counts {
    is_over: AtomicBool,
    written: AtomicUsize,
    refused: AtomicUsize,
}

pub(super) struct Writer {
    pub(super) counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(target: &Target<'_>) -> Self {
        let counts = Arc::new(Counts::default());
        let (told, port) = (Arc::clone(&counts), target.server.port());
        let (role, name) = (target.role.name().to_owned(), target.name.clone());
        let work = move || {
            let mut session = None;
            while !told.is_over.load(Ordering::Relaxed) {
                let mut config = tokio_postgres::Config::new();
                config.host("127.0.0.1").port(port).user(&role).dbname(&name);
                match session.take().map_or_else(|| testkit::connect(config), Ok) {
                    Ok(client) => {
                        if client.try_execute(WRITE).is_ok() {
                            told.written.fetch_add(1, Ordering::Relaxed);
                            session = Some(client);
                        }
                    }
                    Err(_) => drop(told.refused.fetch_add(1, Ordering::Relaxed)),
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        Self { counts, thread: Some(std::thread::spawn(work)) }
    }

    pub(super) fn written(&self) -> usize {
        self.counts.written.load(Ordering::Relaxed)
    }

    pub(super) fn refused(&self) -> usize {
        self.counts.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.counts.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// How many of its rows stand that were written before the limit was given back: what changed the
/// row of the database last is the end of the restore.
const TOO_EARLY: &str = "SELECT count(*) FROM parents WHERE name LIKE 'client %' AND \
    xmin::text::int8 < (SELECT xmin::text::int8 FROM pg_database WHERE datname = current_database())";

#[test]
fn a_client_that_writes_is_kept_out_until_the_end() {
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), Some("load"));
        for (limit, sessions) in [(-1, 0), (5, 4), (0, 0)] {
            let busy: Vec<_> = (0..sessions).map(|_| target.connect()).collect();
            let writer = Writer::start(&target);
            wait_for("the client to write", || writer.written() > 0);
            target.set_limit(limit);
            let gate = Gate::close(&target);
            let restore = target.restore(&file, &["-c", "--disconnect-others"]);
            let running = hold_until(restore, || gate.is_reached());
            let refused = writer.refused();
            wait_for("the client to be refused", || writer.refused() > refused + 3);
            let ours = target.limit();
            assert!(ours > 1, "{ours}");
            let count = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND usename IS NOT \
                 NULL AND backend_type = 'client backend'",
                target.name
            );
            assert_eq!(scene.server().connect("postgres").value(&count), ours.to_string());
            if limit == -1 {
                // Another run does not open it for itself.
                let told = target.restore(&file, &["-c", "--disconnect-others"]).run().expect(6);
                told.says("a restore is at work there");
                assert_eq!(target.limit(), ours);
            }
            drop(gate);
            running.wait().expect(0).says("only superusers can still connect");
            if limit != 0 {
                let written = writer.written();
                wait_for("the client to be let in again", || writer.written() > written);
            }
            drop((writer, busy));
            assert_eq!((target.limit(), target.value(TOO_EARLY).as_str()), (limit, "0"));
            target.set_limit(-1);
            assert_eq!(target.value("SELECT to_regclass('silverback_restore.run') IS NULL"), "t");
        }
        let copy = target.database();
        copy.execute("DELETE FROM parents WHERE name LIKE 'client %'");
        crate::support::assert_same_rows(&scene.source, &copy);
        assert_same_schema(&scene.source, &copy);
    }
}

#[test]
fn the_session_that_keeps_it_out_answers_for_the_others() {
    let (_scene, file, target) = scene(testkit::newest_server(), Some("load"));
    let gate = Gate::close(&target);
    let restore = target.restore(&file, &["-c", "--disconnect-others", "--stall-timeout", "1s"]);
    let running = hold_until(restore, || gate.is_reached());
    // No slot is free for a session that looks whether the server is at work.
    let looked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND state = 'idle' AND query \
         LIKE '%wait_event_type%'",
        target.name
    );
    wait_for("the server to be asked", || target.server.connect("postgres").value(&looked) == "1");
    drop(gate);
    running.wait().expect(0);
    assert_eq!(target.limit(), -1);
}

#[test]
fn that_session_may_be_lost() {
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), Some("load"));
        for (signal, code) in [("INT", 130), ("CONT", 0)] {
            let gate = Gate::close(&target);
            let restore = target.restore(&file, &["-c", "--disconnect-others"]);
            let running = hold_until(restore, || gate.is_reached());
            // What it was asked last: who is connected, or who blocks another.
            let keeper = format!(
                "datname = '{}' AND state = 'idle' AND query ~ '^WITH gone|pg_blocking_pids'",
                target.name
            );
            assert_eq!(scene.server().terminate(&keeper), 1);
            running.signal(signal);
            if code == 0 {
                drop(gate);
                running.wait().expect(0);
            } else {
                running.wait().expect(code);
            }
            assert_eq!(target.limit(), -1);
        }
        crate::support::assert_same_rows(&scene.source, &target.database());
    }
}

#[test]
fn it_is_let_in_when_the_database_may_be_used() {
    for version in ends() {
        let (_scene, file, target) = scene(testkit::server(version), Some("index"));
        let writer = Writer::start(&target);
        wait_for("the client to write", || writer.written() > 0);
        let gate = Gate::close(&target);
        let more = ["-c", "--disconnect-others", "--ready-early", "--no-check"];
        let running = hold_until(target.restore(&file, &more), || gate.is_reached());
        let written = writer.written();
        wait_for("the client to be let in again", || writer.written() > written);
        assert_eq!(target.limit(), -1);
        drop(gate);
        running.wait().expect(0);
        assert_eq!(target.limit(), -1);
    }
}
