//! Restore: preflight, plan, and the workers that carry it out.
//!
//! ```text
//! archive + target ─► preflight ─► build ─► Graph ─► run: N sessions take jobs from the schedule ─► report
//! ```
//!
//! Does not know how objects are read from a server, nor how an archive's bytes are laid out.

mod borrowed;
pub mod build;
mod clean;
mod concurrently;
mod cost;
mod course;
mod create;
mod digest;
mod existing;
mod failures;
pub mod families;
mod found;
pub mod graph;
mod held;
pub mod job_key;
mod large_objects;
mod ledger;
pub mod live_keys;
mod load;
pub mod locks;
pub mod mark;
mod memory;
mod older;
mod on_extensions;
mod plan;
mod preflight;
mod prepare;
mod present;
mod ready;
mod report;
mod resume;
mod room;
mod run;
pub mod schedule;
mod standing;
mod statements;
mod statistics;
pub mod status;
mod target;
mod transaction;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use self::build::{ForeignKeys, Sections};
use self::failures::Failures;
use self::load::Loader;
use self::memory::Memory;
pub use self::plan::Plan;
pub use self::preflight::Finding;
use self::prepare::{Prepared, prepare};
use self::ready::Ready;
pub use self::report::Report;
use self::room::{Place, make_room, place};
use self::run::{Shared, carry_out};
use crate::archive::manifest::NotCarried;
use crate::error::{Error, Kind, Result};
use crate::kong;
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::pg::{ident, select, statement};
use crate::pgcopy::LARGE_ROW_BYTES;
use crate::pool::{self, Budget, Buffers};
use crate::progress::{Level, Progress, TableTotal};
use crate::storage::FileArchive;

/// How much dearer than the next page one from elsewhere is, at most: what a restore reads it has just written, and the server's default is for
/// disks that turn. With it, a foreign key from few rows to many is proved by the parent's index, not by hashing the parent; with less, one
/// between two large tables is proved by reading an index in its order, and the parent's rows from all over the table, not by hashing.
const RANDOM_PAGE_COST: u32 = 3;

/// What to restore, from where, to where, how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target database.
    pub server: Server,
    /// The archive.
    pub archive: PathBuf,
    /// Sessions.
    pub jobs: usize,
    /// Which objects and rows.
    pub selection: select::Selection,
    /// Which thirds; `-s` and `-a` in the selection take away from these.
    pub sections: Sections,
    /// Objects belong to the role that restores.
    pub no_owner: bool,
    /// No privileges, no default privileges.
    pub no_privileges: bool,
    /// No comments.
    pub no_comments: bool,
    /// No tablespace but the database's default.
    pub no_tablespaces: bool,
    /// `SET ROLE` after connecting.
    pub role: Option<String>,
    /// Bytes of rows in flight.
    pub max_memory: u64,
    /// How long the server may refuse to take COPY data; zero is for ever.
    pub stall_timeout: Duration,
    /// Gather no statistics.
    pub no_analyze: bool,
    /// No security labels.
    pub no_security_labels: bool,
    /// Make the database first; the server's database is only where that is done from.
    pub create: bool,
    /// Drop what the archive holds first; with `create`, the database.
    pub clean: bool,
    /// What is dropped need not be there.
    pub if_exists: bool,
    /// After an error, go on with what can still be done.
    pub keep_going: bool,
    /// What is done about foreign keys.
    pub foreign_keys: ForeignKeys,
    /// Into tables that stand already: foreign keys do not look at the rows, as the triggers do not fire.
    pub disable_triggers: bool,
    /// Into tables that stand already: triggers fire.
    pub fire_triggers: bool,
    /// Say as soon as may be that the database can be used, and do the rest while it is.
    pub ready_early: bool,
    /// The file that appears then.
    pub ready_file: Option<PathBuf>,
    /// Go on where an earlier run stopped; where none has begun, begin.
    pub resume: bool,
}

