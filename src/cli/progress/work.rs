//! How much of the work is done, and how long the rest takes: by the costs that the plan has for
//! its jobs, and without a plan by the bytes of the tables.
//!
//! Knows no output, and no clock: it is told the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::progress::{JobTotal, TableTotal};

/// A table's share of the work beside its bytes, where there is no plan.
const TABLE_COST: f64 = 4096.0;
/// A running job counts as done by so much at most: how far it is, nobody tells.
const RUNNING_MAX: f64 = 0.9;
/// The speed of what is not rows is taken for known once so much of the work is done by it.
const KNOWN_FROM: f64 = 0.01;
/// Before so much time has passed, nothing is said of the rest.
const FIRST_GUESS: Duration = Duration::from_secs(1);
/// What a cost is a second, before a job has ended; the plan's are microseconds.
const COST_PER_SECOND: f64 = 1e6;

/// The work.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// What each table's rows cost.
    tables: Vec<f64>,
    jobs: Vec<Job>,
    /// The jobs that run and do not load rows, by their places.
    running: BTreeMap<usize, (String, Instant)>,
    /// The costs of jobs that are done, and do not load rows.
    done: f64,
    all: f64,
    /// What the jobs took that are done: those that load rows, and the others.
    loads_ended: Spent,
    others_ended: Spent,
    jobs_done: u64,
    begun: Option<Instant>,
    /// What was seen at the last look, which never goes back.
    percent: u64,
    left: Option<Duration>,
}

/// Costs, and the seconds that sessions were busy with them.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    cost: f64,
    seconds: f64,
}

impl Spent {
    fn add(&mut self, cost: f64, seconds: f64) {
        self.cost += cost;
        self.seconds += seconds;
    }

    fn speed(self) -> Option<f64> {
        (self.cost > 0.0 && self.seconds > 0.0).then(|| self.cost / self.seconds)
    }
}

#[derive(Debug)]
struct Job {
    cost: f64,
    chain: f64,
    loads: Option<usize>,
    state: State,
}

impl Job {
    /// How long it has been running.
    fn seconds(&self, now: Instant) -> f64 {
        match self.state {
            State::Running(since) => now.saturating_duration_since(since).as_secs_f64(),
            State::Due | State::Done => 0.0,
        }
    }
}

#[derive(Debug, PartialEq)]
enum State {
    Due,
    Running(Instant),
    Done,
}

impl Work {
    /// The work of moving tables.
    pub(super) fn of_tables(tables: &[TableTotal], now: Instant) -> Self {
        let tables: Vec<f64> = tables.iter().map(|table| table.bytes as f64 + TABLE_COST).collect();
        Self { all: tables.iter().sum(), tables, begun: Some(now), ..Self::default() }
    }

    /// The same with a plan, by whose costs it is measured from now on.
    pub(super) fn set_jobs(&mut self, jobs: &[JobTotal], now: Instant) {
        let mut tables = vec![0.0; self.tables.len()];
        for job in jobs {
            if let Some(table) = job.loads.and_then(|table| tables.get_mut(table)) {
                *table += job.cost as f64;
            }
        }
        let job = |job: &JobTotal| Job {
            cost: job.cost as f64,
            chain: job.chain as f64,
            loads: job.loads,
            state: State::Due,
        };
        *self = Self {
            all: jobs.iter().map(|job| job.cost as f64).sum(),
            tables,
            jobs: jobs.iter().map(job).collect(),
            begun: Some(now),
            percent: self.percent,
            ..Self::default()
        };
    }

    pub(super) fn job_begun(&mut self, at: usize, label: &str, now: Instant) {
        if let Some(job) = self.jobs.get_mut(at) {
            job.state = State::Running(now);
            if job.loads.is_none() {
                self.running.insert(at, (label.to_owned(), now));
            }
        }
    }

    pub(super) fn job_done(&mut self, job: usize, now: Instant) {
        self.running.remove(&job);
        let Some(job) = self.jobs.get_mut(job).filter(|job| job.state != State::Done) else {
            return;
        };
        if let State::Running(since) = job.state {
            let seconds = now.saturating_duration_since(since).as_secs_f64();
            match job.loads {
                Some(_) => self.loads_ended.add(job.cost, seconds),
                None => self.others_ended.add(job.cost, seconds),
            }
        }
        if job.loads.is_none() {
            self.done += job.cost;
        }
        job.state = State::Done;
        self.jobs_done += 1;
    }

    /// Jobs done and all jobs, if there is a plan.
    pub(super) fn jobs(&self) -> Option<(u64, u64)> {
        (!self.jobs.is_empty()).then_some((self.jobs_done, self.jobs.len() as u64))
    }

