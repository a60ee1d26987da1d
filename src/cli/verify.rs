//! `silverback verify`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::args::metrics::MetricsArgs;
use super::args::output::OutputArgs;
use super::args::values;
use super::command::{Outcome, run_stoppable};
use super::metrics::Figures;
use super::progress::reporter;
use super::text::stdio::{self, LogFormat};
use super::text::units::{self, printable};
use crate::error::{Error, Kind, Result};
use crate::limits::Limits;
use crate::progress::Progress;
use crate::storage::{Source, is_stream};
use crate::verify::{self, Finding, Report, Totals};

/// Check that archives are intact: every checksum, every row
#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The archives; - is standard input
    #[arg(value_name = "ARCHIVE", required = true)]
    archives: Vec<PathBuf>,
    /// Print the report as JSON, one object for each archive that can be opened
    #[arg(long)]
    json: bool,
    /// Take at most this much memory (256MiB, 1GB), if that is more than is usual for the archive's
    /// size
    #[arg(long, value_name = "SIZE", value_parser = values::memory)]
    max_memory: Option<u64>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

impl VerifyArgs {
    pub(super) fn archives(&self) -> impl Iterator<Item = &Path> {
        self.archives.iter().map(PathBuf::as_path)
    }
}

pub(super) fn run(args: &VerifyArgs) -> Result<Outcome> {
    if args.archives.iter().filter(|path| is_stream(path)).count() > 1 {
        let cause = "there is one standard input, and - is given twice";
        return Err(Error::new(Kind::Usage, "read the archives' names", cause).hint("name - once"));
    }
    let work = async {
        let mut worst = None;
        for path in &args.archives {
            let Err(error) = verify_one(args, path).await? else { continue };
            reporter::print_error(&error, args.output.log_format);
            worst = Some(worse(worst, error.kind()));
        }
        Ok(worst.map_or(Outcome::Done, Outcome::Told))
    };
    run_stoppable(args.output.log_format, 1, work, async || ())
}

/// What several errors amount to: what is no intact archive, and otherwise what came first.
fn worse(before: Option<Kind>, now: Kind) -> Kind {
    before.filter(|before| *before == Kind::Archive || now != Kind::Archive).unwrap_or(now)
}

/// Verifies an archive and prints its report. What is wrong with it, or keeps it from being read,
/// is the inner error; what keeps the next from being verified, too, the outer.
async fn verify_one(args: &VerifyArgs, path: &Path) -> Result<Result<()>> {
    let reporter = args.output.reporter();
    let progress: Arc<dyn Progress> = reporter.clone();
    let (path, limits) =
        (path.to_owned(), Limits { max_memory: args.max_memory, ..Limits::default() });
    let checking = tokio::task::spawn_blocking(move || {
        verify::run(Source::open(&path)?, &limits, progress.as_ref())
    });
    let result = checking
        .await
        .map_err(|error| Error::new(Kind::Unexpected, "verify", error.to_string()))?;
    reporter.finish();
    let report = match result {
        Ok(report) => report,
        Err(error) => return Ok(Err(error)),
    };
    if args.json {
        stdio::print_json(&report)?;
    } else {
        stdio::print(&as_text(&report, args.output.quiet))?;
    }
    if report.ok {
        args.metrics.count(&figures(&report.totals));
    }
    for finding in &report.findings {
        reporter.event_for_machines("finding", &finding_event(&report.archive, finding));
    }
    if args.output.log_format == LogFormat::Json {
        reporter.summary("", &as_event(&report));
    }
    Ok(verdict(&report))
}

fn verdict(report: &Report) -> Result<()> {
    if report.ok {
        return Ok(());
    }
    if let ([finding], None) = (report.findings.as_slice(), &report.id) {
        // No archive of ours, or nothing of it can be read: that is the sentence.
        return Err(Error::new(Kind::Archive, "verify", &finding.what)
            .hint("name an archive that silverback dump has made, or dump again"));
    }
    let count = units::plural(report.findings.len() as u64, "finding");
    Err(Error::new(
        Kind::Archive,
        format!("verify {}", report.archive),
        format!("it is damaged: {count}"),
    )
    .hint("take another copy of it, or dump again"))
}

