//! A restore's sessions: opened, set up, and replaced when they are lost while idle.
//!
//! Does not know what is done in them.

use futures_util::try_join;

use super::options::Request;
use super::others::ending;
use super::target::marker;
use crate::error::{Kind, Result};
use crate::pg::free_sessions;
use crate::pg::session::Session;

/// How much dearer than the next page one from elsewhere is, at most: what a restore reads it has
/// just written, and the server's default is for disks that turn. With it, a foreign key from few
/// rows to many is proved by the parent's index, not by hashing the parent; with less, one between
/// two large tables is proved by reading an index in its order, and the parent's rows from all over
/// the table, not by hashing.
const RANDOM_PAGE_COST: u32 = 3;

/// Opens as many as are asked for; if no number is, no more than half of those that are free.
pub(super) async fn open_sessions(request: &Request, first: Session) -> Result<Vec<Session>> {
    let options = &request.options;
    let mut jobs = options.jobs();
    if options.limits.jobs.is_none() && options.held.taken().is_none() && !first.is_proxied() {
        let half = free_sessions::half(&first, false).await?;
        jobs = half.map_or(jobs, |more| jobs.min(1 + more));
    }
    let mut sessions = vec![first];
    while sessions.len() < jobs {
        let opened = open_session(request).await.map_err(|error| match error.kind() {
            Kind::Connect if sessions[0].is_proxied() => error
                .hint("the pooler gives no further session: use fewer (-j), or let it have more"),
            _ => error,
        });
        sessions.push(opened?);
    }
    Ok(sessions)
}

pub(super) async fn open_session(request: &Request) -> Result<Session> {
    let held = &request.options.held;
    let session = if let Some(session) = held.take() {
        session
    } else {
        let server = request.server.patient(request.options.limits.stall_timeout);
        ending::open(&server, held).await?
    };
    // Polled together they travel together.
    try_join!(set_up(request, &session), marker::show_at_work(&session))?;
    Ok(session)
}

/// Replaces a session that was lost while it had nothing to do: a firewall forgets those that are
/// silent for long.
pub(super) async fn revive(request: &Request, session: &mut Session) -> Result<()> {
    if session.is_closed() {
        *session = open_session(request).await?;
    }
    Ok(())
}

/// What only a restore's sessions are set to.
pub(super) async fn set_up(request: &Request, session: &Session) -> Result<()> {
    let lock_timeout = request.options.lock_wait_timeout.as_millis();
    let sql = format!(
        "SELECT pg_catalog.set_config('synchronous_commit', 'off', false), \
                pg_catalog.set_config('lock_timeout', '{lock_timeout}', false), \
                pg_catalog.set_config('random_page_cost', \
                least(pg_catalog.current_setting('random_page_cost')::float8, \
                {RANDOM_PAGE_COST})::text, false)"
    );
    session.batch("set up the session", &sql).await?;
    if let Some(role) = &request.options.render.role {
        session.set_role(role).await?;
    }
    Ok(())
}
