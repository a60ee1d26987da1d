//! Restore: the archive is opened and its statements looked at, preflight, plan, the marker, and
//! the workers that carry the plan out.
//!
//! ```text
//! archive + target ─► preflight ─► build ─► Graph ─► run: N sessions take jobs from the schedule ─► report
//! ```
//!
//! Does not know how objects are read from a server, nor how an archive's bytes are laid out.

mod begin;
mod finding;
mod live;
pub mod mark;
mod options;
mod others;
mod plan;
mod preflight;
mod prepare;
mod provision;
mod rename;
mod report;
mod resume;
mod run;
mod sessions;
pub mod sql_text;
pub mod staged;
pub mod status;
pub mod step;
mod target;
pub mod unlock;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use self::begin::{Place, make_room, place};
pub use self::finding::{Finding, Guards, Sort};
use self::live::LiveTriggers;
use self::options::Request;
pub use self::options::{Check, ForeignKeys, Into, OnError, Options, Ready, Sections, Triggers};
pub use self::others::closing::{give_back, reach, settle};
pub use self::others::held::Held;
pub use self::plan::Plan;
pub use self::plan::graph::Stage;
use self::prepare::{Aim, Prepared, prepare};
pub use self::report::Report;
use self::report::{Worked, counts, made, totals, validated};
use self::run::failures::Failures;
use self::run::load::Loader;
use self::run::ready::{self, Announcement};
use self::run::schedule::Room;
use self::run::sort_memory::Memory;
pub use self::run::times::{JobTime, Times};
use self::run::{Shared, carry_out, script};
use self::sessions::{open_sessions, revive};
use self::target::{Target, marker};
use crate::archive::manifest::{NotCarried, Table};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::lock_waits::LockWaits;
use crate::pg::session::Session;
use crate::pgcopy::LARGE_ROW_BYTES;
use crate::pool::{self, Budget, Buffers};
use crate::progress::{Level, Progress};
use crate::sql::statement;
use crate::storage::{FileArchive, Source};

/// Restores. When this fails after its first statement, or is dropped, the target stays marked as
/// incomplete.
///
/// # Errors
/// As the exit codes say; [`Kind::Usage`] if the source is a stream: an archive is not restored
/// from one yet.
pub async fn run(
    source: Source,
    target: &Server,
    options: Options,
    progress: Arc<dyn Progress>,
) -> Result<Report> {
    reach(target, &options).await?;
    let (held, place) = (options.clone(), target.clone());
    let ended = Box::pin(run_held(source, target, options, Arc::clone(&progress))).await;
    settle(ended, &place, &held, progress.as_ref()).await
}

