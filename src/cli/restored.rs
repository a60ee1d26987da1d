//! What is said of a restore that has ended well.

use std::time::Duration;

use serde_json::json;

use super::command::{Outcome, tell_not_carried};
use super::guards::restore::Kong;
use super::progress::reporter::Reporter;
use super::stage;
use super::text::units;
use crate::progress::{Level, Progress as _};
use crate::restore::Report;
use crate::swap::stage::Copy;

/// Tells it. `copy`: what was staged.
pub(super) fn tell(
    report: &Report,
    kong: Option<&Kong>,
    copy: Option<&Copy>,
    reporter: &Reporter,
) -> Outcome {
    let outcome = tell_not_carried(&report.not_restored, reporter);
    if !report.not_valid.is_empty() {
        reporter.message(
            Level::Info,
            &format!("left NOT VALID, as asked: {}", report.not_valid.join(", ")),
        );
    }
    let mut lines = format!(
        "restored {}, {}, {} of rows, {} ({} before ANALYZE), {}",
        units::plural(report.tables, "table"),
        units::plural(report.rows, "row"),
        units::bytes(report.raw_bytes),
        units::seconds(report.seconds_total),
        units::seconds(report.seconds_before_analyze),
        units::rate(report.raw_bytes, Duration::from_secs_f64(report.seconds_total)),
    );
    if let Some(to_do) = kong.and_then(Kong::lines) {
        lines = format!("{lines}\n{to_do}");
    }
    if let Some(copy) = copy {
        lines = format!("{lines}\n{}", stage::words(copy));
    }
    let busy: serde_json::Map<_, _> = report
        .seconds_busy
        .iter()
        .map(|(stage, seconds)| (stage.to_string(), json!(seconds)))
        .collect();
    let fields = json!({
        "tables": report.tables,
        "rows": report.rows,
        "raw_bytes": report.raw_bytes,
        "jobs": report.jobs,
        "not_restored": report.not_restored,
        "not_valid": report.not_valid,
        "seconds": report.seconds_total,
        "seconds_ready": report.seconds_ready,
        "seconds_before_analyze": report.seconds_before_analyze,
        "seconds_busy": busy,
        "kong": kong.map(Kong::as_json),
        "staged": copy.map(stage::as_json),
    });
    reporter.summary(&lines, fields);
    outcome
}
