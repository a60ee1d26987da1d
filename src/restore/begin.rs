//! The order of events before a restore's first object: find the target, look, make or clean it, look again.

use super::options::Options;
use super::prepare::{Prepared, prepare};
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
    /// The options, whose server is the target's where that stands.
    pub(super) options: Options,
    /// What the target is.
    pub(super) room: Room,
    /// What an earlier run did not come to, after it had made the database: run where that is done.
    pub(super) unfinished: Vec<Step>,
}

/// Finds the target. What an earlier run has made or cleaned is neither made nor cleaned again where that one is gone on with.
pub(super) async fn place(options: Options, archive: &FileArchive) -> Result<Place> {
    let room = Room::of(&options);
    let found = match room {
        _ if !options.resume => None,
        Room::ToBeMade => made_before(&options, archive).await?,
        Room::ToBeCleaned => {
            let session = options.server.open(Purpose::Probe).await?;
            marker::read(&session).await?.map(|_| (options.server.clone(), Vec::new()))
        }
        Room::Empty | Room::Cleaned => None,
    };
    Ok(match found {
        Some((server, unfinished)) => Place { options: Options { server, ..options }, room: Room::Empty, unfinished },
        None => Place { options, room, unfinished: Vec::new() },
    })
}

/// The database that an earlier run has made: it holds a marker. One that is empty and as it is to be made was made by a run that stopped right
/// then, unless it is to be dropped anyhow.
async fn made_before(options: &Options, archive: &FileArchive) -> Result<Option<(Server, Vec<Step>)>> {
    let database = archive.manifest.objects.iter().find(|object| object.kind == ObjectKind::Database);
    let Some(database) = database else { return Ok(None) };
    let session = options.server.open(Purpose::Probe).await?;
    let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", ident::literal(&database.name));
    if session.query("look for the database", &sql).await?.is_empty() {
        return Ok(None);
    }
    let server = options.server.with_database(&database.name);
    let inside = server.open(Purpose::Probe).await?;
    if marker::read(&inside).await?.is_some() {
        return Ok(Some((server, Vec::new())));
    }
    let (_, occupied) = target::occupied(&inside, "true").await?;
    if options.clean || occupied > 0 || !create_database::is_as_described(&inside, database).await? {
        return Ok(None);
    }
    Ok(Some((server, create_database::after(database, &options.render()))))
}

/// Makes the database, or drops what is in the way, as far as that is asked for; ready to begin.
pub(super) async fn make_room(options: Options, archive: &mut FileArchive, progress: &dyn Progress) -> Result<(Options, Prepared)> {
    let elsewhere = options.server.clone();
    let Place { mut options, room, unfinished } = place(options, archive).await?;
    if !unfinished.is_empty() {
        let session = open_session(&Options { server: elsewhere, ..options.clone() }).await?;
        in_order(&session, &unfinished).await?;
    }
    let prepared = prepare(&options, archive, room).await?;
    told(&prepared, progress)?;
    match room {
        Room::Empty | Room::Cleaned => Ok((options, prepared)),
        Room::ToBeMade => {
            progress.phase("make the database");
            let name = &prepared.target.database;
            options.server = create_database::carry_out(&prepared.session, &options.server, name, &prepared.plan.first).await?;
            drop(prepared.session);
            let made = prepare(&options, archive, Room::Empty).await.and_then(|made| told(&made, progress).map(|()| made));
            let name = options.server.database();
            Ok((options.clone(), made.map_err(|error| error.within(format!("restore into the new database {}", ident::quote(name))))?))
        }
        Room::ToBeCleaned => {
            progress.phase("drop what the archive holds");
            let backend_pid = prepared.session.backend_pid();
            if let Err(error) =
                clean::run(&prepared.session, &prepared.target, &prepared.drops, prepared.anew.as_ref(), &prepared.plan.begin).await
            {
                drop(prepared.session);
                return Err(marker::not_set(error, prepared.plan.mark.as_ref(), &options.server, backend_pid).await);
            }
            let cleaned = prepare(&options, archive, Room::Cleaned).await.and_then(|cleaned| told(&cleaned, progress).map(|()| cleaned));
            let (mark, whole) = (prepared.plan.mark, prepared.plan.whole);
            Ok((options, cleaned.map_err(|error| mark::incomplete(error, mark.as_ref(), whole))?))
        }
    }
}

/// Says what there is to say, and refuses what cannot be done.
fn told(prepared: &Prepared, progress: &dyn Progress) -> Result<()> {
    if let Some(error) = preflight::refuse(&prepared.plan.findings, &prepared.target) {
        return Err(error);
    }
    for warning in &prepared.plan.warnings {
        progress.message(Level::Warning, warning);
    }
    if let Some((done, planned)) = prepared.plan.resumed {
        progress.message(Level::Info, &format!("an earlier run is gone on with: {done} of {planned} steps are done"));
    }
    Ok(())
}
