//! `silverback list`.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::output::LogFormat;
use crate::error::{Error, Kind, Result};

/// Show what an archive holds
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// Print it as JSON
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    /// Print the definitions as SQL, to be read
    #[arg(long)]
    sql: bool,
    /// Write errors as text or as one JSON object a line
    #[arg(long, value_name = "text|json", value_enum, default_value_t, hide_possible_values = true)]
    pub(super) log_format: LogFormat,
}

pub(super) fn run(_args: &ListArgs) -> Result<Outcome> {
    Err(Error::new(Kind::Unexpected, "list", "not there yet"))
}
