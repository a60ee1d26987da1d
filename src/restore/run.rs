//! Carries a graph out: each session takes the next job that may start; the first failure ends all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use super::concurrently;
use super::existing::LiveTriggers;
use super::failures::Failures;
use super::graph::{Graph, Job, JobId, Stage, Step, Work};
use super::job_key::JobKey;
use super::ledger::Ledger;
use super::load::{Load, Loader};
use super::mark::Mark;
use super::memory::Memory;
use super::ready::Ready;
use super::schedule::Schedule;
use super::transaction::{at_once, durable_transaction};
use super::{Options, on_extensions, open_session, revive, statistics};
use crate::archive::manifest::{NotCarried, TableId};
use crate::archive::statistics::Statistics;
use crate::error::{Error, Kind, Result};
use crate::pg::ident;
use crate::pg::session::Session;
use crate::progress::Progress;

/// Statements in one transaction of a script: each new relation holds a lock until its end, and the server's lock table is finite.
const COMMIT_EVERY: usize = 500;

/// What the sessions share.
pub(super) struct Shared {
    /// Where the sessions are, and what they are set to.
    pub(super) options: Options,
    /// The plan.
    pub(super) graph: Graph,
    /// Brings rows.
    pub(super) loader: Loader,
    /// What the server may use to sort.
    pub(super) memory: Memory,
    /// Triggers of tables that were there before.
    pub(super) triggers: LiveTriggers,
    /// What failed, where that does not end the restore.
    pub(super) failures: Option<Failures>,
    /// What could not be made on extensions' objects.
    pub(super) refused: Mutex<Vec<NotCarried>>,
    /// Gives the word that the database may be used.
    pub(super) ready: Ready,
    /// What the server is told of the rows, for its planner.
    pub(super) statistics: Vec<Statistics>,
    /// What marks the target.
    pub(super) mark: Option<Mark>,
    /// Where it is written what is done.
    pub(super) ledger: Option<Ledger>,
    /// The statements that take the marker away.
    pub(super) unmark: Vec<Step>,
}

/// Seconds that sessions were busy, by stage.
pub(super) type Busy = BTreeMap<Stage, f64>;

/// Sessions at work, each with its job; dropping the set aborts them, which closes their connections.
type Running = JoinSet<(JobId, Session, Result<()>, f64)>;

/// Does every job. On the first failure the server is asked to cancel the others; when dropped, the sessions are closed.
pub(super) async fn carry_out(shared: &Arc<Shared>, sessions: Vec<Session>) -> Result<(Vec<Session>, Busy)> {
    let mut running = Running::new();
    let ended = work_off(shared, sessions, &mut running).await;
    if ended.is_err() {
        // A backend that builds an index would not notice a closed connection before the index is built.
        shared.options.server.cancel_all().await;
        running.shutdown().await;
    }
    ended
}

async fn work_off(shared: &Arc<Shared>, sessions: Vec<Session>, running: &mut Running) -> Result<(Vec<Session>, Busy)> {
    let graph = &shared.graph;
    let mut schedule = Schedule::new(graph)?;
    let mut idle = sessions;
    let mut busy = Busy::new();
    let mut left = Left::new(graph);
    left.tell(&shared.loader.progress);
    loop {
        let mut starting = Vec::new();
        while let Some(session) = idle.pop() {
            let Some(job) = schedule.start() else {
                idle.push(session);
                break;
            };
            starting.push((job, session));
        }
        // While every session has work of its own, helpers would only add the cost of merging what they sorted.
        let helped = !idle.is_empty() || shared.options.jobs == 1;
        for (job, mut session) in starting {
            let shared = Arc::clone(shared);
            running.spawn(async move {
                let begun = Instant::now();
                let result = shared.run(&mut session, job, helped).await;
                (job, session, result, begun.elapsed().as_secs_f64())
            });
        }
        let Some(ended) = running.join_next().await else { break };
        let (id, session, result, seconds) =
            ended.map_err(|source| Error::new(Kind::Unexpected, "carry out the restore", source.to_string()))?;
        schedule.finish(id);
        idle.push(shared.tolerate(session, id, result).await?);
        *busy.entry(graph.jobs[id.index()].stage).or_default() += seconds;
        shared.loader.progress.steps(schedule.done() as u64, graph.jobs.len() as u64);
        left.done(&graph.jobs[id.index()], &shared.loader.progress);
    }
    if schedule.is_complete() {
        return Ok((idle, busy));
    }
    Err(Error::new(Kind::Unexpected, "carry out the restore", "jobs are left that cannot start"))
}

