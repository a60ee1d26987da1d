//! Signals in the middle of a dump and of a restore: a bounded end, nothing half-written, and a
//! next run that works.

use std::time::{Duration, Instant};

use testkit::{Direction, Proxy, newest_server};

use crate::invariants::{
    Gate, Scene, State, after_dump, after_restore, hold_at, hold_until, restore_through,
    wait_within,
};
use crate::support::{Silverback, dump, restore};

/// Signals that a program can catch, and what they end it with.
const STOPPING: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 143)];

/// Far enough into 20 MB that most of them are still to come, whatever the sockets buffer.
const MIDDLE: u64 = 3 << 20;
const ROWS: u32 = 20_000;

#[test]
fn a_dump_that_is_stopped_while_rows_come_leaves_nothing() {
    let scene = Scene::new(newest_server(), ROWS);
    for (signal, code) in STOPPING {
        let proxy = Proxy::to(newest_server().port());
        proxy.stall_after(Direction::Down, MIDDLE);
        let file = scene.path("stopped.sbk");
        let running = hold_at(scene.dump_through(&proxy, &file), &proxy);
        running.signal(signal);
        let outcome = wait_within(running, 5).expect(code);
        // What the proxy still holds goes with it: that the machine between is at fault is not the
        // program's.
        drop(proxy);
        after_dump(&outcome, &file, Some(&scene.source));
        let outcome = dump(&scene.source, &file).run().expect(0);
        after_dump(&outcome, &file, Some(&scene.source));
        std::fs::remove_file(&file).expect("the dump wrote it");
    }
}

#[test]
fn a_dump_that_was_started_to_ignore_a_signal_goes_on() {
    let scene = Scene::new(newest_server(), ROWS);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, MIDDLE);
    let (file, url) =
        (scene.path("ignored.sbk"), proxy.url(scene.source.owner(), scene.source.name()));
    let mut command = std::process::Command::new("/bin/sh");
    let script = r#"trap '' HUP INT; exec "$1" dump -q -j1 -d "$2" -f "$3""#;
    command
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_silverback"), &url])
        .arg(&file)
        .stdin(std::process::Stdio::null());
    let mut running = command.spawn().expect("/bin/sh runs");
    crate::support::wait_for("the dump to be held", || proxy.stalled_connections() > 0);
    testkit::signal(running.id(), "HUP");
    testkit::signal(running.id(), "INT");
    proxy.resume();
    assert_eq!(running.wait().expect("a child can be waited for").code(), Some(0));
    crate::support::verify(&file).run().expect(0);
}

#[test]
fn a_dump_that_is_stopped_while_it_waits_for_a_lock_leaves_nothing() {
    let scene = Scene::new(newest_server(), 10);
    let holder = scene.source.connect();
    holder.execute("BEGIN; LOCK TABLE filler IN ACCESS EXCLUSIVE MODE");
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE relation = 'filler'::regclass AND NOT granted";
    for (signal, code) in STOPPING {
        let file = scene.path("stopped.sbk");
        let running = hold_until(dump(&scene.source, &file), || holder.value(waiting) != "0");
        running.signal(signal);
        let outcome = wait_within(running, 5).expect(code);
        after_dump(&outcome, &file, Some(&scene.source));
    }
}

#[test]
fn a_dump_that_is_stopped_twice_ends_at_once_and_leaves_nothing() {
    let scene = Scene::new(newest_server(), ROWS);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, MIDDLE);
    let file = scene.path("stopped.sbk");
    // With sslmode=prefer: a request to cancel first asks for TLS, and waits for the answer.
    let url = proxy.url(scene.source.owner(), scene.source.name());
    let running = hold_at(Silverback::new(["dump", "-j1", "-d", &url, "-f"]).arg(&file), &proxy);
    proxy.stall(true);
    let connections = proxy.connections();
    running.signal("INT");
    crate::support::wait_for("a request to cancel", || proxy.connections() > connections);
    running.signal("TERM");
    let outcome = wait_within(running, 1);
    assert!(matches!(outcome.code, Some(130 | 143)), "{outcome:#?}");
    drop(proxy);
    after_dump(&outcome, &file, Some(&scene.source));
}

#[test]
fn a_run_that_is_stopped_while_it_connects_ends() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!(
        "postgresql://nobody@{}/nothing",
        silent.local_addr().expect("a listener has an address")
    );
    let scene_dir = crate::support::temp_dir();
    for (signal, code) in STOPPING {
        let file = scene_dir.path().join("stopped.sbk");
        let run = Silverback::new(["dump", "-d", &url, "-f"]).arg(&file).spawn();
        let (socket, _) = silent.accept().expect("the run connects");
        run.signal(signal);
        let outcome = wait_within(run, 5).expect(code);
        after_dump(&outcome, &file, None);
        drop(socket);
    }
}

