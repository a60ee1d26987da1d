//! A restore's sessions: opened, set up, and replaced when they are lost while idle.
//!
//! Does not know what is done in them.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use futures_util::{join, try_join};

use super::options::Request;
use super::others::ending;
use super::run::schedule::Room;
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

/// A way to the server and back that takes longer is worth sessions that wait for it.
const FAR: Duration = Duration::from_millis(2);
/// The most sessions that are opened without being asked for.
const SESSIONS_MAX: usize = 8;

/// Opens as many as are asked for, and tells how much they may do at the same time. If no number is
/// asked for, they are no more than half of those that are free, and on a far server more than
/// [`Limits::restore_jobs`](crate::limits::Limits::restore_jobs), for what takes less time than the
/// way there and back.
pub(super) async fn open_sessions(
    request: &Request,
    first: Session,
) -> Result<(Vec<Session>, Room)> {
    let options = &request.options;
    let mut room = Room { long: options.jobs(), short_micros: 0 };
    let mut more = 0;
    if options.limits.jobs.is_none() && options.held.taken().is_none() && !first.is_proxied() {
        let began = Instant::now();
        let half = free_sessions::half(&first, false).await?;
        let mut way = began.elapsed();
        // A server that is near may have been slow to answer.
        for _ in 0..2 {
            if way > FAR {
                let began = Instant::now();
                first.query_one("look how far the server is", "SELECT 1").await?;
                way = way.min(began.elapsed());
            }
        }
        let all = half.map_or(room.long, |half| 1 + half);
        room.long = room.long.min(all);
        if way > FAR {
            room.short_micros = way.as_micros() as u64;
            more = SESSIONS_MAX.min(all).saturating_sub(room.long);
        }
    }
    let is_proxied = first.is_proxied();
    let opened = try_join_all((1..room.long).map(|_| open_session(request)));
    let (opened, more) = join!(opened, join_all((0..more).map(|_| open_session(request))));
    let opened = opened.map_err(|error| match error.kind() {
        Kind::Connect if is_proxied => {
            error.hint("the pooler gives no further session: use fewer (-j), or let it have more")
        }
        _ => error,
    })?;
    // Without those that were to help it goes, too.
    let more = more.into_iter().filter_map(Result::ok);
    Ok((std::iter::once(first).chain(opened).chain(more).collect(), room))
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
