//! What becomes of the connection limit where the restore does not come to its end.
//!
//! `SILVERBACK_TEST_KILLS` is the number of kills, 3 unless it is given; `scripts/kills` makes 30.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::kept_out::Writer;
use super::{Gate, Target, scene};
use crate::invariants::{hold_until, wait_within};
use crate::support::{Running, assert_same_rows, ends, wait_for};

const DISCONNECT: [&str; 2] = ["-c", "--disconnect-others"];

/// The limits that a database may have had.
const LIMITS: [i32; 3] = [-1, 5, 0];

#[test]
fn a_signal_gives_it_back() {
    for version in ends() {
        for (at, limit, signal, code) in
            [("load", -1, "INT", 130), ("load", 5, "TERM", 143), ("index", 0, "HUP", 143)]
        {
            let (_scene, file, target) = scene(testkit::server(version), Some(at));
            target.set_limit(limit);
            let gate = Gate::close(&target);
            let running = hold_until(target.restore(&file, &DISCONNECT), || gate.is_reached());
            assert_ne!(target.limit(), limit);
            running.signal(signal);
            wait_within(running, 5).expect(code);
            assert_eq!(target.limit(), limit);
            let noted = "SELECT count(connection_limit) || state FROM silverback_restore.run \
                GROUP BY state";
            assert_eq!(target.value(noted), "0not ready");
            drop(gate);
            target.restore(&file, &DISCONNECT).run().expect(0);
            assert_eq!(target.limit(), limit);
        }
    }
}

#[test]
fn a_failure_gives_it_back() {
    for version in ends() {
        let (scene, _, target) = scene(testkit::server(version), None);
        // What the archive brings breaks its own key.
        scene.source.connect().execute(
            "ALTER TABLE filler DROP CONSTRAINT filler_parent_id_fkey; DELETE FROM parents WHERE \
             id = 3; ALTER TABLE filler ADD FOREIGN KEY (parent_id) REFERENCES parents NOT VALID",
        );
        scene.source.execute("UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated");
        std::fs::remove_file(scene.path("source.sbk")).expect("it is there");
        let file = scene.archive();
        for more in [&[][..], &["--keep-going"]] {
            target.restore(&file, &DISCONNECT).args(more).run().expect(7);
            assert_eq!(target.limit(), -1);
        }
        let nothing = "there is nothing to give back to database";
        target.silverback(&["unlock"]).run().expect(0).says(nothing);
    }
}

/// Waits until a run has changed the limit.
fn until_changed(target: &Target<'_>, limit: i32, running: &mut Running) {
    wait_for("the limit to be changed", || running.is_done() || target.limit() != limit);
}

/// Whichever way there is to have it given back, the database has it and the copy is the source.
fn given_back(target: &Target<'_>, file: &std::path::Path, way: usize, limit: i32) {
    let owed = target.limit() != limit;
    match way % 4 {
        0 => {
            let told = target.silverback(&["unlock"]).run().expect(0);
            if owed {
                told.says(&format!("has got its CONNECTION LIMIT {limit} back"));
            }
            assert_eq!(target.limit(), limit);
            target.silverback(&["unlock"]).run().expect(0).says("nothing to give back");
        }
        1 => drop(target.restore(file, &["--resume"]).args(DISCONNECT).run().expect(0)),
        2 if limit != 0 => {
            // A run that disconnects nobody gives it back, too; it needs a slot for itself.
            let told = target.restore(file, &["-c", "--if-exists"]).run();
            assert!(matches!(told.code, Some(0 | 4)), "{told:#?}");
            if told.code == Some(4) {
                target.silverback(&["unlock"]).run().expect(0);
            }
        }
        _ => {}
    }
    if way % 4 != 1 {
        let if_exists = ["--if-exists", "--disconnect-others"];
        target.restore(file, &["-c"]).args(if_exists).run().expect(0);
    }
    assert_eq!(target.limit(), limit);
}

