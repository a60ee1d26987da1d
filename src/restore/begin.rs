//! The order of events before a restore's first object: find the target, also a database that an
//! earlier run has made, look, make or clean it, look again.

use super::options::Request;
use super::others::closing;
use super::prepare::{Aim, Prepared, prepare};
use super::provision::{Room, clean, create_database};
use super::run::script::in_order;
use super::sessions::open_session;
use super::step::Step;
use super::target::{self, marker};
use super::{mark, preflight};
use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::connect::Server;
use crate::pg::session::Purpose;
use crate::progress::{Level, Progress};
use crate::sql::ident;
use crate::storage::FileArchive;

/// Where a restore goes.
pub(super) struct Place {
    /// What is asked for; its server is the target's where that stands.
    pub(super) request: Request,
    /// What the target is.
    pub(super) room: Room,
    /// What an earlier run did not come to, after it had made the database: run where that is done.
    pub(super) unfinished: Vec<Step>,
}

/// Finds the target. What an earlier run has made or cleaned is neither made nor cleaned again
/// where that one is gone on with.
pub(super) async fn place(request: Request, archive: &FileArchive) -> Result<Place> {
    let options = &request.options;
    let room = Room::of(options);
    let found = match room {
        _ if !options.resume => None,
        Room::ToBeMade => made_before(&request, archive).await?,
        Room::ToBeCleaned => {
            let session = request.server.open(Purpose::Probe).await?;
            let marker = marker::read(&session).await?;
            let begun = marker.filter(|marker| !marker.is_dropping());
            begun.map(|_| (request.server.clone(), Vec::new()))
        }
        Room::Empty | Room::Cleaned => None,
    };
    Ok(match found {
        Some((server, unfinished)) => {
            Place { request: Request { server, ..request }, room: Room::Empty, unfinished }
        }
        None => Place { request, room, unfinished: Vec::new() },
    })
}

/// Finds the database that an earlier run has made: it holds a marker. One that is empty and as it
/// is to be made was made by a run that stopped right then, unless it is to be dropped anyhow.
async fn made_before(
    request: &Request,
    archive: &FileArchive,
) -> Result<Option<(Server, Vec<Step>)>> {
    let database =
        archive.manifest.objects.iter().find(|object| object.kind == ObjectKind::Database);
    let Some(database) = database else { return Ok(None) };
    let session = request.server.open(Purpose::Probe).await?;
    let sql = format!(
        "SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}",
        ident::literal(&database.name)
    );
    if session.query("look for the database", &sql).await?.is_empty() {
        return Ok(None);
    }
    let server = request.server.with_database(&database.name);
    let inside = server.open(Purpose::Probe).await?;
    if marker::read(&inside).await?.is_some() {
        return Ok(Some((server, Vec::new())));
    }
    let (_, occupied) = target::occupied(&inside, "true").await?;
    if request.options.into.drops()
        || occupied > 0
        || !create_database::is_as_described(&inside, database).await?
    {
        return Ok(None);
    }
    Ok(Some((server, create_database::after(database, &request.options.render))))
}

/// Makes the database, or drops what is in the way, as far as that is asked for; ready to begin.
pub(super) async fn make_room(
    request: Request,
    archive: &mut FileArchive,
    progress: &dyn Progress,
) -> Result<(Request, Prepared)> {
    let elsewhere = request.server.clone();
    let Place { mut request, room, unfinished } = place(request, archive).await?;
    if !unfinished.is_empty() {
        let session = open_session(&Request { server: elsewhere, ..request.clone() }).await?;
        in_order(&session, &unfinished).await?;
    }
    let mut prepared = prepare(&request, archive, room, Aim::CarryOut).await?;
    if room != Room::ToBeMade {
        (request, prepared) = Box::pin(closed(request, prepared, archive, room, progress)).await?;
    }
    told(&prepared, progress)?;
    match room {
        Room::Empty | Room::Cleaned => Ok((request, prepared)),
        Room::ToBeMade => {
            let name = &prepared.target.database;
            request.server = create_database::carry_out(
                &prepared.session,
                &request.server,
                name,
                &prepared.plan.first,
                progress,
            )
            .await?;
            drop(prepared.session);
            let name = ident::quote(request.server.database());
            let made = async {
                let made = prepare(&request, archive, Room::Empty, Aim::CarryOut).await?;
                let made = Box::pin(closed(request, made, archive, Room::Empty, progress)).await?;
                told(&made.1, progress).map(|()| made)
            };
            let made = Box::pin(made).await;
            made.map_err(|error| error.within(format!("restore into the new database {name}")))
        }
        Room::ToBeCleaned => {
            progress.phase("drop the objects that the archive holds");
            let backend_pid = prepared.session.backend_pid();
            let cleaning = clean::Cleaning {
                drops: &prepared.drops,
                anew: prepared.anew.as_ref(),
                fresh: request.options.fresh.as_ref(),
                begin: &prepared.plan.begin,
                mark: prepared.plan.mark.as_ref(),
                batch: prepared.batch,
            };
            if let Err(error) = clean::run(&prepared.session, &prepared.target, &cleaning).await {
                drop(prepared.session);
                return Err(marker::not_set(
                    error,
                    prepared.plan.mark.as_ref(),
                    &request.server,
                    backend_pid,
                )
                .await);
            }
            marker::begun(&prepared.session).await;
            request.options.held.keep(prepared.session);
            let cleaned = prepare(&request, archive, Room::Cleaned, Aim::CarryOut)
                .await
                .and_then(|cleaned| told(&cleaned, progress).map(|()| cleaned));
            let (mark, extent) = (prepared.plan.mark, prepared.plan.extent);
            Ok((request, cleaned.map_err(|error| mark::incomplete(error, mark.as_ref(), extent))?))
        }
    }
}

/// Keeps others out of a target where that is asked for and nothing else is in the way, and looks
/// at it again, which nobody changes now.
async fn closed(
    request: Request,
    prepared: Prepared,
    archive: &mut FileArchive,
    room: Room,
    progress: &dyn Progress,
) -> Result<(Request, Prepared)> {
    if !request.options.disconnect_others {
        return Ok((request, prepared));
    }
    if prepared.is_ready {
        progress.message(Level::Info, "the database may be in use: nobody is disconnected");
        return Ok((request, prepared));
    }
    if let Some(error) = preflight::refuse(&prepared.plan.findings, &prepared.target) {
        return Err(error);
    }
    for note in &prepared.plan.notes {
        progress.message(Level::Info, note);
    }
    let mark = prepared.plan.mark.as_ref();
    let request = closing::close(request, prepared.session, mark, progress).await?;
    let mut prepared = Box::pin(prepare(&request, archive, room, Aim::CarryOut)).await?;
    // Who stays is told.
    prepared.plan.notes.clear();
    Ok((request, prepared))
}

/// Says what there is to say, and refuses what cannot be done.
fn told(prepared: &Prepared, progress: &dyn Progress) -> Result<()> {
    if let Some(error) = preflight::refuse(&prepared.plan.findings, &prepared.target) {
        return Err(error);
    }
    for warning in &prepared.plan.warnings {
        progress.message(Level::Warning, warning);
    }
    for note in &prepared.plan.notes {
        progress.message(Level::Info, note);
    }
    if let Some((done, planned)) = prepared.plan.resumed {
        progress.message(
            Level::Info,
            &format!("resuming an earlier restore: {done} of {planned} steps are done"),
        );
    }
    Ok(())
}
