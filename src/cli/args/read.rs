//! The options of commands that read an archive and tell no progress.

use clap::Args;

use super::values;
use crate::cli::text::stdio::LogFormat;

/// What reading may take, and how errors are told.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct ReadArgs {
    /// Take at most this much memory (256MiB, 1GB), if that is more than is usual for the archive's
    /// size
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    pub(in crate::cli) max_memory: Option<u64>,
    /// Write errors as text or as one JSON object a line
    #[arg(
        long,
        value_name = "text|json",
        value_enum,
        default_value_t,
        hide_possible_values = true
    )]
    pub(in crate::cli) log_format: LogFormat,
}
