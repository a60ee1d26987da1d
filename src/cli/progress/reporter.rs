//! The one who tells what goes on, in the way that was asked for.

use std::io::Stderr;
use std::sync::OnceLock;

use serde_json::Value;

use super::bars::Bars;
use super::json_lines::{self, JsonLines};
use super::plain::Plain;
use crate::cli::text::stdio::{LogFormat, Verbosity, note};
use crate::cli::text::units;
use crate::error::Error;
use crate::progress::{JobTotal, Level, Progress, TableTotal};

/// Shows progress in the way that was asked for.
pub(in crate::cli) struct Reporter {
    pub(in crate::cli) inner: Inner,
    pub(in crate::cli) verbosity: Verbosity,
    /// Set once the database was reported ready.
    pub(in crate::cli) ready: OnceLock<()>,
}

pub(in crate::cli) enum Inner {
    Bars(Bars),
    Plain(Plain<Stderr>),
    Json(JsonLines<Stderr>),
}

impl Reporter {
    fn progress(&self) -> &dyn Progress {
        match &self.inner {
            Inner::Bars(bars) => bars,
            Inner::Plain(plain) => plain,
            Inner::Json(lines) => lines,
        }
    }

    /// Whether the database was reported ready: whatever comes after, somebody may use it.
    pub(in crate::cli) fn has_told_ready(&self) -> bool {
        self.ready.get().is_some()
    }

    /// Takes bars away; from here on there are lines only.
    pub(in crate::cli) fn finish(&self) {
        if let Inner::Bars(bars) = &self.inner {
            bars.finish();
        }
    }

    /// Says a line to people, an event of its own to machines. Nothing with `-q`.
    pub(in crate::cli) fn event(&self, event: &str, text: &str, fields: &Value) {
        match &self.inner {
            _ if self.verbosity == Verbosity::Quiet => {}
            Inner::Json(json) => json.event(event, fields),
            _ => self.message(Level::Info, text),
        }
    }

    /// Tells machines what people are told elsewhere; also with `-q`.
    pub(in crate::cli) fn event_for_machines(&self, event: &str, fields: &Value) {
        if let Inner::Json(json) = &self.inner {
            json.event(event, fields);
        }
    }

    /// Closes with a summary: lines for people, or fields for machines. Nothing with `-q`.
    pub(in crate::cli) fn summary(&self, lines: &str, fields: &Value) {
        self.finish();
        match &self.inner {
            _ if self.verbosity == Verbosity::Quiet => {}
            Inner::Json(json) => json.event("summary", fields),
            _ => note(lines),
        }
    }
}

impl Progress for Reporter {
    fn tables(&self, tables: &[TableTotal]) {
        self.progress().tables(tables);
    }

    fn jobs(&self, jobs: &[JobTotal]) {
        self.progress().jobs(jobs);
    }

    fn job_begun(&self, job: usize, label: &str) {
        self.progress().job_begun(job, label);
    }

    fn job_done(&self, job: usize) {
        self.progress().job_done(job);
    }

    fn received(&self, table: usize, bytes: u64) {
        self.progress().received(table, bytes);
    }

    fn ready(&self, text: &str, jobs_left: usize) {
        self.ready.get_or_init(|| ());
        self.progress().ready(text, jobs_left);
    }

    fn advance(&self, table: usize, rows: u64, bytes: u64) {
        self.progress().advance(table, rows, bytes);
    }

    fn table_done(&self, table: usize) {
        self.progress().table_done(table);
    }

    fn phase(&self, text: &str) {
        self.progress().phase(text);
    }

    fn steps(&self, done: u64, total: u64) {
        self.progress().steps(done, total);
    }

    fn message(&self, level: Level, text: &str) {
        self.progress().message(level, text);
    }
}

/// Prints a warning after all else.
pub(in crate::cli) fn print_warning(text: &str, format: LogFormat) {
    match format {
        LogFormat::Json => {
            let fields = serde_json::json!({ "level": "warning", "text": text });
            note(&json_lines::line("message", &fields));
        }
        LogFormat::Text => note(&format!("warning: {}", units::printable(text))),
    }
}

/// Prints an error and its hint.
pub(in crate::cli) fn print_error(error: &Error, format: LogFormat) {
    if format == LogFormat::Json {
        let fields = serde_json::json!({
            "code": error.kind().word(),
            "doing": error.doing(),
            "cause": error.cause(),
            "items": error.items(),
            "hint": error.hint_text(),
            "sqlstate": error.sqlstate(),
            "exit": error.kind().exit_code(),
        });
        return note(&json_lines::line("error", &fields));
    }
    note(&format!(
        "error: {}: {}",
        units::printable(error.doing()),
        units::printable(error.cause())
    ));
    for item in error.items() {
        note(&format!("  - {}", units::printable(item)));
    }
    if let Some(hint) = error.hint_text() {
        note(&format!("hint: {}", units::printable(hint)));
    }
}
