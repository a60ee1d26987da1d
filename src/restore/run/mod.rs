//! Carries a graph out: each session takes the next job that may start and does it; the first
//! failure ends all, or a session goes on with what it leaves possible.

pub(super) mod compare;
pub(super) mod concurrent_index;
pub(super) mod differing;
pub(super) mod failures;
pub(super) mod held_locks;
pub(super) mod large_objects;
pub(super) mod left;
pub(super) mod load;
pub(super) mod on_extensions;
pub(super) mod read_rows;
pub(super) mod ready;
pub(super) mod schedule;
pub(super) mod script;
pub(super) mod sort_memory;
pub(super) mod statistics;
pub(super) mod times;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use self::failures::Failures;
use self::load::Loader;
use self::ready::Announcement;
use self::schedule::{Room, Schedule};
use self::script::{Failed, at_once, durable_transaction};
use self::sort_memory::Memory;
use super::live::LiveTriggers;
use super::mark::Mark;
use super::options::Request;
use super::plan::graph::{Graph, Job, JobId, Stage, Work};
use super::plan::load_sql::Load;
use super::report::{Busy, Worked};
use super::resume::job_key::JobKey;
use super::resume::ledger::Ledger;
use super::sessions::{open_session, revive};
use super::step::Step;
use crate::archive::manifest::NotCarried;
use crate::archive::statistics::Statistics;
use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;
use crate::restore::run::left::Left;
use crate::restore::run::times::Times;

/// Statements in one transaction of a script: each new relation holds a lock until its end, and the
/// server's lock table is finite.
const COMMIT_EVERY: usize = 500;

/// What the sessions share.
pub(super) struct Shared {
    /// Where the sessions are, and what they are set to.
    pub(super) request: Request,
    /// The plan.
    pub(super) graph: Graph,
    /// Brings rows.
    pub(super) loader: Loader,
    /// How much runs at the same time.
    pub(super) room: Room,
    /// What the server may use to sort.
    pub(super) memory: Memory,
    /// Triggers of tables that were there before.
    pub(super) triggers: LiveTriggers,
    /// What failed, where that does not end the restore.
    pub(super) failures: Option<Failures>,
    /// What could not be made on extensions' objects.
    pub(super) refused: Mutex<Vec<NotCarried>>,
    /// Gives the word that the database may be used.
    pub(super) ready: Announcement,
    /// What the server is told of the rows, for its planner.
    pub(super) statistics: Vec<Statistics>,
    /// What marks the target.
    pub(super) mark: Option<Mark>,
    /// Where it is written what is done.
    pub(super) ledger: Option<Ledger>,
    /// The statements that take the marker away.
    pub(super) unmark: Vec<Step>,
}

/// Sessions at work, each with its job; dropping the set aborts them, which closes their
/// connections.
type Running = JoinSet<(JobId, Session, Result<(), Failed>, f64)>;

/// Does every job. On the first failure the server is asked to cancel the others; when dropped, the
/// sessions are closed.
pub(super) async fn carry_out(
    shared: &Arc<Shared>,
    sessions: Vec<Session>,
) -> Result<(Vec<Session>, Worked)> {
    let mut running = Running::new();
    let ended = work_off(shared, sessions, &mut running).await;
    if ended.is_err() {
        // A backend that builds an index would not notice a closed connection before the index is
        // built.
        shared.request.server.cancel_all().await;
        running.shutdown().await;
    }
    ended
}

