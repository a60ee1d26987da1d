//! Markers: where a restore says of its target, until it is done, how far it has come. A schema
//! with the table `run`, in it one row, and beside it the table `done`, with a row for each piece
//! of work that is done.
//!
//! Known by the table's columns, never by the schema's name alone: a user may have a schema of that
//! name. Does not know who sets a marker.

use super::session::Session;
use crate::error::{Kind, Result};
use crate::sql::ident;

/// The schema's name, unless the archive or the target has one of that name: then a number follows,
/// as in `silverback_restore_1`.
pub const SCHEMA: &str = "silverback_restore";

/// The table's columns: name, type as `format_type` writes it, what else is said of it. A later
/// version may add others.
pub const COLUMNS: &[(&str, &str, &str)] = &[
    ("archive_id", "uuid", "PRIMARY KEY"),
    ("archive_name", "text", "NOT NULL"),
    ("archive_root", "text", "NOT NULL"),
    ("options_digest", "text", "NOT NULL"),
    ("state", "text", "NOT NULL"),
    ("left_digest", "text", ""),
    ("schemas", "text[]", "NOT NULL"),
    ("silverback_version", "text", "NOT NULL"),
    ("server_version", "text", "NOT NULL"),
    ("server_started", "timestamp with time zone", "NOT NULL"),
    ("begun", "timestamp with time zone", "NOT NULL"),
];

/// What else a restore notes, to be gone on with; a marker is one without these, too.
pub const LATER_COLUMNS: &[(&str, &str, &str)] = &[
    ("options", "text[]", "NOT NULL"),
    ("made_database", "boolean", "NOT NULL"),
    ("found", "text", ""),
    ("plan_digest", "text", ""),
    ("planned", "bigint", ""),
    ("connection_limit", "integer", ""),
];

/// The table of what is done; a key is that of the work, see `restore::job_key`.
pub const DONE: &str = "done";
/// Its columns.
pub const DONE_COLUMNS: &str = "key uuid PRIMARY KEY, done timestamp with time zone NOT NULL \
    DEFAULT pg_catalog.clock_timestamp()";

/// The option of a restore that makes a copy beside the live objects, as the marker has it.
pub const STAGE: &str = "--stage";

/// How far a restore has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is changed yet but the database's connection limit.
    NotBegun,
    /// What is to make room is being dropped.
    Dropping,
    /// Objects or rows may be missing.
    NotReady,
    /// The database may be used; indexes and the validation of foreign keys may be missing.
    Ready,
}

impl State {
    /// As the table has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::Dropping => "dropping",
            Self::NotReady => "not ready",
            Self::Ready => "ready",
        }
    }
}

/// A marker that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// Its schema's name, unquoted.
    pub schema: String,
    /// What it says; none where it says nothing, or this role may not read it. It counts as not
    /// ready then.
    pub run: Option<Run>,
}

/// What a marker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The archive's identity.
    pub archive_id: String,
    /// The archive's name when the restore began, for people.
    pub archive_name: String,
    /// The archive's root, in hexadecimal.
    pub archive_root: String,
    /// What decides which objects and rows the restore makes.
    pub options_digest: String,
    /// How far it has come.
    pub state: State,
    /// What was left to be done when it became ready.
    pub left_digest: Option<String>,
    /// The schemas that it fills, unquoted.
    pub schemas: Vec<String>,
    /// By which version of Silverback.
    pub version: String,
    /// When, as the server's clock had it.
    pub begun: String,
    /// What can be gone on with.
    pub later: Later,
}

/// What a restore notes to be gone on with. One that was stopped early, or an older version's, has
/// not all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Later {
    /// The options that decide what is made, as they are typed.
    pub options: Vec<String>,
    /// Whether the restore has made the database.
    pub made_database: bool,
    /// What the plan found in the target, in the restore's own words.
    pub found: Option<String>,
    /// What is to be done, see `restore::job_key`.
    pub plan_digest: Option<String>,
    /// How many pieces of work that is.
    pub planned: Option<i64>,
    /// The database's `CONNECTION LIMIT` that must be given back to it.
    pub connection_limit: Option<i32>,
}

