//! `silverback verify`.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::output::OutputArgs;
use crate::error::{Error, Kind, Result};

/// Prove that an archive is intact: every checksum, every row
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

pub(super) fn run(_args: &VerifyArgs) -> Result<Outcome> {
    Err(Error::new(Kind::Unexpected, "verify", "not there yet"))
}
