//! A server whose answers are changed on the way, field by field: NULL, cut, huge, of another type.
//! No command panics.
//!
//! Every so many fields are tried; `SILVERBACK_HOSTILE` (`scripts/hostile-server`) names the changes
//! that are tried on each one, `SILVERBACK_HOSTILE_PART` a part of them.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::{Mutation, Mutator};

use crate::support::{self, Silverback};

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE DOMAIN small AS integer CHECK (VALUE < 100);
    CREATE TABLE parent (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'x', m mood, s small, \
    d float8);
    CREATE TABLE child (id bigserial PRIMARY KEY, parent integer REFERENCES parent, data jsonb, \
    CHECK (id > 0));
    CREATE INDEX child_data ON child USING gin (data);
    CREATE TABLE part (a integer, b text) PARTITION BY LIST (a);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
    CREATE VIEW seen AS SELECT id, name FROM parent;
    CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM parent;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touched BEFORE INSERT ON child FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE AGGREGATE total (integer) (SFUNC = int4pl, STYPE = integer);
    CREATE RULE quiet AS ON DELETE TO parent DO ALSO NOTHING;
    ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON parent USING (true);
    CREATE STATISTICS both_columns ON id, name FROM parent;
    COMMENT ON TABLE parent IS 'c';
    GRANT SELECT ON parent TO PUBLIC;
    SELECT lo_create(0);
    INSERT INTO parent VALUES (1, 'a', 'ok', 5, 0.5);
    INSERT INTO child (parent) VALUES (1);
    INSERT INTO part VALUES (1, 'b');";

/// Each change, under the name by which `SILVERBACK_HOSTILE` chooses it.
const MUTATIONS: [(&str, Mutation); 4] = [
    ("null", Mutation::Null),
    ("cut", Mutation::Cut),
    ("huge", Mutation::Huge),
    ("type", Mutation::Type),
];

/// The changes that are to be tried on each field, if `SILVERBACK_HOSTILE` asks for that.
fn in_full() -> Option<Vec<Mutation>> {
    let named = std::env::var("SILVERBACK_HOSTILE").ok()?;
    let chosen = named.split_whitespace().map(|name| {
        let known = MUTATIONS.iter().find(|(known, _)| *known == name);
        known.unwrap_or_else(|| panic!("SILVERBACK_HOSTILE: no change is called {name:?}")).1
    });
    Some(chosen.collect())
}

/// Which of so many changes are tried: of all, or the part that `SILVERBACK_HOSTILE_PART` names as
/// `2/4`, for a run that is spread over several machines or nights.
fn part(count: usize) -> std::ops::Range<usize> {
    let Ok(named) = std::env::var("SILVERBACK_HOSTILE_PART") else { return 0..count };
    let numbers = named.split_once('/').and_then(|(part, parts)| {
        Some((part.parse::<usize>().ok()?, parts.parse::<usize>().ok()?))
    });
    let Some((part, parts)) = numbers.filter(|(part, parts)| (1..=*parts).contains(part)) else {
        panic!("SILVERBACK_HOSTILE_PART: {named:?} is not like 2/4");
    };
    (part - 1) * count / parts..part * count / parts
}

/// A command that goes through a proxy. It is told which lane it runs in, and for how long an
/// answer is waited for: a changed length is an answer that never ends.
type Through<'a> = &'a (dyn Fn(&Mutator, usize, &str) -> Command + Sync);

/// Runs the command once as it is, and then with every so many of its fields changed. Most runs wait
/// for an answer that never ends: the lanes take them one after the other, all at the same time.
fn check(port: u16, tries: usize, command: Through<'_>) {
    let in_full = in_full();
    let mutator = Mutator::to(port);
    mutator.arm(None);
    let whole = command(&mutator, 0, "60s").output().expect("the program was built");
    assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stderr));
    let mut plans = Vec::new();
    for mutation in in_full.clone().unwrap_or_else(|| MUTATIONS.map(|(_, it)| it).to_vec()) {
        let count = mutator.seen(mutation);
        assert!(count > 20, "{count} fields for {mutation:?}");
        let step = if in_full.is_some() { 1 } else { count.div_ceil(tries) };
        plans.extend((0..count).step_by(step).map(|at| (at, mutation)));
    }
    let (plans, next) = (&plans[part(plans.len())], &AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for lane in 0..if in_full.is_some() { 16 } else { 3 } {
            scope.spawn(move || {
                let mutator = Mutator::to(port);
                while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
                    mutator.arm(Some(*plan));
                    judge(*plan, command(&mutator, lane, "2s"));
                }
            });
        }
    });
}

/// What it may have written is not judged: the server lied.
fn judge((at, mutation): (usize, Mutation), mut command: Command) {
    let outcome = command.output().expect("the program was built");
    let said = String::from_utf8_lossy(&outcome.stderr);
    let ended_well = outcome.status.signal().is_none()
        && !matches!(outcome.status.code(), None | Some(101 | 134));
    let is_quiet = !said.contains("panicked") && !said.contains("memory allocation");
    let status = outcome.status;
    assert!(ended_well && is_quiet, "field {at}, {mutation:?}: {status:?}\n{said}");
}

/// The program, out of reach of the caller's settings.
fn silverback() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_silverback"));
    command.env_clear().env("HOME", "/nowhere").stdin(Stdio::null());
    command
}

#[test]
fn no_field_of_an_answer_makes_a_dump_panic() {
    let server = testkit::newest_server();
    let source = server.database("hostile_rows");
    source.execute(SCHEMA);
    let dir = support::temp_dir();
    check(server.port(), 6, &|mutator, lane, stall| {
        let file = dir.path().join(format!("{lane}.sbk"));
        let _ = std::fs::remove_file(&file);
        let mut command = silverback();
        command.args(["dump", "-j", "1", "--stall-timeout", stall, "-d"]);
        command.args([&mutator.url("postgres", source.name()), "-f"]).arg(&file);
        command
    });
}

#[test]
fn no_field_of_an_answer_makes_a_restore_panic() {
    let server = testkit::newest_server();
    let (source, copy) = (server.database("hostile_rows_a"), server.database("hostile_rows_b"));
    source.execute(SCHEMA);
    let dir = support::temp_dir();
    let file = dir.path().join("a.sbk");
    Silverback::new(["dump", "-d", &server.url("postgres", source.name()), "-f"])
        .arg(&file)
        .run()
        .expect(0);
    check(server.port(), 4, &|mutator, _, stall| {
        let mut command = silverback();
        command.args(["restore", "--dry-run", "--stall-timeout", stall, "-d"]);
        command.arg(mutator.url("postgres", copy.name())).arg(&file);
        command
    });
}