/// Restores. When this fails after its first statement, or is dropped, the target stays marked as incomplete.
pub async fn run(options: Options, progress: Arc<dyn Progress>) -> Result<Report> {
    options.ready_file.as_deref().map_or(Ok(()), ready::probe)?;
    let mut archive = open(&options, progress.as_ref()).await?;
    let failures = options.keep_going.then(|| Failures::new(&archive.manifest.objects));
    let (options, prepared) = Box::pin(make_room(options, &mut archive, progress.as_ref())).await?;
    let Prepared { session, plan, triggers, target, .. } = prepared;
    progress.tables(&if plan.resumed.is_some() { totals_left(&archive, &plan) } else { totals(&archive) });
    let sessions = open_sessions(&options, session).await?;
    let begun = Instant::now();
    let counts = counts(&plan);
    let mut not_restored: Vec<NotCarried> =
        options.selection.not_carried(archive.manifest.not_carried.clone()).chain(plan.left_out).collect();
    let loader = Loader {
        encoding: Some(archive.manifest.source.encoding.clone()).filter(|encoding| encoding != "UTF8"),
        archive: Arc::new(archive),
        budget: Budget::new(options.max_memory),
        buffers: Buffers::new(LARGE_ROW_BYTES),
        progress: Arc::clone(&progress),
        stall_timeout: options.stall_timeout,
    };
    let memory = Memory::read(&sessions[0], options.jobs).await?;
    let backend_pid = sessions[0].backend_pid();
    if !plan.begin.is_empty()
        && let Err(error) = transaction::begin(&sessions[0], &plan.begin, plan.known.as_deref()).await
    {
        drop(sessions);
        return Err(mark::not_set(target.explain(error), plan.mark.as_ref(), &options.server, backend_pid).await);
    }
    let words = kong::restore::may_start(loader.archive.manifest.tables.iter().any(|table| kong::restore::loads_last(&table.name)));
    let ready = Ready { usable: plan.usable, words, file: options.ready_file.clone(), said: OnceLock::new() };
    let (statistics, refused) = (plan.statistics, Mutex::default());
    let whole = plan.whole;
    let (mark, unmark, ledger) = (plan.mark, plan.unmark, plan.ledger);
    let graph = plan.graph;
    let shared = Arc::new(Shared { options, graph, loader, memory, triggers, failures, refused, ready, statistics, mark, ledger, unmark });
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
    let busy = ended.map_err(|error| if said.is_some() { mark::unfinished(error, mark) } else { mark::incomplete(error, mark, whole) })?;
    let report = Report::new(counts, begun.elapsed().as_secs_f64(), busy, shared.options.jobs, not_restored);
    let seconds_ready = said.map(|said| said.duration_since(begun).as_secs_f64());
    Ok(Report { seconds_ready, not_valid: shared.graph.unproved.clone(), ..report })
}

/// Computes what a restore would do, findings included; changes nothing.
pub async fn dry_run(options: &Options, progress: &dyn Progress) -> Result<Plan> {
    let mut archive = open(options, progress).await?;
    let Place { options, room, .. } = place(options.clone(), &archive).await?;
    Ok(prepare(&options, &mut archive, room).await?.plan)
}

async fn finish(shared: &Arc<Shared>, sessions: Vec<Session>) -> Result<run::Busy> {
    let (mut sessions, busy) = carry_out(shared, sessions).await.map_err(|error| match &shared.failures {
        Some(failures) => failures.before(error),
        None => error,
    })?;
    revive(&shared.options, &mut sessions[0]).await?;
    if let Some(failures) = shared.failures.as_ref().filter(|failures| failures.any()) {
        let keys = shared.ledger.as_ref().map_or(&[][..], |ledger| &ledger.keys.finish);
        failures.script(&sessions[0], &shared.graph.finish, &shared.notes(keys)).await?;
        return Err(failures.sum_up());
    }
    let backend_pid = sessions[0].backend_pid();
    let steps = [&shared.unmark[..], &shared.graph.finish].concat();
    let ended = transaction::durable_transaction(&sessions[0], &steps).await;
    drop(sessions);
    match ended {
        // Only the answer was lost if the mark is gone.
        Err(error) if error.kind() == Kind::Server => match mark::read_after(&shared.options.server, backend_pid).await {
            Ok(None) => Ok(busy),
            _ => Err(error),
        },
        ended => ended.map(|()| busy),
    }
}

