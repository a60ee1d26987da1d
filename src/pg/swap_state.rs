//! What a stage or a swap has noted in a database: table `state` in schema `silverback_swap`, one
//! row, kept until the copy that is not live is dropped. Known by its columns, never by the
//! schema's name alone.
//!
//! Does not know who writes it, nor how copies are exchanged.

use super::marker;
use super::session::Session;
use crate::error::{Kind, Result};
use crate::sql::ident;

/// The schema.
pub const SCHEMA: &str = "silverback_swap";
/// The table.
pub const TABLE: &str = "state";

/// The table's columns: name, type as `format_type` writes it, what else is said of it. A later
/// version may add others.
pub const COLUMNS: &[(&str, &str, &str)] = &[
    ("archive_id", "uuid", "PRIMARY KEY"),
    ("archive_name", "text", "NOT NULL"),
    ("archive_root", "text", "NOT NULL"),
    ("silverback_version", "text", "NOT NULL"),
    ("way", "text", "NOT NULL"),
    ("phase", "text", "NOT NULL"),
    ("is_whole", "boolean", "NOT NULL"),
    ("staged_by", "text", "NOT NULL"),
    ("staged_at", "timestamp with time zone", "NOT NULL"),
    ("changed_by", "text", ""),
    ("changed_at", "timestamp with time zone", ""),
    ("schemas", "text[]", "NOT NULL"),
    ("away_schemas", "text[]", "NOT NULL"),
    ("live_objects", "text[]", "NOT NULL"),
    ("away_objects", "text[]", "NOT NULL"),
    ("is_new", "boolean", "NOT NULL"),
    ("live_database", "text", "NOT NULL"),
    ("away_database", "text", ""),
    ("swap_xid", "bigint", ""),
    ("rows_deleted", "bigint", ""),
];

/// How the copies are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Objects are moved between schemas of one database.
    InPlace,
    /// Two databases take each other's name.
    ByDatabase,
}

impl Way {
    /// As the table has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::InPlace => "in place",
            Self::ByDatabase => "by database",
        }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The copy is being made, or was left unfinished.
    Staging,
    /// The copy is complete, and not live.
    Staged,
    /// The copy is live, and what was live before is kept.
    Swapped,
}

impl Phase {
    /// As the table has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Staged => "staged",
            Self::Swapped => "swapped",
        }
    }
}

/// A schema of the live copy, and the one that holds its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaPair {
    /// Where the live objects stand, unquoted.
    pub live: String,
    /// Where those of the other copy stand, unquoted.
    pub away: String,
}

/// From when on rows count as written since a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The swap's transaction, as `pg_current_xact_id()` tells it.
    pub xid: i64,
    /// How many rows the server's statistics counted as deleted from the live tables by then.
    pub rows_deleted: i64,
}

/// What is noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The identity of the archive that the copy was made from.
    pub archive_id: String,
    /// Its name then, for people.
    pub archive_name: String,
    /// Its root, in hexadecimal.
    pub archive_root: String,
    /// By which version of Silverback.
    pub version: String,
    /// How the copies are exchanged.
    pub way: Way,
    /// How far it has come. By database, [`is_new`](Self::is_new) and the databases' names say it.
    pub phase: Phase,
    /// Whether all of the archive was staged.
    pub is_whole: bool,
    /// The role that staged, and when, as the server's clock had it.
    pub staged: (String, String),
    /// The role that exchanged last, and when.
    pub changed: Option<(String, String)>,
    /// Where the copies stand; none, by database.
    pub schemas: Vec<SchemaPair>,
    /// What was moved in by the last exchange, in words.
    pub live_objects: Vec<String>,
    /// What was moved away by the last exchange, in words.
    pub away_objects: Vec<String>,
    /// By database: whether this database is the copy, and not the one that was live first.
    pub is_new: bool,
    /// The database's name while it is live.
    pub live_database: String,
    /// By database: the name that the other copy has, or is to have.
    pub away_database: Option<String>,
    /// Of the last exchange that made the copy live.
    pub since: Option<Since>,
}

