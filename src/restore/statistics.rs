//! Planner statistics: which of the archive's are restored, and how a server takes them. They never make a restore fail: what a server does
//! not take is gathered.

use super::graph::Step;
use super::{Options, Sections};
use crate::archive::manifest::{Manifest, ObjectKind};
use crate::archive::statistics::Statistics;
use crate::error::{Error, Kind, Result};
use crate::pg::select::{Selected, Withheld};
use crate::pg::session::Session;
use crate::pg::statistics::{self, EXTENDED_TAKEN_FROM, Name, TAKEN_FROM};
use crate::progress::{Level, Progress};

/// The statistics that are restored, and what there is to say about the others.
pub(super) fn wanted(
    options: &Options,
    sections: Sections,
    manifest: &Manifest,
    selected: &Selected,
    withheld: &Withheld,
    target: u32,
) -> (Vec<Statistics>, Vec<String>) {
    if !options.selection.statistics || sections != Sections::ALL {
        return (Vec::new(), Vec::new());
    }
    let gathered = if options.no_analyze { "none are gathered either (--no-analyze)" } else { "ANALYZE gathers them" };
    if manifest.statistics.is_empty() {
        return (Vec::new(), vec![format!("the archive holds no statistics (dump --statistics writes them): {gathered}")]);
    }
    if target < TAKEN_FROM {
        let version = target / 10_000;
        return (Vec::new(), vec![format!("PostgreSQL {version} takes no statistics (18 and newer do): {gathered}")]);
    }
    let kept = selected.ids();
    let statistics = manifest.statistics.iter().filter(|one| kept.contains(&one.object));
    let statistics = statistics.cloned().filter_map(|one| withheld.keep(one)).collect();
    let extended = selected.objects.iter().filter(|object| object.kind == ObjectKind::Statistics).count();
    let mut warnings = Vec::new();
    if extended > 0 && target < EXTENDED_TAKEN_FROM {
        let version = target / 10_000;
        warnings.push(format!(
            "PostgreSQL {version} does not take extended statistics (19 and newer do), of which there are {extended}: for all of their tables, {gathered}"
        ));
    }
    (statistics, warnings)
}

/// Gives the server some statistics; those that it does not take whole, it gathers.
pub(super) async fn take(
    session: &Session,
    (all, source): (&[Statistics], u32),
    (label, taken, gather): (&str, &[(usize, Name)], Option<&Step>),
    progress: &dyn Progress,
) -> Result<()> {
    let wanted = taken.iter().map(|(place, name)| (&all[*place], name));
    let mut why = None;
    for sql in statistics::statements(wanted, source, session.version()) {
        match session.query(label, &sql).await {
            Ok(rows) if rows.iter().all(|row| matches!(row.get(0), Ok(Some(true)))) => {}
            Ok(_) => why = Some("the server did not take them whole".to_owned()),
            Err(error) if is_answer(&error) => why = Some(error.cause().to_owned()),
            Err(error) => return Err(error),
        }
    }
    let Some(why) = why else { return Ok(()) };
    let instead = if gather.is_some() { "ANALYZE gathers them" } else { "run ANALYZE" };
    progress.message(Level::Warning, &format!("{label}: {why}: {instead}"));
    match gather {
        Some(step) => session.execute(&step.doing, &step.sql).await.map(drop),
        None => Ok(()),
    }
}

/// Whether the server is there and has refused.
fn is_answer(error: &Error) -> bool {
    error.sqlstate().is_some() && error.kind() != Kind::Server
}
