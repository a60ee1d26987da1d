//! Lock, then look: a snapshot that is taken while every table is already held, so that it shows a
//! state that was once committed.
//!
//! The other order (snapshot first, as `pg_dump` has it) shows an empty table when a TRUNCATE
//! commits while its lock is waited for. Does not know what is done with the snapshot.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::try_join;

use super::catalog::{self, Catalog, Definition, ListedTable, ReadOptions};
use super::connect::Server;
use super::denied;
use super::readable::is_unreadable;
use super::row::Row;
use super::session::{Purpose, Session};
use super::settings::{End, Transaction};
use crate::error::{Error, Kind, Result};
use crate::progress::{Level, Progress};
use crate::sql::ident;
use crate::sqlstate;

/// How often the whole is tried before it is given up.
const ATTEMPTS_MAX: u32 = 5;
/// Bytes of SQL in one LOCK statement.
const LOCK_SQL_BYTES_MAX: usize = 100_000;

/// How to take the snapshot.
#[derive(Clone, Debug)]
pub struct SnapshotOptions {
    /// How long a lock is waited for; zero is for ever.
    pub lock_wait_timeout: Duration,
    /// Wait for a snapshot that no serialisation anomaly can show in, as `pg_dump
    /// --serializable-deferrable` does.
    pub serializable_deferrable: bool,
    /// The snapshot of another session, which is to be seen instead of one of its own.
    pub given: Option<String>,
    /// How each transaction begins.
    pub begin: Begin,
    /// What the catalog is asked for.
    pub read: ReadOptions,
}

impl SnapshotOptions {
    /// The transaction in which the tables are listed.
    fn listing(&self) -> Transaction<'_> {
        Transaction { snapshot: self.given.as_deref(), ..self.begin.transaction() }
    }
}

/// How every transaction of a dump begins.
#[derive(Clone, Debug, Default)]
pub struct Begin {
    /// `SET LOCAL ROLE`.
    pub role: Option<String>,
    /// Lets the policies of row security choose the rows; without it, a table whose policies would
    /// is an error.
    pub row_security: bool,
}

impl Begin {
    fn transaction(&self) -> Transaction<'_> {
        Transaction {
            role: self.role.as_deref(),
            row_security: self.row_security,
            ..Transaction::default()
        }
    }
}

/// The session that holds locks and snapshot until it is dropped, and what it saw.
#[derive(Debug)]
pub struct Keeper {
    /// The session; idle in its transaction, unless it copies a table that nobody else may lock any
    /// more.
    pub session: Session,
    /// Imported by the other sessions.
    pub snapshot_id: String,
    /// RFC 3339, UTC.
    pub snapshot_time: String,
    /// The schema as the snapshot shows it.
    pub catalog: Catalog,
}

/// Opens the session that is to be the keeper, in a transaction in which nothing is locked yet.
pub async fn open(server: &Server, options: &SnapshotOptions) -> Result<Session> {
    let opened = server.open(Purpose::Dump(&options.listing())).await;
    opened.map_err(|error| not_importable(error, options.given.as_deref()))
}

/// Who takes part in taking the snapshot.
#[derive(Clone, Copy)]
pub struct Parties<'a> {
    /// Says which tables are dumped and so locked.
    pub picks: &'a (dyn Fn(&ListedTable) -> bool + Sync),
    /// Is told of a snapshot that may be the one, before the catalog is read.
    pub exported: &'a (dyn Fn(&str) + Sync),
    /// Is told of the rest.
    pub progress: &'a dyn Progress,
}

/// Takes locks, snapshot and catalog together, in a session that was opened for it.
pub async fn take(
    session: Session,
    options: &SnapshotOptions,
    parties: Parties<'_>,
) -> Result<Keeper> {
    let (given, listing) = (options.given.as_deref(), options.listing());
    let mut reason = String::new();
    for attempt in 1..=ATTEMPTS_MAX {
        let attempted = attempt_once(&session, options, parties).await.map_err(unreadable)?;
        let why = match attempted {
            Attempt::Stable { snapshot_id, snapshot_time, catalog } => {
                return Ok(Keeper { session, snapshot_id, snapshot_time, catalog: *catalog });
            }
            // What changes fails each time in another way.
            Attempt::Failed(error)
                if error.sqlstate() == Some(sqlstate::INTERNAL_ERROR)
                    && error.to_string() == reason =>
            {
                return Err(error.as_kind(Kind::Unexpected).hint(
                    "the server fails to describe one of its own objects: find and repair that one",
                ));
            }
            Attempt::Failed(error) => error.to_string(),
            Attempt::Changed(why) => why,
        };
        if given.is_some() {
            return Err(outdated(&why));
        }
        parties.progress.message(
            Level::Info,
            &format!(
                "the schema changed while it was being locked ({why}); \
                 attempt {attempt} of {ATTEMPTS_MAX}"
            ),
        );
        try_join!(session.begin(End::Rollback, &listing), session.check(&listing))?;
        reason = why;
    }
    let cause = format!("the schema kept changing in {ATTEMPTS_MAX} attempts, last: {reason}");
    Err(Error::new(Kind::Consistency, "take a consistent snapshot", cause)
        .hint("stop migrations and other schema changes while the dump starts"))
}

