//! The manifest: where the data came from, the schema's objects, the tables whose rows follow, and
//! what could not be carried.
//!
//! JSON. Integers that may pass 2^53 and digests are strings. Knows no SQL: definitions are
//! statements rendered by the dump.

mod kind;
pub(super) mod object;
mod table;
#[cfg(test)]
pub(crate) mod testing;

use serde::{Deserialize, Serialize};

pub use self::kind::ObjectKind;
pub use self::object::{
    Acl, Comment, Detail, Grant, Object, ObjectId, Section, SecurityLabel, UsingIndex,
};
pub use self::table::{Column, Table, TableId, TableName};
pub use crate::pgcopy::RowEncoding;

use super::statistics::Statistics;

/// All that a restore needs to know before the first row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Where and when.
    pub source: Source,
    /// Every object, in an order in which they can be created.
    pub objects: Vec<Object>,
    /// The tables whose rows the archive holds; a [`TableId`] is an index into this list.
    pub tables: Vec<Table>,
    /// What the database holds and the archive does not.
    pub not_carried: Vec<NotCarried>,
    /// What the planner knew of the rows, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<Statistics>,
}

/// The database that was dumped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Name and version of the program that wrote the archive, such as `silverback 0.1.0`.
    pub tool: String,
    /// `server_version`, as the server prints it.
    pub server_version: String,
    /// `server_version_num`, such as 150018.
    pub server_version_num: u32,
    /// The database's name.
    pub database: String,
    /// The server encoding's name, such as `UTF8`.
    pub encoding: String,
    /// `datcollate`.
    pub collate: String,
    /// `datctype`.
    pub ctype: String,
    /// `datlocprovider`: `c`, `i` or `b`.
    pub locale_provider: String,
    /// `datcollversion`, where the server has it.
    pub collation_version: Option<String>,
    /// RFC 3339, UTC: when the snapshot was taken.
    pub snapshot_time: String,
    /// The write-ahead log's position when the snapshot was taken, such as `0/16B3748`.
    pub snapshot_lsn: Option<String>,
}

/// The newest PostgreSQL that this program was tried with.
const NEWEST_KNOWN: u32 = 19;

impl Source {
    /// What to say when the server that an archive's manifest names is of a version that came after
    /// this program.
    pub fn newer_than_known(&self) -> Option<String> {
        newer_than_known(self.server_version_num, &self.server_version)
    }
}

/// The same for any server.
pub fn newer_than_known(version_num: u32, version: &str) -> Option<String> {
    (version_num / 10_000 > NEWEST_KNOWN).then(|| {
        format!(
            "PostgreSQL {version} is newer than {NEWEST_KNOWN}, the newest that this version \
             was tried with: it is asked what it has, and what is of a new kind is named"
        )
    })
}

/// Something found in the database and left out of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCarried {
    /// What it is, in `pg_dump`'s words, lower case: `event trigger`.
    pub kind: String,
    /// Its name, qualified and quoted.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// As it is told: `skipped: event trigger audit: …`.
impl std::fmt::Display for NotCarried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "skipped: {} {}: {}", self.kind, self.name, self.reason)
    }
}

#[cfg(test)]
mod rules_tests;
#[cfg(test)]
mod tests;