impl Marker {
    /// Whether the database was reported ready.
    pub fn is_ready(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.state == State::Ready)
    }

    /// Whether a run was stopped while it made room.
    pub fn is_dropping(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.state == State::Dropping)
    }

    /// Whether its restore may have changed something of what the database holds.
    pub fn has_begun(&self) -> bool {
        self.run.as_ref().is_none_or(|run| run.state != State::NotBegun)
    }

    /// The database's `CONNECTION LIMIT` that must be given back to it.
    pub fn connection_limit(&self) -> Option<i32> {
        self.run.as_ref().and_then(|run| run.later.connection_limit)
    }

    /// Whether it speaks of any of these schemas; whoever cannot read it must fear so.
    pub fn concerns<'a>(&self, schemas: impl IntoIterator<Item = &'a str>) -> bool {
        let Some(run) = self.run.as_ref().filter(|run| !run.schemas.is_empty()) else {
            return true;
        };
        schemas.into_iter().any(|schema| run.schemas.iter().any(|filled| filled == schema))
    }

    /// Whether it is of a copy that is made beside the live objects.
    pub fn is_of_stage(&self) -> bool {
        let options = self.run.as_ref().map_or(&[][..], |run| &run.later.options);
        options.iter().any(|option| option == STAGE)
    }

    /// Which restore it is, for people.
    pub fn describe(&self) -> String {
        let schema = ident::quote(&self.schema);
        let Some(run) = &self.run else {
            return format!(
                "an unfinished restore, of which schema {schema} tells this role no more"
            );
        };
        let what = match run.state {
            State::NotBegun => "the beginning, which has changed nothing yet, of a restore",
            State::Dropping | State::NotReady => "an incomplete restore",
            State::Ready => {
                "an unfinished restore, which has reported that the database may be used,"
            }
        };
        format!(
            "{what} of {} ({}), begun {} by silverback {} (schema {schema})",
            run.archive_name, run.archive_id, run.begun, run.version
        )
    }
}

/// The SQL condition that the table `c` in schema `n` is a marker's. Row security could hide what
/// it says, or run somebody's function.
pub fn condition() -> String {
    format!(
        "(c.relname = 'run' AND c.relkind = 'r' AND c.relpersistence = 'p' AND NOT \
         c.relrowsecurity \
         AND n.nspname ~ '^{SCHEMA}(_[0-9]+)?$' AND {})",
        has_columns(COLUMNS)
    )
}

/// The SQL condition that the table `c` has these columns, each with its type. One look at the
/// catalog: a condition for each column would cost more than the rest of a small dump to plan.
pub(super) fn has_columns(columns: &[(&str, &str, &str)]) -> String {
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, type_name, _)| ident::literal(&format!("{name} {type_name}")))
        .collect();
    format!(
        "(SELECT pg_catalog.array_agg(a.attname::text || ' ' || \
         pg_catalog.format_type(a.atttypid, NULL)) FROM pg_catalog.pg_attribute a WHERE a.attrelid \
         = c.oid AND a.attnum > 0 AND NOT a.attisdropped) @> ARRAY[{}]",
        columns.join(", ")
    )
}

/// The SQL condition that the table `c` in schema `n` is one of a marker's tables.
pub fn tables_condition() -> String {
    format!(
        "(c.relname IN ('run', '{DONE}') AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE \
         c.relnamespace = n.oid AND {}))",
        condition()
    )
}

/// Every marker of the database, by name.
///
/// In a transaction a marker that its restore has taken away since the snapshot says nothing; no
/// lock on it stays.
pub async fn read(session: &Session, in_transaction: bool) -> Result<Vec<Marker>> {
    const DOING: &str = "look for an unfinished restore";
    let sql = format!(
        "SELECT n.nspname::text, \
                pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND \
                pg_catalog.has_table_privilege(c.oid, 'SELECT') \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE \
         {} ORDER BY 1",
        condition()
    );
    let mut markers = Vec::new();
    for row in session.query(DOING, &sql).await? {
        let schema: String = row.get(0)?;
        // Of what is dropped at this moment the rights are NULL.
        let readable = row.get::<_, Option<bool>>(1)?.unwrap_or_default();
        let run = if readable { read_run(session, &schema, in_transaction).await? } else { None };
        markers.push(Marker { schema, run });
    }
    Ok(markers)
}

