//! Standard output and standard error: data to the one, lines for people and machines to the other.
//! A terminal obeys nothing of either.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::{secrets, units};
use crate::error::{Error, Result};
use crate::progress::Level;

/// The form of what goes to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
}

impl Verbosity {
    pub(in crate::cli) fn shows(self, level: Level) -> bool {
        match level {
            Level::Warning => true,
            Level::Info => self != Self::Quiet,
            Level::Detail => self == Self::Verbose,
        }
    }

    /// A message as a line, if it is to be shown.
    pub(in crate::cli) fn line(self, level: Level, text: &str) -> Option<String> {
        let prefix = if level == Level::Warning { "warning: " } else { "" };
        self.shows(level).then(|| format!("{prefix}{}", units::printable(text)))
    }
}

/// A line on standard error; when that cannot be written there is nowhere left to say so. Whatever
/// the line holds, a terminal obeys none of it, and it gives no password away.
pub(in crate::cli) fn note(line: &str) {
    let line = secrets::hide(line);
    let _ = io::stderr().write_all(units::printable_text(&line).as_bytes());
}

/// Writes data to standard output, all of it or an error.
pub(in crate::cli) fn print(data: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    written(out.write_all(data.as_bytes()).and_then(|()| out.flush()))
}

/// What writing to standard output came to. A reader that has seen enough (`| head`) is none of our
/// business: the command ends as it would have.
pub(in crate::cli) fn written(result: io::Result<()>) -> Result<()> {
    match result {
        Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|source| Error::file("write to standard output", source)),
    }
}

/// Writes to standard output as it is made, all of it or an error. What a terminal would obey, it
/// is not shown.
pub(in crate::cli) fn print_with(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    written(pass(write))
}

/// The same, where a reader that goes away is an error like any other.
pub(in crate::cli) fn pass(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let stdout = io::stdout().lock();
    let is_terminal = stdout.is_terminal();
    let out = BufWriter::new(stdout);
    if is_terminal {
        let mut safe = Escaping { out, escape: units::printable_lines };
        write(&mut safe)?;
        safe.flush()
    } else {
        let mut out = out;
        write(&mut out)?;
        out.flush()
    }
}

/// Writes JSON to standard output, every character that a terminal would obey as `\u…`.
pub(in crate::cli) fn print_json(value: &impl Serialize) -> Result<()> {
    let mut out =
        Escaping { out: BufWriter::new(io::stdout().lock()), escape: units::escaped_json };
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
