//! What is dangerous about where the rows come from: a database that is dumped, or an archive that
//! is restored.
//!
//! Pure: does not know how the facts were found.

use super::guard::{ENDLESS, Guard, Situation, counted, owner};
use super::plugins;
use crate::kong::info::facts::Rows;
use crate::kong::info::{Entity, Info};

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A database is dumped.
    Dump,
    /// An archive is restored.
    Restore,
}

/// Judges it. `is_meant` tells of a table of Kong's schema whether it is dumped or restored.
pub fn judge(work: Work, info: &Info, is_meant: impl Fn(&str) -> bool) -> Vec<Guard> {
    let has = |table: &str| {
        is_meant(table) && info.entities.iter().any(|entity| entity.table.name == table)
    };
    let place = match work {
        Work::Dump => "the dump",
        Work::Restore => "what is restored",
    };
    let guards = [half_migrated(work, info), locked(work, info), keyring(info)];
    let missing = plugins::missing(info, place, has);
    guards.into_iter().flatten().chain(missing).collect()
}

fn half_migrated(work: Work, info: &Info) -> Option<Guard> {
    let note = info.notes.iter().find(|note| note.code == "half_migrated")?;
    let (place, next) = match work {
        Work::Dump => {
            ("the source", "run kong migrations finish first, unless this dump is for going back")
        }
        Work::Restore => ("the archive", "run kong migrations finish after the restore"),
    };
    let problem = format!("{place} is half migrated: {}", note.text);
    Some(Guard::new(Situation::HalfMigratedSource, problem, next))
}

fn locked(work: Work, info: &Info) -> Option<Guard> {
    let lock = info.facts.migrations_lock()?;
    let owner = owner(lock);
    let (problem, next) = match work {
        Work::Dump => (
            format!("in the source, {owner}: migrations may be running while it is dumped"),
            "wait until kong migrations has ended, and dump again with --hold-migrations",
        ),
        Work::Restore => (
            format!("when the archive was made, {owner}: migrations may have been running"),
            "look with kong migrations list after the restore",
        ),
    };
    let next = if lock.until.is_some() || work == Work::Restore { next } else { ENDLESS };
    Some(Guard::new(Situation::LockedSource, problem, next))
}

fn keyring(info: &Info) -> Option<Guard> {
    let has_rows = |entity: &Entity| {
        counted(&entity.table.name)
            && matches!(entity.table.rows, Rows::Exact(1..) | Rows::Estimate(1..))
    };
    let problem = if info.entities.iter().any(has_rows) {
        "there is a keyring: encrypted fields cannot be read without its key material, which is \
         not in an archive"
    } else if info.told.is_enterprise {
        "it is a database of Kong Enterprise: if a keyring encrypts fields, its key material is \
         not in an archive"
    } else {
        return None;
    };
    let next = "keep it apart: POST /keyring/export, or the key of keyring_recovery_public_key";
    Some(Guard::new(Situation::Keyring, problem, next))
}
