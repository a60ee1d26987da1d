//! What must hold after every run, whatever befell it: no false success, no impostor, a clear end,
//! nothing left on the server, a target in a known state, no secret told.
//!
//! Does not know: what was done to the run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use testkit::{Database, Proxy, Role, Server};

use crate::support::{Outcome, Running, Silverback, assert_same_rows, is_marked, temp_dir, verify};

/// The password of every test that has one. It may never be printed.
pub(crate) const SECRET: &str = "correct-horse-battery";

/// The advisory lock that the functions of a [`Scene`] with `waits` ask for.
pub(crate) const GATE: u32 = 4711;

/// What a target was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// As it was.
    Untouched,
    /// Says that it is incomplete.
    Marked,
    /// Holds all rows and no mark.
    Complete,
}

/// A database to be dumped, of a role that may do nothing special, and a folder for archives.
pub(crate) struct Scene<'s> {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) source: Database<'s>,
    pub(crate) role: Role<'s>,
    server: &'s Server,
}

impl<'s> Scene<'s> {
    /// A schema with keys, an index, a foreign key, a trigger and a sequence; `filler` has so many
    /// rows of a kilobyte.
    pub(crate) fn new(server: &'s Server, rows: u32) -> Self {
        let role = server.role("plain");
        let source = server.database_of(&role, "source");
        source.connect().execute(&format!(
            "CREATE TABLE parents (id int PRIMARY KEY, name text UNIQUE);
             CREATE TABLE filler (id bigint PRIMARY KEY, parent_id int NOT NULL REFERENCES \
             parents, body text NOT NULL);
             CREATE TABLE empty (id int PRIMARY KEY);
             CREATE SEQUENCE numbers;
             CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER touched BEFORE UPDATE ON filler FOR EACH ROW EXECUTE FUNCTION touch();
             INSERT INTO parents SELECT i, 'parent ' || i FROM generate_series(0, 9) i;
             INSERT INTO filler SELECT i, i % 10, repeat(md5(i::text), 32) FROM generate_series(1, \
             {rows}) i;
             CREATE INDEX filler_by_parent ON filler (parent_id, id);
             SELECT nextval('numbers')"
        ));
        source.execute("ANALYZE");
        Self { dir: temp_dir(), source, role, server }
    }

    /// Makes a restore of this scene wait for [`Gate`] at row 50 of `parents` (`"load"`) or in the
    /// build of an index of it (`"index"`).
    pub(crate) fn waits(self, at: &str) -> Self {
        let function = format!(
            "CREATE FUNCTION wait(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \
             'BEGIN IF $1 = 50 THEN PERFORM pg_catalog.pg_advisory_xact_lock_shared({GATE}); END \
             IF; RETURN $1; END'"
        );
        let what = match at {
            "load" => "ALTER TABLE parents ADD CHECK (public.wait(id) = id)",
            "index" => "CREATE INDEX waiting ON parents (public.wait(id))",
            other => panic!("a restore does not wait at {other:?}"),
        };
        self.source.connect().execute(&format!(
            "{function}; {what}; INSERT INTO parents SELECT i, 'late ' || i FROM \
                generate_series(40, 60) i"
        ));
        self
    }

    /// The server of both.
    pub(crate) fn server(&self) -> &'s Server {
        self.server
    }

    /// An empty database of the same owner.
    pub(crate) fn target(&self) -> Database<'s> {
        self.server.database_of(&self.role, "target")
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// An archive of the source.
    #[track_caller]
    pub(crate) fn archive(&self) -> PathBuf {
        let file = self.path("source.sbk");
        crate::support::dump(&self.source, &file).arg("-q").run().expect(0);
        file
    }

    /// A dump that goes through a proxy, with one session beside the keeper.
    pub(crate) fn dump_through(&self, proxy: &Proxy, file: &Path) -> Silverback {
        Silverback::new(["dump", "-j1", "-d", &through(proxy, &self.source), "-f"]).arg(file)
    }
}

/// A restore that goes through a proxy, with one session.
pub(crate) fn restore_through(proxy: &Proxy, file: &Path, target: &Database<'_>) -> Silverback {
    Silverback::new(["restore", "-j1", "-d", &through(proxy, target)]).arg(file)
}

fn through(proxy: &Proxy, database: &Database<'_>) -> String {
    // Without TLS, every byte is the protocol's own, and no second connection is tried.
    format!("{}?sslmode=disable", proxy.url(database.owner(), database.name()))
}

/// Closes the gate that [`Scene::waits`] puts into a restore, until it is dropped.
pub(crate) struct Gate {
    session: testkit::Client,
}

impl Gate {
    /// Closes it in a target.
    pub(crate) fn close(target: &Database<'_>) -> Self {
        let session = target.connect_as("postgres");
        session.execute(&format!("SELECT pg_advisory_lock({GATE})"));
        Self { session }
    }

    /// Starts a restore and waits until it stands at the gate.
    #[track_caller]
    pub(crate) fn hold(&self, restore: Silverback) -> Running {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT \
             granted AND database = (SELECT oid FROM pg_database WHERE datname = \
             current_database())"
        );
        hold_until(restore, || self.session.value(&waiting) != "0")
    }
}

