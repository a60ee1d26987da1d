//! What is dangerous about a target that holds a Kong already.
//!
//! Pure: does not know how the facts were found.

use super::guard::{ENDLESS, Guard, Situation, owner};
use crate::kong::info::facts::Session;
use crate::kong::info::{Info, version};

/// What is being done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Into {
    /// Something is made in it that must not be there yet.
    AsItIs,
    /// Only rows come, into the tables that stand (`-a`).
    Rows,
    /// What the archive holds is dropped first (`-c`).
    Cleaned,
    /// What `kong migrations bootstrap` has made is dropped first.
    Replaced,
    /// Another copy takes its place, and it is kept.
    Exchanged,
}

/// How many nodes are named.
const NAMED: usize = 5;

/// Judges it. `used` is what shows that somebody has used it since it was made.
pub fn judge(into: Into, source: &Info, target: &Info, used: &[String]) -> Vec<Guard> {
    let guards = [
        rows_of_another(into, source, target),
        half_migrated(into, target),
        locked(target),
        connected(into, target),
        occupied(into, target, used),
    ];
    guards.into_iter().flatten().collect()
}

/// Judges what is live when another copy takes its place.
pub fn judge_exchange(live: &Info) -> Vec<Guard> {
    let into = Into::Exchanged;
    let guards = [half_migrated(into, live), locked(live), connected(into, live)];
    guards.into_iter().flatten().collect()
}

fn rows_of_another(into: Into, source: &Info, target: &Info) -> Option<Guard> {
    if into != Into::Rows {
        return None;
    }
    let difference = version::compare(&source.facts.subsystems, &target.facts.subsystems)?;
    let (theirs, ours) = (&difference.of_first, &difference.of_other);
    let subsystem = &difference.subsystem;
    let of =
        |info: &Info, migration: &str| format!("{} ({subsystem} {migration})", info.told.version);
    let (from, to) = (of(source, theirs), of(target, ours));
    Some(if difference.is_newer {
        let problem = format!(
            "the rows are of a newer Kong, {from}, than the target's tables, {to}: Kong would not \
             notice"
        );
        let next = "restore without -a, with -c; or run kong migrations up and finish on the \
            target by the newer Kong first; --kong-ignore newer goes past";
        Guard::new(Situation::NewerRows, problem, next)
    } else {
        let problem = format!(
            "the rows are of an older Kong, {from}, than the target's tables, {to}: the migrations \
             in between would never change these rows"
        );
        let next = "restore without -a, with -c, and run kong migrations up and finish then; \
            --kong-ignore older goes past";
        Guard::new(Situation::OlderRows, problem, next)
    })
}

fn half_migrated(into: Into, target: &Info) -> Option<Guard> {
    let note = target.notes.iter().find(|note| note.code == "half_migrated")?;
    let problem = format!("the target is half migrated: {}", note.text);
    let next = match into {
        Into::Cleaned => "-c takes it back to the archive's version".to_owned(),
        Into::Exchanged => "the other copy takes its place".to_owned(),
        Into::Rows => "run kong migrations finish there first, or restore without -a, with -c, \
            which takes it back to the archive's version; --kong-ignore half-migrated goes past"
            .to_owned(),
        Into::AsItIs | Into::Replaced => "restore with -c, which takes it back to the archive's \
            version, or into a new, empty database"
            .to_owned(),
    };
    Some(Guard::new(Situation::HalfMigratedTarget, problem, next))
}

fn locked(target: &Info) -> Option<Guard> {
    let lock = target.facts.migrations_lock()?;
    let problem = format!("in the target, {}: migrations may be running", owner(lock));
    let wait =
        if lock.until.is_some() { "wait until kong migrations has ended there" } else { ENDLESS };
    let next = format!("{wait}; --kong-ignore locked goes past");
    Some(Guard::new(Situation::LockedTarget, problem, next))
}

fn connected(into: Into, target: &Info) -> Option<Guard> {
    let sessions: &[Session] = target.facts.sessions.as_deref().unwrap_or_default();
    if sessions.is_empty() {
        return None;
    }
    let told = sessions.iter().take(NAMED).map(|session| {
        let address = session.address.as_deref();
        let from = address.map_or_else(String::new, |address| format!(" from {address}"));
        format!("server process {} of role {}{from}", session.pid, session.role)
    });
    let more = if sessions.len() > NAMED { ", …" } else { "" };
    let (done, next) = if into == Into::Exchanged {
        ("exchanged", "restart every node when it is done")
    } else {
        let next = "stop every node first (kong stop), and start it afterwards; --while-connected \
            goes past";
        ("restored", next)
    };
    let problem = format!(
        "Kong nodes seem to be connected to the target: {}{more}; they would not notice that it is \
         {done}, and go on with what they have cached",
        told.collect::<Vec<_>>().join(", ")
    );
    Some(Guard::new(Situation::Connected, problem, next))
}

fn occupied(into: Into, target: &Info, used: &[String]) -> Option<Guard> {
    let is_half_migrated = target.notes.iter().any(|note| note.code == "half_migrated");
    if matches!(into, Into::Rows | Into::Cleaned | Into::Exchanged) || is_half_migrated {
        return None;
    }
    if used.is_empty() {
        let problem = "the target is not empty: kong migrations bootstrap has just made it (one \
            workspace default and nothing else)";
        let next = "restore with --replace-bootstrap, which puts the archive in its place";
        return (into == Into::AsItIs).then(|| Guard::new(Situation::Bootstrapped, problem, next));
    }
    let problem = format!(
        "the target is not empty: it holds a Kong that somebody has used since kong migrations \
         bootstrap ({})",
        used.join(", ")
    );
    let next = "restore with -c, which drops it, or into a new, empty database";
    Some(Guard::new(Situation::Used, problem, next))
}
