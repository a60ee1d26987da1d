//! A session in a database whose connection limit leaves no slot: the limit is raised from another
//! database of the server, such that it says by itself what it was.
//!
//! Does not know what the session is for.

use super::limit::{self, RAISED};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::restore::mark::connection_limit;
use crate::restore::target::marker;
use crate::sql::ident;
use crate::sqlstate;

/// Databases that are there as a rule.
const ELSEWHERE: [&str; 2] = ["postgres", "template1"];

/// Whether no session was to be had for want of a slot.
pub(in crate::restore) fn is_full(error: &Error) -> bool {
    error.sqlstate() == Some(sqlstate::TOO_MANY_CONNECTIONS)
}

/// Opens a session, and raises the limit where it leaves no slot. Says whether it was raised.
pub(in crate::restore) async fn open(
    server: &Server,
    role: Option<&str>,
) -> Result<(Session, bool)> {
    let error = match server.open(Purpose::Restore).await {
        Err(error) if is_full(&error) => error,
        opened => return opened.map(|session| (session, false)),
    };
    if !raise(server, role).await? {
        return Err(error);
    }
    Ok((server.open(Purpose::Restore).await?, true))
}

/// So many slots are needed before others are kept out; one that we leave somebody else may take.
const SPARE: i64 = 5;

/// Raises the limit of the session's database where it leaves few slots, and the role may. Says
/// whether it did.
pub(in crate::restore) async fn raise_where_scarce(
    session: &Session,
    role: Option<&str>,
) -> Result<bool> {
    if let Some(role) = role {
        session.set_role(role).await?;
    }
    let sql = "SELECT d.datname::text, d.datconnlimit, (SELECT pg_catalog.count(*) FROM \
        pg_catalog.pg_stat_activity a WHERE a.datid = d.oid), NOT (SELECT rolsuper FROM \
        pg_catalog.pg_roles WHERE rolname = session_user) AND \
        pg_catalog.pg_has_role(current_user, d.datdba, 'USAGE') \
        FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()";
    let row = session.query_one(DOING, sql).await?;
    let (limit, taken, may): (i32, i64, bool) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let is_scarce = (0..RAISED).contains(&limit) && i64::from(limit) - taken < SPARE;
    if !may || !is_scarce || !marker::others_at_work(session).await?.is_empty() {
        return Ok(false);
    }
    let step = connection_limit(row.get(0)?, RAISED.saturating_add(limit));
    session.execute(&step.doing, &step.sql).await.map(|_| true)
}

const DOING: &str = "read the database's connection limit";

/// Raises the limit if it leaves no slot. Says whether it did; where it cannot even look, somebody
/// else is short of slots: the server, or the role.
async fn raise(server: &Server, role: Option<&str>) -> Result<bool> {
    let name = server.database();
    for elsewhere in ELSEWHERE.into_iter().filter(|elsewhere| *elsewhere != name) {
        let Ok(session) = server.with_database(elsewhere).open(Purpose::Restore).await else {
            continue;
        };
        if let Some(role) = role {
            session.set_role(role).await?;
        }
        let sql = format!(
            "SELECT datconnlimit FROM pg_catalog.pg_database WHERE datname = {}",
            ident::literal(name)
        );
        let rows = session.query(DOING, &sql).await?;
        let Some(row) = rows.first() else { return Ok(false) };
        let limit: i32 = row.get(0)?;
        if !(0..RAISED).contains(&limit) {
            return Ok(false);
        }
        let at_work = marker::others_at_work_in(&session, &ident::literal(name)).await?;
        if !at_work.is_empty() {
            let at_work: Vec<String> = at_work.iter().map(i32::to_string).collect();
            let doing = format!("connect to database {}", ident::quote(name));
            let cause = format!(
                "a restore is at work there (server processes {}), which keeps others out",
                at_work.join(", ")
            );
            return Err(Error::new(Kind::Requirement, doing, cause).hint("let it end"));
        }
        let step = connection_limit(name, RAISED.saturating_add(limit));
        let raised = session.execute(&step.doing, &step.sql).await;
        return raised.map(|_| true).map_err(|error| {
            limit::as_requirement(error)
                .hint("no slot is free in it: do this as its owner, or end a session there")
        });
    }
    Ok(false)
}
