//! `silverback dump`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::connection::ConnectionArgs;
use super::output::OutputArgs;
use super::selection::{OwnerArgs, SelectionArgs};
use super::{Outcome, values};
use crate::error::{Error, Kind, Result};

/// Write a database into an archive
#[derive(Args, Debug)]
pub(super) struct DumpArgs {
    /// Write the archive to this file; nothing may be there yet
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Copy with this many sessions at a time [default: cores + 1, at most 8]
    #[arg(short, long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Compress with zstd (levels 1 to 22, 1 unless given) or not at all (none)
    #[arg(short = 'Z', long, value_name = "zstd[:LEVEL]|none")]
    compress: Option<String>,
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

/// What a dump may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Wait this long for a table's lock; milliseconds, or with a unit (30s, 5min); 0 waits for ever
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = values::milliseconds)]
    lock_wait_timeout: Duration,
    /// Give up when the server sends nothing for this long; with a unit (60s, 5min); 0 waits for ever
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = values::duration)]
    stall_timeout: Duration,
    /// Hold at most this much of the rows in memory (256MiB, 1GB)
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = values::memory)]
    max_memory: u64,
    /// Wait for a snapshot that no serializable transaction can contradict
    #[arg(long)]
    serializable_deferrable: bool,
}

pub(super) fn run(args: &DumpArgs) -> Result<Outcome> {
    values::refuse_format(args.format.as_deref())?;
    values::compression(args.compress.as_deref())?;
    check_output(&args.file)?;
    let _ = (
        args.connection.resolve(&crate::pg::connect::environment::Environment::of_process())?.server,
        args.selection.selection(),
        values::jobs(args.jobs),
    );
    Err(Error::new(Kind::Unexpected, "dump", "not there yet"))
}

/// Finds out early, before a password is asked for, that the output cannot be written.
fn check_output(path: &std::path::Path) -> Result<()> {
    let doing = format!("create {}", path.display());
    if path.as_os_str() == "-" {
        let hint = "give a file; write ./- for one of that name";
        return Err(Error::new(Kind::Usage, "read -f -", "an archive is not written to standard output").hint(hint));
    }
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => Err(Error::new(Kind::Usage, doing, "it is a folder").hint("name a file in it")),
        Ok(_) => {
            Err(Error::new(Kind::Requirement, doing, "file exists").hint("nothing is ever overwritten: remove it, or choose another name"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file(doing, error)),
    }
}
