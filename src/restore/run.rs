//! Carries a graph out: each session takes the next job that may start; the first failure ends all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::task::JoinSet;

use super::existing::LiveTriggers;
use super::graph::{Graph, Job, JobId, Stage, Step, Work};
use super::load::{Load, Loader};
use super::schedule::Schedule;
use crate::archive::manifest::TableId;
use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;

/// Statements of a script that are on their way before the first is answered.
const PIPELINE: usize = 64;
/// Statements in one transaction of a script: each new relation holds a lock until its end, and the server's lock table is finite.
const COMMIT_EVERY: usize = 500;

/// What the sessions share.
pub(super) struct Shared {
    /// The plan.
    pub(super) graph: Graph,
    /// Brings rows.
    pub(super) loader: Loader,
    /// Triggers of tables that were there before.
    pub(super) triggers: LiveTriggers,
}

/// Seconds that sessions were busy, by stage.
pub(super) type Busy = BTreeMap<Stage, f64>;

/// Does every job. On failure, or when dropped, the sessions are closed, whatever they are at.
pub(super) async fn carry_out(shared: &Arc<Shared>, sessions: Vec<Session>) -> Result<(Vec<Session>, Busy)> {
    let graph = &shared.graph;
    let mut schedule = Schedule::new(graph)?;
    let mut idle = sessions;
    // Dropping the set aborts its tasks, and with each its session.
    let mut running: JoinSet<(JobId, Session, Result<()>, f64)> = JoinSet::new();
    let mut busy = Busy::new();
    let mut parts = parts_per_table(graph);
    loop {
        while let Some(session) = idle.pop() {
            let Some(job) = schedule.start() else {
                idle.push(session);
                break;
            };
            let shared = Arc::clone(shared);
            running.spawn(async move {
                let begun = Instant::now();
                let result = shared.run(&session, job).await;
                (job, session, result, begun.elapsed().as_secs_f64())
            });
        }
        let Some(ended) = running.join_next().await else { break };
        let (id, session, result, seconds) =
            ended.map_err(|source| Error::new(Kind::Unexpected, "carry out the restore", source.to_string()))?;
        let job = &graph.jobs[id.index()];
        result?;
        schedule.finish(id);
        idle.push(session);
        *busy.entry(job.stage).or_default() += seconds;
        shared.loader.progress.steps(schedule.done() as u64, graph.jobs.len() as u64);
        if let Work::Load { table, .. } = &job.work {
            let left = parts.get_mut(table).expect("every load was counted");
            *left -= 1;
            if *left == 0 {
                shared.loader.progress.table_done(table.0 as usize);
            }
        }
    }
    if schedule.is_complete() {
        return Ok((idle, busy));
    }
    Err(Error::new(Kind::Unexpected, "carry out the restore", "jobs are left that cannot start"))
}

fn parts_per_table(graph: &Graph) -> BTreeMap<TableId, usize> {
    let mut parts = BTreeMap::new();
    for job in &graph.jobs {
        if let Work::Load { table, .. } = &job.work {
            *parts.entry(*table).or_default() += 1;
        }
    }
    parts
}

impl Shared {
    async fn run(&self, session: &Session, id: JobId) -> Result<()> {
        let job: &Job = &self.graph.jobs[id.index()];
        match &job.work {
            Work::Statements(steps) => statements(session, steps).await,
            Work::Script(steps) => {
                for batch in steps.chunks(COMMIT_EVERY) {
                    transaction(session, batch).await?;
                }
                Ok(())
            }
            Work::Load { table, chunks, mode, .. } => {
                let triggers = self.triggers.get(table).map_or(&[][..], Vec::as_slice);
                let described = &self.loader.archive.manifest.tables[table.0 as usize];
                let load = Load { id: *table, table: described, chunks, mode: *mode, triggers };
                self.loader.run(session, load).await.map(drop)
            }
        }
    }
}

/// One statement on its own, several in one transaction.
async fn statements(session: &Session, steps: &[Step]) -> Result<()> {
    match steps {
        [] => Ok(()),
        [step] => session.execute(&step.doing, &step.sql).await.map(drop),
        steps => transaction(session, steps).await,
    }
}

/// Statements in one transaction, sent without waiting for each answer. The first error is the one that is told: what follows it in an
/// aborted transaction does nothing.
pub(super) async fn transaction(session: &Session, steps: &[Step]) -> Result<()> {
    session.execute("begin a transaction", "BEGIN").await?;
    let mut answers = FuturesOrdered::new();
    for step in steps {
        answers.push_back(session.execute(&step.doing, &step.sql));
        if answers.len() >= PIPELINE {
            answers.next().await.transpose()?;
        }
    }
    while answers.next().await.transpose()?.is_some() {}
    session.execute("commit", "COMMIT").await.map(drop)
}