async fn work_off(
    shared: &Arc<Shared>,
    sessions: Vec<Session>,
    running: &mut Running,
) -> Result<(Vec<Session>, Worked)> {
    let graph = &shared.graph;
    let mut schedule = Schedule::new(graph, shared.room)?;
    let mut idle = sessions;
    let (mut busy, mut times) = (Busy::new(), Vec::new());
    let mut left = Left::new(graph);
    let progress = &shared.loader.progress;
    progress.jobs(&schedule.totals());
    left.tell(progress);
    loop {
        let mut starting = Vec::new();
        while let Some(session) = idle.pop() {
            let Some(job) = schedule.start() else {
                idle.push(session);
                break;
            };
            starting.push((job, session));
        }
        // While every session has work of its own, helpers would only add the cost of merging what
        // they sorted.
        let helped = schedule.has_room() || shared.room.long == 1;
        for (job, mut session) in starting {
            let shared = Arc::clone(shared);
            progress.job_begun(job.index(), &graph.jobs[job.index()].label);
            running.spawn(async move {
                let begun = Instant::now();
                let result = shared.run(&mut session, job, helped).await;
                (job, session, result, begun.elapsed().as_secs_f64())
            });
        }
        let Some(ended) = running.join_next().await else { break };
        let (id, session, result, seconds) = ended.map_err(|source| {
            Error::new(Kind::Unexpected, "carry out the restore", source.to_string())
        })?;
        schedule.finish(id);
        idle.push(shared.tolerate(session, id, result).await?);
        *busy.entry(graph.jobs[id.index()].stage).or_default() += seconds;
        times.push((id, seconds));
        progress.job_done(id.index());
        left.done(&graph.jobs[id.index()], progress);
    }
    if schedule.is_complete() {
        return Ok((idle, Worked { busy, times: Times::of(graph, &times) }));
    }
    Err(Error::new(Kind::Unexpected, "carry out the restore", "jobs are left that cannot start"))
}

impl Shared {
    /// After a job's failure that does not end the restore, the session to take the next job with.
    async fn tolerate(
        &self,
        session: Session,
        id: JobId,
        result: Result<(), Failed>,
    ) -> Result<Session> {
        let Err(failed) = result else { return Ok(session) };
        let Some(failures) = &self.failures else { return Err(failed.error) };
        failures.note(failed)?;
        match &self.graph.jobs[id.index()].work {
            // The driver is out of step after a COPY that failed.
            Work::Load { .. } | Work::Compare(_) => {
                drop(session);
                open_session(&self.request).await
            }
            _ => session.batch("roll back", "ROLLBACK").await.map(|()| session),
        }
    }

    /// Why a session leaves a job undone after another has failed: rows do not go into a table that
    /// this run did not make, and nothing declares the database usable.
    fn senseless(&self, failures: &Failures, job: &Job) -> Option<Failed> {
        let table = match &job.work {
            Work::Ready if failures.any() => {
                let cause = "not reported ready: earlier errors left the database incomplete";
                return Some(Error::new(Kind::Incomplete, &job.label, cause).into());
            }
            Work::Load { table, .. } => table,
            _ => return None,
        };
        let table = &self.loader.archive.manifest.tables[table.0 as usize];
        let cause = if job.stage == Stage::Last && failures.any() {
            "skipped: these rows mark the schema as migrated, and earlier steps failed"
        } else if failures.lacks(table.object) {
            "the table was not made"
        } else {
            return None;
        };
        Some(Failed {
            error: Error::new(Kind::Incomplete, &job.label, cause),
            of: Some(table.object),
            makes: false,
        })
    }

    /// Gives the session what the job needs to sort.
    async fn set_up(&self, session: &Session, job: &Job, helped: bool) -> Result<()> {
        match self.memory.set_up(job.cost.sorts, helped) {
            Some(sql) => session.execute("set up the session", &sql).await.map(drop),
            None => Ok(()),
        }
    }

