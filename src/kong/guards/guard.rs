//! A dangerous situation that was found, and the words for it.

use crate::kong::info::facts::Lock;
use crate::sql::ident;

/// A dangerous situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// Rows alone of a newer Kong, into the tables of an older one.
    NewerRows,
    /// Rows alone of an older Kong, into the tables of a newer one.
    OlderRows,
    /// The source's migration is half done.
    HalfMigratedSource,
    /// The target's migration is half done.
    HalfMigratedTarget,
    /// Migrations may be running in the source.
    LockedSource,
    /// Migrations may be running in the target.
    LockedTarget,
    /// Nodes may be connected to the target.
    Connected,
    /// The target was just made by `kong migrations bootstrap`.
    Bootstrapped,
    /// The target holds a Kong that somebody has used.
    Used,
    /// Key material that is needed is not in the source.
    Keyring,
    /// Tables are missing that a plugin's migrations have made.
    PluginTables,
}

/// A dangerous situation that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Which.
    pub situation: Situation,
    /// What is the matter.
    pub problem: String,
    /// What to do next, as a command or an option.
    pub next: String,
}

impl Guard {
    pub(super) fn new(
        situation: Situation,
        problem: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { situation, problem: problem.into(), next: next.into() }
    }

    /// The same, of a schema that is one of several.
    #[must_use]
    pub fn in_schema(self, schema: &str) -> Self {
        Self { problem: format!("schema {}: {}", ident::quote(schema), self.problem), ..self }
    }

    /// As one line.
    pub fn line(&self) -> String {
        format!("{} ({})", self.problem, self.next)
    }
}

/// The tables whose rows have to be counted for this.
pub fn counted(table: &str) -> bool {
    matches!(table, "keyring_meta" | "keyring_keys")
}

/// Until when, for people.
pub(super) fn until(lock: &Lock) -> String {
    let time = lock.until.and_then(|until| jiff::Timestamp::from_microsecond(until).ok());
    time.map_or_else(
        || "for ever".to_owned(),
        |time| format!("until {}", time.strftime("%Y-%m-%dT%H:%M:%SZ")),
    )
}

/// What to do about a lock that has no end.
pub(super) const ENDLESS: &str = "it does not end by itself: delete that row of the table locks if \
    no kong migrations is running";

/// Who holds it, as a phrase.
pub(super) fn owner(lock: &Lock) -> String {
    format!("node {} holds Kong's lock for migrations {}", lock.owner, until(lock))
}
