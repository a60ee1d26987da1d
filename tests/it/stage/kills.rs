//! A stage that is killed leaves what is live alone; it goes on, or is dropped. A swap that is
//! killed leaves one whole copy live.
//!
//! `SILVERBACK_TEST_KILLS` is the number of kills, 6 unless it is given; `scripts/kills` makes a
//! hundred.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use testkit::Database;

use super::{Upgraded, leavings, live_rows, swap};
use crate::support::{Silverback, dump, wait_for};

fn kills() -> u32 {
    std::env::var("SILVERBACK_TEST_KILLS")
        .map_or(6, |count| count.parse().expect("SILVERBACK_TEST_KILLS is a number"))
}

/// A moment within a time, another one with every call.
fn moment(whole: Duration) -> Duration {
    let random = RandomState::new().hash_one(Instant::now()) % 1000;
    whole.mul_f64(random as f64 / 1000.0)
}

fn status(database: &Database<'_>) -> Silverback {
    Silverback::new(["restore", "--status", "-d", &database.url()])
}

#[test]
fn a_stage_that_is_killed() {
    let server = testkit::newest_server();
    let role = server.role("kong");
    let scene = Upgraded::new(server, &role, "public");
    let live = &scene.live;
    let (before, archived) = (live_rows(live), live_rows(&scene.older));
    let watcher = live.connect();
    let marked = |is_there: &str| {
        let sql = "SELECT (to_regclass('silverback_restore.run') IS NOT NULL)::text";
        while watcher.value(sql) != is_there {
            thread::sleep(Duration::from_millis(1));
        }
        Instant::now()
    };
    let running = scene.stage().spawn();
    let begun = marked("true");
    let whole = marked("false") - begun;
    running.wait().expect(0);
    swap(live).arg("--drop-old").run().expect(0);
    let mut unfinished = 0;
    for kill in 0..kills() {
        let running = scene.stage().spawn();
        // Every fourth anywhere, also before it has begun.
        if kill % 4 > 0 {
            marked("true");
            thread::sleep(moment(whole));
        } else {
            thread::sleep(moment(whole * 10));
        }
        running.signal("KILL");
        running.wait();
        assert_eq!(live_rows(live), before, "kill {kill}");
        let phase = || {
            let told = swap(live).arg("--status").run();
            if told.code == Some(0) {
                "nothing"
            } else if told.stdout.contains("not complete") {
                "unfinished"
            } else {
                "complete"
            }
        };
        // A process whose client was killed may still end what it was told.
        wait_for("the killed run's sessions to end", || {
            live.value(&format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND pid <> \
                 pg_backend_pid() AND application_name ~ 'silverback'",
                live.name()
            )) == "0"
        });
        let left = phase();
        if left == "unfinished" {
            unfinished += 1;
            let told = status(live).run().expect(10);
            assert!(told.stdout.contains("restore --resume"), "{}", told.stdout);
            assert!(told.stdout.contains("--stage"), "{}", told.stdout);
            scene.stage().run().expect(6).says("stage again with --resume");
            swap(live).run().expect(6).says("not complete");
            // What is live is dumped without it.
            let file = scene.folder.path().join(format!("{kill}.sbk"));
            dump(live, &file).run().expect(0).says("public_staged_");
        }
        if left != "complete" && kill % 3 < 2 {
            scene.stage().arg("--resume").run().expect(0);
        }
        if phase() == "complete" {
            swap(live).run().expect(0);
            assert_eq!(live_rows(live), archived, "kill {kill}");
            swap(live).args(["--back", "--yes"]).run().expect(0);
        }
        if phase() != "nothing" {
            swap(live).arg("--drop-old").run().expect(0);
        }
        assert_eq!(leavings(live), Vec::<String>::new());
        assert_eq!(live_rows(live), before, "kill {kill}");
    }
    assert!(unfinished > 0, "no kill came in the middle of {whole:?}");
}
