//! The options of a restore that are only about Kong's databases.

use clap::{Args, ValueEnum};

use crate::kong::guards::Situation;

/// What is done about a Kong database.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Kong")]
pub(in crate::cli) struct KongArgs {
    /// Replace what kong migrations bootstrap has just made in the database; refused when somebody
    /// has used it since
    #[arg(long, conflicts_with_all = ["clean", "create", "data_only", "section", "status"])]
    pub(in crate::cli) replace_bootstrap: bool,
    /// Restore although (may be repeated): with -a, the archive is of a newer or older Kong than
    /// the database; it is half migrated; migrations may be running there
    #[arg(
        long,
        value_name = "newer|older|half-migrated|locked",
        value_enum,
        hide_possible_values = true
    )]
    pub(in crate::cli) kong_ignore: Vec<IgnoreArg>,
    /// Raise the version of Kong's incremental sync, so that data planes take the configuration
    /// anew [default N: the largest in database and archive, + 1000]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, value_parser = clap::value_parser!(i64).range(1..))]
    pub(in crate::cli) bump_sync_version: Option<Vec<i64>>,
}

/// A situation that keeps a restore from beginning unless it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum IgnoreArg {
    Newer,
    Older,
    HalfMigrated,
    Locked,
}

impl KongArgs {
    /// Whether a situation was named.
    pub(in crate::cli) fn ignores(&self, situation: Situation) -> bool {
        let arg = match situation {
            Situation::NewerRows => IgnoreArg::Newer,
            Situation::OlderRows => IgnoreArg::Older,
            Situation::HalfMigratedTarget => IgnoreArg::HalfMigrated,
            Situation::LockedTarget => IgnoreArg::Locked,
            Situation::HalfMigratedSource
            | Situation::LockedSource
            | Situation::Connected
            | Situation::Bootstrapped
            | Situation::Used
            | Situation::Keyring
            | Situation::PluginTables => return false,
        };
        self.kong_ignore.contains(&arg)
    }
}
