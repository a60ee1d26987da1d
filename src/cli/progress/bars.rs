//! Progress as bars on a terminal: what is being done, the running tables and jobs, the whole.
//!
//! Without colours, so that there is nothing to turn off. What the lines say is decided by
//! [`lines`](super::lines).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::{Width, terminal_size_of};

use super::lines::lines;
use super::tally::Tally;
use super::ticker::Ticker;
use crate::cli::text::secrets;
use crate::cli::text::stdio::{Verbosity, note};
use crate::progress::{JobTotal, Level, Progress, TableTotal};

/// What a terminal has that does not tell its width.
const COLUMNS: usize = 80;

/// One of these stands before the first line, each time another: the run lives.
const SIGNS: [char; 4] = ['|', '/', '-', '\\'];

/// Draws on standard error.
pub(in crate::cli) struct Bars {
    state: Arc<Mutex<State>>,
    verbosity: Verbosity,
    /// Ends the redrawing when dropped.
    _ticker: Ticker,
}

struct State {
    tally: Tally,
    /// All lines in one. Until the tables are known there is none, and phases are lines: a password
    /// may be asked for in between.
    drawn: Option<ProgressBar>,
    drawn_times: usize,
}

impl Bars {
    pub(in crate::cli) fn new(verbosity: Verbosity) -> Self {
        let state = Arc::new(Mutex::new(State {
            tally: Tally::new(Instant::now()),
            drawn: None,
            drawn_times: 0,
        }));
        let ticking = Arc::clone(&state);
        let ticker = Ticker::start(Duration::from_millis(250), move || {
            let mut state = ticking.lock().unwrap_or_else(PoisonError::into_inner);
            state.redraw(Instant::now(), columns());
        });
        Self { state, verbosity, _ticker: ticker }
    }

    /// Takes the bars away, so that lines can follow.
    pub(in crate::cli) fn finish(&self) {
        if let Some(drawn) = self.lock().drawn.take() {
            drawn.finish_and_clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn draw_on(&mut self, target: ProgressDrawTarget) {
        let style = ProgressStyle::with_template("{msg}").expect("the template is ours");
        self.drawn = Some(ProgressBar::with_draw_target(None, target).with_style(style));
    }

    fn redraw(&mut self, now: Instant, columns: usize) {
        let Some(drawn) = &self.drawn else { return };
        self.tally.look(now);
        let sign = SIGNS[self.drawn_times % SIGNS.len()];
        self.drawn_times += 1;
        let lines = lines(&self.tally, now, columns.saturating_sub(2));
        drawn.set_message(format!("{sign} {}", lines.join("\n")));
    }
}

/// The width of the terminal.
fn columns() -> usize {
    terminal_size_of(io::stderr()).map_or(COLUMNS, |(Width(columns), _)| columns.into())
}

impl Progress for Bars {
    fn tables(&self, tables: &[TableTotal]) {
        let mut state = self.lock();
        state.tally.set_tables(tables, Instant::now());
        state.draw_on(ProgressDrawTarget::stderr());
        state.redraw(Instant::now(), columns());
    }

    fn jobs(&self, jobs: &[JobTotal]) {
        self.lock().tally.set_jobs(jobs, Instant::now());
    }

    fn job_begun(&self, job: usize, label: &str) {
        self.lock().tally.job_begun(job, label, Instant::now());
    }

    fn job_done(&self, job: usize) {
        self.lock().tally.job_done(job, Instant::now());
    }

    fn received(&self, table: usize, bytes: u64) {
        self.lock().tally.received(table, bytes, Instant::now());
    }

    fn advance(&self, table: usize, rows: u64, bytes: u64) {
        self.lock().tally.advance(table, rows, bytes, Instant::now());
    }

    fn table_done(&self, table: usize) {
        self.lock().tally.table_done(table, Instant::now());
    }

    fn phase(&self, text: &str) {
        let mut state = self.lock();
        state.tally.set_phase(text);
        if state.drawn.is_some() {
            state.redraw(Instant::now(), columns());
        } else {
            note(&state.tally.phase_and_steps());
        }
    }

    fn steps(&self, done: u64, total: u64) {
        self.lock().tally.steps = Some((done, total));
    }

    fn message(&self, level: Level, text: &str) {
        if let Some(line) = self.verbosity.line(level, text) {
            match &self.lock().drawn {
                Some(drawn) => drawn.println(secrets::hide(&line)),
                None => note(&line),
            }
        }
    }
}

#[cfg(test)]
mod tests;
