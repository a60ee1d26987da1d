//! Progress as bars on a terminal: what is being done, the running tables, the whole.
//!
//! Without colours, so that there is nothing to turn off.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::tally::Tally;
use super::ticker::Ticker;
use crate::cli::text::stdio::{Verbosity, note};
use crate::cli::text::units;
use crate::progress::{Level, Progress, TableTotal};

/// More tables at a time than this are worked on unseen.
const BARS_MAX: usize = 8;

/// Draws on standard error.
pub(in crate::cli) struct Bars {
    state: Arc<Mutex<State>>,
    verbosity: Verbosity,
    /// Ends the redrawing when dropped.
    _ticker: Ticker,
}

struct State {
    tally: Tally,
    multi: MultiProgress,
    /// Until the tables are known, phases are lines: a password may be asked for in between.
    phase: Option<ProgressBar>,
    whole: Option<ProgressBar>,
    tables: Vec<(usize, ProgressBar)>,
}

impl Bars {
    pub(in crate::cli) fn new(verbosity: Verbosity) -> Self {
        let multi = MultiProgress::new();
        let state = Arc::new(Mutex::new(State {
            tally: Tally::new(),
            multi,
            phase: None,
            whole: None,
            tables: Vec::new(),
        }));
        let ticking = Arc::clone(&state);
        let ticker = Ticker::start(Duration::from_millis(250), move || {
            ticking.lock().unwrap_or_else(PoisonError::into_inner).redraw();
        });
        Self { state, verbosity, _ticker: ticker }
    }

    /// Takes the bars away, so that lines can follow.
    pub(in crate::cli) fn finish(&self) {
        let mut state = self.lock();
        state.tables.clear();
        state.whole = None;
        state.phase = None;
        let _ = state.multi.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn redraw(&mut self) {
        let Some(phase) = &self.phase else { return };
        phase.set_message(units::printable(&self.tally.phase_and_steps()).into_owned());
        phase.tick();
        for (at, bar) in &self.tables {
            if let Some(table) = self.tally.tables.get(*at) {
                bar.set_length(table.bytes_total.max(table.bytes));
                bar.set_position(table.bytes);
                let elapsed = table.since.map(|since| since.elapsed()).unwrap_or_default();
                bar.set_message(format!(
                    "{}, {}",
                    units::plural(table.rows, "row"),
                    units::rate(table.bytes, elapsed)
                ));
            }
        }
        if let Some(whole) = &self.whole {
            whole.set_length(self.tally.bytes_total());
            whole.set_position(self.tally.bytes);
            whole.set_message(self.tally.speed());
        }
    }

    /// Puts a bar above the whole's.
    fn add_table(&mut self, at: usize) {
        if self.tables.len() >= BARS_MAX {
            return;
        }
        let (Some(whole), Some(table)) = (&self.whole, self.tally.tables.get(at)) else { return };
        let bar = ProgressBar::new(table.bytes_total)
            .with_style(style("  {prefix:32!} [{bar:20}] {percent:>3} % {msg}"));
        let bar = self.multi.insert_before(whole, bar);
        bar.set_prefix(units::printable(&table.name).into_owned());
        self.tables.push((at, bar));
    }

    fn remove_table(&mut self, at: usize) {
        if let Some(place) = self.tables.iter().position(|(table, _)| *table == at) {
            let (_, bar) = self.tables.swap_remove(place);
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }
}

impl Progress for Bars {
    fn tables(&self, tables: &[TableTotal]) {
        let mut state = self.lock();
        state.tally.set_tables(tables);
        let bar = ProgressBar::new(state.tally.bytes_total())
            .with_style(style("all [{bar:30}] {percent:>3} % {msg}"));
        let spinner = ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}"));
        state.phase = Some(state.multi.add(spinner));
        state.whole = (!tables.is_empty()).then(|| state.multi.add(bar));
    }

    fn advance(&self, table: usize, rows: u64, bytes: u64) {
        let mut state = self.lock();
        if state.tally.advance(table, rows, bytes) {
            state.add_table(table);
        }
    }

    fn table_done(&self, table: usize) {
        let mut state = self.lock();
        state.tally.table_done(table);
        state.remove_table(table);
        if state.tally.all_tables_done()
            && let Some(whole) = state.whole.take()
        {
            state.multi.remove(&whole);
        }
    }

    fn phase(&self, text: &str) {
        let mut state = self.lock();
        state.tally.set_phase(text);
        if state.phase.is_some() {
            state.redraw();
        } else {
            note(&state.tally.phase_and_steps());
        }
    }

    fn steps(&self, done: u64, total: u64) {
        self.lock().tally.steps = Some((done, total));
    }

    fn message(&self, level: Level, text: &str) {
        if let Some(line) = self.verbosity.line(level, text) {
            let state = self.lock();
            if state.phase.is_some() {
                let _ = state.multi.println(line);
            } else {
                note(&line);
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are ours").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::scenario;

    #[test]
    fn bars_come_and_go() {
        let bars = Bars::new(Verbosity::Normal);
        bars.tables(&[TableTotal { name: "public.a".to_owned(), rows: 1, bytes: 10 }]);
        bars.advance(0, 1, 5);
        assert_eq!(bars.lock().tables.len(), 1);
        bars.table_done(0);
        assert_eq!(bars.lock().tables.len(), 0);
        scenario(&bars);
        bars.finish();
        bars.finish();
    }
}