async fn read_run(session: &Session, schema: &str, in_transaction: bool) -> Result<Option<Run>> {
    let doing = format!("read what schema {} says of an unfinished restore", ident::quote(schema));
    let sql = format!(
        "SELECT archive_id::text, archive_name, options_digest, state, left_digest, schemas, \
         silverback_version, \
                pg_catalog.to_char(begun AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
                archive_root, \
                ARRAY(SELECT pg_catalog.jsonb_array_elements_text(more -> 'options') WHERE \
                pg_catalog.jsonb_typeof(more -> 'options') = 'array'), \
                coalesce((more ->> 'made_database')::boolean, false), more ->> 'found', more ->> \
                'plan_digest', (more ->> 'planned')::int8, \
                (more ->> 'connection_limit')::int4 \
         FROM (SELECT r.*, pg_catalog.to_jsonb(r) AS more FROM ONLY {} r) run",
        ident::qualified(schema, "run")
    );
    if in_transaction {
        session.execute(&doing, "SAVEPOINT marker").await?;
    }
    let rows = session.query(&doing, &sql).await;
    if in_transaction {
        session.execute(&doing, "ROLLBACK TO SAVEPOINT marker").await?;
    }
    let rows = match rows {
        Ok(rows) => rows,
        // It has gone since, or the server fails to read it: nothing is known of it.
        Err(error) if error.sqlstate().is_some() && error.kind() != Kind::Server => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let [row] = rows.as_slice() else { return Ok(None) };
    let word: String = row.get(3)?;
    let Some(state) = [State::NotBegun, State::Dropping, State::NotReady, State::Ready]
        .into_iter()
        .find(|state| state.word() == word)
    else {
        return Ok(None);
    };
    Ok(Some(Run {
        archive_id: row.get(0)?,
        archive_name: row.get(1)?,
        options_digest: row.get(2)?,
        state,
        left_digest: row.get(4)?,
        schemas: row.get::<_, Vec<Option<String>>>(5)?.into_iter().flatten().collect(),
        version: row.get(6)?,
        begun: row.get(7)?,
        archive_root: row.get(8)?,
        later: Later {
            options: row.get::<_, Vec<Option<String>>>(9)?.into_iter().flatten().collect(),
            made_database: row.get(10)?,
            found: row.get(11)?,
            plan_digest: row.get(12)?,
            planned: row.get(13)?,
            connection_limit: row.get(14)?,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(state: Option<State>, schemas: &[&str]) -> Marker {
        let run = |state| Run {
            archive_id: "7".into(),
            archive_name: "a.sbk".into(),
            options_digest: String::new(),
            state,
            left_digest: None,
            schemas: schemas.iter().map(|&schema| schema.to_owned()).collect(),
            version: "0.1.0".into(),
            begun: "now".into(),
            archive_root: "8".into(),
            later: Later::default(),
        };
        Marker { schema: SCHEMA.into(), run: state.map(run) }
    }

    #[test]
    fn what_cannot_be_read_counts_as_not_ready_and_concerns_all() {
        for (marker, ready, concerns) in [
            (marker(None, &[]), false, true),
            (marker(Some(State::NotReady), &["public", "s"]), false, true),
            (marker(Some(State::Ready), &["s"]), true, true),
            (marker(Some(State::Ready), &["other"]), true, false),
            (marker(Some(State::Ready), &[]), true, true),
        ] {
            assert_eq!(
                (marker.is_ready(), marker.concerns(["s"])),
                (ready, concerns),
                "{marker:?}"
            );
        }
    }
}