async fn open(options: &Options, progress: &dyn Progress) -> Result<FileArchive> {
    progress.phase("check the archive and the target");
    let (path, selection, max_memory) = (options.archive.clone(), options.selection.clone(), options.max_memory);
    let archive = pool::run(move || {
        let mut archive = FileArchive::open_path_within(&path, max_memory)?;
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

/// A forged archive may hold any SQL; what makes no object is not sent.
fn check_statements(archive: &FileArchive) -> Result<()> {
    let mut refused = archive.manifest.objects.iter().filter_map(|object| Some((object, statement::check(object).err()?)));
    let Some((object, cause)) = refused.next() else { return Ok(()) };
    let doing = format!("check the statements of {}", archive.name);
    Err(Error::new(Kind::Archive, doing, format!("{}: {cause}", object.identity))
        .hint("restore no archive that you do not trust; silverback list --sql shows what it would run"))
}

fn totals(archive: &FileArchive) -> Vec<TableTotal> {
    let tables = archive.manifest.tables.iter().zip(&archive.index.tables);
    tables
        .map(|(table, totals)| TableTotal {
            name: ident::qualified(&table.schema, &table.name),
            rows: totals.rows,
            bytes: totals.raw_bytes,
        })
        .collect()
}

/// The same of what is left to be loaded where an earlier run is gone on with.
fn totals_left(archive: &FileArchive, plan: &Plan) -> Vec<TableTotal> {
    let mut left: Vec<TableTotal> = totals(archive).into_iter().map(|total| TableTotal { rows: 0, bytes: 0, ..total }).collect();
    for job in &plan.graph.jobs {
        if let graph::Work::Load { table, rows, raw_bytes, .. } = &job.work {
            left[table.0 as usize].rows += rows;
            left[table.0 as usize].bytes += raw_bytes;
        }
    }
    left
}

fn counts(plan: &Plan) -> (u64, u64, u64) {
    let (mut all_rows, mut all_bytes) = (0, 0);
    for job in &plan.graph.jobs {
        if let graph::Work::Load { rows, raw_bytes, .. } = &job.work {
            all_rows += rows;
            all_bytes += raw_bytes;
        }
    }
    (plan.tables_wanted, all_rows, all_bytes)
}

async fn open_sessions(options: &Options, first: Session) -> Result<Vec<Session>> {
    let mut sessions = vec![first];
    while sessions.len() < options.jobs {
        let opened = open_session(options).await.map_err(|error| match error.kind() {
            Kind::Connect if sessions[0].is_proxied() => {
                error.hint("the pooler gives no further session: use fewer (-j), or let it have more")
            }
            _ => error,
        });
        sessions.push(opened?);
    }
    Ok(sessions)
}

async fn open_session(options: &Options) -> Result<Session> {
    let session = options.server.patient(options.stall_timeout).open(Purpose::Restore).await?;
    set_up(options, &session).await?;
    Ok(session)
}

/// Replaces a session that was lost while it had nothing to do: a firewall forgets those that are silent for long.
async fn revive(options: &Options, session: &mut Session) -> Result<()> {
    if session.client().is_closed() {
        *session = open_session(options).await?;
    }
    Ok(())
}

/// What only a restore's sessions are set to.
async fn set_up(options: &Options, session: &Session) -> Result<()> {
    let sql = format!(
        "SELECT pg_catalog.set_config('synchronous_commit', 'off', false), {}, \
                pg_catalog.set_config('random_page_cost', least(pg_catalog.current_setting('random_page_cost')::float8, {RANDOM_PAGE_COST})::text, false)",
        mark::show_at_work()
    );
    session.batch("set up the session", &sql).await?;
    if let Some(role) = &options.role {
        session.set_role(role).await?;
    }
    Ok(())
}
