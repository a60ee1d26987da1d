//! `silverback restore -f`: an archive as SQL text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::args::metrics::MetricsArgs;
use super::command::{Outcome, run_stoppable, tell_not_carried};
use super::metrics::Figures;
use super::progress::reporter::Reporter;
use super::text::output;
use super::text::stdio::LogFormat;
use crate::error::Result;
use crate::pool;
use crate::restore::Options;
use crate::restore::sql_text::SqlText;
use crate::storage::Source;

/// Where SQL text goes.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct SqlTextArgs {
    /// Write SQL text for psql into this file, which must not be there, instead of restoring into a
    /// database; - is standard output
    #[arg(
        short,
        long,
        value_name = "FILE",
        conflicts_with_all = [
            "host", "port", "username", "dbname", "kong_conf", "no_password", "password", "jobs",
            "dry_run", "resume", "stage", "status", "create", "clean", "while_connected",
            "disconnect_others", "exit_on_error", "keep_going", "fk", "disable_triggers",
            "fire_triggers", "ready_early", "check", "statistics", "replace_bootstrap",
            "kong_ignore", "bump_sync_version", "lock_wait_timeout", "stall_timeout",
        ]
    )]
    pub(super) file: Option<PathBuf>,
}

/// What psql refuses, in the midst of rows and elsewhere: it takes the end of a text for the end of
/// the rows, and would keep those that came.
fn not_whole() -> Vec<u8> {
    /// More columns than a table may have.
    const FIELDS: usize = 1700;
    let row = "\t".repeat(FIELDS);
    format!("\n{row}\n\\.\n\nthe text ends here, and is not whole;\n").into_bytes()
}

/// Writes what a restore of these options would make, and names what is not in it.
pub(super) fn write(
    archive: &Path,
    file: &Path,
    options: Options,
    (format, reporter): (LogFormat, &Arc<Reporter>),
    metrics: &MetricsArgs,
) -> Result<Outcome> {
    let (source, file) = (Source::open(archive)?, PathBuf::from(file));
    let work = async {
        let text = SqlText::open(source, options, reporter.as_ref()).await?;
        pool::run(move || {
            output::write(Some(&file), |out| {
                text.write(out).inspect_err(|_| drop(out.write_all(&not_whole())))
            })?;
            let (tables, rows, raw_bytes) = text.totals();
            let figures = Figures {
                tables: Some(tables),
                rows: Some(rows),
                raw_bytes: Some(raw_bytes),
                ..Figures::default()
            };
            Ok((text.left_out, figures))
        })
        .await
    };
    let done = run_stoppable(format, 1, work, async || ());
    reporter.finish();
    let (left_out, figures) = done?;
    metrics.count(&figures);
    Ok(tell_not_carried(&left_out, reporter.as_ref()))
}
