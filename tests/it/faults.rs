//! Lost sessions, lost servers, cut and stalled connections, servers that are none: every run ends,
//! in time, with what happened.

mod silence;

use std::path::Path;
use std::time::Duration;

use testkit::{Action, Direction, Proxy, Rule, Server, Stop, newest, newest_server};

use crate::invariants::{
    Gate, Scene, State, after_dump, after_restore, clear_end, hold_at, nothing_left,
    restore_through, wait_within,
};
use crate::support::{Silverback, assert_same, dump, restore, temp_dir, wait_for};

/// Into the first 8 MB, the first range of the table, of which more is still to come than sockets
/// and [`Proxy`] take in.
const MIDDLE: u64 = 1 << 20;
const ROWS: u32 = 20_000;

/// Sessions of the program in a database.
fn ours(database: &str) -> String {
    format!("application_name = 'silverback' AND datname = '{database}'")
}

#[test]
fn a_dump_whose_worker_is_terminated_names_the_table() {
    let scene = Scene::new(newest_server(), ROWS);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, MIDDLE);
    let file = scene.path("lost.sbk");
    let running = hold_at(scene.dump_through(&proxy, &file), &proxy);
    let worker = format!("{} AND query ILIKE 'COPY%'", ours(scene.source.name()));
    assert_eq!(newest_server().terminate(&worker), 1);
    proxy.resume();
    let outcome = wait_within(running, 10).expect(5).says("public.filler");
    after_dump(&outcome, &file, Some(&scene.source));
}

#[test]
fn a_dump_whose_keeper_is_terminated_ends_although_its_worker_could_go_on() {
    let scene = Scene::new(newest_server(), ROWS);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, MIDDLE);
    let file = scene.path("lost.sbk");
    let running = hold_at(scene.dump_through(&proxy, &file), &proxy);
    let keeper = format!("{} AND state = 'idle in transaction'", ours(scene.source.name()));
    assert_eq!(newest_server().terminate(&keeper), 1);
    let outcome = wait_within(running, 10).expect(5).says("snapshot");
    drop(proxy);
    after_dump(&outcome, &file, Some(&scene.source));
}

#[test]
fn a_restore_whose_session_is_terminated_says_so_and_leaves_a_marked_target() {
    for (at, named) in [("load", "public.parents"), ("index", "public.waiting")] {
        let scene = Scene::new(newest_server(), 10).waits(at);
        let file = scene.archive();
        let target = scene.target();
        let gate = Gate::close(&target);
        let running = gate.hold(restore(&file, &target));
        let worker = format!("{} AND wait_event = 'advisory'", ours(target.name()));
        assert_eq!(newest_server().terminate(&worker), 1);
        let outcome =
            wait_within(running, 10).expect(7).says("57P01").says(named).says("silverback_restore");
        assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
    }
}

#[test]
fn a_statement_that_is_cancelled_ends_the_restore() {
    let scene = Scene::new(newest_server(), 10).waits("index");
    let file = scene.archive();
    let target = scene.target();
    let gate = Gate::close(&target);
    let running = gate.hold(restore(&file, &target));
    let cancel = format!(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {} AND wait_event = 'advisory'",
        ours(target.name())
    );
    assert_eq!(newest_server().connect("postgres").value(&cancel), "t");
    let outcome = wait_within(running, 10).expect(7).says("57014");
    assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
}

#[test]
fn a_dump_that_gets_no_more_rows_gives_up_and_names_the_table() {
    let scene = Scene::new(newest_server(), ROWS);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, MIDDLE);
    let file = scene.path("stalled.sbk");
    let running =
        hold_at(scene.dump_through(&proxy, &file).args(["--stall-timeout", "2s"]), &proxy);
    let outcome = wait_within(running, 7).expect(5).says("public.filler").says("--stall-timeout");
    drop(proxy);
    after_dump(&outcome, &file, Some(&scene.source));
}

#[test]
fn a_dump_whose_requests_do_not_arrive_gives_up_wherever_it_stands() {
    let scene = Scene::new(newest_server(), 300);
    let clean = Proxy::to(newest_server().port());
    scene.dump_through(&clean, &scene.path("clean.sbk")).run().expect(0);
    let sent = clean.carried_by_connection(Direction::Up);
    // The start of the transaction, the catalog, and the last statements of both sessions.
    for (connection, after_bytes) in [
        (0, sent[0] / 4),
        (0, sent[0] / 2),
        (1, sent[1] / 2),
        (1, sent[1] - 300),
        (1, sent[1] - 60),
    ] {
        let proxy = Proxy::to(newest_server().port());
        proxy.rule(Rule {
            connection: Some(connection),
            direction: Direction::Up,
            after_bytes,
            action: Action::Stall,
        });
        let dir = scene.path(&format!("stalled-{connection}-{after_bytes}"));
        std::fs::create_dir(&dir).expect("the folder is ours");
        let file = dir.join("stalled.sbk");
        let run = scene
            .dump_through(&proxy, &file)
            .args(["--stall-timeout", "2s"])
            .env("PGCONNECT_TIMEOUT", "2");
        let outcome = wait_within(run.spawn(), 12);
        assert!(
            matches!(outcome.code, Some(4 | 5)),
            "connection {connection}, byte {after_bytes}: {outcome:#?}"
        );
        drop(proxy);
        after_dump(&outcome, &file, Some(&scene.source));
    }
}