    /// Whether the table's rows are part of the work.
    pub(super) fn has_table(&self, table: usize) -> bool {
        self.jobs.is_empty() || self.tables.get(table).is_some_and(|cost| *cost > 0.0)
    }

    /// The jobs that run and do not load rows: what they do, and since when.
    pub(super) fn running(&self) -> impl Iterator<Item = (&str, Instant)> {
        self.running.values().map(|(label, since)| (label.as_str(), *since))
    }

    /// Looks how far it is; `parts` says of each table how much is done, 1 is all.
    pub(super) fn look(&mut self, parts: &[f64], now: Instant) {
        let moved: f64 = self.tables.iter().zip(parts).map(|(cost, part)| cost * part).sum();
        let (others, left) = if self.jobs.is_empty() {
            (0.0, self.left_of_tables(moved, now))
        } else {
            self.left_of_jobs(parts, moved, now)
        };
        let is_done = self.jobs_done == self.jobs.len() as u64
            && parts.iter().enumerate().all(|(at, part)| *part >= 1.0 || !self.has_table(at));
        let part = (self.done + moved + others) / self.all.max(1.0);
        let part = if is_done { 1.0 } else { part.clamp(0.0, 0.99) };
        self.percent = self.percent.max((part * 100.0) as u64);
        let known = !is_done && part > 0.0 && self.elapsed(now) >= FIRST_GUESS;
        self.left = left.filter(|_| known).and_then(|left| Duration::try_from_secs_f64(left).ok());
    }

    /// The seconds that the rest takes at the speed so far.
    fn left_of_tables(&self, moved: f64, now: Instant) -> Option<f64> {
        let elapsed = self.elapsed(now).as_secs_f64();
        (moved > 0.0).then(|| elapsed * (self.all - moved).max(0.0) / moved)
    }

    /// The costs that running jobs have done, but for rows; and the seconds that the rest takes: all
    /// sessions together as busy as so far, but no chain faster than one session.
    fn left_of_jobs(&self, parts: &[f64], moved: f64, now: Instant) -> (f64, Option<f64>) {
        let (loading, working) = self.speeds(moved, now);
        let (mut others, mut chain) = (0.0, 0.0_f64);
        let mut busy = self.loads_ended.seconds + self.others_ended.seconds;
        for job in &self.jobs {
            let seconds = job.seconds(now);
            let part = match (&job.state, job.loads) {
                (State::Done, _) => continue,
                (State::Due, _) => 0.0,
                (_, Some(table)) => parts.get(table).copied().unwrap_or_default(),
                (_, None) => (seconds * working / job.cost.max(1.0)).min(RUNNING_MAX),
            };
            busy += seconds;
            let own = job.cost * (1.0 - part);
            let own_speed = if job.loads.is_some() { loading } else { working };
            chain = chain.max(own / own_speed + (job.chain - job.cost).max(0.0) / working);
            if job.loads.is_none() {
                others += job.cost * part;
            }
        }
        let rows: f64 = self.tables.iter().sum();
        let rest = (self.all - rows - self.done - others).max(0.0);
        let seconds = (rows - moved).max(0.0) / loading + rest / working;
        let sessions = (busy / self.elapsed(now).as_secs_f64().max(0.001)).max(1.0);
        (others, Some((seconds / sessions).max(chain)))
    }

    /// What one session does of the costs in a second: while it loads rows, and otherwise. They
    /// differ where the rows come by a slow way.
    fn speeds(&self, moved: f64, now: Instant) -> (f64, f64) {
        let mut loads = Spent { cost: moved, ..self.loads_ended };
        let mut others = self.others_ended;
        let running = || self.jobs.iter().filter(|job| matches!(job.state, State::Running(_)));
        loads.seconds +=
            running().filter(|job| job.loads.is_some()).map(|job| job.seconds(now)).sum::<f64>();
        let loading = loads.speed().unwrap_or(COST_PER_SECOND);
        // Before others have ended: between what the plan thinks and what the rows say.
        let guess = (COST_PER_SECOND * loading).sqrt();
        let known = others.speed().filter(|_| others.cost > self.all * KNOWN_FROM).unwrap_or(guess);
        for job in running().filter(|job| job.loads.is_none()) {
            let seconds = job.seconds(now);
            if seconds * known > job.cost {
                // It takes longer than it should.
                others.add(job.cost, seconds);
            }
        }
        let working = others.speed().filter(|_| others.cost > self.all * KNOWN_FROM);
        (loading, working.unwrap_or(guess))
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| now.saturating_duration_since(begun))
    }

    /// How much is done, as seen at the last look.
    pub(super) fn percent(&self) -> u64 {
        self.percent
    }

    /// How long the rest takes, as seen at the last look; none as long as that is not known, and at
    /// the end.
    pub(super) fn left(&self) -> Option<Duration> {
        self.left
    }
}
