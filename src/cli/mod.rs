//! What the user typed, turned into what the program needs; what the program did, turned into what the user sees. One file a command.
//!
//! Does not know how anything is done.

mod bars;
pub mod connection;
mod dump;
mod json_lines;
mod list;
mod output;
mod plain;
mod restore;
mod selection;
mod signals;
mod status;
mod table;
mod tally;
mod ticker;
mod units;
mod values;
mod verify;
mod words;

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, Parser, Subcommand};

use crate::archive::manifest::NotCarried;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::ident;
use crate::pool;
use crate::progress::{Level, Progress};
use connection::{Connection, ConnectionArgs};
use output::{LogFormat, Verbosity};

/// Dump, verify and restore PostgreSQL databases, Kong Gateway's first
#[derive(Debug, Parser)]
#[command(
    name = "silverback",
    version,
    propagate_version = true,
    disable_help_flag = true,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(after_help = EXIT_CODES)]
pub struct Cli {
    /// Print help
    // -h is the host, as in pg_dump.
    #[arg(short = '?', long, action = ArgAction::Help, global = true)]
    help: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Write a database into an archive
    Dump(Box<dump::DumpArgs>),
    /// Bring an archive into an empty database
    Restore(Box<restore::RestoreArgs>),
    /// Prove that an archive is intact
    Verify(verify::VerifyArgs),
    /// Show what an archive holds
    List(list::ListArgs),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  unexpected failure
  2  wrong use or configuration
  3  not an archive, cut, damaged, or a comparison found a difference
  4  no session could be opened (address, TLS, password)
  5  server lost or stalled, a retry may help
  6  a requirement is missing (privilege, empty target, free name, version, extension)
  7  restore incomplete, the target is marked so
  8  local file error (disk full, ...)
  9  a lock or a consistent view was given up
 10  done, but something that is named could not be carried (--status: in use, not finished)
 130, 143  stopped by SIGINT, SIGTERM; nothing half-written left behind";

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Done,
    /// Something named could not be carried.
    NotCarried,
    /// A restore was asked after that has left the database in use, and is not done.
    Unfinished,
    /// The same, and the database is incomplete.
    Incomplete,
}

impl Outcome {
    fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotCarried | Self::Unfinished => 10,
            Self::Incomplete => 7,
        }
    }
}

/// Reads the command line, does what it says, tells what went wrong.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(explain_usage(&error, wanted_format(&words))),
    };
    let (result, format) = match cli.command {
        Command::Dump(args) => (dump::run(&args), args.output.log_format),
        Command::Restore(args) => (restore::run(&args), args.output.log_format),
        Command::Verify(args) => (verify::run(&args), args.output.log_format),
        Command::List(args) => (list::run(&args), args.log_format),
    };
    match result {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            output::print_error(&error, format);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Prints help and version to standard output, and what is wrong with the command line to standard error.
fn explain_usage(error: &clap::Error, format: LogFormat) -> u8 {
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if format == LogFormat::Json && !asked {
        let text = error.render().to_string();
        let cause = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        output::print_error(&Error::new(Kind::Usage, "read the command line", cause).hint("see silverback --help"), format);
        return Kind::Usage.exit_code();
    }
    let printed = error.print();
    if !asked {
        return Kind::Usage.exit_code();
    }
    output::written(printed).map_or_else(
        |failure| {
            output::print_error(&failure, format);
            failure.kind().exit_code()
        },
        |()| 0,
    )
}

/// The format of errors when the command line cannot be read as a whole.
fn wanted_format(words: &[OsString]) -> LogFormat {
    let joined = words.iter().any(|word| word == "--log-format=json");
    let apart = words.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json");
    if joined || apart { LogFormat::Json } else { LogFormat::Text }
}

/// Threads that move bytes between sockets and chunks; one moves a gigabyte a second.
const MOVING_THREADS_MAX: usize = 2;

/// Runs a command that a signal may stop, with so many threads that split, compress and join.
fn run_stoppable<T>(format: LogFormat, threads: usize, command: impl Future<Output = Result<T>>, cancel: impl AsyncFnOnce()) -> Result<T> {
    let moving = values::cores().min(MOVING_THREADS_MAX);
    pool::check_threads(moving + threads)?;
    pool::start(threads);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(moving)
        .enable_all()
        .build()
        .map_err(|source| Error::new(Kind::Unexpected, "start", source.to_string()))?;
    let result = runtime.block_on(async { signals::Signals::listen()?.race(format, command, cancel).await });
    // A thread that is still at work on a command that was stopped is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}

/// Decides where the server is, and says what there is to say about it.
fn connect(args: &ConnectionArgs, progress: &dyn Progress) -> Result<Server> {
    Ok(connect_to(args.resolve()?, progress))
}

/// The same for a run that changes the database: defaults alone do not say which.
fn connect_to_named(args: &ConnectionArgs, progress: &dyn Progress) -> Result<Server> {
    let connection = args.resolve()?;
    if !connection.names_database {
        let cause = format!("nothing says which database is meant; it would be {}", ident::quote(connection.server.database()));
        return Err(Error::new(Kind::Usage, "find the database to restore into", cause)
            .hint("name it: -d DBNAME, -d postgresql://HOST/DBNAME, PGSERVICE, PGDATABASE, or Kong's KONG_PG_*"));
    }
    Ok(connect_to(connection, progress))
}

fn connect_to(connection: Connection, progress: &dyn Progress) -> Server {
    for warning in &connection.warnings {
        progress.message(Level::Warning, warning);
    }
    for setting in &connection.settings {
        progress.message(Level::Detail, &format!("{} = {} (from {})", setting.name, setting.value, setting.source));
    }
    connection.server
}

/// Names everything that was not carried.
fn tell_not_carried(not_carried: &[NotCarried], progress: &dyn Progress) -> Outcome {
    for one in not_carried {
        progress.message(Level::Warning, &one.to_string());
    }
    if not_carried.is_empty() { Outcome::Done } else { Outcome::NotCarried }
}

#[cfg(test)]
pub(crate) mod tests;
