//! Restore: preflight, plan, and the workers that carry it out.
//!
//! ```text
//! archive + target ─► preflight ─► build ─► Graph ─► run: N sessions take jobs from the schedule ─► report
//! ```
//!
//! Does not know how objects are read from a server, nor how an archive's bytes are laid out.

mod begin;
mod finding;
pub mod live;
pub mod mark;
mod options;
pub mod plan;
mod preflight;
mod prepare;
mod provision;
mod report;
pub mod resume;
pub mod run;
mod sessions;
pub mod status;
pub mod step;
mod target;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use self::begin::{Place, make_room, place};
pub use self::finding::Finding;
use self::options::Request;
pub use self::options::{ForeignKeys, Into, OnError, Options, Ready, Sections, Triggers};
pub use self::plan::Plan;
pub use self::plan::graph::Stage;
use self::prepare::{Aim, Prepared, prepare};
pub use self::report::Report;
use self::report::{Busy, counts, totals, totals_left};
use self::run::failures::Failures;
use self::run::load::Loader;
use self::run::ready::{self, Announcement};
use self::run::sort_memory::Memory;
use self::run::{Shared, carry_out, script};
use self::sessions::{open_sessions, revive};
use self::target::marker;
use crate::archive::manifest::NotCarried;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
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
    options.ready.file().map_or(Ok(()), ready::probe)?;
    let mut archive = open(source, &options, progress.as_ref()).await?;
    let failures =
        (options.on_error == OnError::GoOn).then(|| Failures::new(&archive.manifest.objects));
    let request = Request { server: target.clone(), options };
    let (request, prepared) = Box::pin(make_room(request, &mut archive, progress.as_ref())).await?;
    let options = &request.options;
    let Prepared { session, plan, triggers, target, .. } = prepared;
    progress.tables(&if plan.resumed.is_some() {
        totals_left(&archive, &plan)
    } else {
        totals(&archive)
    });
    let sessions = open_sessions(&request, session).await?;
    let begun = Instant::now();
    let counts = counts(&plan);
    let mut not_restored: Vec<NotCarried> = options
        .selection
        .not_carried(archive.manifest.not_carried.clone())
        .chain(plan.left_out)
        .collect();
    let loader = Loader {
        encoding: Some(archive.manifest.source.encoding.clone())
            .filter(|encoding| encoding != "UTF8"),
        archive: Arc::new(archive),
        budget: Budget::new(options.max_memory()),
        buffers: Buffers::new(LARGE_ROW_BYTES),
        progress: Arc::clone(&progress),
        stall_timeout: options.limits.stall_timeout,
    };
    let memory = Memory::read(&sessions[0], options.jobs()).await?;
    let backend_pid = sessions[0].backend_pid();
    if !plan.begin.is_empty()
        && let Err(error) = script::begin(&sessions[0], &plan.begin, plan.known.as_deref()).await
    {
        drop(sessions);
        return Err(marker::not_set(
            target.explain(error),
            plan.mark.as_ref(),
            &request.server,
            backend_pid,
        )
        .await);
    }
    marker::begun(&sessions[0]).await;
    let words = options
        .profile
        .words(loader.archive.manifest.tables.iter().map(|table| table.name.as_str()));
    let ready = Announcement {
        usable: plan.usable,
        words,
        file: options.ready.file().map(std::path::Path::to_owned),
        said: OnceLock::new(),
    };
    let (statistics, refused) = (plan.statistics, Mutex::default());
    let whole = plan.whole;
    let (mark, unmark, ledger) = (plan.mark, plan.unmark, plan.ledger);
    let graph = plan.graph;
    let shared = Arc::new(Shared {
        request,
        graph,
        loader,
        memory,
        triggers,
        failures,
        refused,
        ready,
        statistics,
        mark,
        ledger,
        unmark,
    });
    let ended = finish(&shared, sessions).await;
    not_restored.append(&mut shared.refused.lock().unwrap_or_else(PoisonError::into_inner));
    if ended.is_err() && shared.failures.is_some() {
        // Whoever goes on after errors gets no report, but what was done is there, and this is not.
        for one in &not_restored {
            progress.message(Level::Warning, &one.to_string());
        }
    }
    let said = shared.ready.said.get();
    let mark = shared.mark.as_ref();
    let busy = ended.map_err(|error| {
        if said.is_some() {
            mark::unfinished(error, mark)
        } else {
            mark::incomplete(error, mark, whole)
        }
    })?;
    let report = Report::new(
        counts,
        begun.elapsed().as_secs_f64(),
        busy,
        shared.request.options.jobs(),
        not_restored,
    );
    let seconds_ready = said.map(|said| said.duration_since(begun).as_secs_f64());
    Ok(Report { seconds_ready, not_valid: shared.graph.unproved.clone(), ..report })
}

/// Computes what a restore would do, findings included; changes nothing.
pub async fn dry_run(
    source: Source,
    target: &Server,
    options: Options,
    progress: &dyn Progress,
) -> Result<Plan> {
    let mut archive = open(source, &options, progress).await?;
    let Place { request, room, .. } =
        place(Request { server: target.clone(), options }, &archive).await?;
    Ok(prepare(&request, &mut archive, room, Aim::Show).await?.plan)
}

async fn finish(shared: &Arc<Shared>, sessions: Vec<Session>) -> Result<Busy> {
    let (mut sessions, busy) =
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
                Ok(None) => Ok(busy),
                _ => Err(error),
            }
        }
        ended => ended.map(|()| busy),
    }
}

async fn open(source: Source, options: &Options, progress: &dyn Progress) -> Result<FileArchive> {
    let Source::File(file, name) = source else {
        return Err(no_stream());
    };
    progress.phase("check the archive and the target");
    let (selection, max_memory) = (options.selection.clone(), options.max_memory());
    let archive = pool::run(move || {
        let mut archive = FileArchive::open_within(file, &name, max_memory)?;
        archive.check_root()?;
        check_statements(&archive)?;
        let manifest = &mut archive.manifest;
        if manifest.tables.iter().any(|table| table.root.is_some()) {
            selection.apply(manifest.objects.clone()).cut_roots(&mut manifest.tables);
        }
        Ok(archive)
    });
    archive.await
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

/// A forged archive may hold any SQL; what makes no object is not sent.
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
