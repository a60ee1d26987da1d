//! `silverback verify`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::output::{self, OutputArgs};
use super::units::{self, printable};
use super::{Outcome, run_stoppable};
use crate::error::{Error, Kind, Result};
use crate::progress::Progress;
use crate::verify::{self, Report};

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

pub(super) fn run(args: &VerifyArgs) -> Result<Outcome> {
    let reporter = args.output.reporter();
    let progress: Arc<dyn Progress> = reporter.clone();
    let path = args.archive.clone();
    let work = async move {
        let checking = tokio::task::spawn_blocking(move || verify::run(&path, progress.as_ref()));
        checking.await.map_err(|error| Error::new(Kind::Unexpected, "verify", error.to_string()))?
    };
    let result = run_stoppable(args.output.log_format, work, async || ());
    reporter.finish();
    let report = result?;
    if let ([finding], None, false) = (report.findings.as_slice(), &report.id, args.json) {
        // Nothing could be read of it, so there is nothing to report but that.
        return Err(Error::new(Kind::Archive, "verify", &finding.what));
    }
    let text = if args.json { as_json(&report)? } else { as_text(&report, args.output.quiet) };
    output::print(&text)?;
    if report.ok {
        return Ok(Outcome::Done);
    }
    let count = units::plural(report.findings.len() as u64, "finding");
    Err(Error::new(Kind::Archive, format!("verify {}", report.archive), format!("it is damaged: {count}")))
}

fn as_json(report: &Report) -> Result<String> {
    let json = serde_json::to_string_pretty(report);
    json.map(|json| json + "\n").map_err(|error| Error::new(Kind::Unexpected, "print the report", error.to_string()))
}

fn as_text(report: &Report, quiet: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let _ = writeln!(text, "{}", printable(&finding.to_string()));
    }
    if quiet {
        return text;
    }
    let verdict = if report.ok { "is intact" } else { "is DAMAGED; intact are" };
    let totals = &report.totals;
    let _ = writeln!(
        text,
        "{} {verdict}: {}, {}, {} of rows in {}",
        printable(&report.archive),
        units::plural(report.tables.iter().filter(|table| table.ok).count() as u64, "table"),
        units::plural(totals.rows, "row"),
        units::bytes(totals.raw_bytes),
        units::bytes(totals.stored_bytes),
    );
    let rate = units::rate(totals.raw_bytes, Duration::from_secs_f64(report.seconds));
    let _ = writeln!(text, "{:.1} s, {rate}", report.seconds);
    if let Some(root) = &report.root {
        let _ = writeln!(text, "root {root}");
    }
    text
}
