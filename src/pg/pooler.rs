//! Opens a session through a pooler, unless it gives each transaction another session of the
//! server: what is set for a session is lost there, and met by the pooler's other clients. A
//! restore cannot work so. Does not know what the session is for.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use super::connect::Server;
use super::session::{Purpose, Session};
use crate::error::{Error, Kind, Result};
use crate::sql::ident;

/// How many sessions are held at once, so that the pooler runs out of the one that was marked.
const HOLDERS_MAX: usize = 8;
/// How long an answer is waited for that needs a free session of the server.
const ANSWER: Duration = Duration::from_secs(10);
/// The setting that marks a session of the server.
const MARKER: &str = "silverback.session";

/// Opens a session by way of whatever stands between, and refuses a pooler that would not keep what
/// is set in it. That is found out before anything is set that others could meet.
pub async fn open_lasting(server: &Server) -> Result<Session> {
    let session = server.open(Purpose::Probe).await?;
    if session.is_proxied() && changes_sessions(server, &session).await? {
        let cause = "a pooler stands between that gives each transaction another session of the \
            server (transaction pooling)";
        return Err(Error::new(
            Kind::Requirement,
            format!("restore by way of {}", server.describe()),
            cause,
        )
        .hint("connect to the server itself, or to a pooler in session mode"));
    }
    session.set_up().await?;
    Ok(session)
}

/// Marks the session of the server that works for this one, lets others be held, one after the
/// other, and asks for the mark each time.
async fn changes_sessions(server: &Server, session: &Session) -> Result<bool> {
    let doing = "look how the pooler works";
    let marker = Uuid::new_v4().to_string();
    session.batch(doing, &format!("SET {MARKER} = {}", ident::literal(&marker))).await?;
    let mut holders = Vec::new();
    let mut changes = false;
    for _ in 0..HOLDERS_MAX {
        // One that gets no session stays in the pooler's queue, so that the question stands behind
        // it.
        let mut waiting = JoinSet::new();
        waiting.spawn(hold(server.clone()));
        let held = timeout(ANSWER, waiting.join_next()).await;
        changes = !has_marker(session, &marker).await?;
        match held {
            Ok(Some(Ok(Ok(holder)))) if !changes => holders.push(holder),
            Ok(Some(Ok(Ok(holder)))) => {
                holders.push(holder);
                break;
            }
            _ => break,
        }
    }
    // One of them holds the session that was marked, as a rule.
    let reset = format!("RESET {MARKER}; COMMIT");
    for holder in holders.iter().chain([session]) {
        let _ = timeout(ANSWER, holder.batch(doing, &reset)).await;
    }
    Ok(changes)
}

async fn hold(server: Server) -> Result<Session> {
    let session = server.open(Purpose::Probe).await?;
    session.batch("hold a session of the server", "BEGIN").await?;
    Ok(session)
}

/// Whether the session still works where it was marked; no answer means that it has no session of
/// the server at all.
async fn has_marker(session: &Session, marker: &str) -> Result<bool> {
    let ask = format!(
        "SELECT pg_catalog.current_setting('{MARKER}', true) IS NOT DISTINCT FROM {}",
        ident::literal(marker)
    );
    match timeout(ANSWER, session.query_one("look how the pooler works", &ask)).await {
        Ok(row) => row?.get(0),
        Err(_) => Ok(false),
    }
}
