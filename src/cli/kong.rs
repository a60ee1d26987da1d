//! `silverback kong`: what is only of use with Kong. One file a subcommand.

mod as_json;
mod as_text;
mod info;

use std::path::Path;

use clap::{Args, Subcommand};

use super::args::metrics::MetricsArgs;
use super::command::Outcome;
use super::text::stdio::LogFormat;
use crate::error::Result;

/// Look at what is Kong's
#[derive(Args, Debug)]
pub(super) struct KongArgs {
    #[command(subcommand)]
    command: KongCommand,
}

#[derive(Debug, Subcommand)]
enum KongCommand {
    /// Tell Kong's version, migrations, tables and what is to be looked at
    Info(Box<info::InfoArgs>),
}

impl KongArgs {
    pub(super) fn log_format(&self) -> LogFormat {
        match &self.command {
            KongCommand::Info(args) => args.output.log_format,
        }
    }

    /// The subcommand's name and what is to be measured.
    pub(super) fn metrics(&self) -> (&'static str, &MetricsArgs) {
        match &self.command {
            KongCommand::Info(args) => ("kong info", &args.metrics),
        }
    }

    /// The archive that is read.
    pub(super) fn archive(&self) -> Option<&Path> {
        match &self.command {
            KongCommand::Info(args) => args.archive.as_deref(),
        }
    }
}

pub(super) fn run(args: &KongArgs) -> Result<Outcome> {
    match &args.command {
        KongCommand::Info(args) => info::run(args),
    }
}
