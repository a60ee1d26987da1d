//! A run's figures as a file for a monitoring system: OpenMetrics text, of which only gauges are
//! used, so that it is valid in Prometheus's older format, too, which node_exporter's textfile
//! collector reads.
//!
//! What says when a command last succeeded, and what it did then, outlives runs that fail. Does not
//! know how a run came to its figures.

use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Kind, Result};
use crate::storage::is_stream;

/// A file of ours begins so.
const FIRST_LINE: &str = "# HELP silverback_";
/// More than this is no file of ours.
const BYTES_MAX: u64 = 1 << 20;
/// The line at the end, without which a reader knows that something is missing.
const END: &str = "# EOF";

/// What a run did; what a command does not count is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::cli) struct Figures {
    pub(in crate::cli) tables: Option<u64>,
    pub(in crate::cli) rows: Option<u64>,
    /// Of COPY data.
    pub(in crate::cli) raw_bytes: Option<u64>,
    /// Of the archive.
    pub(in crate::cli) file_bytes: Option<u64>,
}

impl Figures {
    pub(in crate::cli) fn add(&mut self, other: &Self) {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        *self = Self {
            tables: sum(self.tables, other.tables),
            rows: sum(self.rows, other.rows),
            raw_bytes: sum(self.raw_bytes, other.raw_bytes),
            file_bytes: sum(self.file_bytes, other.file_bytes),
        };
    }
}

/// What is told of the last success, and kept until the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Success {
    unix_seconds: f64,
    seconds: f64,
    figures: Figures,
}

/// The file, while the run is under way.
#[derive(Debug)]
pub(super) struct MetricsFile {
    path: PathBuf,
    command: &'static str,
    /// The success of an earlier run.
    before: Option<Success>,
    begun: Instant,
}

/// Refuses figures where an archive is, or other output: the one would take the other's place.
pub(super) fn check_apart(path: &Path, files: &[&Path]) -> Result<()> {
    let place = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        std::fs::canonicalize(path)
            .or_else(|_| std::fs::canonicalize(directory(path)).map(|it| it.join(name)))
            .unwrap_or_else(|_| path.to_owned())
    };
    let is_same = |file: &&Path| !is_stream(file) && place(file) == place(path);
    if !files.iter().any(is_same) {
        return Ok(());
    }
    let doing = format!("read --metrics-file {}", path.display());
    Err(Error::new(Kind::Usage, doing, "the command reads or writes this file itself")
        .hint("name another file for figures"))
}

impl MetricsFile {
    /// Looks whether it can be written, before hours of work, and what it holds.
    ///
    /// # Errors
    /// [`Kind::Requirement`] if there is another file of that name, [`Kind::File`] if it cannot be
    /// read or there is no way to write beside it.
    pub(super) fn begin(path: &Path, command: &'static str) -> Result<Self> {
        if is_stream(path) {
            let cause = "figures go into a file, which a collector reads";
            return Err(Error::new(Kind::Usage, "read --metrics-file -", cause)
                .hint("name a file; one whose name is - is ./-"));
        }
        // What a link leads to is what a collector reads.
        let resolved = std::fs::canonicalize(path);
        let doing = || format!("look at the metrics file {}", path.display());
        if resolved.is_err() && std::fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink()) {
            return Err(Error::new(Kind::File, doing(), "it is a link that leads nowhere")
                .hint("create the file that it leads to, or name that file"));
        }
        let path = &resolved.unwrap_or_else(|_| path.to_owned());
        let before = success_in(&held(path, command)?);
        if !directory(path).is_dir() {
            return Err(Error::new(Kind::File, doing(), "its directory does not exist")
                .hint("create the directory first"));
        }
        beside(path).map_err(|source| Error::file(doing(), source))?;
        Ok(Self { path: path.clone(), command, before, begun: Instant::now() })
    }

    /// Writes it: beside its place first, so that nobody reads half of it.
    pub(super) fn end(self, exit_code: u8, figures: Figures) -> Result<()> {
        let unix_seconds =
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64();
        let run = Run {
            command: self.command,
            exit_code,
            now: Success { unix_seconds, seconds: self.begun.elapsed().as_secs_f64(), figures },
            before: self.before,
        };
        // The run itself may have put its archive there.
        held(&self.path, self.command)?;
        let write = || {
            let mut file = beside(&self.path)?;
            file.write_all(run.text().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error).map(drop)
        };
        write().map_err(|source| {
            Error::file(format!("write the metrics file {}", self.path.display()), source)
        })
    }
}