    /// Does one job in a session that has taken it; parallel workers may help it to build an index,
    /// as many as the server's own setting allows, or none.
    async fn run(&self, session: &mut Session, id: JobId, helped: bool) -> Result<(), Failed> {
        let job: &Job = &self.graph.jobs[id.index()];
        revive(&self.request, session).await?;
        if let Some(senseless) =
            self.failures.as_ref().and_then(|failures| self.senseless(failures, job))
        {
            return Err(senseless);
        }
        let note = self.ledger.as_ref().and_then(|ledger| ledger.note(self.keys(id)));
        match (&job.work, &self.failures) {
            (Work::Statements(steps), _) => {
                // Polled together they travel together.
                let (set, done) = tokio::join!(
                    self.set_up(session, job, helped),
                    at_once(session, steps, note.as_ref())
                );
                Ok(set?).and(done)
            }
            (Work::Script(steps), Some(failures)) => {
                Ok(failures.script(session, steps, &self.notes(self.keys(id))).await?)
            }
            (Work::Script(steps), None) => Ok(self.script(session, steps, self.keys(id)).await?),
            (Work::Concurrently(index), _) => {
                let set_up = self.memory.set_up(job.cost.sorts, helped);
                concurrent_index::build(
                    &self.request,
                    self.loader.progress.as_ref(),
                    session,
                    set_up.as_deref(),
                    index,
                )
                .await?;
                Ok(self.note_after(session, id).await?)
            }
            (Work::Statistics { taken, gather }, _) => {
                let (all, source) =
                    (&self.statistics, self.loader.archive.manifest.source.server_version_num);
                let progress = self.loader.progress.as_ref();
                statistics::take(
                    session,
                    (all, source),
                    (&job.label, taken, gather.as_ref()),
                    progress,
                )
                .await?;
                Ok(self.note_after(session, id).await?)
            }
            (Work::OnExtensions(all), _) => {
                let refused = on_extensions::make(session, all).await?;
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(refused);
                Ok(())
            }
            (Work::Compare(all), _) => Ok(compare::compare(&self.loader, session, all).await?),
            (Work::Ready, _) => {
                durable_transaction(session, &self.ready.usable).await?;
                self.request.options.held.opened();
                let left = self.graph.jobs.iter().filter(|job| job.stage == Stage::Finish).count();
                Ok(self.ready.tell(left, self.loader.progress.as_ref()).await?)
            }
            (Work::Load { table, chunks, mode, trusted, .. }, _) => {
                let triggers = self.triggers.get(table).map_or(&[][..], Vec::as_slice);
                let described = &self.loader.archive.manifest.tables[table.0 as usize];
                let note = note.as_ref().map(|step| step.sql.as_str());
                let load = Load {
                    id: *table,
                    table: described,
                    chunks,
                    mode: *mode,
                    triggers,
                    trusted: *trusted,
                    note,
                };
                let loaded = self.loader.run(session, load).await;
                loaded.map(drop).map_err(|error| Failed {
                    error,
                    of: Some(described.object),
                    makes: false,
                })
            }
        }
    }

    /// Carries out a job that is a script: its statements, so many in a transaction; with each,
    /// that it is done.
    async fn script(&self, session: &Session, steps: &[Step], keys: &[JobKey]) -> Result<()> {
        let mut keys = keys.chunks(COMMIT_EVERY);
        for batch in steps.chunks(COMMIT_EVERY) {
            let note = self
                .ledger
                .as_ref()
                .and_then(|ledger| ledger.note(keys.next().unwrap_or_default()));
            at_once(session, batch, note.as_ref()).await?;
        }
        Ok(())
    }

    async fn note_after(&self, session: &Session, id: JobId) -> Result<()> {
        let Some(note) = self.ledger.as_ref().and_then(|ledger| ledger.note_after(self.keys(id)))
        else {
            return Ok(());
        };
        session.execute(&note.doing, &note.sql).await.map(drop)
    }

    fn keys(&self, id: JobId) -> &[JobKey] {
        self.ledger
            .as_ref()
            .and_then(|ledger| ledger.keys.jobs.get(id.index()))
            .map_or(&[], Vec::as_slice)
    }

    /// What notes each of these by itself.
    pub(super) fn notes(&self, keys: &[JobKey]) -> Vec<Option<Step>> {
        keys.iter()
            .map(|key| {
                self.ledger.as_ref().and_then(|ledger| ledger.note(std::slice::from_ref(key)))
            })
            .collect()
    }
}