/// What is not done yet, for those who watch.
struct Left {
    parts: BTreeMap<TableId, usize>,
    stages: BTreeMap<Stage, usize>,
}

impl Left {
    fn new(graph: &Graph) -> Self {
        let (mut parts, mut stages) = (BTreeMap::new(), BTreeMap::new());
        for job in &graph.jobs {
            *stages.entry(job.stage).or_default() += 1;
            if let Work::Load { table, .. } = &job.work {
                *parts.entry(*table).or_default() += 1;
            }
        }
        Self { parts, stages }
    }

    fn done(&mut self, job: &Job, progress: &Arc<dyn Progress>) {
        if let Work::Load { table, .. } = &job.work
            && Self::is_last(&mut self.parts, table)
        {
            progress.table_done(table.0 as usize);
        }
        let first = self.stages.keys().next().copied();
        if Self::is_last(&mut self.stages, &job.stage) && first == Some(job.stage) {
            self.tell(progress);
        }
    }

    /// Counts one down; `true` when none is left.
    fn is_last<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) -> bool {
        let Some(count) = counts.get_mut(key) else { return false };
        *count -= 1;
        let none_left = *count == 0;
        if none_left {
            counts.remove(key);
        }
        none_left
    }

    /// Names the earliest stage that still has work.
    fn tell(&self, progress: &Arc<dyn Progress>) {
        if let Some(stage) = self.stages.keys().next() {
            progress.phase(stage.doing());
        }
    }
}

impl Shared {
    /// After a failure that does not end the restore, a session to go on with.
    async fn tolerate(&self, session: Session, id: JobId, result: Result<()>) -> Result<Session> {
        let Err(error) = result else { return Ok(session) };
        let Some(failures) = &self.failures else { return Err(error) };
        let work = &self.graph.jobs[id.index()].work;
        let (of, makes) = match work {
            Work::Load { table, .. } => (Some(self.loader.archive.manifest.tables[table.0 as usize].object), false),
            Work::Statements(steps) => {
                let failed = steps.iter().find(|step| step.doing == error.doing()).or(steps.first());
                failed.map_or((None, false), |step| (step.of, step.makes))
            }
            _ => (None, false),
        };
        failures.note(error, of, makes)?;
        match work {
            // The driver is out of step after a COPY that failed.
            Work::Load { .. } => {
                drop(session);
                open_session(&self.options).await
            }
            _ => session.batch("roll back", "ROLLBACK").await.map(|()| session),
        }
    }

    /// After a failure: rows do not go into a table that this run did not make, and nothing declares the database usable.
    fn check_still_sensible(&self, failures: &Failures, job: &Job) -> Result<()> {
        let table = match &job.work {
            Work::Ready if failures.any() => {
                return Err(Error::new(Kind::Incomplete, &job.label, "something failed, which would be in use then"));
            }
            Work::Load { table, .. } => table,
            _ => return Ok(()),
        };
        let table = &self.loader.archive.manifest.tables[table.0 as usize];
        let name = ident::qualified(&table.schema, &table.name);
        let cause = if job.stage == Stage::Last && failures.any() {
            "its rows would declare a database usable that is incomplete"
        } else if failures.has(&format!("create TABLE {name}")) {
            "the table was not made"
        } else {
            return Ok(());
        };
        Err(Error::new(Kind::Incomplete, &job.label, cause))
    }

