//! What the user typed, turned into what the program needs; what the program did, turned into what
//! the user sees. One file a command.
//!
//! Does not know how anything is done.

pub mod args;
mod cat;
mod command;
mod dump;
mod first_line;
mod guards;
mod habits;
mod kong;
mod list;
mod progress;
mod restore;
mod restored;
mod signals;
mod sql_text;
mod stage;
mod status;
mod swap;
mod swapped;
mod text;
mod unlock;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::progress::reporter;
use self::text::stdio::{self, LogFormat};
use crate::error::Kind;

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
    /// Give back the CONNECTION LIMIT that a killed restore has taken from a database
    Unlock(unlock::UnlockArgs),
    /// Check that archives are intact
    Verify(verify::VerifyArgs),
    /// Show what an archive holds
    List(list::ListArgs),
    /// Print the rows of a table of an archive
    Cat(cat::CatArgs),
    /// Exchange the live objects for a copy that is staged beside them, and back
    Swap(Box<swap::SwapArgs>),
    /// Look at what is Kong's
    Kong(kong::KongArgs),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  unexpected failure
  2  wrong use or configuration
  3  not an archive, cut, damaged, or a comparison found a difference
  4  no session could be opened (address, TLS, password)
  5  server lost or stalled, a retry may help
  6  a requirement is missing (privilege, empty target, nobody connected, free name, version,
     extension)
  7  restore incomplete, the target is marked so
  8  local file error (disk full, ...)
  9  a lock or a consistent view was given up
 10  done, but something that is named was not dumped or restored (--status: in use, not
     finished; kong info: something is to be looked at)
 130, 143  stopped by SIGINT, SIGTERM; nothing half-written left behind";

/// Reads the command line, does what it says, tells what went wrong.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let cli = match read(&words) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(explain_usage(&error, &words)),
    };
    let (result, format) = match cli.command {
        Command::Dump(args) => (dump::run(&args), args.output.log_format),
        Command::Restore(args) => (restore::run(&args), args.output.log_format),
        Command::Verify(args) => (verify::run(&args), args.output.log_format),
        Command::List(args) => (list::run(&args), args.log_format),
        Command::Cat(args) => (cat::run(&args), args.log_format),
        Command::Swap(args) => (swap::run(&args), args.output.log_format),
        Command::Unlock(args) => (unlock::run(&args), args.output.log_format),
        Command::Kong(args) => (kong::run(&args), args.log_format()),
    };
    match result {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            reporter::print_error(&error, format);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Reads the command line.
fn read(words: &[OsString]) -> clap::error::Result<Cli> {
    let mut matches = repeatable(Cli::command()).try_get_matches_from(words)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// Lets every flag be given more than once, as `pg_dump` does.
fn repeatable(command: clap::Command) -> clap::Command {
    let again = |arg: Arg| {
        let id = arg.get_id().clone();
        if matches!(arg.get_action(), ArgAction::SetTrue) { arg.overrides_with(id) } else { arg }
    };
    command.mut_args(again).mut_subcommands(repeatable)
}

/// Prints help and version to standard output, and what is wrong with the command line to standard
/// error.
fn explain_usage(error: &clap::Error, words: &[OsString]) -> u8 {
    let format = wanted_format(words);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => stdio::written(error.print())
            .map_or_else(
                |failure| {
                    reporter::print_error(&failure, format);
                    failure.kind().exit_code()
                },
                |()| 0,
            ),
        // Where nothing is typed, all that may be is shown.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if format == LogFormat::Text => {
            let _ = error.print();
            Kind::Usage.exit_code()
        }
        _ => {
            reporter::print_error(&habits::explain(error, words), format);
            Kind::Usage.exit_code()
        }
    }
}

/// The format of errors when the command line cannot be read as a whole.
fn wanted_format(words: &[OsString]) -> LogFormat {
    let joined = words.iter().any(|word| word == "--log-format=json");
    let apart = words.windows(2).any(|pair| pair[0] == "--log-format" && pair[1] == "json");
    if joined || apart { LogFormat::Json } else { LogFormat::Text }
}

#[cfg(test)]
pub(crate) mod tests;