/// Opens one more session that sees what the keeper sees.
pub async fn join(server: &Server, snapshot_id: &str, begin: &Begin) -> Result<Session> {
    let transaction = Transaction { snapshot: Some(snapshot_id), ..begin.transaction() };
    server.open(Purpose::Dump(&transaction)).await
}

/// An error of the look at the catalog under the snapshot: the server stores what it cannot write
/// in UTF-8, in which names and definitions are read.
fn unreadable(error: Error) -> Error {
    if !is_unreadable(&error) {
        return error;
    }
    error.as_kind(Kind::Requirement).hint(
        "a name, comment or definition is not valid UTF-8: rename the object or fix the comment; \
         row data is not affected",
    )
}

enum Attempt {
    Stable {
        snapshot_id: String,
        snapshot_time: String,
        catalog: Box<Catalog>,
    },
    /// The tables differ before and after.
    Changed(String),
    /// The server stumbled over something, as it does over what has just gone.
    Failed(Error),
}

async fn attempt_once(
    session: &Session,
    options: &SnapshotOptions,
    Parties { picks, exported, progress }: Parties<'_>,
) -> Result<Attempt> {
    let before = catalog::list_tables(session).await?;
    let locked: Vec<&ListedTable> = before.iter().filter(|table| picks(table)).collect();
    // The lock timeout holds to the end: the catalog functions lock what they describe, too.
    let (deferrable, lock_timeout) = (options.serializable_deferrable, options.lock_wait_timeout);
    let snapshot = options.given.as_deref();
    let transaction =
        Transaction { deferrable, lock_timeout, snapshot, ..options.begin.transaction() };
    let begun = session.begin(End::Commit, &transaction).await;
    begun.map_err(|error| not_importable(error, snapshot))?;
    let tables = if locked.len() == 1 { "table" } else { "tables" };
    progress.phase(&format!("lock {} {tables}", locked.len()));
    if let Err(error) = lock(session, &locked).await {
        return match error.sqlstate() {
            Some(sqlstate::LOCK_NOT_AVAILABLE) => {
                Err(explain_lock(session, &error, &locked, options.lock_wait_timeout).await)
            }
            Some(sqlstate::INSUFFICIENT_PRIVILEGE) => {
                Err(denied::explain(session, error, &locked).await)
            }
            _ => changed_or(error),
        };
    }
    let export = "SELECT pg_catalog.pg_export_snapshot(), \
        pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', \
        'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let (checked, row, after) = tokio::join!(
        session.check(&transaction),
        session.query_one("export the snapshot", export),
        catalog::list_tables(session)
    );
    checked?;
    let row = row?;
    let (snapshot_id, snapshot_time): (String, String) = (row.get(0)?, row.get(1)?);
    let after = match after {
        Ok(after) => after,
        Err(error) => return changed_or(error),
    };
    // What is not dumped may have become another table since a given snapshot.
    let meant = |table: &&ListedTable| options.given.is_none() || picks(table);
    let (then, now): (Vec<_>, Vec<_>) =
        (before.iter().filter(meant).collect(), after.iter().filter(meant).collect());
    if let Some(why) = difference(&then, &now) {
        return Ok(Attempt::Changed(why));
    }
    exported(&snapshot_id);
    progress.phase("read the catalog");
    match catalog::read(session, &options.read).await {
        Ok(catalog) => {
            if options.given.is_some() {
                let others: HashSet<u32> =
                    (before.iter().filter(|table| !picks(table))).map(|table| table.oid).collect();
                if let Some(why) = changed_since(session, options, &others).await? {
                    return Ok(Attempt::Changed(why));
                }
            }
            Ok(Attempt::Stable { snapshot_id, snapshot_time, catalog: Box::new(catalog) })
        }
        // A view, say, of a table that is not dumped itself.
        Err(error) if error.sqlstate() == Some(sqlstate::LOCK_NOT_AVAILABLE) => {
            let all: Vec<&ListedTable> = after.iter().collect();
            Err(explain_lock(session, &error, &all, options.lock_wait_timeout).await)
        }
        Err(error) => changed_or(error),
    }
}

