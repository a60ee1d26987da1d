//! What a restore is asked for. From where and to where are arguments of their own.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::limits::Limits;
use crate::pg::connect::Server;
use crate::profile::{Fresh, Home, Profile};
use crate::restore::finding::Guards;
use crate::restore::others::held::Held;
use crate::restore::staged::Staged;
use crate::restore::step::Afterwards;
pub use crate::select::Sections;
use crate::select::Selection;
use crate::sql::rename::Renames;
use crate::sql::render;

/// How to restore. By default everything, into an empty database, which is marked as incomplete
/// until all is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which objects and rows.
    pub selection: Selection,
    /// Which schemas get other names on the way; the selection knows them by their old ones
    /// ([`Selection::archived_as`]).
    pub rename: Renames,
    /// Which thirds; `schema_only` and `data_only` in the selection take away from these.
    pub sections: Sections,
    /// What the database is, or becomes first.
    pub into: Into,
    /// Where a copy is made beside the live objects: what that takes. Its schemas are renamed.
    pub staged: Option<Staged>,
    /// What is left out of objects' statements, and whose they are.
    pub render: render::Options,
    /// What is done about foreign keys.
    pub foreign_keys: ForeignKeys,
    /// What is done about the triggers of tables that stand already.
    pub triggers: Triggers,
    /// What an error ends.
    pub on_error: OnError,
    /// When it is said that the database can be used.
    pub ready: Ready,
    /// Gather no statistics.
    pub no_analyze: bool,
    /// Read the rows back and compare them with the archive.
    pub check: Check,
    /// Go on where an earlier run stopped; where none has begun, begin.
    pub resume: bool,
    /// Go on where sessions of others are connected that may use what is dropped.
    pub while_connected: bool,
    /// End the sessions of others, and keep them out until the end.
    pub disconnect_others: bool,
    /// What is held for that.
    pub held: Held,
    /// How long a lock is waited for; zero is for ever.
    pub lock_wait_timeout: Duration,
    /// What it may take.
    pub limits: Limits,
    /// What is known of the product whose database it is.
    pub profile: Profile,
    /// Where the product will look for its tables, if that is known.
    pub home: Option<Home>,
    /// The schema that triggers look for names in that are not qualified, if they fire on the rows
    /// ([`Triggers::Fire`]); without it, in none.
    pub search_path: Option<String>,
    /// What was found before.
    pub guards: Guards,
    /// With [`Into::Cleaned`]: this and nothing else is dropped, unless somebody has used it.
    pub fresh: Option<Fresh>,
    /// What is done to the rows at the end.
    pub afterwards: Option<Afterwards>,
}

/// What the target is before the first object is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Into {
    /// The server's database as it is: empty, or with empty tables for rows alone.
    #[default]
    AsItIs,
    /// The server's database, in which what the archive holds is dropped first.
    Cleaned {
        /// It need not be there.
        if_exists: bool,
    },
    /// The server's database, in which all is dropped first that the role owns in the schemas that
    /// the archive fills, and what else the archive holds.
    Cleared,
    /// A database that is made first, under the name it had; the server's database is only where
    /// that is done from.
    New,
    /// The same, after the database that has the name is dropped.
    Anew {
        /// It need not be there.
        if_exists: bool,
    },
}

impl Into {
    /// Whether a database is made.
    pub fn makes_database(self) -> bool {
        matches!(self, Self::New | Self::Anew { .. })
    }

    /// Whether something is dropped first.
    pub fn drops(self) -> bool {
        matches!(self, Self::Cleaned { .. } | Self::Cleared | Self::Anew { .. })
    }

    /// Whether what is dropped need not be there.
    pub fn if_exists(self) -> bool {
        matches!(
            self,
            Self::Cleaned { if_exists: true } | Self::Cleared | Self::Anew { if_exists: true }
        )
    }
}

/// What an error ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// The restore.
    #[default]
    Stop,
    /// What cannot be done without that which failed; all else is done.
    GoOn,
}

/// Whether what the target holds is compared with the archive before the end is called good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Where something is dropped first, and where a copy is staged.
    #[default]
    AfterDrop,
    /// In any case.
    Always,
    /// Not.
    Never,
}

/// When it is said that the database can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ready {
    /// When all is done.
    #[default]
    AtTheEnd,
    /// As soon as may be; the rest is done while it is used.
    Early {
        /// The file that appears then.
        file: Option<PathBuf>,
    },
}

impl Ready {
    /// Whether it is said before the end.
    pub fn is_early(&self) -> bool {
        matches!(self, Self::Early { .. })
    }

    /// The file that appears.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::Early { file } => file.as_deref(),
            Self::AtTheEnd => None,
        }
    }
}

/// What is done about the triggers of tables that stand already, while rows come into them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Triggers {
    /// The tables' own are disabled; foreign keys look at the rows.
    #[default]
    Disable,
    /// Those of foreign keys are disabled too, as only a superuser may.
    DisableAll,
    /// The tables' own fire.
    Fire,
}

/// What is done about foreign keys, which the rows of a consistent dump keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForeignKeys {
    /// They are proved.
    #[default]
    Validate,
    /// They are left `NOT VALID`: kept for new rows, not proved for those that the archive brought.
    NotValid,
    /// They are made on the empty tables and do not look at the rows: an orphan in the source stays
    /// one.
    Trust,
}

/// A restore into a server, as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The target database; where it is to be made, another one of the same server.
    pub(super) server: Server,
    /// How.
    pub(super) options: Options,
}

impl Options {
    /// Sessions.
    pub(super) fn jobs(&self) -> usize {
        self.limits.restore_jobs().get()
    }

    /// Bytes of rows in flight.
    pub(super) fn max_memory(&self) -> u64 {
        self.limits.memory_for(self.limits.restore_jobs())
    }

    /// Whether rows are compared with the archive.
    pub(super) fn checks(&self) -> bool {
        match self.check {
            Check::AfterDrop => self.into.drops() || self.staged.is_some(),
            Check::Always => true,
            Check::Never => false,
        }
    }

    /// Under which name a schema of the plan will be live: that of a copy has another meanwhile.
    pub(super) fn live_name<'a>(&'a self, schema: &'a str) -> &'a str {
        let archived = self.selection.archived_as.get(schema);
        archived.filter(|_| self.staged.is_some()).map_or(schema, String::as_str)
    }

    /// Refuses what contradicts itself.
    pub(super) fn check(&self) -> Result<()> {
        let rows_alone = self.selection.data_only && self.into != Into::AsItIs;
        let part_of_new = self.sections != Sections::ALL && self.into.makes_database();
        if rows_alone || part_of_new {
            let (given, taken) = if rows_alone { ("-a", "-c or -C") } else { ("--section", "-C") };
            return Err(Error::new(
                Kind::Usage,
                "plan the restore",
                format!("{given} restores into what stands already"),
            )
            .hint(format!("leave out {taken}")));
        }
        if self.into == Into::Cleared {
            let Selection { tables, exclude_tables, named, listed, .. } = &self.selection;
            let part = [
                ("-t", !tables.is_empty()),
                ("-T", !exclude_tables.is_empty()),
                ("-I, -P or --trigger", !named.is_empty()),
                ("-L", listed.is_some()),
                ("--section", self.sections != Sections::ALL),
            ];
            if let Some((given, _)) = part.into_iter().find(|(_, is_given)| *is_given) {
                let cause =
                    format!("--clean=schemas clears whole schemas, and {given} asks for parts");
                return Err(Error::new(Kind::Usage, "plan the restore", cause)
                    .hint(format!("leave out {given}, or give -c")));
            }
        }
        Ok(())
    }
}
