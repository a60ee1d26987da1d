//! What can go wrong with local files: no room, no folder, a name that is taken, an output that is
//! closed.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Direction, Proxy, newest_server};

use crate::invariants::{Scene, after_dump, clear_end, hold_at, wait_within};
use crate::support::{Silverback, dump, restore, verify};

const ROWS: u32 = 20_000;

/// Runs a script of `sh` with arguments; says how it ended and what it printed.
fn sh(script: &str, args: &[&str]) -> std::process::Output {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "sh"]).args(args).env_remove("PGPASSWORD").stdin(Stdio::null());
    command.output().expect("/bin/sh runs")
}

const BINARY: &str = env!("CARGO_BIN_EXE_silverback");

#[test]
fn a_limit_on_the_size_of_files_ends_a_dump_like_a_full_disk() {
    let scene = Scene::new(newest_server(), ROWS);
    // In blocks of 512 bytes: nothing at all, less than a chunk, more than a chunk.
    for blocks in ["0", "100", "20000"] {
        let file = scene.path("limited.sbk");
        let output = sh(
            r#"ulimit -f "$1"; exec "$2" dump -Z none -d "$3" -f "$4""#,
            &[blocks, BINARY, &scene.source.url(), &file.display().to_string()],
        );
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(8), "{blocks} blocks: {said}");
        assert!(said.contains("limited.sbk") && said.contains("File too large"), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert_eq!(
            std::fs::read_dir(scene.dir.path()).expect("the folder is ours").count(),
            0,
            "something is left"
        );
        crate::invariants::nothing_left(&scene.source);
    }
}

#[test]
fn a_full_disk_ends_a_dump_and_nothing_is_left_on_it() {
    let scene = Scene::new(newest_server(), ROWS);
    // A file system of its own, which goes with the process that mounted it.
    let script = r#"mount -t tmpfs -o size=2m none "$3" || exit 99
        "$1" dump -Z none -d "$2" -f "$3/full.sbk"; code=$?
        ls -A "$3"; exit $code"#;
    let dir = scene.dir.path().display().to_string();
    let run = |unshare: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args(unshare)
            .args(["/bin/sh", "-c", script, "sh", BINARY, &scene.source.url(), &dir])
            .stdin(Stdio::null());
        command.output().ok().filter(|output| {
            output.status.code() != Some(99) && !output.stderr.starts_with(b"unshare")
        })
    };
    let Some(output) = run(&["-m"]).or_else(|| run(&["-r", "-m"])) else {
        // A container may forbid every mount. The limit on file sizes, above, takes the same way
        // through the program.
        println!("no file system can be mounted here, so none was filled");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(8), "{said}");
    assert!(
        said.contains("full.sbk")
            && said.contains("No space left on device")
            && said.contains("hint: "),
        "{said}"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "something is left on the disk");
    crate::invariants::nothing_left(&scene.source);
}

#[test]
fn nothing_that_is_there_is_ever_replaced() {
    let scene = Scene::new(newest_server(), 10);
    let taken = scene.path("taken.sbk");
    std::fs::write(&taken, "mine").expect("the folder is ours");
    let dangling = scene.path("dangling.sbk");
    symlink("nowhere", &dangling).expect("the folder is ours");
    let devices = ["/dev/full", "/dev/null"].map(|path| (Path::new(path), "no regular file"));
    let files = [(taken.as_path(), "exists"), (&dangling, "exists")];
    for (path, why) in files.into_iter().chain(devices) {
        let outcome =
            dump(&scene.source, path).run().expect(6).says(why).says(&path.display().to_string());
        clear_end(&outcome);
    }
    assert_eq!(std::fs::read_to_string(&taken).expect("it is still there"), "mine");
    assert!(dangling.is_symlink());
    assert_eq!(std::fs::read_dir(scene.dir.path()).expect("the folder is ours").count(), 2);
}

#[test]
fn a_name_that_is_taken_while_the_dump_runs_is_left_alone() {
    let scene = Scene::new(newest_server(), ROWS);
    let file = scene.path("raced.sbk");
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, 3 << 20);
    let running = hold_at(scene.dump_through(&proxy, &file), &proxy);
    std::fs::write(&file, "mine").expect("the folder is ours");
    proxy.resume();
    let outcome = wait_within(running, 60).expect(6).says("exists");
    clear_end(&outcome);
    assert_eq!(std::fs::read_to_string(&file).expect("it is still there"), "mine");
    assert_eq!(std::fs::read_dir(scene.dir.path()).expect("the folder is ours").count(), 1);
}

