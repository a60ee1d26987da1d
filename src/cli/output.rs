//! How the program talks: the options, and the one reporter that they make.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Stderr, Write};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use super::bars::Bars;
use super::json_lines::{self, JsonLines};
use super::plain::Plain;
use super::units;
use crate::error::{Error, Result};
use crate::progress::{Level, Progress, TableTotal};

/// How much is said, and in which form.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// Say more: where settings come from, each table as it is done
    #[arg(short, long, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Write progress, warnings and errors as text or as one JSON object a line
    #[arg(long, value_name = "text|json", value_enum, default_value_t, hide_possible_values = true)]
    pub(super) log_format: LogFormat,
}

/// The form of what goes to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Verbosity {
    pub(super) fn shows(self, level: Level) -> bool {
        match level {
            Level::Warning => true,
            Level::Info => self != Self::Quiet,
            Level::Detail => self == Self::Verbose,
        }
    }

    /// A message as a line, if it is to be shown.
    pub(super) fn line(self, level: Level, text: &str) -> Option<String> {
        let prefix = if level == Level::Warning { "warning: " } else { "" };
        self.shows(level).then(|| format!("{prefix}{}", units::printable(text)))
    }
}

impl OutputArgs {
    /// What these options ask for.
    pub(super) fn reporter(self) -> Arc<Reporter> {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let inner = match self.log_format {
            LogFormat::Json => Inner::Json(JsonLines::new(io::stderr(), verbosity)),
            LogFormat::Text if verbosity != Verbosity::Quiet && io::stderr().is_terminal() && !dumb => Inner::Bars(Bars::new(verbosity)),
            LogFormat::Text => Inner::Plain(Plain::new(io::stderr(), verbosity)),
        };
        Arc::new(Reporter { inner, verbosity })
    }
}

/// Shows progress in the way that was asked for.
pub(super) struct Reporter {
    inner: Inner,
    verbosity: Verbosity,
}

enum Inner {
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

    /// Takes bars away; from here on there are lines only.
    pub(super) fn finish(&self) {
        if let Inner::Bars(bars) = &self.inner {
            bars.finish();
        }
    }

    /// Closes with a summary: lines for people, or fields for machines. Nothing with `-q`.
    pub(super) fn summary(&self, lines: &str, fields: Value) {
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

/// A line on standard error; when that cannot be written there is nowhere left to say so. Whatever the line holds, a terminal obeys none of it.
pub(super) fn note(line: &str) {
    let _ = io::stderr().write_all(units::printable_text(line).as_bytes());
}

/// Writes data to standard output, all of it or an error.
pub(super) fn print(data: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    written(out.write_all(data.as_bytes()).and_then(|()| out.flush()))
}

/// What writing to standard output came to. A reader that has seen enough (`| head`) is none of our business: the command ends as it would have.
pub(super) fn written(result: io::Result<()>) -> Result<()> {
    match result {
        Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|source| Error::file("write to standard output", source)),
    }
}

/// Writes to standard output as it is made, all of it or an error. What a terminal would obey, it is not shown.
pub(super) fn print_with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let stdout = io::stdout().lock();
    let is_terminal = stdout.is_terminal();
    let out = BufWriter::new(stdout);
    let ended = if is_terminal {
        let mut safe = Escaping { out, escape: units::printable_lines };
        write(&mut safe).and_then(|()| safe.flush())
    } else {
        let mut out = out;
        write(&mut out).and_then(|()| out.flush())
    };
    written(ended)
}

/// Writes JSON to standard output, every character that a terminal would obey as `\u…`.
pub(super) fn print_json(value: &impl Serialize) -> Result<()> {
    let mut out = Escaping { out: BufWriter::new(io::stdout().lock()), escape: units::escaped_json };
    let ended = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    written(ended.and_then(|()| writeln!(out)).and_then(|()| out.flush()))
}

/// Passes text on, escaped; every piece that comes is whole characters.
struct Escaping<W> {
    out: W,
    escape: fn(&str) -> Cow<'_, str>,
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(buf) {
            Ok(text) => self.out.write_all((self.escape)(text).as_bytes())?,
            Err(_) => self.out.write_all(buf.escape_ascii().to_string().as_bytes())?,
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Prints an error and its hint.
pub(super) fn print_error(error: &Error, format: LogFormat) {
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
        return note(&json_lines::line("error", fields));
    }
    note(&format!("error: {}: {}", units::printable(error.doing()), units::printable(error.cause())));
    for item in error.items() {
        note(&format!("  - {}", units::printable(item)));
    }
    if let Some(hint) = error.hint_text() {
        note(&format!("hint: {}", units::printable(hint)));
    }
}
