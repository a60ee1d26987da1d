//! Keeps others out of a target until the restore ends (`--disconnect-others`), and lets them in
//! again.
//!
//! The limit that the database has is noted first. Then our own sessions are opened, the limit is
//! set to their number, and only then are the others ended: none of them comes back.

use std::sync::Arc;
use std::time::Duration;

use super::held::Taken;
use super::{ending, limit, reach};
use crate::error::{Error, Kind, Result};
use crate::pg::asked_by::AskedBy;
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::progress::{Level, Progress};
use crate::restore::mark::{Mark, connection_limit};
use crate::restore::options::{Options, Request};
use crate::restore::sessions::set_up;
use crate::restore::target::marker;
use crate::sql::ident;

/// How long it may take to give the limit back.
const GIVE_BACK_WITHIN: Duration = Duration::from_secs(5);

/// Closes the target that a session has looked at. Sessions are opened by the request that comes
/// back.
pub(in crate::restore) async fn close(
    request: Request,
    first: Session,
    mark: Option<&Mark>,
    progress: &dyn Progress,
) -> Result<Request> {
    let name = ident::quote(request.server.database());
    let Some(mark) = mark else {
        let cause = "this role may not leave a marker in it, which would tell its connection limit";
        return Err(Error::new(Kind::Requirement, format!("keep others out of {name}"), cause));
    };
    progress.phase("disconnect others");
    let held = request.options.held.clone();
    let role = request.options.render.role.as_deref();
    let (keeper, is_raised) = reach::open(&request.server.apart(), role).await?;
    let keeper = Arc::new(keeper);
    if is_raised {
        held.raised();
    }
    set_up(&request, &keeper).await?;
    marker::show_at_work(&keeper).await?;
    held.begin(Arc::clone(&keeper));
    let (database, old) = limit::note(&keeper, mark).await?;
    marker::begun(&first).await;
    drop(first);
    let request = Request { server: asked_by(&request.server, &keeper), ..request };
    let patient = request.server.patient(request.options.limits.stall_timeout);
    for _ in 0..request.options.jobs() {
        held.keep(patient.open(Purpose::Restore).await?);
    }
    let limit = i32::try_from(request.options.jobs() + 1).unwrap_or(i32::MAX);
    let step = connection_limit(&database, limit);
    keeper.execute(&step.doing, &step.sql).await?;
    held.closed(Taken { database: database.clone(), old, limit });
    progress.message(
        Level::Info,
        &format!(
            "CONNECTION LIMIT of database {name} is {limit} until the end (it was {old}): only \
             superusers can still connect"
        ),
    );
    ending::end(&keeper, &database).await?;
    Ok(request)
}

/// The same server; what is asked about its sessions, the keeper is asked.
fn asked_by(server: &Server, keeper: &Arc<Session>) -> Server {
    let keeper = Arc::clone(keeper);
    server.asked_by(AskedBy(Arc::new(move |sql| {
        let keeper = Arc::clone(&keeper);
        Box::pin(async move { keeper.query("look for the session", &sql).await })
    })))
}

/// Where others are to be disconnected and the target's connection limit leaves no slots for the
/// sessions of before that, raises it; what is [given back](give_back) at the end.
///
/// # Errors
/// Where no session can be opened all the same, or the role may not raise it.
pub async fn reach(server: &Server, options: &Options) -> Result<()> {
    let (held, role) = (&options.held, options.render.role.as_deref());
    if !options.disconnect_others || held.is_raised() || options.into.makes_database() {
        return Ok(());
    }
    let (session, is_raised) = reach::open(server, role).await?;
    if is_raised || reach::raise_where_scarce(&session, role).await? {
        held.raised();
    }
    Ok(())
}

/// Gives back what a restore has taken, whatever became of it; nothing where it took nothing. Where
/// that fails, it is still noted, which is told: `silverback unlock` does it.
pub async fn give_back(server: &Server, options: &Options, progress: &dyn Progress) {
    let (held, role) = (&options.held, options.render.role.as_deref());
    let keeper = held.keeper();
    if keeper.is_none() && !held.is_raised() {
        return;
    }
    let server = keeper.as_ref().map_or_else(|| server.apart(), |keeper| keeper.server().clone());
    let done = async {
        if let Some(keeper) = keeper
            && let Ok(done) = limit::give_back(&keeper).await
        {
            return Ok(done);
        }
        let (session, _) = reach::open(&server, role).await?;
        if let Some(role) = role {
            session.set_role(role).await?;
        }
        limit::give_back(&session).await
    };
    let done = tokio::time::timeout(GIVE_BACK_WITHIN, done).await.unwrap_or_else(|_| {
        let cause = format!("no answer within {} s", GIVE_BACK_WITHIN.as_secs());
        Err(Error::new(Kind::Server, DOING, cause))
    });
    held.forget();
    if let Err(error) = done {
        let text = format!("{error}; it is still lowered: silverback unlock gives it back");
        progress.message(Level::Warning, &text);
    }
}

const DOING: &str = "give back the database's connection limit";

/// Ends a restore: what it has taken is given back unless its end did so.
pub async fn settle<T>(
    ended: Result<T>,
    server: &Server,
    options: &Options,
    progress: &dyn Progress,
) -> Result<T> {
    if ended.is_ok() && options.held.keeper().is_some() {
        options.held.forget();
    } else {
        give_back(server, options, progress).await;
    }
    ended
}
