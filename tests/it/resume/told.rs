//! Who may go on and who may not, and what `--status` says of it.

use testkit::newest_server;

use crate::invariants::{Gate, Scene};
use crate::pair::Pair;
use crate::support::{Silverback, assert_same, dump, ends, restore, wait_for};
use crate::unfinished::end_sessions;

fn status(database: &testkit::Database<'_>) -> Silverback {
    Silverback::new(["restore", "--status", "-d", &database.url()])
}

#[test]
fn another_restore_does_not_go_on() {
    for version in crate::support::ends() {
        let scene = Scene::new(testkit::server(version), 500).waits("load");
        let target = scene.target();
        let file = scene.archive();
        let gate = Gate::close(&target);
        let running = gate.hold(restore(&file, &target));
        let resume = |more: &[&str]| restore(&file, &target).arg("--resume").args(more).run();
        resume(&[]).expect(6).says("another restore is at work in the target");
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        let done = target.value("SELECT count(*) FROM silverback_restore.done");
        for other in [
            &["--no-comments"][..],
            &["-T", "filler"],
            &["--section", "data"],
            &["--fk", "not-valid"],
            &["--ready-early"],
        ] {
            resume(other)
                .expect(6)
                .says("which had other options")
                .says("restore --status tells them");
        }
        let again = scene.path("again.sbk");
        dump(&scene.source, &again).run().expect(0);
        restore(&again, &target)
            .arg("--resume")
            .run()
            .expect(6)
            .says("which is of another archive");
        restore(&again, &target)
            .args(["--resume", "-c"])
            .run()
            .expect(6)
            .says("which is of another archive");
        assert_eq!(target.value("SELECT count(*) FROM silverback_restore.done"), done);
        // A stranger is told so.
        let stranger = scene.server().role("stranger");
        target.execute(&format!(
            "GRANT CREATE ON DATABASE {} TO {}",
            target.name(),
            stranger.name()
        ));
        let of_stranger =
            ["restore", "--resume", "-O", "-x", "-d", &target.url_as(stranger.name())];
        Silverback::new(of_stranger).arg(&file).run().expect(6);
        target.execute(&format!(
            "REVOKE CREATE ON DATABASE {} FROM {}",
            target.name(),
            stranger.name()
        ));
        let plan = resume(&["--dry-run", "-j", "7"]).expect(0);
        assert!(
            plan.stdout.contains("COPY public.parents")
                && !plan.stdout.contains("CREATE TABLE public.parents"),
            "{}",
            plan.stdout
        );
        resume(&["-j", "7", "-v"]).expect(0);
        assert_same(&scene.source, &target);
        // Where nothing is begun it begins as any other.
        resume(&[])
            .expect(6)
            .says("no unfinished restore is in the target")
            .says("after its last commit is done");
    }
}

#[test]
fn the_status_says_what_to_do() {
    for version in ends() {
        let scene = Scene::new(testkit::server(version), 100).waits("load");
        let target = scene.target();
        let file = scene.archive();
        let told = status(&target).run().expect(0);
        assert_eq!(
            told.stdout,
            format!("no restore has left database {} unfinished\n", target.name())
        );
        let gate = Gate::close(&target);
        let running = gate.hold(restore(&file, &target).args(["--no-analyze", "-T", "empty"]));
        let told = status(&target).run().expect(7);
        assert!(
            told.stdout.contains("at work     server processes ")
                && told.stdout.contains("let it end"),
            "{}",
            told.stdout
        );
        running.signal("KILL");
        running.wait();
        drop(gate);
        end_sessions(scene.server(), target.name());
        let told = status(&target).run().expect(7);
        for part in [
            "is incomplete",
            "source.sbk",
            "state       not ready",
            " steps",
            "at work     nobody",
            "-T empty --no-analyze ",
        ] {
            assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
        }
        let json: serde_json::Value =
            serde_json::from_str(&status(&target).arg("--json").run().expect(7).stdout)
                .expect("JSON");
        assert_eq!(json["restores"][0]["state"], "not ready");
        // What it says can be typed.
        let command = json["restores"][0]["command"].as_str().expect("a command").to_owned();
        assert!(told.stdout.contains(&command), "{}", told.stdout);
        // The connection string that was typed holds blanks.
        let (before, after) = command.split_once(" -d ").expect("a database");
        let rest = after.rsplit_once("' ").expect("a quoted string").1;
        Silverback::new(before.split(' ').skip(1))
            .args(["-d", &target.url()])
            .args(rest.split(' '))
            .run()
            .expect(0);
        status(&target).run().expect(0);
        Silverback::new(["restore", "--status", "-d", &target.url()]).arg(&file).run().expect(2);
    }
}

#[test]
fn a_database_in_use_is_gone_on_with_and_told() {
    let pair = Pair::new(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT n, n FROM \
         generate_series(1, 1000) n; CREATE INDEX t_a ON t (a)",
    );
    pair.dump().run().expect(0);
    let old = pair.copy.connect_as("postgres");
    old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    let running = pair.restore().arg("--ready-early").spawn();
    wait_for("a build that waits", || {
        pair.copy.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event = 'virtualxid'",
        ) == "1"
    });
    running.signal("TERM");
    running.wait().expect(143).says("in use, do not drop it");
    end_sessions(newest_server(), pair.copy.name());
    let told = status(&pair.copy).run().expect(10);
    assert!(
        told.stdout.contains("may be used") && told.stdout.contains("--ready-early"),
        "{}",
        told.stdout
    );
    pair.restore().arg("--resume").run().expect(6).says("which had other options");
    old.execute("ROLLBACK; INSERT INTO t VALUES (0, 0)");
    // It is in use: nothing is dropped.
    pair.restore().args(["-c", "--ready-early", "--resume"]).run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM t"), "1001");
    pair.copy.execute("DELETE FROM t WHERE id = 0");
    pair.assert_same();
    status(&pair.copy).run().expect(0);
}
