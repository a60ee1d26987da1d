//! What is said of a restore that has ended well, and of one that is only planned.

use std::time::Duration;

use serde_json::{Value, json};

use super::command::{Outcome, tell_not_carried};
use super::guards::restore::Kong;
use super::metrics::Figures;
use super::progress::reporter::Reporter;
use super::stage;
use super::text::{objects, stdio, units};
use crate::archive::manifest::ObjectKind;
use crate::error::{Error, Kind, Result};
use crate::progress::{Level, Progress as _};
use crate::restore::{JobTime, Plan, Report};
use crate::sql::ident;
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
    for line in times_as_text(report) {
        reporter.message(Level::Detail, &line);
    }
    let mut lines = as_text(report);
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
    let made: serde_json::Map<_, _> =
        report.made.iter().map(|(kind, number)| (kind.to_string(), json!(number))).collect();
    let fields = json!({
        "command": "restore",
        "database": report.database,
        "made": made,
        "foreign_keys_validated": report.validated,
        "tables": report.tables,
        "rows": report.rows,
        "raw_bytes": report.raw_bytes,
        "sessions": report.jobs,
        "not_restored": report.not_restored,
        "not_valid": report.not_valid,
        "seconds": report.seconds_total,
        "seconds_ready": report.seconds_ready,
        "seconds_before_analyze": report.seconds_before_analyze,
        "seconds_busy": busy,
        "slowest_jobs": jobs_as_json(&report.times.slowest),
        "longest_chain": jobs_as_json(&report.times.chain),
        "kong": kong.map(Kong::as_json),
        "staged": copy.map(stage::as_json),
    });
    reporter.summary(&lines, &fields);
    outcome
}

fn jobs_as_json(jobs: &[JobTime]) -> Value {
    jobs.iter().map(|job| json!({ "doing": job.doing, "seconds": job.seconds })).collect()
}

/// What took the time.
fn times_as_text(report: &Report) -> [String; 2] {
    let list = |jobs: &[JobTime]| {
        let jobs = jobs.iter().map(|job| format!("{} {}", job.doing, units::seconds(job.seconds)));
        jobs.collect::<Vec<_>>().join(", ")
    };
    let times = &report.times;
    [
        format!("longest jobs: {}", list(&times.slowest)),
        format!(
            "longest chain of jobs, each of which needs the one before: {} of {}: {}",
            units::seconds(times.chain_seconds()),
            units::seconds(report.seconds_total),
            list(&times.chain)
        ),
    ]
}

/// The same as figures.
pub(super) fn figures(report: &Report) -> Figures {
    Figures {
        tables: Some(report.tables),
        rows: Some(report.rows),
        raw_bytes: Some(report.raw_bytes),
        file_bytes: None,
    }
}

/// What was done to which database: what was made counts where there were no rows, too.
fn as_text(report: &Report) -> String {
    let database = ident::quote(&report.database);
    let database = units::printable(&database);
    let made = match (objects::counted(&report.made), report.validated) {
        (made, 0) if made.is_empty() => String::new(),
        (made, 0) => format!("made {made}"),
        (made, keys) => {
            let keys = units::plural(keys, "foreign key");
            if made.is_empty() {
                format!("validated {keys}")
            } else {
                format!("made {made}, validated {keys}")
            }
        }
    };
    let seconds = format!(
        "{} ({} before ANALYZE)",
        units::seconds(report.seconds_total),
        units::seconds(report.seconds_before_analyze)
    );
    let makes_tables = report.made.iter().any(|(kind, _)| *kind == ObjectKind::Table);
    if report.rows == 0 && (report.tables == 0 || !(made.is_empty() || makes_tables)) {
        let made = if made.is_empty() { "no object was left to make".to_owned() } else { made };
        return format!("restored into database {database}: {made}, {seconds}");
    }
    let rows = format!(
        "restored {}, {}, {} of rows, {seconds}, {}",
        units::plural(report.tables, "table"),
        units::plural(report.rows, "row"),
        units::bytes(report.raw_bytes),
        units::rate(report.raw_bytes, Duration::from_secs_f64(report.seconds_total)),
    );
    let made = if made.is_empty() { "made no object, only rows".to_owned() } else { made };
    format!("{rows}\ndatabase {database}: {made}")
}

/// Prints what a restore would do.
pub(super) fn print_plan(plan: &Plan, reporter: &Reporter) -> Result<Outcome> {
    stdio::print(&units::printable_text(&plan.to_string()))?;
    reporter.message(
        Level::Info,
        "nothing was changed, and no rows were read: silverback verify checks these",
    );
    if plan.findings.is_empty() {
        return Ok(tell_not_carried(&plan.left_out, reporter));
    }
    let number = plan.findings.len() as u64;
    let prevent = if number == 1 { "prevents" } else { "prevent" };
    let cause =
        format!("{} {prevent} this restore, see the plan", units::plural(number, "problem"));
    Err(Error::new(Kind::Requirement, "plan the restore", cause))
}
