//! Progress as lines of text, for logs: phases as they begin, a heartbeat while nothing else is
//! said.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::tally::Tally;
use super::ticker::Ticker;
use crate::cli::text::secrets;
use crate::cli::text::stdio::Verbosity;
use crate::cli::text::units;
use crate::progress::{JobTotal, Level, Progress, TableTotal};

/// Silence longer than this is broken by a heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Writes lines to `W`. A line that cannot be written is dropped: the work matters more than the
/// talk about it.
pub(in crate::cli) struct Plain<W> {
    state: Arc<Mutex<State<W>>>,
    verbosity: Verbosity,
    /// Ends the heartbeat when dropped.
    _ticker: Option<Ticker>,
}

struct State<W> {
    out: W,
    tally: Tally,
    said: Instant,
}

impl<W: Write> State<W> {
    fn say(&mut self, text: &str) {
        let _ = self.out.write_all(units::printable_text(&secrets::hide(text)).as_bytes());
        self.said = Instant::now();
    }
}

impl<W: Write + Send + 'static> Plain<W> {
    pub(in crate::cli) fn new(out: W, verbosity: Verbosity) -> Self {
        let state = Arc::new(Mutex::new(State {
            out,
            tally: Tally::new(Instant::now()),
            said: Instant::now(),
        }));
        let beating = Arc::clone(&state);
        let ticker = (verbosity != Verbosity::Quiet).then(|| {
            Ticker::start(HEARTBEAT / 10, move || {
                let mut state = beating.lock().unwrap_or_else(PoisonError::into_inner);
                if state.said.elapsed() < HEARTBEAT {
                    return;
                }
                let now = Instant::now();
                state.tally.look(now);
                let line = state.tally.heartbeat(now);
                if !line.is_empty() {
                    state.say(&line);
                }
            })
        });
        Self { state, verbosity, _ticker: ticker }
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write + Send + 'static> Progress for Plain<W> {
    fn tables(&self, tables: &[TableTotal]) {
        self.lock().tally.set_tables(tables, Instant::now());
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
        let mut state = self.lock();
        state.tally.table_done(table, Instant::now());
        if let Some(table) =
            state.tally.tables.get(table).filter(|_| self.verbosity == Verbosity::Verbose)
        {
            let line = format!(
                "done: {}, {}, {}",
                units::printable(&table.name),
                units::plural(table.rows, "row"),
                units::bytes(table.bytes)
            );
            state.say(&line);
        }
    }

    fn phase(&self, text: &str) {
        let mut state = self.lock();
        state.tally.set_phase(text);
        if self.verbosity != Verbosity::Quiet {
            let line = state.tally.phase_and_steps();
            state.say(&line);
        }
    }

    fn steps(&self, done: u64, total: u64) {
        self.lock().tally.steps = Some((done, total));
    }

    fn message(&self, level: Level, text: &str) {
        if let Some(line) = self.verbosity.line(level, text) {
            self.lock().say(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::{Sink, scenario};

    #[test]
    fn says_as_much_as_it_is_asked_to() {
        let check = |verbosity| {
            let sink = Sink::default();
            scenario(&Plain::new(sink.clone(), verbosity));
            sink.text()
        };
        let warning = "warning: event trigger \"x\\n\" is not carried\n";
        assert_eq!(check(Verbosity::Normal), format!("lock 1 table\n3 workers\n{warning}"));
        assert_eq!(check(Verbosity::Quiet), warning);
        assert!(check(Verbosity::Verbose).contains("done: public.routes, 10 rows, 1.0 kB\n"));
    }
}
