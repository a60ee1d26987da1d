//! A restore into what is live that is at work, or was killed: its marker would stay where it is
//! while what it speaks of moves away, so nothing is exchanged until it is done.

use crate::invariants::{Gate, Scene};
use crate::support::{Running, Silverback, assert_same, ends, restore, wait_for};
use crate::unfinished::end_sessions;

fn refused(swap: &dyn Fn() -> Silverback, says: &str) {
    for more in [&["--dry-run"][..], &[]] {
        let outcome = swap().args(more).run().expect(6);
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains(says), "{said}");
        assert!(said.contains("restore --resume"), "{said}");
        assert!(said.contains("restore --status"), "{said}");
    }
}

#[test]
fn nothing_is_exchanged_beside_a_restore_that_is_not_done() {
    for version in ends() {
        for way in ["--in-place", "--by-database"] {
            if way == "--by-database" && version != testkit::newest() {
                continue;
            }
            let server = testkit::server(version);
            let scene = Scene::new(server, 100).waits("load");
            let owner = testkit::quote(scene.role.name());
            server.connect("postgres").execute(&format!("ALTER ROLE {owner} CREATEDB"));
            let (file, target) = (scene.archive(), scene.target());
            let swap = |more: &'static [&'static str]| {
                let url = target.url();
                move || Silverback::new(["swap", "-d", &url]).args(more)
            };
            // A superuser's session could not be ended by the swap.
            let alone = || {
                let condition = format!("datname = '{}'", target.name());
                wait_for("everybody to leave", || server.terminate(&condition) == 0);
            };
            let held = || {
                let gate = Gate::close(&target);
                let running = gate.hold(restore(&file, &target).arg("-c"));
                (gate, running)
            };
            let kill = |(gate, running): (Gate, Running)| {
                running.signal("KILL");
                running.wait();
                drop(gate);
                end_sessions(server, target.name());
            };
            restore(&file, &target).run().expect(0);
            restore(&file, &target).args(["--stage", way]).run().expect(0);
            for more in [&[][..], &["--back", "--yes"]] {
                let begun = held();
                refused(&swap(more), "the database holds an incomplete restore of");
                kill(begun);
                refused(&swap(more), "the database holds an incomplete restore of");
                restore(&file, &target).arg("--resume").run().expect(0);
                alone();
                swap(more)().run().expect(0);
            }
            let begun = held();
            swap(&["--drop-old"])().run().expect(6).says("at work");
            kill(begun);
            swap(&["--drop-old"])().run().expect(0);
            restore(&file, &target).arg("--resume").run().expect(0);
            assert_same(&scene.source, &target);
        }
    }
}
