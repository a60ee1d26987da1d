//! Kong's lock for migrations is held while a dump is made, and let go however that ends.
//!
//! `SILVERBACK_TEST_KILLS` is the number of kills, 3 unless it is given.

use testkit::Database;

use super::{LOCKED, Scene};
use crate::support::{Running, dump, ends, wait_for};

const HELD: &str = "SELECT count(*) FROM locks WHERE key = 'migrations' AND owner LIKE \
    'silverback dump %' AND ttl > now() AND ttl <= now() + interval '61 s'";
const ANY: &str = "SELECT count(*) FROM locks";

/// A dump that holds the lock and waits for a table that somebody else has locked.
fn waiting(scene: &Scene<'_>, name: &str) -> Running {
    let running = dump(&scene.source, &scene.folder.path().join(name))
        .args(["--hold-migrations", "--lock-wait-timeout", "2min"])
        .spawn();
    wait_for("the lock to be held", || held(&scene.source));
    running
}

fn held(database: &Database<'_>) -> bool {
    database.value(HELD) == "1"
}

#[test]
fn until_the_dump_ends() {
    for version in ends() {
        let scene = Scene::of(testkit::server(version), "3.4.2");
        let file = scene.folder.path().join("kong.sbk");
        let told = dump(&scene.source, &file).arg("--hold-migrations").run().expect(0);
        assert!(told.stderr.contains("the one thing that this dump writes"), "{}", told.stderr);
        assert_eq!(scene.source.value(ANY), "0");
        let restored = scene.restore(&file, &[]).run().expect(0);
        assert!(!restored.stderr.contains("lock for migrations"), "{}", restored.stderr);
        assert_eq!(scene.copy.value("SELECT count(*) FROM locks WHERE ttl > now() + '61 s'"), "0");
    }
}

#[test]
fn not_from_another() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    scene.source.connect().execute(LOCKED);
    let file = scene.folder.path().join("kong.sbk");
    dump(&scene.source, &file)
        .arg("--hold-migrations")
        .run()
        .expect(9)
        .says("node-1 holds it until 2");
    assert!(!file.exists());
    scene.source.execute("UPDATE locks SET ttl = '2001-01-01'");
    dump(&scene.source, &file).arg("--hold-migrations").run().expect(0);
    assert_eq!(scene.source.value(ANY), "0", "a dead row is nobody's");
}

#[test]
fn after_signals_and_errors() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let locker = scene.source.connect();
    locker.execute("BEGIN; LOCK TABLE consumers");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 143)] {
        let running = waiting(&scene, "stopped.sbk");
        running.signal(signal);
        running.wait().expect(code);
        assert_eq!(scene.source.value(ANY), "0", "{signal}");
    }
    dump(&scene.source, &scene.folder.path().join("late.sbk"))
        .args(["--hold-migrations", "--lock-wait-timeout", "1s"])
        .run()
        .expect(9);
    assert_eq!(scene.source.value(ANY), "0");
}

#[test]
fn killed_it_ends_by_itself() {
    let kills = std::env::var("SILVERBACK_TEST_KILLS")
        .map_or(3, |count| count.parse().expect("SILVERBACK_TEST_KILLS is a number"));
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let locker = scene.source.connect();
    locker.execute("BEGIN; LOCK TABLE consumers");
    for kill in 0..kills {
        let running = waiting(&scene, &format!("killed_{kill}.sbk"));
        running.signal("KILL");
        running.wait();
        assert!(held(&scene.source), "for a minute at most");
        scene.source.execute("UPDATE locks SET ttl = ttl - interval '61 s'");
    }
}

#[test]
fn it_is_renewed() {
    let scene = Scene::of(testkit::newest_server(), "3.4.2");
    let locker = scene.source.connect();
    locker.execute("BEGIN; LOCK TABLE consumers");
    let running = waiting(&scene, "long.sbk");
    let until = scene.source.value("SELECT max(ttl) FROM locks");
    wait_for("it to be renewed", || scene.source.value("SELECT max(ttl) FROM locks") != until);
    locker.execute("COMMIT");
    running.wait().expect(0);
    assert_eq!(scene.source.value(ANY), "0");
}
