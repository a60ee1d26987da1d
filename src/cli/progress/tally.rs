//! What has been done so far, counted once for every way of showing it. Knows no output.

use std::time::{Duration, Instant};

use crate::cli::text::units;
use crate::progress::TableTotal;

/// The state of the work.
#[derive(Debug)]
pub(in crate::cli) struct Tally {
    pub(in crate::cli) phase: String,
    /// Steps done and all steps of the phase.
    pub(in crate::cli) steps: Option<(u64, u64)>,
    pub(in crate::cli) tables: Vec<TableTally>,
    pub(in crate::cli) rows: u64,
    pub(in crate::cli) bytes: u64,
    pub(in crate::cli) tables_done: u64,
    rows_total: u64,
    bytes_total: u64,
    started: Instant,
    /// When the last table was done: the rate of the rows does not sink while indexes are built.
    ended: Option<Instant>,
}

/// The state of one table.
#[derive(Debug)]
pub(in crate::cli) struct TableTally {
    /// As it came; escaped where it is shown to people.
    pub(in crate::cli) name: String,
    pub(in crate::cli) rows: u64,
    pub(in crate::cli) bytes: u64,
    pub(in crate::cli) bytes_total: u64,
    pub(in crate::cli) since: Option<Instant>,
    pub(in crate::cli) done: bool,
}

impl Tally {
    pub(in crate::cli) fn new() -> Self {
        Self {
            phase: String::new(),
            steps: None,
            tables: Vec::new(),
            rows: 0,
            bytes: 0,
            tables_done: 0,
            rows_total: 0,
            bytes_total: 0,
            started: Instant::now(),
            ended: None,
        }
    }

    pub(in crate::cli) fn set_tables(&mut self, tables: &[TableTotal]) {
        let state = |table: &TableTotal| TableTally {
            name: table.name.clone(),
            rows: 0,
            bytes: 0,
            bytes_total: table.bytes,
            since: None,
            done: false,
        };
        *self = Self {
            phase: std::mem::take(&mut self.phase),
            tables: tables.iter().map(state).collect(),
            ..Self::new()
        };
        self.rows_total = tables.iter().fold(0, |sum, table| sum.saturating_add(table.rows));
        self.bytes_total = tables.iter().fold(0, |sum, table| sum.saturating_add(table.bytes));
    }

    pub(in crate::cli) fn set_phase(&mut self, text: &str) {
        text.clone_into(&mut self.phase);
        self.steps = None;
    }

    /// Counts; tells whether it is the table's first sign of life. News may come after the table
    /// was called complete.
    pub(in crate::cli) fn advance(&mut self, table: usize, rows: u64, bytes: u64) -> bool {
        self.rows += rows;
        self.bytes += bytes;
        let Some(table) = self.tables.get_mut(table) else { return false };
        let first = table.since.is_none() && !table.done;
        if table.done {
            self.bytes_total = self.bytes_total.saturating_add(bytes);
        }
        table.since.get_or_insert_with(Instant::now);
        table.rows += rows;
        table.bytes += bytes;
        first
    }

    /// Marks a table complete. What it had less or more than was guessed corrects the total.
    pub(in crate::cli) fn table_done(&mut self, table: usize) {
        let all = self.tables.len() as u64;
        let Some(table) = self.tables.get_mut(table).filter(|table| !table.done) else { return };
        table.done = true;
        self.bytes_total =
            self.bytes_total.saturating_sub(table.bytes_total).saturating_add(table.bytes);
        self.tables_done += 1;
        if self.tables_done == all {
            self.ended = Some(Instant::now());
        }
    }

    pub(in crate::cli) fn all_tables_done(&self) -> bool {
        self.tables_done == self.tables.len() as u64
    }

    /// Never less than what has been done: the total may be a guess.
    pub(in crate::cli) fn bytes_total(&self) -> u64 {
        self.bytes_total.max(self.bytes)
    }

    pub(in crate::cli) fn rows_total(&self) -> u64 {
        self.rows_total.max(self.rows)
    }

    pub(in crate::cli) fn elapsed(&self) -> Duration {
        self.ended.unwrap_or_else(Instant::now).saturating_duration_since(self.started)
    }

    /// The time that the rest takes at the mean speed so far; none while that is not known.
    pub(in crate::cli) fn time_left(&self) -> Option<Duration> {
        let left = self.bytes_total() - self.bytes;
        let speed = units::per_second(self.bytes, self.elapsed());
        (self.bytes > 0 && left > 0)
            .then(|| Duration::try_from_secs_f64(left as f64 / speed).ok())
            .flatten()
    }

    /// `12,000 rows, 5.1 MB, 45.0 MB/s, 12 s left`.
    pub(in crate::cli) fn speed(&self) -> String {
        let mut text = format!(
            "{}, {}, {}",
            units::plural(self.rows, "row"),
            units::bytes(self.bytes),
            units::rate(self.bytes, self.elapsed())
        );
        if let Some(left) = self.time_left() {
            text = format!("{text}, {} left", units::duration(left));
        }
        text
    }

    /// `build indexes: 3 of 20`.
    pub(in crate::cli) fn phase_and_steps(&self) -> String {
        match self.steps {
            Some((done, total)) => format!("{}: {done} of {total}", units::printable(&self.phase)),
            None => units::printable(&self.phase).into_owned(),
        }
    }

    /// One line for a log.
    pub(in crate::cli) fn heartbeat(&self) -> String {
        let mut parts = Vec::new();
        if !self.phase.is_empty() {
            parts.push(self.phase_and_steps());
        }
        if !self.tables.is_empty() {
            parts.push(format!(
                "{} of {} done",
                self.tables_done,
                units::plural(self.tables.len() as u64, "table")
            ));
            parts.push(self.speed());
        }
        let running: Vec<_> =
            self.running().map(|(_, table)| units::printable(&table.name)).take(4).collect();
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

#[cfg(test)]
mod tests;
