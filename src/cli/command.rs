//! What every command does alike: it runs until a signal stops it, decides where the server is, and
//! tells what was not carried.

use std::future::Future;
use std::time::Duration;

use super::args::connection::{Connection, ConnectionArgs};
use super::first_line;
use super::progress::reporter::Reporter;
use super::signals::{self, Stoppable};
use super::text::stdio::LogFormat;
use crate::archive::manifest::NotCarried;
use crate::error::{Error, Kind, Result};
use crate::kong::reader::Node;
use crate::limits::cores;
use crate::pool;
use crate::progress::{Level, Progress};
use crate::sql::ident;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Done,
    /// Something named could not be carried.
    NotCarried,
    /// What was asked about is told, and something in it is to be looked at.
    Noted,
    /// A restore was asked after that has left the database in use, and is not done.
    Unfinished,
    /// The same, and the database is incomplete.
    Incomplete,
    /// Something failed, is told already, and this is the exit code's kind.
    Told(Kind),
}

impl Outcome {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotCarried | Self::Noted | Self::Unfinished => 10,
            Self::Incomplete => 7,
            Self::Told(kind) => kind.exit_code(),
        }
    }
}

/// Threads that move bytes between sockets and chunks; one moves a gigabyte a second.
const MOVING_THREADS_MAX: usize = 2;

/// Runs a command that a signal may stop, with so many threads that split, compress and join.
pub(super) fn run_stoppable<T>(
    format: LogFormat,
    threads: usize,
    command: impl Future<Output = Result<T>>,
    cancel: impl AsyncFnOnce(),
) -> Result<T> {
    run_settled(format, threads, command, cancel, async || {})
}

/// The same; `settle` follows where a signal has stopped it.
pub(super) fn run_settled<T>(
    format: LogFormat,
    threads: usize,
    command: impl Future<Output = Result<T>>,
    cancel: impl AsyncFnOnce(),
    settle: impl AsyncFnOnce(),
) -> Result<T> {
    let mut done = None;
    let command = Box::pin(async {
        done = Some(command.await?);
        Ok(())
    });
    let cancel = Box::pin(async { cancel().await });
    let settle = Box::pin(async { settle().await });
    run(format, threads, Stoppable { command, cancel, settle })?;
    Ok(done.expect("the command has ended well"))
}

fn run(format: LogFormat, threads: usize, command: Stoppable<'_>) -> Result<()> {
    let moving = cores().min(MOVING_THREADS_MAX);
    pool::check_threads(moving + threads)?;
    pool::start(threads);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(moving)
        .enable_all()
        .build()
        .map_err(|source| Error::new(Kind::Unexpected, "start", source.to_string()))?;
    let result =
        runtime.block_on(async { signals::Signals::listen()?.race(format, command).await });
    // A thread that is still at work on a command that was stopped is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}

/// Decides where the server is, of Kong's this one, and says what is done there (`doing`, such as
/// `dump`) and what there is to say about it.
pub(super) fn connect(
    args: &ConnectionArgs,
    node: Node,
    doing: &str,
    reporter: &Reporter,
) -> Result<Connection> {
    Ok(told(args.resolve(node)?, Some(doing), reporter))
}

/// The same for a run that changes the database: defaults alone do not say which. Without `doing`
/// the run says itself where it is.
pub(super) fn connect_to_named(
    args: &ConnectionArgs,
    doing: Option<&str>,
    reporter: &Reporter,
) -> Result<Connection> {
    let connection = args.resolve(Node::Primary)?;
    if !connection.names_database {
        let cause = format!(
            "nothing says which database is meant; it would be {}",
            ident::quote(connection.server.database())
        );
        return Err(Error::new(Kind::Usage, "find the database to work on", cause).hint(
            "name it: -d DBNAME, -d postgresql://HOST/DBNAME, PGSERVICE, PGDATABASE, KONG_PG_*, or \
                --kong-conf FILE",
        ));
    }
    Ok(told(connection, doing, reporter))
}

/// Says where the server is, and what there is to say about it.
pub(super) fn told(connection: Connection, doing: Option<&str>, progress: &Reporter) -> Connection {
    if let Some(doing) = doing {
        first_line::tell(doing, &connection, progress);
    }
    for warning in &connection.warnings {
        progress.message(Level::Warning, warning);
    }
    for setting in &connection.settings {
        progress.message(
            Level::Detail,
            &format!("{} = {} (from {})", setting.name, setting.value, setting.source),
        );
    }
    connection
}

/// Names everything that was not carried.
pub(super) fn tell_not_carried(not_carried: &[NotCarried], progress: &dyn Progress) -> Outcome {
    for one in not_carried {
        progress.message(Level::Warning, &one.to_string());
    }
    if not_carried.is_empty() { Outcome::Done } else { Outcome::NotCarried }
}