/// The same; what was taken to keep others out is given back by a good end only.
async fn run_held(
    source: Source,
    target: &Server,
    mut options: Options,
    progress: Arc<dyn Progress>,
) -> Result<Report> {
    options.ready.file().map_or(Ok(()), ready::probe)?;
    let told = Arc::clone(&progress);
    let target = target.watching(LockWaits {
        timeout: options.lock_wait_timeout,
        tell: Arc::new(move |words| told.message(Level::Info, words)),
    });
    let mut archive = open(source, &mut options, progress.as_ref()).await?;
    let failures =
        (options.on_error == OnError::GoOn).then(|| Failures::new(&archive.manifest.objects));
    let request = Request { server: target, options };
    let (request, prepared) = Box::pin(make_room(request, &mut archive, progress.as_ref())).await?;
    let Prepared { session, mut plan, triggers, target, .. } = prepared;
    progress.tables(&totals(&archive, &plan));
    let (sessions, room) = open_sessions(&request, session).await?;
    let (begun, counts, made, extent) =
        (Instant::now(), counts(&plan), (made(&plan), validated(&plan)), plan.extent);
    if counts.0 > 0 {
        plan.without_rows.iter().for_each(|table| progress.table_done(table.0 as usize));
    }
    let not_carried = archive.manifest.not_carried.clone();
    let mut not_restored: Vec<NotCarried> =
        request.options.selection.not_carried(not_carried).collect();
    not_restored.append(&mut plan.left_out);
    let jobs = sessions.len();
    let memory = Memory::read(&sessions[0], room.long).await?;
    let sessions = begin(&request, &target, &plan, sessions).await?;
    let parts = (triggers, failures, memory, room);
    let shared = Arc::new(share(request, archive, plan, parts, Arc::clone(&progress)));
    let ended = finish(&shared, sessions).await;
    not_restored.append(&mut shared.refused.lock().unwrap_or_else(PoisonError::into_inner));
    if ended.is_err() && shared.failures.is_some() {
        // Whoever goes on after errors gets no report, but what was done is there, and this is not.
        for one in &not_restored {
            progress.message(Level::Warning, &one.to_string());
        }
    }
    let (said, mark) = (shared.ready.said.get(), shared.mark.as_ref());
    let worked = ended.map_err(|error| match said {
        Some(_) => mark::unfinished(error, mark),
        None => mark::incomplete(error, mark, extent),
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let report = Report::new(counts, seconds, worked, jobs, not_restored);
    let seconds_ready = said.map(|said| said.duration_since(begun).as_secs_f64());
    let database = shared.request.server.database().to_owned();
    let not_valid = shared.graph.unproved.clone();
    let (made, validated) = made;
    Ok(Report { database, made, validated, seconds_ready, not_valid, ..report })
}

/// Begins a planned restore: its marker is set, and other restores may look at the target. Where
/// that fails, the sessions are gone.
async fn begin(
    request: &Request,
    target: &Target,
    plan: &Plan,
    sessions: Vec<Session>,
) -> Result<Vec<Session>> {
    let backend_pid = sessions[0].backend_pid();
    if !plan.begin.is_empty()
        && let Err(error) = script::begin(&sessions[0], &plan.begin, plan.known.as_deref()).await
    {
        drop(sessions);
        let (error, mark) = (target.explain(error), plan.mark.as_ref());
        return Err(marker::not_set(error, mark, &request.server, backend_pid).await);
    }
    marker::begun(&sessions[0]).await;
    Ok(sessions)
}

/// Puts together what the sessions share.
fn share(
    request: Request,
    archive: FileArchive,
    plan: Plan,
    (triggers, failures, memory, room): (LiveTriggers, Option<Failures>, Memory, Room),
    progress: Arc<dyn Progress>,
) -> Shared {
    let options = &request.options;
    let tables = archive.manifest.tables.iter().map(|table| table.name.as_str());
    let ready = Announcement {
        usable: plan.usable,
        words: options.profile.words(tables),
        file: options.ready.file().map(std::path::Path::to_owned),
        said: OnceLock::new(),
    };
    let encoding = archive.manifest.source.encoding.clone();
    let loader = Loader {
        encoding: Some(encoding).filter(|encoding| encoding != "UTF8"),
        search_path: options.search_path.clone().filter(|_| options.triggers == Triggers::Fire),
        archive: Arc::new(archive),
        budget: Budget::new(options.max_memory()),
        buffers: Buffers::new(LARGE_ROW_BYTES),
        progress,
        stall_timeout: options.limits.stall_timeout,
    };
    Shared {
        request,
        graph: plan.graph,
        loader,
        room,
        memory,
        triggers,
        failures,
        refused: Mutex::default(),
        ready,
        statistics: plan.statistics,
        mark: plan.mark,
        ledger: plan.ledger,
        unmark: plan.unmark,
    }
}

/// Computes what a restore would do, findings included; changes nothing.
pub async fn dry_run(
    source: Source,
    target: &Server,
    mut options: Options,
    progress: &dyn Progress,
) -> Result<Plan> {
    let mut archive = open(source, &mut options, progress).await?;
    let Place { request, room, .. } =
        place(Request { server: target.clone(), options }, &archive).await?;
    Ok(prepare(&request, &mut archive, room, Aim::Show).await?.plan)
}

async fn finish(shared: &Arc<Shared>, sessions: Vec<Session>) -> Result<Worked> {
    let (mut sessions, worked) =
        carry_out(shared, sessions).await.map_err(|error| match &shared.failures {
            Some(failures) => failures.before(error),
            None => error,
        })?;
    revive(&shared.request, &mut sessions[0]).await?;
    if let Some(failures) = shared.failures.as_ref().filter(|failures| failures.any()) {
        let keys = shared.ledger.as_ref().map_or(&[][..], |ledger| &ledger.keys.finish);
        failures.script(&sessions[0], &shared.graph.finish, &shared.notes(keys)).await?;
        return Err(failures.sum_up());
    }
    let backend_pid = sessions[0].backend_pid();
    let steps = [&shared.unmark[..], &shared.graph.finish].concat();
    let ended = script::durable_transaction(&sessions[0], &steps).await;
    drop(sessions);
    match ended {
        // Only the answer was lost if the mark is gone.
        Err(error) if error.kind() == Kind::Server => {
            match marker::read_after(&shared.request.server, backend_pid).await {
                Ok(None) => Ok(worked),
                _ => Err(error),
            }
        }
        ended => ended.map(|()| worked),
    }
}

async fn open(
    source: Source,
    options: &mut Options,
    progress: &dyn Progress,
) -> Result<FileArchive> {
    let Source::File(file, name) = source else {
        return Err(no_stream());
    };
    progress.phase("check the archive and the target");
    let (mut selection, max_memory) = (options.selection.clone(), options.max_memory());
    let (renames, staged) = (options.rename.clone(), options.staged.clone());
    let sections = options.sections;
    let archive = pool::run(move || {
        let mut archive = FileArchive::open_within(file, &name, max_memory)?;
        archive.check_root()?;
        check_statements(&archive)?;
        let manifest = &mut archive.manifest;
        if let Some(staged) = &staged {
            staged.leave_out(manifest);
        }
        // Patterns and lists are about the names in the archive.
        selection.find(&manifest.objects, &manifest.tables);
        selection.find_listed(manifest, &archive.header.archive.to_string(), sections)?;
        rename::rename(manifest, &selection, &renames).map_err(|error| match staged {
            Some(_) => error.hint(
                "leave these out (-T, --exclude-table-data), or add --by-database: then the copy \
                 is made under its own names, in a database of its own",
            ),
            None => error,
        })?;
        if manifest.tables.iter().any(|table| table.root.is_some()) {
            selection.apply(manifest.objects.clone()).cut_roots(&mut manifest.tables);
        }
        Ok::<_, Error>((archive, selection))
    });
    let (archive, selection) = archive.await?;
    options.selection = selection;
    let manifest = &archive.manifest;
    let tables: Vec<&Table> = manifest.tables.iter().collect();
    for warning in options.selection.without_effect(&manifest.objects, &tables) {
        progress.message(Level::Warning, &warning);
    }
    Ok(archive)
}

/// What a restore says to an archive that comes in a stream.
pub fn no_stream() -> Error {
    Error::new(
        Kind::Usage,
        "read the archive's name",
        "a restore does not read from standard input yet",
    )
    .hint("save the archive to a file first, and name that")
}

/// Refuses an archive with a statement that makes no object: a forged one may hold any SQL, and
/// such is not sent.
fn check_statements(archive: &FileArchive) -> Result<()> {
    let mut refused = archive
        .manifest
        .objects
        .iter()
        .filter_map(|object| Some((object, statement::check(object).err()?)));
    let Some((object, cause)) = refused.next() else { return Ok(()) };
    let doing = format!("check the statements of {}", archive.name);
    Err(Error::new(Kind::Archive, doing, format!("{}: {cause}", object.identity)).hint(
        "restore no archive that you do not trust; silverback list --sql shows what it would run",
    ))
}