#[test]
fn a_kill_leaves_it_to_be_given_back() {
    for version in ends() {
        for (way, limit) in LIMITS.into_iter().enumerate() {
            let (scene, file, target) = scene(testkit::server(version), Some("load"));
            target.set_limit(limit);
            // As soon as anything is changed.
            let mut running = target.restore(&file, &DISCONNECT).spawn();
            until_changed(&target, limit, &mut running);
            running.signal("KILL");
            running.wait();
            given_back(&target, &file, way, limit);
            // In the middle.
            let gate = Gate::close(&target);
            let running = hold_until(target.restore(&file, &DISCONNECT), || gate.is_reached());
            if limit == -1 {
                let told = target.silverback(&["unlock"]).run().expect(6);
                told.says("a restore is at work there");
            }
            running.signal("KILL");
            running.wait();
            assert_ne!(target.limit(), limit);
            drop(gate);
            if limit == -1 {
                wait_for("the sessions to end", || {
                    let told = target.silverback(&["restore", "--status"]).run().expect(7).stdout;
                    told.contains("must get its CONNECTION LIMIT -1 back")
                        && told.contains("silverback unlock -d ")
                });
                let json = target.silverback(&["restore", "--status", "--json"]).run().expect(7);
                assert!(json.stdout.contains("\"connection_limit_to_give_back\": -1"), "{json:#?}");
            }
            given_back(&target, &file, way + 1, limit);
            target.set_limit(-1);
            assert_same_rows(&scene.source, &target.database());
        }
    }
}

#[test]
fn what_never_began_is_in_nobodys_way() {
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), None);
        let mark = crate::support::mark("other.sbk");
        let owner = target.connect();
        mark.set_before(5).iter().for_each(|step| owner.execute(&step.sql));
        drop(owner);
        target.set_limit(3);
        let status = || target.silverback(&["restore", "--status"]).run().expect(10).stdout;
        wait_for("the owner's session to end", || !status().contains("is beginning"));
        let told = status();
        assert!(told.contains("must get its CONNECTION LIMIT 5 back"), "{told}");
        assert!(!told.contains("incomplete"), "{told}");
        let dumped = scene.path("dumped.sbk");
        let dump = target.silverback(&["dump"]).arg("-f").arg(&dumped);
        dump.run().expect(10).says("had CONNECTION LIMIT 5 before a restore");
        let plan = target.restore(&file, &["-c", "--dry-run"]).run().expect(0).stdout;
        assert!(plan.contains("warning: a restore that was stopped has left database"), "{plan}");
        assert_eq!(target.limit(), 3);
        let told = target.restore(&file, &["-c"]).run().expect(0);
        told.says("has got its CONNECTION LIMIT 5 back");
        assert_eq!(target.limit(), 5);
        // What says by itself what it was.
        target.set_limit(2_000_000_007);
        target.silverback(&["restore", "--status"]).run().expect(10);
        target.silverback(&["unlock"]).run().expect(0).says("CONNECTION LIMIT 7 back");
        assert_eq!(target.limit(), 7);
        target.silverback(&["restore", "--status"]).run().expect(0);
        assert_same_rows(&scene.source, &target.database());
    }
}

#[test]
fn killed_at_any_moment() {
    let kills = std::env::var("SILVERBACK_TEST_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: usize = kills.unwrap_or(3).min(30);
    for version in ends() {
        let (scene, file, target) = scene(testkit::server(version), None);
        for kill in 0..kills {
            let limit = LIMITS[kill % LIMITS.len()];
            let writer = Writer::start(&target);
            target.set_limit(limit);
            let mut running = target.restore(&file, &DISCONNECT).arg("--if-exists").spawn();
            let random = RandomState::new().hash_one((kill, version));
            until_changed(&target, limit, &mut running);
            std::thread::sleep(Duration::from_millis(random % 400));
            // Once nobody gives anything back, nobody keeps it out.
            drop(writer);
            running.signal("KILL");
            running.wait();
            given_back(&target, &file, random as usize >> 9, limit);
        }
        target.set_limit(-1);
        let copy = target.database();
        copy.execute("DELETE FROM parents WHERE name LIKE 'client %'");
        assert_same_rows(&scene.source, &copy);
    }
}