/// What stands there: metrics of this command, or nothing.
fn held(path: &Path, command: &str) -> Result<String> {
    let doing = || format!("look at the metrics file {}", path.display());
    let text = match std::fs::metadata(path) {
        Ok(file) if !file.is_file() || file.len() > BYTES_MAX => None,
        Ok(_) => match std::fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::InvalidData => None,
            read => Some(read.map_err(|source| Error::file(doing(), source))?),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Some(String::new()),
        Err(source) => return Err(Error::file(doing(), source)),
    };
    let Some(text) = text.filter(|text| text.is_empty() || text.starts_with(FIRST_LINE)) else {
        let cause = "it is there already, and holds no metrics of silverback";
        return Err(Error::new(Kind::Requirement, doing(), cause).hint("name another file"));
    };
    if let Some(other) = command_in(&text).filter(|other| *other != command) {
        let cause = format!("it holds the metrics of silverback {other}");
        return Err(Error::new(Kind::Requirement, doing(), cause)
            .hint("name a file of its own for each command"));
    }
    Ok(text)
}

/// A new file in the same directory, that everyone may read: the collector is another user.
fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".silverback-")
        // Not .prom, which would be collected.
        .suffix(".partial")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory(path))
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A run that has ended.
struct Run {
    command: &'static str,
    exit_code: u8,
    now: Success,
    before: Option<Success>,
}

impl Run {
    /// Whether all was done that was to be done, but for what was named.
    fn succeeded(&self) -> bool {
        matches!(self.exit_code, 0 | 10)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut gauge = |name: &str, unit: &str, help: &str, value: Option<String>| {
            let Some(value) = value else { return };
            let name = format!("silverback_{name}");
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
            if !unit.is_empty() {
                let _ = writeln!(text, "# UNIT {name} {unit}");
            }
            let _ = writeln!(text, "{name}{{command=\"{}\"}} {value}", self.command);
        };
        let seconds = |value: f64| Some(format!("{value:.3}"));
        let count = |value: Option<u64>| value.map(|value| value.to_string());
        gauge(
            "last_run_timestamp_seconds",
            "seconds",
            "When the last run ended.",
            seconds(self.now.unix_seconds),
        );
        gauge(
            "last_run_duration_seconds",
            "seconds",
            "How long the last run took.",
            seconds(self.now.seconds),
        );
        gauge(
            "last_run_exit_code",
            "",
            "The exit code of the last run.",
            Some(self.exit_code.to_string()),
        );
        let last = if self.succeeded() { Some(self.now) } else { self.before };
        if let Some(Success { unix_seconds, seconds: took, figures }) = last {
            gauge(
                "last_success_timestamp_seconds",
                "seconds",
                "When the last run ended that succeeded (exit code 0 or 10).",
                seconds(unix_seconds),
            );
            gauge(
                "last_success_duration_seconds",
                "seconds",
                "How long the last run took that succeeded.",
                seconds(took),
            );
            gauge(
                "last_success_tables",
                "",
                "Tables of the last run that succeeded.",
                count(figures.tables),
            );
            gauge(
                "last_success_rows",
                "",
                "Rows of the last run that succeeded.",
                count(figures.rows),
            );
            gauge(
                "last_success_copied_bytes",
                "bytes",
                "Bytes of COPY data of the last run that succeeded.",
                count(figures.raw_bytes),
            );
            gauge(
                "last_success_archive_bytes",
                "bytes",
                "Size of the archive of the last run that succeeded.",
                count(figures.file_bytes),
            );
        }
        text + END + "\n"
    }
}

/// The command whose metrics a file holds.
fn command_in(text: &str) -> Option<&str> {
    text.split_once("{command=\"")?.1.split('"').next()
}

/// The last success that a file tells of.
fn success_in(text: &str) -> Option<Success> {
    let value = |name: &str| {
        let name = format!("silverback_last_success_{name}{{");
        text.lines().find(|line| line.starts_with(&name))?.rsplit(' ').next()
    };
    let count = |name: &str| value(name).and_then(|value| value.parse().ok());
    Some(Success {
        unix_seconds: value("timestamp_seconds")?.parse().ok()?,
        seconds: value("duration_seconds")?.parse().ok()?,
        figures: Figures {
            tables: count("tables"),
            rows: count("rows"),
            raw_bytes: count("copied_bytes"),
            file_bytes: count("archive_bytes"),
        },
    })
}

#[cfg(test)]
mod tests;
