//! Builds an index while others write to its table, and again after a failure that may pass.
//!
//! Does not know which index, nor why then.

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;
use crate::progress::{Level, Progress};
use crate::restore::options::Request;
use crate::restore::plan::graph::ConcurrentIndex;
use crate::restore::sessions::open_session;
use crate::sql::ident;
use crate::sqlstate;

/// How often it is tried.
const TRIES: u32 = 5;
/// Between two tries: whoever was in the way may be gone then, and whoever stops this run has
/// stopped it.
const PAUSE: Duration = Duration::from_secs(3);

/// Builds it, if it does not stand already. A session that was lost is replaced; `set_up` is what a
/// session needs first.
pub(in crate::restore) async fn build(
    request: &Request,
    progress: &dyn Progress,
    session: &mut Session,
    set_up: Option<&str>,
    index: &ConcurrentIndex,
) -> Result<()> {
    let mut lost = false;
    for _ in 1..TRIES {
        let Err(error) = attempt(request, session, lost, set_up, index).await else {
            return Ok(());
        };
        if !may_pass(&error) {
            return Err(error);
        }
        lost |= error.kind() == Kind::Server;
        progress.message(Level::Warning, &format!("{error}; retrying"));
        tokio::time::sleep(PAUSE).await;
    }
    attempt(request, session, lost, set_up, index).await
}

async fn attempt(
    request: &Request,
    session: &mut Session,
    lost: bool,
    set_up: Option<&str>,
    index: &ConcurrentIndex,
) -> Result<()> {
    if lost {
        let before = session.backend_pid();
        *session = open_session(request).await?;
        wait_for_end(session, before).await?;
    }
    build_once(session, set_up, index).await
}

/// The server may not have noticed that a session is lost, and go on with the index: it is whole in
/// the end, or fails.
async fn wait_for_end(session: &Session, backend_pid: i32) -> Result<()> {
    let sql = format!(
        "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = {backend_pid} AND datname = \
         pg_catalog.current_database() AND state = 'active'"
    );
    while !session.query("wait for what the lost session is at", &sql).await?.is_empty() {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// What is invalid is dropped first: a build that failed leaves it.
async fn build_once(
    session: &Session,
    set_up: Option<&str>,
    index: &ConcurrentIndex,
) -> Result<()> {
    if let Some(sql) = set_up {
        session.execute("set up the session", sql).await?;
    }
    match is_valid(session, index).await? {
        Some(true) => return Ok(()),
        Some(false) => {
            let name = ident::qualified(&index.schema, &index.name);
            let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
            session.execute(&format!("drop the invalid index {name}"), &drop).await?;
        }
        None => {}
    }
    session.execute(&index.create.doing, &index.create.sql).await.map(drop)
}

/// Whether there is an index of this name, and whether it is whole.
async fn is_valid(session: &Session, index: &ConcurrentIndex) -> Result<Option<bool>> {
    let sql = format!(
        "SELECT i.indisvalid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = \
         i.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} AND \
         c.relname = {}",
        ident::literal(&index.schema),
        ident::literal(&index.name)
    );
    session
        .query(&format!("look for index {}", index.name), &sql)
        .await?
        .first()
        .map(|row| row.get(0))
        .transpose()
}

/// The session is lost, or somebody was in the way: a lock, a deadlock, a statement that was
/// cancelled.
fn may_pass(error: &Error) -> bool {
    match error.sqlstate() {
        Some(
            sqlstate::DEADLOCK_DETECTED
            | sqlstate::SERIALIZATION_FAILURE
            | sqlstate::LOCK_NOT_AVAILABLE
            | sqlstate::QUERY_CANCELED,
        ) => true,
        // A full disk stays full.
        Some(code) if code.starts_with("53") => false,
        _ => matches!(error.kind(), Kind::Server | Kind::Connect),
    }
}
