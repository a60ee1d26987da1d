//! What was found in a database or an archive of Kong, before anything is concluded from it.
//!
//! Does not know where it was read, nor what it means.

use std::time::Duration;

use super::value::Value;
use crate::kong::hold;

/// Tables of more bytes than this are not read through, unless that is asked for.
pub const CHEAP_BYTES: u64 = 64 << 20;

/// What is to be found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The schema that is meant, if somebody said so.
    pub schema: Option<&'a str>,
    /// Whether tables of any size are read through.
    pub exact: bool,
    /// The tables whose rows are counted; none is all of them.
    pub counted: Option<fn(&str) -> bool>,
    /// The role whose place is taken to ask a database.
    pub role: Option<&'a str>,
    /// How long a table is waited for that somebody has locked, zero for ever; 10 s if nobody says.
    pub lock_wait: Option<Duration>,
}

impl Request<'_> {
    /// Whether the rows of a table are to be counted.
    pub(super) fn counts(&self, table: &str) -> bool {
        self.counted.is_none_or(|counted| counted(table))
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The schema of the tables, unquoted.
    pub schema: String,
    /// Other schemas with a `schema_meta` of Kong's.
    pub other_schemas: Vec<String>,
    /// The time that expiry is held against, in microseconds since 1970.
    pub now: i64,
    /// The rows of `schema_meta`.
    pub subsystems: Vec<Subsystem>,
    /// Every table of the schema.
    pub tables: Vec<Table>,
    /// The workspaces' names.
    pub workspaces: Vec<String>,
    /// The keys of `parameters`.
    pub parameters: Vec<String>,
    /// The rows of `locks`.
    pub locks: Vec<Lock>,
    /// The rows of `clustering_data_planes`.
    pub data_planes: Vec<DataPlane>,
    /// The largest version in `clustering_sync_version`.
    pub sync_version: Option<i64>,
    /// Who else is connected to the database; none where that is no database.
    pub sessions: Option<Vec<Session>>,
    /// Tables whose rows were wanted, and why they could not be read.
    pub unread: Vec<Unread>,
}

impl Facts {
    /// The row of `locks` by which somebody keeps others' migrations off and may be running some.
    pub fn migrations_lock(&self) -> Option<&Lock> {
        // One that a dump held keeps migrations from running; a restored copy of it ends by itself.
        let of_migrations = |lock: &&Lock| lock.key == MIGRATIONS && !hold::is_ours(&lock.owner);
        self.locks.iter().filter(of_migrations).find(|lock| lock.holds(self.now))
    }
}

/// What Kong locks while migrations run.
const MIGRATIONS: &str = "migrations";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, unquoted.
    pub name: String,
    /// How many rows it has.
    pub rows: Rows,
    /// Its size: with its indexes in a database, as COPY data in an archive.
    pub bytes: u64,
    /// How many rows have expired, where rows expire and were looked at.
    pub expired: Option<u64>,
}

/// A number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// They were counted.
    Exact(u64),
    /// The server's statistics guess so.
    Estimate(u64),
    /// They are not there to be counted.
    Unknown,
}

impl Rows {
    /// The number, if there is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Exact(rows) | Self::Estimate(rows) => Some(rows),
            Self::Unknown => None,
        }
    }
}

/// A row of `schema_meta`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subsystem {
    /// `core`, a plugin's name, or `enterprise` and a plugin's name.
    pub name: String,
    /// The last migration that was executed.
    pub last_executed: Option<String>,
    /// Those that were executed, in order.
    pub executed: Vec<String>,
    /// Those that are begun and not finished, in order.
    pub pending: Vec<String>,
}

/// A row of `locks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What is locked.
    pub key: String,
    /// The node that holds it.
    pub owner: String,
    /// When it ends, in microseconds since 1970; none is never.
    pub until: Option<i64>,
}

impl Lock {
    /// Whether it holds at a moment, in microseconds since 1970. One without an end holds for ever:
    /// Kong deletes only what has ended, and has no room for a row of its own beside it.
    pub fn holds(&self, now: i64) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// A row of `clustering_data_planes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPlane {
    /// Its id.
    pub id: String,
    /// Its host's name.
    pub hostname: String,
    /// Its address.
    pub ip: String,
    /// Its version of Kong.
    pub version: String,
    /// When it was last seen, in microseconds since 1970.
    pub last_seen: Option<i64>,
    /// Whether it takes its configuration.
    pub sync_status: String,
}

/// A session of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The server process.
    pub pid: i32,
    /// The role.
    pub role: String,
    /// Its `application_name`; Kong gives none.
    pub application: String,
    /// Where it comes from, if this role may know.
    pub address: Option<String>,
}

/// A table whose rows could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its name, unquoted.
    pub table: String,
    /// Why.
    pub reason: String,
}

/// Which columns of a table are wanted, and what their values are put into. Columns that a version
/// does not have read as NULL.
pub(super) struct Small {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) add: fn(&mut Facts, &[Value]),
}

/// The tables whose rows are wanted.
pub(super) const SMALL: &[Small] = &[
    Small {
        table: "schema_meta",
        columns: &["subsystem", "last_executed", "executed", "pending"],
        add: |facts, row| {
            facts.subsystems.push(Subsystem {
                name: row[0].text(),
                last_executed: row[1].optional_text(),
                executed: row[2].list(),
                pending: row[3].list(),
            });
        },
    },
    Small {
        table: "workspaces",
        columns: &["name"],
        add: |facts, row| facts.workspaces.push(row[0].text()),
    },
    Small {
        table: "parameters",
        columns: &["key"],
        add: |facts, row| facts.parameters.push(row[0].text()),
    },
    Small {
        table: "locks",
        columns: &["key", "owner", "ttl"],
        add: |facts, row| {
            let (key, owner, until) = (row[0].text(), row[1].text(), row[2].number());
            facts.locks.push(Lock { key, owner, until });
        },
    },
    Small {
        table: "clustering_data_planes",
        columns: &["id", "hostname", "ip", "version", "last_seen", "sync_status"],
        add: |facts, row| {
            facts.data_planes.push(DataPlane {
                id: row[0].text(),
                hostname: row[1].text(),
                ip: row[2].text(),
                version: row[3].text(),
                last_seen: row[4].number(),
                sync_status: row[5].text(),
            });
        },
    },
    Small {
        table: "clustering_sync_version",
        columns: &["version"],
        add: |facts, row| facts.sync_version = facts.sync_version.max(row[0].number()),
    },
];

/// The column that says when a row of a table expires, where Kong deletes what has expired.
pub(super) fn expiry(table_name: &str) -> Option<&'static str> {
    match table_name {
        "cluster_events" | "ttls" => Some("expire_at"),
        "acme_storage"
        | "clustering_data_planes"
        | "clustering_rpc_requests"
        | "keyauth_credentials"
        | "oauth2_authorization_codes"
        | "oauth2_tokens"
        | "ratelimiting_metrics"
        | "sessions" => Some("ttl"),
        _ => None,
    }
}