/// What is not any more as a given snapshot shows it, but for tables that are not dumped: names mean
/// what they mean now, and the server's functions tell what is committed now. To be asked after
/// these have been, so that what changed meanwhile is seen.
async fn changed_since(
    keeper: &Session,
    options: &SnapshotOptions,
    others: &HashSet<u32>,
) -> Result<Option<String>> {
    let listing = options.begin.transaction();
    let session = keeper.server().open(Purpose::Dump(&listing)).await?;
    let (then, now) = try_join!(catalog::definitions(keeper), catalog::definitions(&session))?;
    let now: HashMap<_, _> = now.into_iter().map(|now| (now.key, now.digest)).collect();
    let is_dumped = |then: &Definition| then.is_told && !others.contains(&then.relation);
    let changed =
        then.iter().find(|then| is_dumped(then) && now.get(&then.key) != Some(&then.digest));
    Ok(changed.map(|object| format!("{} was altered, renamed or dropped", object.title)))
}

/// A given snapshot cannot be dumped any more.
fn outdated(why: &str) -> Error {
    let cause = format!("since the snapshot was taken, {why}");
    Error::new(Kind::Consistency, "dump the given snapshot", cause)
        .hint("export a new snapshot, and keep schema changes and TRUNCATE away meanwhile")
}

/// A snapshot that is not there is the user's to give.
fn not_importable(error: Error, given: Option<&str>) -> Error {
    let is_missing = matches!(
        error.sqlstate(),
        Some(
            sqlstate::INVALID_PARAMETER_VALUE
                | sqlstate::UNDEFINED_OBJECT
                | sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE
        )
    );
    if given.is_some() && is_missing { error.as_kind(Kind::Requirement) } else { error }
}

/// Tells a change between the two looks around the locks by the codes with which the server says
/// that an object went away.
fn changed_or(error: Error) -> Result<Attempt> {
    let vanished = error.sqlstate().is_some_and(sqlstate::is_of_what_vanished);
    if vanished || (error.kind() == Kind::Consistency && error.sqlstate().is_none()) {
        return Ok(Attempt::Failed(error));
    }
    Err(error)
}

async fn lock(session: &Session, tables: &[&ListedTable]) -> Result<()> {
    let mut names = String::new();
    for (place, table) in tables.iter().enumerate() {
        if !names.is_empty() {
            names.push_str(", ");
        }
        names.push_str("ONLY ");
        names.push_str(&ident::qualified(&table.schema, &table.name));
        if names.len() > LOCK_SQL_BYTES_MAX || place + 1 == tables.len() {
            session
                .execute("lock the tables", &format!("LOCK TABLE {names} IN ACCESS SHARE MODE"))
                .await?;
            names.clear();
        }
    }
    Ok(())
}

/// What differs between the two lists, if anything does.
fn difference(before: &[&ListedTable], after: &[&ListedTable]) -> Option<String> {
    if let Some(stale) = after.iter().find(|table| table.is_rewritten) {
        return Some(format!("{} was rewritten", ident::qualified(&stale.schema, &stale.name)));
    }
    if before == after {
        return None;
    }
    let gone = before.iter().find(|table| !after.contains(table));
    let new = after.iter().find(|table| !before.contains(table));
    gone.or(new).map(|table| {
        format!(
            "{} was created, altered, renamed or dropped",
            ident::qualified(&table.schema, &table.name)
        )
    })
}

async fn explain_lock(
    session: &Session,
    error: &Error,
    tables: &[&ListedTable],
    waited: Duration,
) -> Error {
    let explained = Error::new(
        Kind::Consistency,
        "lock the tables",
        format!("no lock within {} ms", waited.as_millis()),
    )
    .with_sqlstate(sqlstate::LOCK_NOT_AVAILABLE)
    .hint("wait for the statement that holds it, or raise --lock-wait-timeout");
    if session.begin(End::Rollback, &Transaction::default()).await.is_err() {
        return explained;
    }
    let oids = tables.iter().map(|table| table.oid.to_string()).collect::<Vec<_>>().join(",");
    let sql = format!(
        "SELECT l.relation::pg_catalog.regclass::text, l.pid, coalesce(a.usename::text, '?'), \
         coalesce(a.state, '?'), l.granted \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         WHERE l.mode = 'AccessExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() AND \
         l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = \
         pg_catalog.current_database()) \
         AND l.relation = ANY (ARRAY[{oids}]::oid[]) ORDER BY l.granted DESC, 1, l.pid LIMIT 1"
    );
    let holder = |row: &Row| -> Result<String> {
        let (table, pid, user, state): (&str, i32, &str, &str) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        // A lock that is only waited for holds up all that ask after it.
        let has = if row.get(4)? { "holds it exclusively" } else { "waits to hold it exclusively" };
        Ok(format!(
            "no lock on {table} within {} ms: process {pid} of {user} ({state}) {has}",
            waited.as_millis()
        ))
    };
    match session.query("look for the holder", &sql).await.map(|rows| rows.first().map(holder)) {
        Ok(Some(Ok(cause))) => Error::new(Kind::Consistency, "lock the tables", cause)
            .with_sqlstate(sqlstate::LOCK_NOT_AVAILABLE)
            .hint("wait for that process to end, or raise --lock-wait-timeout"),
        _ => explained.with_source(std::io::Error::other(error.to_string())),
    }
}
