//! What the user typed, turned into what the program needs; what the program did, turned into what
//! the user sees. One file a command.
//!
//! Does not know how anything is done.

pub mod args;
mod cat;
mod command;
mod dump;
mod first_line;
mod globals;
mod guards;
mod habits;
mod kong;
mod list;
mod metrics;
mod progress;
mod restore;
mod restored;
mod shell;
mod signals;
mod sql_text;
mod stage;
mod status;
mod swap;
mod swapped;
mod text;
mod unlock;
mod use_list;
mod verify;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::args::metrics::MetricsArgs;
use self::command::Outcome;
use self::metrics::MetricsFile;
use self::progress::reporter;
use self::text::stdio::{self, LogFormat};
use crate::error::{Error, Kind, Result};

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
    /// Write the roles and tablespaces of a server as SQL
    Globals(Box<globals::GlobalsArgs>),
    /// Exchange the live objects for a copy that is staged beside them, and back
    Swap(Box<swap::SwapArgs>),
    /// Look at what is Kong's
    Kong(kong::KongArgs),
    /// Print completions for a shell
    Completion(shell::CompletionArgs),
    /// Print the man page, or write the man pages of all commands into a directory
    Man(shell::ManArgs),
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  unexpected failure
  2  wrong use or configuration
  3  not an archive, cut, damaged
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
    let mut cli = match read(&words) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(explain_usage(&error, &words)),
    };
    ExitCode::from(cli.command.run_measured())
}

impl Command {
    /// Runs it, tells what went wrong, leaves its figures where that is asked for. Returns the exit
    /// code.
    fn run_measured(&mut self) -> u8 {
        let format = self.log_format();
        let told = |error: &Error| {
            reporter::print_error(error, format);
            error.kind().exit_code()
        };
        let file = match self.metrics_file().transpose() {
            Ok(file) => file,
            Err(error) => return told(&error),
        };
        let code = match self.run() {
            Ok(outcome) => outcome.exit_code(),
            Err(error) => told(&error),
        };
        if let (Some(file), Some((_, metrics))) = (file, self.metrics())
            && let Err(error) = file.end(code, metrics.figures())
        {
            // What was done is done, and must not be done again for this.
            reporter::print_warning(&error.to_string(), format);
        }
        code
    }

    fn run(&mut self) -> Result<Outcome> {
        match self {
            Self::Dump(args) => args.read_files().and_then(|()| dump::run(args)),
            Self::Restore(args) => args.read_files().and_then(|()| restore::run(args)),
            Self::Verify(args) => verify::run(args),
            Self::List(args) => list::run(args),
            Self::Cat(args) => cat::run(args),
            Self::Globals(args) => globals::run(args),
            Self::Swap(args) => swap::run(args),
            Self::Unlock(args) => unlock::run(args),
            Self::Kong(args) => kong::run(args),
            Self::Completion(args) => shell::complete(args, Cli::command()),
            Self::Man(args) => shell::manual(args, Cli::command()),
        }
    }

    fn log_format(&self) -> LogFormat {
        match self {
            Self::Dump(args) => args.output.log_format,
            Self::Restore(args) => args.output.log_format,
            Self::Verify(args) => args.output.log_format,
            Self::List(args) => args.read.log_format,
            Self::Cat(args) => args.read.log_format,
            Self::Globals(args) => args.output.log_format,
            Self::Swap(args) => args.output.log_format,
            Self::Unlock(args) => args.output.log_format,
            Self::Kong(args) => args.log_format(),
            Self::Completion(_) | Self::Man(_) => LogFormat::Text,
        }
    }

    /// The command's name and what is to be measured, if it works on a database or an archive.
    fn metrics(&self) -> Option<(&'static str, &MetricsArgs)> {
        match self {
            Self::Dump(args) => Some(("dump", &args.metrics)),
            Self::Restore(args) => Some(("restore", &args.metrics)),
            Self::Verify(args) => Some(("verify", &args.metrics)),
            Self::Swap(args) => Some(("swap", &args.metrics)),
            Self::Unlock(args) => Some(("unlock", &args.metrics)),
            Self::List(args) => Some(("list", &args.metrics)),
            Self::Cat(args) => Some(("cat", &args.metrics)),
            Self::Globals(args) => Some(("globals", &args.metrics)),
            Self::Kong(args) => Some(args.metrics()),
            Self::Completion(_) | Self::Man(_) => None,
        }
    }

    fn metrics_file(&self) -> Option<Result<MetricsFile>> {
        let (name, metrics) = self.metrics()?;
        let path = metrics.metrics_file.as_ref()?;
        let apart = metrics::check_apart(path, &self.files());
        Some(apart.and_then(|()| MetricsFile::begin(path, name)))
    }

    /// The archives that it reads and the files that it writes.
    fn files(&self) -> Vec<&Path> {
        match self {
            Self::Dump(args) => vec![args.file()],
            Self::Restore(args) => vec![args.archive()],
            Self::Verify(args) => args.archives().collect(),
            Self::List(args) => vec![&args.archive],
            Self::Cat(args) => args.files().collect(),
            Self::Globals(args) => args.file.as_deref().into_iter().collect(),
            Self::Kong(args) => args.archive().into_iter().collect(),
            Self::Swap(_) | Self::Unlock(_) | Self::Completion(_) | Self::Man(_) => Vec::new(),
        }
    }
}

/// Reads the command line.
fn read(words: &[OsString]) -> clap::error::Result<Cli> {
    let mut program = repeatable(Cli::command());
    let mut matches = program.try_get_matches_from_mut(words)?;
    if let Some((option, needed)) = habits::needs::unmet(&matches) {
        let mut error = program.error(ErrorKind::MissingRequiredArgument, "");
        error.insert(ContextKind::InvalidArg, ContextValue::String(needed));
        error.insert(ContextKind::PriorArg, ContextValue::String(option));
        return Err(error);
    }
    Cli::from_arg_matches_mut(&mut matches)
}

/// Lets every flag be given more than once, as `pg_dump` does, and every command tell the program's
/// version under the program's name.
fn repeatable(command: clap::Command) -> clap::Command {
    let again = |arg: Arg| {
        let id = arg.get_id().clone();
        if matches!(arg.get_action(), ArgAction::SetTrue) { arg.overrides_with(id) } else { arg }
    };
    command
        .mut_args(again)
        .mut_subcommands(|command| repeatable(command).display_name("silverback"))
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
            reporter::print_error(&habits::explain(error, words, &Cli::command()), format);
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