#[test]
fn a_restore_whose_rows_are_not_taken_gives_up_and_names_the_table() {
    let scene = Scene::new(newest_server(), ROWS);
    let file = scene.archive();
    let target = scene.target();
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Up, MIDDLE);
    let running =
        hold_at(restore_through(&proxy, &file, &target).args(["--stall-timeout", "2s"]), &proxy);
    let outcome = wait_within(running, 7).expect(7).says("public.filler").says("--stall-timeout");
    drop(proxy);
    assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
}

#[test]
fn a_restore_that_gets_no_answer_to_its_rows_gives_up_and_names_the_table() {
    let scene = Scene::new(newest_server(), 10).waits("load");
    let file = scene.archive();
    let target = scene.target();
    let gate = Gate::close(&target);
    let proxy = Proxy::to(newest_server().port());
    let run = restore_through(&proxy, &file, &target).args(["--stall-timeout", "2s"]);
    let running = gate.hold(run);
    // The load is at the gate, so all of its rows are there; the answer is not let through.
    proxy.stall(true);
    drop(gate);
    let outcome = wait_within(running, 10).expect(7).says("public.parents").says("--stall-timeout");
    drop(proxy);
    assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
}

/// Twenty places, spread over all that the connections of a clean run carried one way: which
/// connection, after how many bytes.
fn places(clean: &Proxy, direction: Direction) -> Vec<(u64, u64)> {
    let carried = clean.carried_by_connection(direction);
    let total: u64 = carried.iter().sum();
    let place = |n: u64| {
        let mut at = total * n / 20;
        for (connection, &bytes) in carried.iter().enumerate() {
            if at < bytes {
                return (connection as u64, at);
            }
            at -= bytes;
        }
        unreachable!("{at} is less than the sum")
    };
    (0..20).map(place).collect()
}

#[test]
fn a_restore_whose_commits_are_not_answered_knows_what_became_of_them() {
    let scene = Scene::new(newest_server(), 10);
    let file = scene.archive();
    let clean = Proxy::to(newest_server().port());
    restore_through(&clean, &file, &scene.target()).run().expect(0);
    let received = clean.carried_by_connection(Direction::Down)[0];
    let mut states = Vec::new();
    // The answer to the last commit, byte by byte: its tag and the ready message that follows.
    for missing in 1..24 {
        let proxy = cut(0, Direction::Down, received - missing);
        let target = scene.target();
        let outcome = wait_within(restore_through(&proxy, &file, &target).spawn(), 20);
        states.push(after_restore(&outcome, &file, &scene.source, &target));
    }
    assert!(states.contains(&State::Complete), "{states:?}");
}

fn cut(connection: u64, direction: Direction, after_bytes: u64) -> Proxy {
    let proxy = Proxy::to(newest_server().port());
    proxy.rule(Rule {
        connection: Some(connection),
        direction,
        after_bytes,
        action: Action::Close,
    });
    proxy
}

fn a_dump_survives_cuts(direction: Direction) {
    let scene = Scene::new(newest_server(), 300);
    let clean = Proxy::to(newest_server().port());
    scene.dump_through(&clean, &scene.path("clean.sbk")).run().expect(0);
    for (connection, byte) in places(&clean, direction) {
        println!("{direction:?}: connection {connection} is cut after byte {byte}");
        let proxy = cut(connection, direction, byte);
        let dir = scene.path(&format!("cut-{connection}-{byte}"));
        std::fs::create_dir(&dir).expect("the folder is ours");
        let file = dir.join("cut.sbk");
        let outcome = wait_within(scene.dump_through(&proxy, &file).spawn(), 20);
        assert!(
            matches!(outcome.code, Some(0 | 4 | 5)),
            "connection {connection}, byte {byte}: {outcome:#?}"
        );
        after_dump(&outcome, &file, Some(&scene.source));
    }
}

#[test]
fn a_dump_whose_server_is_cut_off_ends() {
    a_dump_survives_cuts(Direction::Down);
}

#[test]
fn a_dump_that_is_cut_off_from_its_server_ends() {
    a_dump_survives_cuts(Direction::Up);
}

