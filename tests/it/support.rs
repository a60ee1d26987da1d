//! Runs the program as a user would, and judges copies.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Client, Database};

use crate::{archives, events};

/// A folder that goes away with the test.
pub(crate) fn temp_dir() -> tempfile::TempDir {
    tempfile::Builder::new()
        .prefix("silverback-it-")
        .tempdir()
        .expect("a temporary folder can be made")
}

/// A run of the program that is being described. Nothing of the caller's `PG*` and `KONG_*` reaches
/// it, and its home is empty.
pub(crate) struct Silverback {
    command: Command,
    home: tempfile::TempDir,
    just_typed: bool,
}

/// What says what is to become of sessions that are connected.
const ABOUT_OTHERS: [&str; 2] = ["--while-connected", "--disconnect-others"];

impl Silverback {
    /// Starts with these arguments.
    pub(crate) fn new<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        let home = temp_dir();
        // Whoever runs the tests may have SIGINT or SIGHUP ignored (a script's background job),
        // which programs inherit.
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_silverback")]);
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("PG") || name_text.starts_with("KONG_") {
                command.env_remove(name);
            }
        }
        command
            .args(args)
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command, home, just_typed: false }
    }

    /// Without what is added otherwise: [`Database`] has a superuser's session of its own, which
    /// would keep every restore with `-c` from beginning.
    pub(crate) fn just_typed(mut self) -> Self {
        self.just_typed = true;
        self
    }

    /// Whether something is dropped although the test itself is connected.
    fn drops(&self) -> bool {
        let is =
            |words: &[&str]| self.command.get_args().any(|arg| words.iter().any(|w| arg == *w));
        let drops = is(&["-c", "--clean", "--clean=schemas", "-Cc", "-cC", "--replace-bootstrap"]);
        is(&["restore"]) && drops && !is(&ABOUT_OTHERS) && !self.just_typed
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Lets it run in a directory.
    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Lets it read from a file or a pipe.
    pub(crate) fn stdin(mut self, from: impl Into<Stdio>) -> Self {
        self.command.stdin(from);
        self
    }

    /// Lets it print into a file or a pipe, and not for the test.
    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    /// Runs to the end.
    #[track_caller]
    pub(crate) fn run(self) -> Outcome {
        self.spawn().wait()
    }

    /// Runs beside the test.
    pub(crate) fn spawn(mut self) -> Running {
        if self.drops() {
            self.command.arg("--while-connected");
        }
        let arguments: Vec<OsString> = self.command.get_args().map(OsStr::to_owned).collect();
        let child = self.command.spawn().expect("the program was built");
        Running { child: Some(child), arguments, _home: self.home }
    }
}

/// A run that is not over; killed if the test ends first.
pub(crate) struct Running {
    child: Option<Child>,
    arguments: Vec<OsString>,
    _home: tempfile::TempDir,
}

impl Running {
    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("not waited for").id()
    }

    /// Sends a signal: "INT", "TERM", "KILL", "STOP", "CONT".
    pub(crate) fn signal(&self, name: &str) {
        testkit::signal(self.id(), name);
    }

    /// Whether it has ended.
    pub(crate) fn is_done(&mut self) -> bool {
        self.child
            .as_mut()
            .expect("not waited for")
            .try_wait()
            .expect("a child can be asked")
            .is_some()
    }

    /// Waits for the end. What a dump has made is judged at once, before the test does anything
    /// with it.
    #[track_caller]
    pub(crate) fn wait(mut self) -> Outcome {
        let child = self.child.take().expect("waited for once");
        let output = child.wait_with_output().expect("a child can be waited for");
        let arguments: Vec<&OsStr> = self.arguments.iter().map(OsString::as_os_str).collect();
        if matches!(output.status.code(), Some(0 | 10))
            && let Some(archive) = archives::made_by(&arguments)
        {
            archives::judge(&archive);
        }
        events::judge(&arguments, &String::from_utf8_lossy(&output.stderr));
        Outcome {
            shown: format!("{arguments:?}"),
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Outcome {
    shown: String,
    /// The exit code, unless a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it said.
    pub(crate) stderr: String,
}

impl Outcome {
    /// Demands an exit code; a failure shows all that the run printed.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "silverback {}\nsignal: {:?}\nstdout:\n{}\nstderr:\n{}",
            self.shown,
            self.signal,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Demands a text in what it said.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "silverback {} does not say {text:?}; it says:\n{}",
            self.shown,
            self.stderr
        );
        self
    }
}