/// The SQL condition that the table `c` in schema `n` is the one.
fn condition() -> String {
    format!(
        "(c.relname = '{TABLE}' AND c.relkind = 'r' AND NOT c.relrowsecurity AND n.nspname = \
         '{SCHEMA}' AND {})",
        marker::has_columns(COLUMNS)
    )
}

/// Reads it; none where nothing was staged, or this role may not read it.
pub async fn read(session: &Session, in_transaction: bool) -> Result<Option<State>> {
    const DOING: &str = "look for a staged copy";
    let sql = format!(
        "SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND \
         pg_catalog.has_table_privilege(c.oid, 'SELECT') FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {}",
        condition()
    );
    let rows = session.query(DOING, &sql).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    if !row.get::<_, Option<bool>>(0)?.unwrap_or_default() {
        return Ok(None);
    }
    let moment = |column: &str| {
        format!("pg_catalog.to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
    };
    let sql = format!(
        "SELECT archive_id::text, archive_name, archive_root, silverback_version, way, phase, \
         is_whole, staged_by, {}, changed_by, {}, schemas, away_schemas, live_objects, \
         away_objects, is_new, live_database, away_database, swap_xid, rows_deleted FROM ONLY {}",
        moment("staged_at"),
        moment("changed_at"),
        ident::qualified(SCHEMA, TABLE)
    );
    if in_transaction {
        session.execute(DOING, "SAVEPOINT swap_state").await?;
    }
    let rows = session.query(DOING, &sql).await;
    if in_transaction {
        session.execute(DOING, "ROLLBACK TO SAVEPOINT swap_state").await?;
    }
    match rows {
        Ok(rows) => rows.first().map_or(Ok(None), parse),
        // It has gone since.
        Err(error) if error.sqlstate().is_some() && error.kind() != Kind::Server => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(row: &super::row::Row) -> Result<Option<State>> {
    let texts = |column: usize| {
        row.get::<_, Vec<Option<String>>>(column)
            .map(|texts| texts.into_iter().flatten().collect::<Vec<String>>())
    };
    let (way, phase): (String, String) = (row.get(4)?, row.get(5)?);
    let way = [Way::InPlace, Way::ByDatabase].into_iter().find(|known| known.word() == way);
    let phase = [Phase::Staging, Phase::Staged, Phase::Swapped]
        .into_iter()
        .find(|known| known.word() == phase);
    let (Some(way), Some(phase)) = (way, phase) else { return Ok(None) };
    let (by, at): (Option<String>, Option<String>) = (row.get(9)?, row.get(10)?);
    let (xid, rows_deleted): (Option<i64>, Option<i64>) = (row.get(18)?, row.get(19)?);
    let pairs = texts(11)?.into_iter().zip(texts(12)?);
    Ok(Some(State {
        archive_id: row.get(0)?,
        archive_name: row.get(1)?,
        archive_root: row.get(2)?,
        version: row.get(3)?,
        way,
        phase,
        is_whole: row.get(6)?,
        staged: (row.get(7)?, row.get(8)?),
        changed: by.zip(at),
        schemas: pairs.map(|(live, away)| SchemaPair { live, away }).collect(),
        live_objects: texts(13)?,
        away_objects: texts(14)?,
        is_new: row.get(15)?,
        live_database: row.get(16)?,
        away_database: row.get(17)?,
        since: xid.zip(rows_deleted).map(|(xid, rows_deleted)| Since { xid, rows_deleted }),
    }))
}

impl State {
    /// The schemas that a dump leaves out: what is noted, and the copy that is not live.
    pub fn schemas_left_out(&self) -> Vec<String> {
        let away = self.schemas.iter().map(|pair| pair.away.clone());
        std::iter::once(SCHEMA.to_owned()).chain(away).collect()
    }
}