/// Starts a run and waits until something holds, which must be before its end.
#[track_caller]
pub(crate) fn hold_until(run: Silverback, mut holds: impl FnMut() -> bool) -> Running {
    let mut running = run.spawn();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        if running.is_done() {
            let outcome = running.wait();
            panic!("the run was to be held in the middle, and ended: {outcome:#?}");
        }
        assert!(
            Instant::now() < deadline,
            "the run did not come to the place where it was to be held"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    running
}

/// Starts a run through a proxy with a rule that stalls it, and waits until it has.
#[track_caller]
pub(crate) fn hold_at(run: Silverback, proxy: &Proxy) -> Running {
    hold_until(run, || proxy.stalled_connections() > 0)
}

/// Waits for the end of a run, for so many seconds at most.
#[track_caller]
pub(crate) fn wait_within(mut running: Running, seconds: u64) -> Outcome {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !running.is_done() {
        assert!(Instant::now() < deadline, "the run has not ended within {seconds} s");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.wait()
}

/// After a dump. The folder of `file` is this dump's alone.
#[track_caller]
pub(crate) fn after_dump(outcome: &Outcome, file: &Path, source: Option<&Database<'_>>) {
    clear_end(outcome);
    let (complete, killed) = (matches!(outcome.code, Some(0 | 10)), outcome.signal == Some(9));
    match file.symlink_metadata() {
        Ok(found) => {
            assert!(
                complete || killed,
                "{} is there after a dump that failed: {outcome:#?}",
                file.display()
            );
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "{}", file.display());
            verify(file).arg("-q").run().expect(0);
        }
        Err(_) => {
            assert!(!complete, "no {} after a dump that succeeded: {outcome:#?}", file.display());
        }
    }
    let partials = beside(file);
    assert!(partials.len() <= usize::from(killed), "left behind: {partials:?} by {outcome:#?}");
    for path in partials {
        assert_eq!(
            path.symlink_metadata().expect("it was just listed").permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
    source.into_iter().for_each(nothing_left);
}

/// The other files in a file's folder.
fn beside(file: &Path) -> Vec<PathBuf> {
    let folder = file.parent().expect("an archive is in a folder");
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path != file)
        .collect()
}

/// After a restore of `file` into a target that was empty. A second restore into a marked target
/// must be refused.
#[track_caller]
pub(crate) fn after_restore(
    outcome: &Outcome,
    file: &Path,
    source: &Database<'_>,
    target: &Database<'_>,
) -> State {
    clear_end(outcome);
    nothing_left(target);
    let state = state(source, target);
    let allowed: &[State] = match outcome.code {
        Some(0 | 10) => &[State::Complete],
        // Whether the very last commit arrived is not always known.
        Some(7) => &[State::Marked, State::Complete],
        Some(130 | 143) | None => &[State::Untouched, State::Marked, State::Complete],
        Some(_) => &[State::Untouched],
    };
    assert!(allowed.contains(&state), "the target is {state:?} after {outcome:#?}");
    if state == State::Marked {
        let again = crate::support::restore(file, target)
            .run()
            .expect(6)
            .says("silverback_restore")
            .says("hint: ");
        clear_end(&again);
        let never = file.with_extension("never");
        crate::support::dump(target, &never).run().expect(6).says("--allow-incomplete");
        assert!(!never.exists());
    }
    state
}

fn state(source: &Database<'_>, target: &Database<'_>) -> State {
    let session = target.server().connect(target.name());
    if is_marked(&session) {
        return State::Marked;
    }
    let objects = "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = \
        'public'::regnamespace)
                        + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
                        + (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname \
                        NOT IN ('public', 'information_schema'))";
    if session.value(objects) == "0" {
        return State::Untouched;
    }
    assert_same_rows(source, target);
    State::Complete
}

/// A documented exit code, a sentence that says why, no panic, no secret.
#[track_caller]
pub(crate) fn clear_end(outcome: &Outcome) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    for never in ["panicked", "RUST_BACKTRACE", "stack backtrace", SECRET] {
        assert!(!said.contains(never), "{never:?} was printed: {outcome:#?}");
    }
    let Some(code) = outcome.code else {
        assert_eq!(
            outcome.signal,
            Some(9),
            "ended by a signal that it should have handled: {outcome:#?}"
        );
        return;
    };
    // 1 is documented too: as a bug.
    assert!(matches!(code, 0 | 2..=10 | 130 | 143), "exit code {code}: {outcome:#?}");
    if matches!(code, 0 | 10) {
        return;
    }
    let told =
        outcome.stderr.lines().any(|line| match serde_json::from_str::<serde_json::Value>(line) {
            Ok(object) => {
                object["event"] == "error"
                    && object["exit"] == code
                    && object["cause"].as_str().is_some_and(|cause| !cause.is_empty())
            }
            Err(_) => line.strip_prefix("error: ").is_some_and(|sentence| sentence.len() > 10),
        });
    assert!(told || !outcome.stdout.is_empty() && code == 3, "nothing says why: {outcome:#?}");
}

/// Within five seconds, no session of ours.
#[track_caller]
pub(crate) fn nothing_left(database: &Database<'_>) {
    let session = database.server().connect(database.name());
    let ours = "SELECT pid || ' ' || state || ': ' || query FROM pg_stat_activity WHERE \
        application_name = 'silverback' AND datname = current_database()";
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let left = session.column(ours);
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "left on the server after 5 s: {left:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