/// Describes a dump of a database, as its owner, into a file.
pub(crate) fn dump(database: &Database<'_>, file: &Path) -> Silverback {
    Silverback::new(["dump", "-d", &database.url(), "-f"]).arg(file)
}

/// Describes a restore of a file into a database, as its owner.
pub(crate) fn restore(file: &Path, database: &Database<'_>) -> Silverback {
    Silverback::new(["restore", "-d", &database.url()]).arg(file)
}

/// Describes a verification.
pub(crate) fn verify(file: &Path) -> Silverback {
    Silverback::new(["verify"]).arg(file)
}

/// Dumps, verifies and restores, each with exit code 0; returns the archive's path inside `dir`.
#[track_caller]
pub(crate) fn round_trip(source: &Database<'_>, copy: &Database<'_>, dir: &Path) -> PathBuf {
    let file = dir.join(format!("{}.sbk", source.name()));
    dump(source, &file).run().expect(0);
    verify(&file).run().expect(0);
    restore(&file, copy).arg("--check").run().expect(0);
    file
}

/// The oldest version and the newest, for what no version in between does in another way; `matrix`
/// goes through all of them. `SILVERBACK_TEST_EVERY=1` takes every version here too.
pub(crate) fn ends() -> Vec<u32> {
    if std::env::var_os("SILVERBACK_TEST_EVERY").is_some() {
        return testkit::versions();
    }
    let mut ends = vec![testkit::versions()[0], testkit::newest()];
    ends.dedup();
    ends
}

/// Demands that a copy equals its source: schema by `pg_dump` and by the catalogs, rows by digest.
#[track_caller]
pub(crate) fn assert_same(source: &Database<'_>, copy: &Database<'_>) {
    assert_same_schema(source, copy);
    assert_same_rows(source, copy);
}

/// Demands equal schemas.
#[track_caller]
pub(crate) fn assert_same_schema(source: &Database<'_>, copy: &Database<'_>) {
    assert_same_lines(
        "pg_dump -s",
        &testkit::pg_dump_schema(source),
        &testkit::pg_dump_schema(copy),
    );
    assert_same_lines(
        "the catalogs",
        &testkit::catalog_fingerprint(source),
        &testkit::catalog_fingerprint(copy),
    );
}

/// Demands equal rows in every table.
#[track_caller]
pub(crate) fn assert_same_rows(source: &Database<'_>, copy: &Database<'_>) {
    let (expected, found) = (testkit::database_digest(source), testkit::database_digest(copy));
    let differing: BTreeMap<_, _> = expected
        .iter()
        .filter(|(table, digest)| found.get(*table) != Some(digest))
        .map(|(table, digest)| (table, (digest, found.get(table))))
        .collect();
    assert!(differing.is_empty(), "tables differ (source, copy): {differing:#?}");
    let extra: Vec<_> = found.keys().filter(|table| !expected.contains_key(*table)).collect();
    assert!(extra.is_empty(), "tables that only the copy has: {extra:?}");
}

/// Demands equal texts and shows the lines around the first difference.
#[track_caller]
pub(crate) fn assert_same_lines(what: &str, expected: &str, found: &str) {
    if expected == found {
        return;
    }
    let (left, right): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let first = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let around = |lines: &[&str]| {
        lines[first.saturating_sub(3).min(lines.len())..(first + 8).min(lines.len())].join("\n")
    };
    panic!(
        "{what}: source and copy differ at line {}\n--- source\n{}\n--- copy\n{}",
        first + 1,
        around(&left),
        around(&right)
    );
}

/// Whether a restore is told of as unfinished.
pub(crate) fn is_marked(session: &Client) -> bool {
    session.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'silverback_restore'") == "1"
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited 30 s for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a restore of an archive of this name says of itself while it works.
pub(crate) fn mark(archive_name: &str) -> silverback::restore::mark::Mark {
    silverback::restore::mark::Mark {
        schema: "silverback_restore".into(),
        archive_id: "6d1ba3a5-fd0a-4a10-b0dd-000000000007".into(),
        archive_name: archive_name.into(),
        archive_root: "00".into(),
        options_digest: "00".into(),
        schemas: vec!["public".into()],
        server_version: "18".into(),
        now: "today".into(),
        options: Vec::new(),
        made_database: false,
        taken: None,
        stages: false,
    }
}
