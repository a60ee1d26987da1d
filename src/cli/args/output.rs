//! The options that say how the program talks.

use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};

use clap::Args;

use crate::cli::progress::bars::Bars;
use crate::cli::progress::json_lines::JsonLines;
use crate::cli::progress::plain::Plain;
use crate::cli::progress::reporter::{Inner, Reporter};
use crate::cli::text::stdio::{LogFormat, Verbosity};

/// How much is said, and in which form.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct OutputArgs {
    /// Say more: where settings come from, each table as it is done
    #[arg(short, long, conflicts_with = "quiet")]
    pub(in crate::cli) verbose: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
    /// Write progress, warnings and errors as text or as one JSON object a line
    #[arg(
        long,
        value_name = "text|json",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(in crate::cli) log_format: LogFormat,
}

impl OutputArgs {
    /// What these options ask for.
    pub(in crate::cli) fn reporter(self) -> Arc<Reporter> {
        let verbosity = match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let inner = match self.log_format {
            LogFormat::Json => Inner::Json(JsonLines::new(io::stderr(), verbosity)),
            LogFormat::Text
                if verbosity != Verbosity::Quiet && io::stderr().is_terminal() && !dumb =>
            {
                Inner::Bars(Bars::new(verbosity))
            }
            LogFormat::Text => Inner::Plain(Plain::new(io::stderr(), verbosity)),
        };
        Arc::new(Reporter { inner, verbosity, ready: OnceLock::new() })
    }
}
