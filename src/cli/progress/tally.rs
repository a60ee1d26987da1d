//! What has been done so far, counted once for every way of showing it. Knows no output.

use std::time::{Duration, Instant};

use super::work::Work;
use crate::cli::text::units;
use crate::progress::{JobTotal, TableTotal};

/// The state of the work.
#[derive(Debug)]
pub(in crate::cli) struct Tally {
    pub(in crate::cli) phase: String,
    /// Steps done and all steps of the phase, where there are no jobs.
    pub(in crate::cli) steps: Option<(u64, u64)>,
    pub(in crate::cli) tables: Vec<TableTally>,
    pub(in crate::cli) rows: u64,
    /// What has come, or arrived.
    pub(in crate::cli) bytes: u64,
    pub(in crate::cli) tables_done: u64,
    /// The tables whose rows are moved.
    pub(in crate::cli) tables_all: u64,
    rows_total: u64,
    bytes_total: u64,
    started: Instant,
    /// When the last table was done: the rate of the rows does not sink while indexes are built.
    ended: Option<Instant>,
    work: Work,
}

/// The state of one table.
#[derive(Debug)]
pub(in crate::cli) struct TableTally {
    /// As it came; escaped where it is shown to people.
    pub(in crate::cli) name: String,
    pub(in crate::cli) rows: u64,
    /// What has come, or arrived.
    pub(in crate::cli) bytes: u64,
    pub(in crate::cli) bytes_total: u64,
    pub(in crate::cli) since: Option<Instant>,
    pub(in crate::cli) done: bool,
    /// Bytes that came before they arrived, and bytes that arrived.
    received: u64,
    arrived: u64,
}

impl TableTally {
    /// How much of it is done, from 0 to 1. What is not done is not whole: its size may be a guess.
    pub(in crate::cli) fn part(&self) -> f64 {
        if self.done {
            return 1.0;
        }
        (self.bytes as f64 / self.bytes_total.max(1) as f64).min(0.99)
    }

    /// The same in percent.
    pub(in crate::cli) fn percent(&self) -> u64 {
        (self.part() * 100.0) as u64
    }
}

impl Tally {
    pub(in crate::cli) fn new(now: Instant) -> Self {
        Self {
            phase: String::new(),
            steps: None,
            tables: Vec::new(),
            rows: 0,
            bytes: 0,
            tables_done: 0,
            tables_all: 0,
            rows_total: 0,
            bytes_total: 0,
            started: now,
            ended: None,
            work: Work::default(),
        }
    }

    pub(in crate::cli) fn set_tables(&mut self, tables: &[TableTotal], now: Instant) {
        let state = |table: &TableTotal| TableTally {
            name: table.name.clone(),
            rows: 0,
            bytes: 0,
            bytes_total: table.bytes,
            since: None,
            done: false,
            received: 0,
            arrived: 0,
        };
        *self = Self {
            phase: std::mem::take(&mut self.phase),
            tables: tables.iter().map(state).collect(),
            tables_all: tables.len() as u64,
            work: Work::of_tables(tables, now),
            ..Self::new(now)
        };
        self.rows_total = tables.iter().fold(0, |sum, table| sum.saturating_add(table.rows));
        self.bytes_total = tables.iter().fold(0, |sum, table| sum.saturating_add(table.bytes));
    }

    pub(in crate::cli) fn set_jobs(&mut self, jobs: &[JobTotal], now: Instant) {
        self.work.set_jobs(jobs, now);
        // A table without rows is done before there is any job.
        let is_counted =
            |(at, table): &(usize, &TableTally)| table.done || self.work.has_table(*at);
        self.tables_all = self.tables.iter().enumerate().filter(is_counted).count() as u64;
    }

    pub(in crate::cli) fn job_begun(&mut self, job: usize, label: &str, now: Instant) {
        self.work.job_begun(job, label, now);
    }

    pub(in crate::cli) fn job_done(&mut self, job: usize, now: Instant) {
        self.work.job_done(job, now);
    }

    /// Looks how far all is; [`percent`](Self::percent) and [`time_left`](Self::time_left) tell.
    pub(in crate::cli) fn look(&mut self, now: Instant) {
        let parts: Vec<f64> = self.tables.iter().map(TableTally::part).collect();
        self.work.look(&parts, now);
    }

    pub(in crate::cli) fn set_phase(&mut self, text: &str) {
        text.clone_into(&mut self.phase);
        self.steps = None;
    }

    /// Counts what came, and is yet to arrive.
    pub(in crate::cli) fn received(&mut self, table: usize, bytes: u64, now: Instant) {
        self.count(table, |table| table.received = table.received.saturating_add(bytes), now);
    }

    /// Counts what arrived. News may come after the table was called complete.
    pub(in crate::cli) fn advance(&mut self, table: usize, rows: u64, bytes: u64, now: Instant) {
        self.rows += rows;
        let add = |table: &mut TableTally| {
            table.rows += rows;
            table.arrived = table.arrived.saturating_add(bytes);
        };
        self.count(table, add, now);
    }

