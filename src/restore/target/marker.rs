//! The marker as it stands in a target: read, waited for, and what it means that it could not be
//! set; and the lock by which a restore that is still at work is told from one that was stopped.
//!
//! Does not know how a marker is written.

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::marker::{self, Marker, SCHEMA};
use crate::pg::session::{Purpose, Session};
use crate::restore::mark::{Extent, Mark, incomplete};
use crate::sqlstate;

/// The two halves of the key of the lock that every session of a restore holds: "silv", "back".
const AT_WORK: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"back"));

/// The same for the time from the first look at the target until the marker is set.
const SETTING: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"mark"));

/// Shows, until the session ends, that a restore is at work in its database.
pub(in crate::restore) async fn show_at_work(session: &Session) -> Result<()> {
    let (class, object) = AT_WORK;
    let sql = format!("SELECT pg_catalog.pg_advisory_lock_shared({class}, {object})");
    session.execute("show that a restore is at work", &sql).await.map(drop)
}

/// The server processes of other restores into this database. A process whose client was killed
/// ends when it notices, so a little time is given to it.
pub(in crate::restore) async fn others_at_work(session: &Session) -> Result<Vec<i32>> {
    others_at_work_in(session, HERE).await
}

/// The same of any database of the server, whose name an expression tells.
pub(in crate::restore) async fn others_at_work_in(
    session: &Session,
    name: &str,
) -> Result<Vec<i32>> {
    let mut looks = 0;
    loop {
        let others = at_work_in(session, name).await?;
        looks += 1;
        if others.is_empty() || looks == LOOKS {
            return Ok(others);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// The same as it is at this moment.
pub(in crate::restore) async fn at_work_now(session: &Session) -> Result<Vec<i32>> {
    at_work_in(session, HERE).await
}

const HERE: &str = "pg_catalog.current_database()";

async fn at_work_in(session: &Session, name: &str) -> Result<Vec<i32>> {
    let (class, object) = AT_WORK;
    let ours: Vec<String> = session.server().pids().iter().map(i32::to_string).collect();
    let sql = format!(
        "SELECT pid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND \
         classid = {class} AND objid = {object} \
           AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = {name}) \
           AND pid <> pg_catalog.pg_backend_pid() AND pid <> ALL (ARRAY[{}]::int4[]) ORDER BY pid",
        ours.join(", ")
    );
    let rows = session.query("look for another restore that is at work", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The marker that an earlier restore left, if there is one that has begun.
pub(in crate::restore) async fn read(session: &Session) -> Result<Option<Marker>> {
    Ok(marker::read(session, false).await?.into_iter().find(Marker::has_begun))
}

/// The schema, unquoted, of a marker that says that nothing has begun: it goes with the first
/// change.
pub(in crate::restore) async fn before_begun(session: &Session) -> Result<Option<String>> {
    let markers = marker::read(session, false).await?;
    let before = markers.into_iter().find(|marker| !marker.has_begun());
    Ok(before.map(|marker| marker.schema))
}

/// Waits while another restore looks at this database and sets its marker: each finds what the one
/// before it has left. Held until it has [`begun`], or the session ends.
pub(in crate::restore) async fn wait_to_begin(session: &Session) -> Result<()> {
    let (class, object) = SETTING;
    let sql = format!("SELECT pg_catalog.pg_advisory_lock({class}, {object})");
    session.execute("wait for another restore to begin", &sql).await.map(drop)
}

/// Lets others look. A session that is lost has done so by its end, and whoever needs it next says
/// that it is lost.
pub(in crate::restore) async fn begun(session: &Session) {
    let (class, object) = SETTING;
    let sql = format!("SELECT pg_catalog.pg_advisory_unlock({class}, {object})");
    let _ = session.execute("let other restores look", &sql).await;
}

/// Looks in the target, in the transaction that sets a marker, whether another restore has set one
/// meanwhile. `known`: the schema of one that it takes away.
pub(in crate::restore) async fn check_alone(session: &Session, known: Option<&str>) -> Result<()> {
    let doing = "mark the target as incomplete";
    match marker::read(session, true)
        .await?
        .iter()
        .find(|other| other.has_begun() && known != Some(other.schema.as_str()))
    {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Kind::Requirement,
            doing,
            format!("the target holds {}", other.describe()),
        )
        .hint(JUST_BEGUN)),
    }
}

const JUST_BEGUN: &str = "another restore into this database has just begun";

/// Reads the target's marker once the session is gone whose last answer was lost: until then it may
/// still do what it was told.
pub(in crate::restore) async fn read_after(
    server: &Server,
    backend_pid: i32,
) -> Result<Option<Marker>> {
    let doing = "check whether the COMMIT succeeded";
    let session = server.open(Purpose::Restore).await?;
    let sql = format!("SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = {backend_pid}");
    for _ in 0..LOOKS {
        if session.query(doing, &sql).await?.is_empty() {
            return read(&session).await;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(Error::new(Kind::Server, doing, "the session does not end"))
}

const LOOKS: u32 = 50;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What it means that the marker could not be set in the target: nothing was changed, unless only
/// the answer was lost. Of two restores that begin at one moment, only one can set it.
pub(in crate::restore) async fn not_set(
    error: Error,
    mark: Option<&Mark>,
    server: &Server,
    backend_pid: i32,
) -> Error {
    match error.sqlstate() {
        Some(sqlstate::DUPLICATE_SCHEMA | sqlstate::UNIQUE_VIOLATION) => {
            return error.as_kind(Kind::Requirement).hint(JUST_BEGUN);
        }
        // What an event trigger of the target says, for one.
        _ if error.kind() == Kind::Unexpected => return error.as_kind(Kind::Requirement),
        _ if error.kind() != Kind::Server => return error,
        _ => {}
    }
    match read_after(server, backend_pid).await {
        Ok(None) => error,
        Ok(Some(_)) => incomplete(error, mark, Extent::Whole),
        Err(_) => error.hint(format!(
            "look whether schema {SCHEMA} marks the target as incomplete before the next restore"
        )),
    }
}
