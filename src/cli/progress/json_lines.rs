//! Progress as one JSON object a line, for machines.
//!
//! Every line has `time` (RFC 3339, UTC) and `event`: `connection`, `phase`, `tables`, `progress`,
//! `table`, `message`, `summary`, `error`. Fields may be added, never taken away or given another meaning.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::tally::Tally;
use super::ticker::Ticker;
use crate::cli::text::stdio::Verbosity;
use crate::cli::text::units;
use crate::progress::{Level, Progress, TableTotal};

/// Time between two `progress` lines.
const INTERVAL: Duration = Duration::from_secs(5);

/// Writes lines to `W`. A line that cannot be written is dropped.
pub(in crate::cli) struct JsonLines<W> {
    state: Arc<Mutex<State<W>>>,
    verbosity: Verbosity,
    /// Ends the `progress` lines when dropped.
    _ticker: Option<Ticker>,
}

struct State<W> {
    out: W,
    tally: Tally,
}

/// One line: the event's fields after its name and time.
pub(in crate::cli) fn line(event: &str, fields: Value) -> String {
    let mut line = json!({ "time": format!("{:.3}", jiff::Timestamp::now()), "event": event });
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
        line.extend(fields);
    }
    units::escaped_json(&line.to_string()).into_owned()
}

impl<W: Write> State<W> {
    fn say(&mut self, event: &str, fields: Value) {
        let _ = writeln!(self.out, "{}", line(event, fields));
    }

    fn progress(&mut self) {
        let tally = &self.tally;
        let seconds = tally.elapsed().as_secs_f64();
        let fields = json!({
            "phase": tally.phase,
            "steps_done": tally.steps.map(|(done, _)| done),
            "steps": tally.steps.map(|(_, total)| total),
            "tables_done": tally.tables_done,
            "tables": tally.tables.len(),
            "rows": tally.rows,
            "rows_total": tally.rows_total(),
            "bytes": tally.bytes,
            "bytes_total": tally.bytes_total(),
            "seconds": seconds,
            "seconds_left": tally.time_left().map(|left| left.as_secs()),
            "running": tally.running().map(|(_, table)| table.name.as_str()).collect::<Vec<_>>(),
        });
        self.say("progress", fields);
    }
}

impl<W: Write + Send + 'static> JsonLines<W> {
    pub(in crate::cli) fn new(out: W, verbosity: Verbosity) -> Self {
        let state = Arc::new(Mutex::new(State { out, tally: Tally::new() }));
        let ticking = Arc::clone(&state);
        let ticker = (verbosity != Verbosity::Quiet).then(|| {
            Ticker::start(INTERVAL, move || {
                ticking.lock().unwrap_or_else(PoisonError::into_inner).progress();
            })
        });
        Self { state, verbosity, _ticker: ticker }
    }

    /// Says something of another kind.
    pub(in crate::cli) fn event(&self, event: &str, fields: Value) {
        self.lock().say(event, fields);
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn talks(&self) -> bool {
        self.verbosity != Verbosity::Quiet
    }
}

impl<W: Write + Send + 'static> Progress for JsonLines<W> {
    fn tables(&self, tables: &[TableTotal]) {
        let mut state = self.lock();
        state.tally.set_tables(tables);
        if self.talks() {
            let fields = json!({ "tables": tables.len(), "rows_total": state.tally.rows_total(), "bytes_total": state.tally.bytes_total() });
            state.say("tables", fields);
        }
    }

    fn advance(&self, table: usize, rows: u64, bytes: u64) {
        self.lock().tally.advance(table, rows, bytes);
    }

    fn table_done(&self, table: usize) {
        let mut state = self.lock();
        state.tally.table_done(table);
        if let Some(table) = state.tally.tables.get(table).filter(|_| self.talks()) {
            let fields = json!({ "name": table.name, "rows": table.rows, "bytes": table.bytes });
            state.say("table", fields);
        }
    }

    fn phase(&self, text: &str) {
        let mut state = self.lock();
        state.tally.set_phase(text);
        if self.talks() {
            state.say("phase", json!({ "text": text }));
        }
    }

    fn steps(&self, done: u64, total: u64) {
        self.lock().tally.steps = Some((done, total));
    }

    fn message(&self, level: Level, text: &str) {
        if self.verbosity.shows(level) {
            let level = match level {
                Level::Detail => "detail",
                Level::Info => "info",
                Level::Warning => "warning",
            };
            self.lock().say("message", json!({ "level": level, "text": text }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::{Sink, scenario};

    #[test]
    fn every_line_is_an_object() {
        let sink = Sink::default();
        let lines = JsonLines::new(sink.clone(), Verbosity::Normal);
        scenario(&lines);
        lines.lock().progress();
        let mut seen = Vec::new();
        for line in sink.text().lines() {
            let mut value: Value = serde_json::from_str(line).unwrap();
            let fields = value.as_object_mut().unwrap();
            fields.remove("time").unwrap().as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
            fields.remove("seconds");
            seen.push(value.to_string());
        }
        insta::assert_snapshot!(seen.join("\n"), @r#"
        {"event":"phase","text":"lock 1 table"}
        {"event":"message","level":"info","text":"3 workers"}
        {"bytes_total":2000,"event":"tables","rows_total":8,"tables":1}
        {"event":"message","level":"warning","text":"event trigger \"x\n\" is not carried"}
        {"bytes":1000,"event":"table","name":"public.routes","rows":10}
        {"bytes":1000,"bytes_total":1000,"event":"progress","phase":"lock 1 table","rows":10,"rows_total":10,"running":[],"seconds_left":null,"steps":2,"steps_done":1,"tables":1,"tables_done":1}
        "#);
    }
}
