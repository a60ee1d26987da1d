//! What a restore is asked for.
//!
//! Does not know what becomes of it: which options exclude each other is told where the restore is planned.

use std::path::PathBuf;
use std::time::Duration;

use crate::archive::manifest::Section;
use crate::pg::connect::Server;
use crate::select;
use crate::sql::render;

/// What to restore, from where, to where, how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target database.
    pub server: Server,
    /// The archive.
    pub archive: PathBuf,
    /// Sessions.
    pub jobs: usize,
    /// Which objects and rows.
    pub selection: select::Selection,
    /// Which thirds; `-s` and `-a` in the selection take away from these.
    pub sections: Sections,
    /// Objects belong to the role that restores.
    pub no_owner: bool,
    /// No privileges, no default privileges.
    pub no_privileges: bool,
    /// No comments.
    pub no_comments: bool,
    /// No tablespace but the database's default.
    pub no_tablespaces: bool,
    /// `SET ROLE` after connecting.
    pub role: Option<String>,
    /// Bytes of rows in flight.
    pub max_memory: u64,
    /// How long the server may refuse to take COPY data; zero is for ever.
    pub stall_timeout: Duration,
    /// Gather no statistics.
    pub no_analyze: bool,
    /// No security labels.
    pub no_security_labels: bool,
    /// Make the database first; the server's database is only where that is done from.
    pub create: bool,
    /// Drop what the archive holds first; with `create`, the database.
    pub clean: bool,
    /// What is dropped need not be there.
    pub if_exists: bool,
    /// After an error, go on with what can still be done.
    pub keep_going: bool,
    /// What is done about foreign keys.
    pub foreign_keys: ForeignKeys,
    /// Into tables that stand already: foreign keys do not look at the rows, as the triggers do not fire.
    pub disable_triggers: bool,
    /// Into tables that stand already: triggers fire.
    pub fire_triggers: bool,
    /// Say as soon as may be that the database can be used, and do the rest while it is.
    pub ready_early: bool,
    /// The file that appears then.
    pub ready_file: Option<PathBuf>,
    /// Go on where an earlier run stopped; where none has begun, begin.
    pub resume: bool,
}

impl Options {
    /// What is left out of an object's statements.
    pub(super) fn render(&self) -> render::Options {
        render::Options {
            no_owner: self.no_owner,
            no_privileges: self.no_privileges,
            no_comments: self.no_comments,
            no_security_labels: self.no_security_labels,
            no_tablespaces: self.no_tablespaces,
            role: self.role.clone(),
        }
    }
}

/// Which thirds of a restore are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    /// What rows need to be loaded.
    pub pre_data: bool,
    /// Rows, sequence values, large objects.
    pub data: bool,
    /// Keys, indexes, triggers and what else is made after the rows.
    pub post_data: bool,
}

impl Sections {
    /// All three.
    pub const ALL: Self = Self { pre_data: true, data: true, post_data: true };

    /// Whether a section is wanted.
    pub fn holds(self, section: Section) -> bool {
        match section {
            Section::PreData => self.pre_data,
            Section::Data => self.data,
            Section::PostData => self.post_data,
        }
    }
}

/// What is done about foreign keys, which the rows of a consistent dump keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForeignKeys {
    /// They are proved.
    #[default]
    Validate,
    /// They are left `NOT VALID`: kept for new rows, not proved for those that the archive brought.
    NotValid,
    /// They are made on the empty tables and do not look at the rows: an orphan in the source stays one.
    Trust,
}
