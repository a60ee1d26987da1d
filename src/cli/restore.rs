//! `silverback restore`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::connection::ConnectionArgs;
use super::output::OutputArgs;
use super::selection::{OwnerArgs, SelectionArgs};
use super::{Outcome, values};
use crate::error::{Error, Kind, Result};

/// Bring an archive into an empty database
#[derive(Args, Debug)]
pub(super) struct RestoreArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// Work with this many sessions at a time [default: cores + 1, at most 8]
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Check everything and print the plan, change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ANALYZE the tables
    #[arg(long)]
    no_analyze: bool,
    /// Leave comments out
    #[arg(long)]
    no_comments: bool,
    /// Use the database's default tablespace for everything
    #[arg(long)]
    no_tablespaces: bool,
    /// Refused: there is one format
    #[arg(short = 'F', long, hide = true)]
    format: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// What a restore may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Give up when the server takes nothing for this long; with a unit (60s, 5min); 0 waits for ever
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = values::duration)]
    stall_timeout: Duration,
    /// Hold at most this much of the rows in memory (256MiB, 1GB)
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = values::memory)]
    max_memory: u64,
}

pub(super) fn run(args: &RestoreArgs) -> Result<Outcome> {
    values::refuse_format(args.format.as_deref())?;
    let _ = (
        args.connection.resolve(&crate::pg::connect::environment::Environment::of_process())?.server,
        args.selection.selection(),
        values::jobs(args.jobs),
    );
    Err(Error::new(Kind::Unexpected, "restore", "not there yet"))
}