#[test]
fn a_restore_that_is_stopped_while_rows_go_leaves_a_marked_target() {
    let scene = Scene::new(newest_server(), ROWS);
    let file = scene.archive();
    for (signal, code) in STOPPING {
        let target = scene.target();
        let proxy = Proxy::to(newest_server().port());
        proxy.stall_after(Direction::Up, MIDDLE);
        let running = hold_at(restore_through(&proxy, &file, &target), &proxy);
        running.signal(signal);
        let outcome = wait_within(running, 5).expect(code);
        drop(proxy);
        assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
    }
}

#[test]
fn a_restore_that_is_stopped_while_an_index_is_built_leaves_no_session_at_work() {
    let scene = Scene::new(newest_server(), 10).waits("index");
    let file = scene.archive();
    for (signal, code) in STOPPING {
        let target = scene.target();
        let gate = Gate::close(&target);
        let running = gate.hold(restore(&file, &target));
        running.signal(signal);
        let outcome = wait_within(running, 5).expect(code).says("restore --status");
        // The gate is still closed: only a request to cancel, or a look at the socket, ends the
        // build.
        assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
        drop(gate);
    }
}

#[test]
fn a_dump_that_is_killed_leaves_no_impostor() {
    let scene = Scene::new(newest_server(), ROWS);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, MIDDLE);
    let file = scene.path("killed.sbk");
    let running = hold_at(scene.dump_through(&proxy, &file), &proxy);
    running.signal("KILL");
    let outcome = running.wait();
    drop(proxy);
    after_dump(&outcome, &file, Some(&scene.source));
    assert!(!file.exists());
    let again = scene.dir.path().join("again");
    std::fs::create_dir(&again).expect("the folder is ours");
    let file = again.join("again.sbk");
    let outcome = dump(&scene.source, &file).run().expect(0);
    after_dump(&outcome, &file, Some(&scene.source));
}

#[test]
fn a_restore_that_is_killed_leaves_a_marked_target() {
    let scene = Scene::new(newest_server(), ROWS);
    let file = scene.archive();
    let target = scene.target();
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Up, MIDDLE);
    let running = hold_at(restore_through(&proxy, &file, &target), &proxy);
    running.signal("KILL");
    let outcome = running.wait();
    drop(proxy);
    assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
    let target = scene.target();
    let outcome = restore(&file, &target).run().expect(0);
    assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Complete);
}

#[test]
fn a_dump_killed_at_random_moments_never_leaves_an_impostor() {
    let scene = Scene::new(newest_server(), 4_000);
    let mut random = Random::seeded();
    let whole = timed(|| drop(scene.archive()));
    for round in 0..15 {
        let dir = scene.path(&format!("round-{round}"));
        std::fs::create_dir(&dir).expect("the folder is ours");
        let file = dir.join("killed.sbk");
        let running = dump(&scene.source, &file).spawn();
        std::thread::sleep(random.part_of(whole));
        running.signal("KILL");
        after_dump(&running.wait(), &file, Some(&scene.source));
    }
    let file = scene.path("after.sbk");
    dump(&scene.source, &file).run().expect(0);
}

#[test]
fn a_restore_killed_at_random_moments_leaves_a_target_in_a_known_state() {
    let scene = Scene::new(newest_server(), 4_000);
    let file = scene.archive();
    let mut random = Random::seeded();
    let target = scene.target();
    let whole = timed(|| drop(restore(&file, &target).run().expect(0)));
    for _ in 0..15 {
        let target = scene.target();
        let running = restore(&file, &target).spawn();
        std::thread::sleep(random.part_of(whole));
        running.signal("KILL");
        let outcome = running.wait();
        let again = match after_restore(&outcome, &file, &scene.source, &target) {
            State::Untouched => restore(&file, &target),
            State::Marked => restore(&file, &target).arg("-c"),
            State::Complete => continue,
        };
        let outcome = again.run().expect(0);
        assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Complete);
    }
    let target = scene.target();
    let outcome = restore(&file, &target).run().expect(0);
    after_restore(&outcome, &file, &scene.source, &target);
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Moments to kill at: which they are does not matter, that a failure can be tried again does.
/// `SILVERBACK_TEST_SEED` sets the seed.
struct Random(u64);

impl Random {
    fn seeded() -> Self {
        let given = std::env::var("SILVERBACK_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            std::time::UNIX_EPOCH.elapsed().map_or(1, |time| time.as_nanos() as u64)
        });
        println!("SILVERBACK_TEST_SEED={seed}");
        Self(seed | 1)
    }

    /// A part of 0 to 1.1 of `whole`.
    fn part_of(&mut self, whole: Duration) -> Duration {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        whole.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64 * 1.1)
    }
}