fn figures(totals: &Totals) -> Figures {
    Figures {
        tables: Some(totals.tables),
        rows: Some(totals.rows),
        raw_bytes: Some(totals.raw_bytes),
        file_bytes: Some(totals.file_bytes),
    }
}

/// The fields of the event that tells a finding.
fn finding_event(archive: &str, finding: &Finding) -> serde_json::Value {
    json!({
        "archive": archive,
        "place": finding.place,
        "what": finding.what,
        "expected": finding.expected,
        "found": finding.found,
    })
}

/// The fields of the event that closes an archive.
fn as_event(report: &Report) -> serde_json::Value {
    let Totals { tables, chunks, rows, raw_bytes, stored_bytes, file_bytes } = report.totals;
    json!({
        "command": "verify",
        "archive": report.archive,
        "is_archive": report.is_archive,
        "ok": report.ok,
        "findings": report.findings.len(),
        "root": report.root,
        "tables": tables,
        "chunks": chunks,
        "rows": rows,
        "raw_bytes": raw_bytes,
        "stored_bytes": stored_bytes,
        "file_bytes": file_bytes,
        "seconds": report.seconds,
    })
}

fn as_text(report: &Report, quiet: bool) -> String {
    let mut text = String::new();
    if !report.is_archive {
        // It is not damaged, and what it is the error says.
        return text;
    }
    for finding in &report.findings {
        let _ = writeln!(text, "{}", printable(&finding.to_string()));
    }
    if quiet {
        return text;
    }
    let totals = &report.totals;
    let name = printable(&report.archive);
    let content = format!(
        "{}, {} of rows in {}",
        units::plural(totals.rows, "row"),
        units::bytes(totals.raw_bytes),
        units::bytes(totals.stored_bytes)
    );
    let _ = match (report.ok, totals.rows) {
        (true, _) => {
            writeln!(text, "{name} is intact: {}, {content}", units::plural(totals.tables, "table"))
        }
        (false, 0) => writeln!(text, "{name} is DAMAGED"),
        (false, _) => writeln!(text, "{name} is DAMAGED; intact are {content}"),
    };
    let rate = units::rate(totals.raw_bytes, Duration::from_secs_f64(report.seconds));
    let _ = writeln!(text, "{}, {rate}", units::seconds(report.seconds));
    if let Some(root) = &report.root {
        let _ = writeln!(text, "root {root}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::verify::Place;

    #[test]
    fn damage_comes_before_all_else() {
        let of = |kinds: &[Kind]| {
            kinds.iter().fold(None, |worst, &kind| Some(worse(worst, kind))).map(Kind::exit_code)
        };
        assert_eq!(of(&[Kind::File, Kind::Archive, Kind::Requirement]), Some(3));
        assert_eq!(of(&[Kind::Archive, Kind::File]), Some(3));
        assert_eq!(of(&[Kind::File, Kind::Requirement]), Some(8));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn verdicts() {
        let totals = Totals {
            tables: 2,
            chunks: 3,
            rows: 300,
            raw_bytes: 6000,
            stored_bytes: 2000,
            file_bytes: 5000,
        };
        let mut report = Report {
            schema_version: 1,
            archive: "kong.sbk".to_owned(),
            is_archive: true,
            ok: true,
            findings: Vec::new(),
            id: None,
            root: Some("ab".repeat(32)),
            tables: Vec::new(),
            totals,
            seconds: 2.0,
        };
        assert!(as_text(&report, true).is_empty());
        insta::assert_snapshot!(as_text(&report, false), @r"
        kong.sbk is intact: 2 tables, 300 rows, 6.0 kB of rows in 2.0 kB
        2.00 s, 0.0 MB/s
        root abababababababababababababababababababababababababababababababab
        ");
        let place = Place::Chunk { chunk: 7, table: "public.\"a\n\"".to_owned(), offset: 4096 };
        report.findings.push(Finding {
            place,
            what: "its digest differs".to_owned(),
            expected: None,
            found: None,
        });
        report.ok = false;
        let text = as_text(&report, false);
        let lines: Vec<_> = text.lines().take(2).collect();
        assert_eq!(lines[0], "chunk 7 (of public.\"a\\n\", at byte 4096): its digest differs");
        assert_eq!(lines[1], "kong.sbk is DAMAGED; intact are 300 rows, 6.0 kB of rows in 2.0 kB");
    }
}
