//! What a restore may take.

use std::time::Duration;

use clap::Args;

use super::values;

/// What a restore may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(in crate::cli) struct LimitArgs {
    /// Wait this long for a lock; milliseconds, or with a unit (30s, 5min); 0 waits for ever
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = values::milliseconds)]
    pub(in crate::cli) lock_wait_timeout: Duration,
    /// Give up when the server takes nothing for this long; with a unit (60s, 5min)
    #[arg(long, value_name = "TIME", default_value = "5min", value_parser = values::stall)]
    pub(in crate::cli) stall_timeout: Duration,
    /// Hold at most this much of the rows in memory (256MiB, 1GB) [default: 16MiB for each session,
    /// at most 96MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    pub(in crate::cli) max_memory: Option<u64>,
}
