//! What a restore has left in a database (`--status`), from its marker alone: no archive is needed.
//!
//! Does not know how it is told, nor what is to be typed.

use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::marker::{self, DONE, Marker};
use crate::pg::session::{Purpose, Session};
use crate::restore::others::limit;
use crate::restore::target::marker as target;
use crate::sql::ident;

/// What restores have left in a database.
#[derive(Clone, Debug)]
pub struct Left {
    /// Those that are not done.
    pub restores: Vec<Status>,
    /// The connection limit that must be given back to the database, of which no restore that is at
    /// work takes care.
    pub connection_limit: Option<i32>,
}

/// A restore that is not done.
#[derive(Clone, Debug)]
pub struct Status {
    /// What its marker says.
    pub marker: Marker,
    /// How much it has done, where this role may know.
    pub done: Option<u64>,
    /// The server processes of a restore that is at work now.
    pub at_work: Vec<i32>,
}

/// What every restore has left that has its marker in the server's database. Changes nothing.
pub async fn status(server: &Server) -> Result<Left> {
    let session = server.open(Purpose::Probe).await?;
    let at_work = target::at_work_now(&session).await?;
    let mut all = Vec::new();
    for marker in marker::read(&session, false).await? {
        let done = done(&session, &marker.schema).await?;
        all.push(Status { marker, done, at_work: at_work.clone() });
    }
    let owed = limit::read(&session, false).await?.owed;
    Ok(Left { restores: all, connection_limit: owed.filter(|_| at_work.is_empty()) })
}

/// The server processes of restores that are at work in the session's database, but for those that
/// end in a little while.
pub async fn at_work(session: &Session) -> Result<Vec<i32>> {
    target::others_at_work(session).await
}

/// The same of another database of the server, unquoted.
pub async fn at_work_in(session: &Session, database: &str) -> Result<Vec<i32>> {
    target::others_at_work_in(session, &ident::literal(database)).await
}

/// Those that are at work in the session's database at this moment.
pub async fn at_work_now(session: &Session) -> Result<Vec<i32>> {
    target::at_work_now(session).await
}

async fn done(session: &Session, schema: &str) -> Result<Option<u64>> {
    let sql = format!("SELECT pg_catalog.count(*) FROM ONLY {}", ident::qualified(schema, DONE));
    match session.query_one("count what is done", &sql).await.and_then(|row| row.get::<_, i64>(0)) {
        Ok(count) => Ok(u64::try_from(count).ok()),
        Err(error) if is_answer(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error answers the question what a restore has left: it is not there, it has gone
/// since, or this role may not read it.
fn is_answer(error: &Error) -> bool {
    error.sqlstate().is_some() && error.kind() != Kind::Server
}
