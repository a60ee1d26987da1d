//! Who is in the databases that take each other's name: they are ended, for a database that
//! somebody is in keeps its name.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::Result;
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::sql::ident;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How often, and how far apart, it is looked whether a session has ended.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A session of somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Other {
    /// Its process.
    pub(super) pid: i32,
    /// Its role, unquoted.
    role: String,
    /// What it calls itself, and what it does, as far as may be seen.
    more: Vec<String>,
    /// Whether it calls itself as ours do.
    pub(super) is_silverback: bool,
    /// Whether this role may end it.
    pub(super) may_end: bool,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} of role {}", self.pid, ident::quote(&self.role))?;
        if self.more.is_empty() { Ok(()) } else { write!(f, " ({})", self.more.join(", ")) }
    }
}

/// Joins the others with the databases of these oids; what the server itself has at work there, it
/// ends itself.
fn from(databases: &[u32]) -> String {
    let oids: Vec<String> = databases.iter().map(ToString::to_string).collect();
    format!(
        "FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid WHERE \
         a.datid IN ({})",
        oids.join(", ")
    )
}

/// As `pg_terminate_backend` judges.
const MAY_END: &str = "((SELECT me.rolsuper FROM pg_catalog.pg_roles me WHERE me.rolname = \
    current_user) OR NOT r.rolsuper AND (pg_catalog.pg_has_role(r.oid, 'USAGE') OR \
    pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')))";

/// The sessions in these databases, but for our own of these processes.
pub(super) async fn others(
    session: &Session,
    databases: &[u32],
    own: &[i32],
) -> Result<Vec<Other>> {
    let sql = format!(
        "SELECT a.pid, r.rolname::text, coalesce(a.application_name, ''), coalesce(a.state, ''), \
         coalesce(pg_catalog.host(a.client_addr), ''), {MAY_END} {} ORDER BY a.pid",
        from(databases)
    );
    let rows = session.query("look who is connected", &sql).await?;
    let others: Vec<Other> = rows.iter().map(other).collect::<Result<_>>()?;
    Ok(others.into_iter().filter(|other| !own.contains(&other.pid)).collect())
}

/// The sessions in a database, but for our own process. One of ours whose client was stopped ends
/// when it notices, so a little time is given to it.
pub(super) async fn who_stay(session: &Session, database: u32, own: i32) -> Result<Vec<Other>> {
    let mut looks = 0;
    loop {
        let others = others(session, &[database], &[own]).await?;
        looks += 1;
        if looks == LOOKS || !others.iter().any(|other| other.is_silverback) {
            return Ok(others);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn other(row: &Row) -> Result<Other> {
    let more: [String; 3] = [row.get(2)?, row.get(4)?, row.get(3)?];
    let is_silverback = more[0] == "silverback";
    let more = more.into_iter().filter(|words| !words.is_empty()).collect();
    Ok(Other { pid: row.get(0)?, role: row.get(1)?, more, is_silverback, may_end: row.get(5)? })
}

/// Ends whoever is in the `copy` or, once the process `by` has locked newcomers out of it, in the
/// `live` one; goes on until it is over.
pub(super) async fn end_all(
    session: &Session,
    live: u32,
    copy: u32,
    by: i32,
    is_over: &AtomicBool,
) {
    let sql = format!(
        "SELECT pg_catalog.pg_terminate_backend(a.pid) {} AND {MAY_END} AND (a.datid = {copy} OR \
         EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'object' AND l.classid = \
         'pg_catalog.pg_database'::pg_catalog.regclass AND l.objid = {live} AND l.mode = \
         'AccessExclusiveLock' AND l.granted AND l.pid = {by}))",
        from(&[live, copy])
    );
    while !is_over.load(Ordering::Relaxed) {
        // What cannot be ended keeps the name, which is told then.
        let _ = session.query("end the sessions of the databases", &sql).await;
        tokio::time::sleep(PAUSE).await;
    }
}
