//! Room for the restore: an empty target, one that is made or cleaned first, and what that takes.

use super::build::Sections;
use super::create::{self, Creation};
use super::graph::Step;
use super::preflight::{self, Finding, Wanted};
use super::prepare::{Prepared, prepare, render as render_options};
use super::target::{self, Target};
use super::transaction::in_order;
use super::{Options, clean, mark, open_session};
use crate::archive::manifest::{Object, ObjectKind, Source};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::session::Purpose;
use crate::pg::{ident, render};
use crate::progress::{Level, Progress};
use crate::storage::FileArchive;

/// What the target is, or will be, before the first object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It must be empty.
    Empty,
    /// It does not exist yet.
    ToBeMade,
    /// What the archive holds will be dropped.
    ToBeCleaned,
    /// What the archive holds is dropped, and the target is marked.
    Cleaned,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The database itself, if the archive describes it.
    pub(super) database: Option<&'a Object>,
    /// All else that is selected.
    pub(super) objects: &'a [Object],
    /// Where the archive came from.
    pub(super) source: &'a Source,
    /// Sections.
    pub(super) sections: Sections,
    /// What is left out.
    pub(super) render: &'a render::Options,
}

/// What comes before and after all else, and what stands against it.
#[derive(Default)]
pub(super) struct Ground {
    /// What keeps it from beginning.
    pub(super) findings: Vec<Finding>,
    /// The statements that make the database, or room in it.
    pub(super) first: Vec<Step>,
    /// What is said of the database when all else is done, by a restore that made it.
    pub(super) at_the_end: Vec<Step>,
    /// What is dropped to make room.
    pub(super) drops: Vec<clean::Drop>,
}

impl Room {
    /// Makes the target what it will be, and tells how it becomes so.
    pub(super) fn survey(self, options: &Options, if_exists: bool, asked: Asked<'_>, target: &mut Target) -> Result<Ground> {
        let Asked { objects, source, sections, render, .. } = asked;
        let mut ground = Ground::default();
        match self {
            Self::Empty => {
                let of_target = asked.database.filter(|database| database.name == target.database);
                ground.at_the_end = of_target.map(|database| create::finish(database, render)).unwrap_or_default();
            }
            Self::ToBeMade => {
                let database = asked.database.ok_or_else(no_database)?;
                let creation = Creation { database, clean: options.clean, if_exists: options.if_exists, render };
                ground.findings = creation.findings(target);
                (ground.first, ground.at_the_end) = (creation.steps(target), create::finish(database, render));
                *target = creation.foresee(target);
                let wanted = Wanted {
                    objects: std::slice::from_ref(database),
                    source,
                    sections,
                    render,
                    demands_empty: false,
                    marks: true,
                    cleans: false,
                };
                ground.findings.extend(preflight::roles_and_places(wanted, target));
            }
            Self::ToBeCleaned => {
                ground.drops = clean::drops(objects, sections, target, if_exists);
                ground.first = ground.drops.iter().map(|drop| drop.step.clone()).collect();
                let gone: Vec<&Object> = objects.iter().filter(|object| clean::is_dropped(object, target)).collect();
                target.forget(&gone);
            }
            Self::Cleaned => {}
        }
        Ok(ground)
    }

    /// Whether no other plan is made after that for it.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::Empty | Self::Cleaned)
    }

    /// What is asked for.
    pub(super) fn of(options: &Options) -> Self {
        match (options.create, options.clean) {
            (true, _) => Self::ToBeMade,
            (false, true) => Self::ToBeCleaned,
            (false, false) => Self::Empty,
        }
    }
}

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
            mark::read(&session).await?.map(|_| (options.server.clone(), Vec::new()))
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
    if mark::read(&inside).await?.is_some() {
        return Ok(Some((server, Vec::new())));
    }
    let (_, occupied) = target::occupied(&inside, "true").await?;
    if options.clean || occupied > 0 || !create::is_as_described(&inside, database).await? {
        return Ok(None);
    }
    let render = render_options(options);
    Ok(Some((server, create::after(database, &render))))
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
            options.server = create::carry_out(&prepared.session, &options.server, name, &prepared.plan.first).await?;
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
                return Err(mark::not_set(error, prepared.plan.mark.as_ref(), &options.server, backend_pid).await);
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

fn no_database() -> Error {
    Error::new(Kind::Archive, "make the database", "the archive does not describe it")
        .hint("make it by hand, and restore into it without -C")
}
