//! Progress as one JSON object a line, for machines.
//!
//! Every line begins with `time` and `event`. Events and their fields are described in
//! `docs/events.md`, whose promise holds for them, and in `docs/events.schema.json`.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::tally::Tally;
use super::ticker::Ticker;
use crate::cli::text::secrets;
use crate::cli::text::stdio::Verbosity;
use crate::cli::text::units;
use crate::progress::{JobTotal, Level, Progress, TableTotal};

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

/// A line as it is written: in this order.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: &'a str,
    #[serde(flatten)]
    fields: &'a Value,
}

/// One line: the event's fields after its time and name.
pub(in crate::cli) fn line(event: &str, fields: &Value) -> String {
    let line = Line { time: format!("{:.3}", jiff::Timestamp::now()), event, fields };
    let line = serde_json::to_string(&line).expect("fields are an object");
    units::escaped_json(&line).into_owned()
}

impl<W: Write> State<W> {
    fn say(&mut self, event: &str, fields: &Value) {
        let _ = writeln!(self.out, "{}", secrets::hide(&line(event, fields)));
    }

    fn progress(&mut self, now: Instant) {
        self.tally.look(now);
        let tally = &self.tally;
        let jobs: Vec<&str> = tally.jobs_running().map(|(label, _)| label).collect();
        let tables: Vec<&str> = tally.running().map(|(_, table)| table.name.as_str()).collect();
        let fields = json!({
            "phase": tally.phase,
            "percent": tally.percent(),
            "seconds": tally.elapsed(now).as_secs_f64(),
            "seconds_left": tally.time_left().map(|left| left.as_secs_f64().ceil() as u64),
            "jobs_done": tally.jobs().map(|(done, _)| done),
            "jobs": tally.jobs().map(|(_, all)| all),
            "jobs_running": jobs,
            "tables_done": tally.tables_done,
            "tables": tally.tables_all,
            "tables_running": tables,
            "rows": tally.rows,
            "rows_total": tally.rows_total(),
            "bytes": tally.bytes,
            "bytes_total": tally.bytes_total(),
        });
        self.say("progress", &fields);
    }
}

impl<W: Write + Send + 'static> JsonLines<W> {
    pub(in crate::cli) fn new(out: W, verbosity: Verbosity) -> Self {
        let state = Arc::new(Mutex::new(State { out, tally: Tally::new(Instant::now()) }));
        let ticking = Arc::clone(&state);
        let ticker = (verbosity != Verbosity::Quiet).then(|| {
            Ticker::start(INTERVAL, move || {
                let mut state = ticking.lock().unwrap_or_else(PoisonError::into_inner);
                state.progress(Instant::now());
            })
        });
        Self { state, verbosity, _ticker: ticker }
    }

    /// Says something of another kind.
    pub(in crate::cli) fn event(&self, event: &str, fields: &Value) {
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
        state.tally.set_tables(tables, Instant::now());
        if self.talks() {
            let fields = json!({
                "tables": tables.len(),
                "rows_total": state.tally.rows_total(),
                "bytes_total": state.tally.bytes_total(),
            });
            state.say("tables", &fields);
        }
    }

    fn jobs(&self, jobs: &[JobTotal]) {
        let mut state = self.lock();
        state.tally.set_jobs(jobs, Instant::now());
        if self.talks() {
            let fields = json!({ "jobs": jobs.len(), "tables": state.tally.tables_all });
            state.say("jobs", &fields);
        }
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
        if let Some(table) = state.tally.tables.get(table).filter(|_| self.talks()) {
            let fields = json!({ "name": table.name, "rows": table.rows, "bytes": table.bytes });
            state.say("table", &fields);
        }
    }

    fn phase(&self, text: &str) {
        let mut state = self.lock();
        state.tally.set_phase(text);
        if self.talks() {
            state.say("phase", &json!({ "text": text }));
        }
    }

    fn steps(&self, done: u64, total: u64) {
        self.lock().tally.steps = Some((done, total));
    }

    fn ready(&self, text: &str, jobs_left: usize) {
        if self.talks() {
            self.lock().say("ready", &json!({ "text": text, "jobs_left": jobs_left }));
        }
    }

    fn message(&self, level: Level, text: &str) {
        if self.verbosity.shows(level) {
            let level = match level {
                Level::Detail => "detail",
                Level::Info => "info",
                Level::Warning => "warning",
            };
            self.lock().say("message", &json!({ "level": level, "text": text }));
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
        lines.lock().progress(Instant::now());
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
        {"bytes":1000,"bytes_total":1000,"event":"progress","jobs":null,"jobs_done":null,"jobs_running":[],"percent":100,"phase":"lock 1 table","rows":10,"rows_total":10,"seconds_left":null,"tables":1,"tables_done":1,"tables_running":[]}
        "#);
    }
}