    fn count(&mut self, table: usize, add: impl FnOnce(&mut TableTally), now: Instant) {
        let Some(table) = self.tables.get_mut(table) else { return };
        let before = table.bytes;
        add(table);
        table.bytes = table.received.max(table.arrived);
        table.since.get_or_insert(now);
        let more = table.bytes - before;
        self.bytes = self.bytes.saturating_add(more);
        if table.done {
            self.bytes_total = self.bytes_total.saturating_add(more);
        }
    }

    /// Marks a table complete. What it had less or more than was guessed corrects the total.
    pub(in crate::cli) fn table_done(&mut self, table: usize, now: Instant) {
        let Some(table) = self.tables.get_mut(table).filter(|table| !table.done) else { return };
        table.done = true;
        // What came may have been a little more than its rows.
        self.bytes = self.bytes.saturating_sub(table.bytes).saturating_add(table.arrived);
        (table.bytes, table.received) = (table.arrived, table.arrived);
        self.bytes_total =
            self.bytes_total.saturating_sub(table.bytes_total).saturating_add(table.bytes);
        self.tables_done += 1;
        if self.tables_done == self.tables_all {
            self.ended = Some(now);
        }
    }

    /// `1 of 4 tables`.
    pub(in crate::cli) fn tables_of(&self) -> String {
        of(self.tables_done, self.tables_all, "table")
    }

    /// Jobs done and all jobs, if there is a plan.
    pub(in crate::cli) fn jobs(&self) -> Option<(u64, u64)> {
        self.work.jobs()
    }

    /// Jobs that do not load rows: what they do, and since when.
    pub(in crate::cli) fn jobs_running(&self) -> impl Iterator<Item = (&str, Instant)> {
        self.work.running()
    }

    /// How much of all the work is done. It never goes back.
    pub(in crate::cli) fn percent(&self) -> u64 {
        self.work.percent()
    }

    /// The time that the rest takes; none while that is not known.
    pub(in crate::cli) fn time_left(&self) -> Option<Duration> {
        self.work.left()
    }

    /// Never less than what has been done: the total may be a guess.
    pub(in crate::cli) fn bytes_total(&self) -> u64 {
        self.bytes_total.max(self.bytes)
    }

    pub(in crate::cli) fn rows_total(&self) -> u64 {
        self.rows_total.max(self.rows)
    }

    pub(in crate::cli) fn elapsed(&self, now: Instant) -> Duration {
        self.ended.unwrap_or(now).saturating_duration_since(self.started)
    }

    /// `12,000 rows`, `5.1 MB`, `45.0 MB/s`.
    pub(in crate::cli) fn amounts(&self, now: Instant) -> [String; 3] {
        [
            units::plural(self.rows, "row"),
            units::bytes(self.bytes),
            units::rate(self.bytes, self.elapsed(now)),
        ]
    }

    /// `12 s left`; never 0, for something is left.
    pub(in crate::cli) fn left(&self) -> Option<String> {
        self.time_left().map(|left| {
            let whole = Duration::from_secs(left.as_secs_f64().ceil() as u64);
            format!("{} left", units::duration(whole.max(Duration::from_secs(1))))
        })
    }

    /// `15 of 23 jobs`, or how far a phase without jobs is.
    pub(in crate::cli) fn steps_of(&self) -> Option<String> {
        let jobs = self.jobs().map(|(done, all)| of(done, all, "job"));
        jobs.or_else(|| self.steps.map(|(done, all)| format!("{done} of {all}")))
    }

    /// `build indexes: 3 of 20 jobs`.
    pub(in crate::cli) fn phase_and_steps(&self) -> String {
        let phase = units::printable(&self.phase);
        match self.steps_of() {
            Some(steps) => format!("{phase}: {steps}"),
            None => phase.into_owned(),
        }
    }

    /// One line for a log.
    pub(in crate::cli) fn heartbeat(&self, now: Instant) -> String {
        let mut parts = Vec::new();
        if !self.phase.is_empty() {
            parts.push(self.phase_and_steps());
        }
        let mut figures = Vec::new();
        if self.tables_all > 0 {
            parts.push(format!("{} done", self.tables_of()));
            figures.extend(self.amounts(now));
        }
        if self.tables_all > 0 || self.jobs().is_some() {
            figures.insert(0, format!("{} %", self.percent()));
            figures.extend(self.left());
            parts.push(figures.join(", "));
        }
        let tables = self.running().map(|(_, table)| units::printable(&table.name));
        let jobs = self.jobs_running().map(|(label, _)| units::printable(label));
        let running: Vec<_> = jobs.chain(tables).take(4).collect();
        if !running.is_empty() {
            parts.push(format!("at {}", running.join(", ")));
        }
        parts.join("; ")
    }

    /// Tables that have begun and are not complete, with their places.
    pub(in crate::cli) fn running(&self) -> impl Iterator<Item = (usize, &TableTally)> {
        self.tables.iter().enumerate().filter(|(_, table)| table.since.is_some() && !table.done)
    }
}

/// `1 of 4 tables`.
fn of(done: u64, all: u64, noun: &str) -> String {
    format!("{} of {}", units::count(done), units::plural(all, noun))
}

#[cfg(test)]
mod tests;