#[test]
fn an_output_without_a_folder_is_a_file_error() {
    let scene = Scene::new(newest_server(), 10);
    for name in ["missing/a.sbk", "missing/deeper/a.sbk"] {
        let file = scene.path(name);
        let outcome = dump(&scene.source, &file).run().expect(8).says(name);
        after_dump(&outcome, &file, Some(&scene.source));
    }
    let file = scene.path("a.sbk");
    std::fs::write(&file, "").expect("the folder is ours");
    let outcome = dump(&scene.source, &file.join("b.sbk")).run().expect(8);
    clear_end(&outcome);
    clear_end(&dump(&scene.source, scene.dir.path()).run().expect(6).says("it is a directory"));
}

/// Runs the binary with its standard output and error as given.
fn run_with(args: &[&str], stdout: Stdio, stderr: Stdio) -> std::process::Output {
    let mut command = Command::new(BINARY);
    command.args(args).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    command.spawn().and_then(std::process::Child::wait_with_output).expect("the program was built")
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    writer.into()
}

#[test]
fn an_output_that_nobody_reads_is_no_reason_to_panic() {
    let scene = Scene::new(newest_server(), 10);
    let archive = scene.archive().display().to_string();
    for args in [
        vec!["list", &archive],
        vec!["list", "--sql", &archive],
        vec!["verify", "--json", &archive],
        vec!["--help"],
    ] {
        let full =
            std::fs::OpenOptions::new().write(true).open("/dev/full").expect("every Linux has it");
        for stdout in [closed(), full.into()] {
            let output = run_with(&args, stdout, Stdio::piped());
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked"), "{args:?}: {said}");
            assert!(
                matches!(output.status.code(), Some(0 | 8)),
                "{args:?}: {:?} {said}",
                output.status
            );
        }
    }
    let (url, file) = (scene.source.url(), scene.path("unheard.sbk"));
    let output = run_with(
        &["dump", "-v", "-d", &url, "-f", &file.display().to_string()],
        closed(),
        closed(),
    );
    assert_eq!(output.status.code(), Some(0));
    verify(&file).run().expect(0);
}

#[test]
fn quiet_is_silent_and_json_is_json() {
    let scene = Scene::new(newest_server(), 10);
    let (file, target) = (scene.path("quiet.sbk"), scene.target());
    for run in [
        dump(&scene.source, &file).arg("-q"),
        verify(&file).arg("-q"),
        restore(&file, &target).arg("-q"),
    ] {
        let outcome = run.run().expect(0);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
    }
    let objects = |text: &str| -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        text.lines().map(parse).collect()
    };
    let json = ["--log-format", "json"];
    let (next, target) = (scene.path("json.sbk"), scene.target());
    for run in [
        dump(&scene.source, &next).args(json),
        restore(&next, &target).args(json),
        verify(&next).args(json),
    ] {
        let outcome = run.run().expect(0);
        let events = objects(&outcome.stderr);
        assert!(events.iter().all(serde_json::Value::is_object), "{outcome:#?}");
    }
    let failing = [
        (dump(&scene.source, &next).args(json), 6),
        (restore(&next, &target).args(json), 6),
        (verify(Path::new("/nowhere/a.sbk")).args(json), 8),
        (Silverback::new(["dump", "--log-format", "json", "--no-such-flag"]), 2),
        (
            Silverback::new([
                "dump",
                "--log-format=json",
                "-d",
                "host=127.0.0.1 port=1 user=x dbname=x",
                "-f",
            ])
            .arg(scene.path("x.sbk")),
            4,
        ),
    ];
    for (run, code) in failing {
        let outcome = run.run().expect(code);
        let events = objects(&outcome.stderr);
        let last = events.last().expect("an error is told");
        assert_eq!(
            (&last["event"], &last["exit"]),
            (&"error".into(), &code.into()),
            "{outcome:#?}"
        );
        assert!(
            last["doing"].is_string() && last["cause"].is_string() && last["code"].is_string(),
            "{outcome:#?}"
        );
    }
}

#[test]
fn a_pipe_with_no_writer_does_not_hang_a_reader() {
    let dir = crate::support::temp_dir();
    let pipe = dir.path().join("pipe.sbk");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let outcome = wait_within(verify(&pipe).spawn(), 5);
    assert!(matches!(outcome.code, Some(3 | 8)), "{outcome:#?}");
    clear_end(&outcome);
}

#[test]
fn an_archive_in_a_folder_that_others_read_is_private() {
    let scene = Scene::new(newest_server(), 10);
    let file = scene.path("private.sbk");
    let output = sh(
        r#"umask 0; exec "$1" dump -d "$2" -f "$3""#,
        &[BINARY, &scene.source.url(), &file.display().to_string()],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &file.metadata().expect("it is there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}