fn a_restore_survives_cuts(direction: Direction) {
    let scene = Scene::new(newest_server(), 300);
    let file = scene.archive();
    let clean = Proxy::to(newest_server().port());
    restore_through(&clean, &file, &scene.target()).run().expect(0);
    for (connection, byte) in places(&clean, direction) {
        println!("{direction:?}: connection {connection} is cut after byte {byte}");
        let proxy = cut(connection, direction, byte);
        let target = scene.target();
        let outcome = wait_within(restore_through(&proxy, &file, &target).spawn(), 20);
        assert!(
            matches!(outcome.code, Some(0 | 4 | 5 | 7)),
            "connection {connection}, byte {byte}: {outcome:#?}"
        );
        after_restore(&outcome, &file, &scene.source, &target);
    }
}

#[test]
fn a_restore_whose_server_is_cut_off_leaves_a_target_in_a_known_state() {
    a_restore_survives_cuts(Direction::Down);
}

#[test]
fn a_restore_that_is_cut_off_from_its_server_leaves_a_target_in_a_known_state() {
    a_restore_survives_cuts(Direction::Up);
}

#[test]
fn a_dump_whose_server_dies_ends_and_the_next_one_works() {
    let server = Server::spec(newest()).start();
    let scene = Scene::new(&server, ROWS);
    for how in [Stop::Kill, Stop::Immediate] {
        let proxy = Proxy::to(server.port());
        proxy.stall_after(Direction::Down, MIDDLE);
        let file = scene.path("lost.sbk");
        let running = hold_at(scene.dump_through(&proxy, &file), &proxy);
        server.stop(how);
        proxy.resume();
        let outcome = wait_within(running, 10).expect(5);
        after_dump(&outcome, &file, None);
        server.start();
        let outcome = dump(&scene.source, &file).run().expect(0);
        after_dump(&outcome, &file, Some(&scene.source));
        std::fs::remove_file(&file).expect("the dump wrote it");
    }
}

#[test]
fn a_restore_whose_server_dies_leaves_a_marked_target_and_the_next_one_works() {
    let server = Server::spec(newest()).start();
    let scene = Scene::new(&server, ROWS);
    let file = scene.archive();
    for how in [Stop::Kill, Stop::Immediate] {
        let target = scene.target();
        let proxy = Proxy::to(server.port());
        proxy.stall_after(Direction::Up, MIDDLE);
        let running = hold_at(restore_through(&proxy, &file, &target), &proxy);
        server.stop(how);
        proxy.resume();
        let outcome = wait_within(running, 10).expect(7);
        server.start();
        assert_eq!(after_restore(&outcome, &file, &scene.source, &target), State::Marked);
        let next = scene.target();
        let outcome = restore(&file, &next).run().expect(0);
        assert_eq!(after_restore(&outcome, &file, &scene.source, &next), State::Complete);
    }
}

#[test]
fn two_hundred_megabytes_pass_through_bounded_memory() {
    let scene = Scene::new(newest_server(), 190_000);
    let file = scene.path("large.sbk");
    let (outcome, peak) = watched(dump(&scene.source, &file));
    let outcome = outcome.expect(0);
    assert!(peak <= 300 << 10, "the dump took {peak} KiB");
    clear_end(&outcome);
    let target = scene.target();
    let (outcome, peak) = watched(restore(&file, &target));
    let outcome = outcome.expect(0);
    assert!(peak <= 300 << 10, "the restore took {peak} KiB");
    clear_end(&outcome);
    nothing_left(&target);
}

/// Runs to the end, and says how much memory it took at most, in KiB.
pub(crate) fn watched(run: Silverback) -> (crate::support::Outcome, u64) {
    let mut running = run.spawn();
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    while !running.is_done() {
        peak = peak.max(high_water_kib(Path::new(&status)).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(peak > 0, "{status} says nothing of memory");
    (running.wait(), peak)
}

fn high_water_kib(status: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// An index that is not done before somebody lets go of a lock; the other session has nothing to do
/// meanwhile.
#[test]
fn a_session_that_is_lost_while_it_is_idle_is_replaced() {
    let server = newest_server();
    let (source, copy) = (server.database("source"), server.database("copy"));
    source.execute(
        "CREATE FUNCTION held(a int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
           PERFORM pg_catalog.pg_advisory_xact_lock_shared(42); RETURN a;
         END $$;
         CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE INDEX ON t (held(a))",
    );
    let (folder, holder) = (temp_dir(), copy.connect());
    let archive = folder.path().join("a.sbk");
    dump(&source, &archive).run().expect(0);
    holder.execute("SELECT pg_advisory_lock(42)");
    let run = restore(&archive, &copy).arg("-j2").spawn();
    let building = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
        wait_event = 'advisory'";
    wait_for("the build", || copy.value(building) == "1");
    let idle = format!("{} AND state = 'idle'", ours(copy.name()));
    assert_eq!(server.terminate(&idle), 1);
    wait_for("its end", || {
        copy.value(&format!("SELECT count(*) FROM pg_stat_activity WHERE {idle}")) == "0"
    });
    holder.execute("SELECT pg_advisory_unlock(42)");
    run.wait().expect(0);
    assert_same(&source, &copy);
}
