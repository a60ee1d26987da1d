//! A database's `CONNECTION LIMIT`, as it is noted, set and given back. What it was stands in the
//! target's marker from the transaction on that changes it, so that no kill leaves one that nobody
//! knows.
//!
//! Does not know when this is done.

use crate::error::{Error, Kind, Result};
use crate::pg::marker::{self, Marker};
use crate::pg::session::Session;
use crate::restore::mark::{self, Mark, connection_limit};
use crate::restore::step::Step;
use crate::sql::ident;

/// A limit from here on says by itself what it was before, less this: it is set from another
/// database, where nothing can be noted, so that a session can be opened in this one. No server
/// has as many.
pub(in crate::restore) const RAISED: i32 = 2_000_000_000;

/// The limit that lets everybody in.
pub(in crate::restore) const NONE: i32 = -1;

/// What stands in the catalogs and the marker.
#[derive(Clone, Debug)]
pub(in crate::restore) struct Standing {
    /// The database, unquoted.
    pub(in crate::restore) database: String,
    /// The limit that it has.
    pub(in crate::restore) limit: i32,
    /// The limit that must be given back to it.
    pub(in crate::restore) owed: Option<i32>,
    /// The marker, if there is one.
    pub(in crate::restore) marker: Option<Marker>,
}

/// The limit that one which was raised stands for.
pub(in crate::restore) fn before_raised(limit: i32) -> Option<i32> {
    (limit >= RAISED).then(|| limit - RAISED)
}

/// Reads the limit of the session's database and what is noted of it.
pub(in crate::restore) async fn read(session: &Session, in_transaction: bool) -> Result<Standing> {
    let markers = marker::read(session, in_transaction).await?;
    let sql = "SELECT datname::text, datconnlimit FROM pg_catalog.pg_database WHERE datname = \
        pg_catalog.current_database()";
    let row = session.query_one("read the database's connection limit", sql).await?;
    let limit: i32 = row.get(1)?;
    let at = markers.iter().position(|marker| marker.connection_limit().is_some()).unwrap_or(0);
    let marker = markers.into_iter().nth(at);
    let owed = marker.as_ref().and_then(Marker::connection_limit).or(before_raised(limit));
    Ok(Standing { database: row.get(0)?, limit, owed, marker })
}

/// Notes the limit in the marker that stands, or in one that says that nothing has begun, and lets
/// everybody in, so that our own sessions find room. Tells what stood there and is noted now.
pub(in crate::restore) async fn note(session: &Session, mark: &Mark) -> Result<(String, i32)> {
    const DOING: &str = "note the database's connection limit";
    begin(session).await?;
    let Standing { database, limit, owed, marker } = read(session, true).await?;
    let old = owed.unwrap_or(limit);
    let mut steps = match &marker {
        None => mark.set_before(old),
        Some(marker) if marker.connection_limit().is_some() => Vec::new(),
        Some(marker) => {
            let table = ident::qualified(&marker.schema, "run");
            // An older version's marker is without it.
            let column =
                format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS connection_limit integer");
            let note = format!("UPDATE {table} SET connection_limit = {old}");
            vec![Step::new(DOING, column), Step::new(DOING, note)]
        }
    };
    if limit != NONE {
        steps.push(connection_limit(&database, NONE));
    }
    commit(session, &steps).await?;
    Ok((database, old))
}

/// Gives back what is noted or was raised, and takes a marker of what never began away. Tells the
/// database and the limit that it has again; none where there is nothing to give back.
pub(in crate::restore) async fn give_back(session: &Session) -> Result<Option<(String, i32)>> {
    begin(session).await?;
    let Standing { database, owed, marker, .. } = read(session, true).await?;
    let Some(owed) = owed else {
        session.execute("end the transaction", "ROLLBACK").await?;
        return Ok(None);
    };
    let mut steps = match marker.filter(|marker| marker.connection_limit().is_some()) {
        None => Vec::new(),
        Some(marker) if !marker.has_begun() => mark::remove(&marker.schema),
        Some(marker) => {
            let table = ident::qualified(&marker.schema, "run");
            let sql = format!("UPDATE {table} SET connection_limit = NULL");
            vec![Step::new("note that the connection limit is given back", sql)]
        }
    };
    steps.push(connection_limit(&database, owed));
    commit(session, &steps).await?;
    Ok(Some((database, owed)))
}

/// Whatever was begun in the session before is over; what comes is on the server's disk when it is
/// committed.
async fn begin(session: &Session) -> Result<()> {
    session.execute("roll back", "ROLLBACK").await?;
    session.execute("wait for the server's disk", "SET synchronous_commit = on").await?;
    session.execute("begin a transaction", "BEGIN").await.map(drop)
}

async fn commit(session: &Session, steps: &[Step]) -> Result<()> {
    let done = async {
        for step in steps {
            session.execute(&step.doing, &step.sql).await?;
        }
        session.execute("commit", "COMMIT").await.map(drop)
    };
    let done = done.await;
    if done.is_err() {
        // The first error is the one that is told.
        let _ = session.execute("roll back", "ROLLBACK").await;
    }
    done.map_err(as_requirement)
}

/// What the server refuses here, it refuses before anything is changed.
pub(in crate::restore) fn as_requirement(error: Error) -> Error {
    if error.kind() == Kind::Unexpected { error.as_kind(Kind::Requirement) } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_limit_says_what_it_was() {
        for (limit, expect) in
            [(-1, None), (0, None), (100, None), (RAISED, Some(0)), (RAISED + 5, Some(5))]
        {
            assert_eq!(before_raised(limit), expect, "{limit}");
        }
    }
}
