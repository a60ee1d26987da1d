//! What is to be done once a database of Kong is restored: why every node is to be started anew,
//! and what Kong finds then.
//!
//! Pure.

use super::info::{Info, Version};

/// What Kong finds at its next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStart {
    /// The version that it is of has nothing to do.
    Nothing,
    /// Migrations are begun and not finished.
    Finish,
    /// The last migration is not known here.
    Unknown,
}

impl NextStart {
    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Finish => "finish",
            Self::Unknown => "unknown",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// What Kong finds.
    pub next: NextStart,
    /// One sentence on that.
    pub words: String,
}

/// Why and how nodes are started anew.
pub const RESTART: &str = "restart every Kong node now: none notices that its database was \
    restored, and kong reload keeps cached consumers and credentials";

impl Closing {
    /// By what the archive says.
    pub fn of(info: &Info) -> Self {
        let version = info.told.version;
        if info.facts.subsystems.iter().any(|subsystem| !subsystem.pending.is_empty()) {
            let to = info.told.towards.map_or_else(String::new, |to| format!(" of Kong {to}"));
            let words = format!(
                "its migrations are half done: Kong starts, and needs kong migrations finish{to}"
            );
            return Self { next: NextStart::Finish, words };
        }
        match version {
            Version::Between(..) => Self {
                next: NextStart::Nothing,
                words: format!(
                    "Kong {version} has no migrations to run at its next start; a newer one needs \
                     kong migrations up"
                ),
            },
            _ => Self {
                next: NextStart::Unknown,
                words: "its version of Kong is not known: look with kong migrations list"
                    .to_owned(),
            },
        }
    }
}