    /// Gives the session what the job needs to sort.
    async fn set_up(&self, session: &Session, job: &Job, helped: bool) -> Result<()> {
        match self.memory.set_up(job.cost.sorts, helped) {
            Some(sql) => session.execute("set up the session", &sql).await.map(drop),
            None => Ok(()),
        }
    }

    /// Does a job; parallel workers may help it to build an index, as many as the server's own setting allows, or none.
    async fn run(&self, session: &mut Session, id: JobId, helped: bool) -> Result<()> {
        let job: &Job = &self.graph.jobs[id.index()];
        revive(&self.options, session).await?;
        if let Some(failures) = &self.failures {
            self.check_still_sensible(failures, job)?;
        }
        let note = self.ledger.as_ref().and_then(|ledger| ledger.note(self.keys(id)));
        match (&job.work, &self.failures) {
            (Work::Statements(steps), _) => {
                // Polled together they travel together.
                let (set, done) = tokio::join!(self.set_up(session, job, helped), at_once(session, steps, note.as_ref()));
                set.and(done)
            }
            (Work::Script(steps), Some(failures)) => failures.script(session, steps, &self.notes(self.keys(id))).await,
            (Work::Script(steps), None) => self.script(session, steps, self.keys(id)).await,
            (Work::Concurrently(index), _) => {
                let set_up = self.memory.set_up(job.cost.sorts, helped);
                concurrently::build(&self.options, self.loader.progress.as_ref(), session, set_up.as_deref(), index).await?;
                self.note_after(session, id).await
            }
            (Work::Statistics { taken, gather }, _) => {
                let (all, source) = (&self.statistics, self.loader.archive.manifest.source.server_version_num);
                let progress = self.loader.progress.as_ref();
                statistics::take(session, (all, source), (&job.label, taken, gather.as_ref()), progress).await?;
                self.note_after(session, id).await
            }
            (Work::OnExtensions(all), _) => {
                let refused = on_extensions::make(session, all).await?;
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).extend(refused);
                Ok(())
            }
            (Work::Ready, _) => {
                durable_transaction(session, &self.ready.usable).await?;
                let left = self.graph.jobs.iter().filter(|job| job.stage == Stage::Finish).count();
                self.ready.tell(left, self.loader.progress.as_ref()).await
            }
            (Work::Load { table, chunks, mode, trusted, .. }, _) => {
                let triggers = self.triggers.get(table).map_or(&[][..], Vec::as_slice);
                let described = &self.loader.archive.manifest.tables[table.0 as usize];
                let note = note.as_ref().map(|step| step.sql.as_str());
                let load = Load { id: *table, table: described, chunks, mode: *mode, triggers, trusted: *trusted, note };
                self.loader.run(session, load).await.map(drop)
            }
        }
    }
    /// A script's statements, so many in a transaction; with each, that it is done.
    async fn script(&self, session: &Session, steps: &[Step], keys: &[JobKey]) -> Result<()> {
        let mut keys = keys.chunks(COMMIT_EVERY);
        for batch in steps.chunks(COMMIT_EVERY) {
            let note = self.ledger.as_ref().and_then(|ledger| ledger.note(keys.next().unwrap_or_default()));
            at_once(session, batch, note.as_ref()).await?;
        }
        Ok(())
    }

    async fn note_after(&self, session: &Session, id: JobId) -> Result<()> {
        let Some(note) = self.ledger.as_ref().and_then(|ledger| ledger.note_after(self.keys(id))) else { return Ok(()) };
        session.execute(&note.doing, &note.sql).await.map(drop)
    }

    fn keys(&self, id: JobId) -> &[JobKey] {
        self.ledger.as_ref().and_then(|ledger| ledger.keys.jobs.get(id.index())).map_or(&[], Vec::as_slice)
    }

    /// What notes each of these by itself.
    pub(super) fn notes(&self, keys: &[JobKey]) -> Vec<Option<Step>> {
        keys.iter().map(|key| self.ledger.as_ref().and_then(|ledger| ledger.note(std::slice::from_ref(key)))).collect()
    }
}
