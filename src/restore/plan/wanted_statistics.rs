//! Which of the archive's planner statistics are restored.

use crate::archive::manifest::{Manifest, ObjectKind};
use crate::archive::statistics::Statistics;
use crate::pg::statistics::{EXTENDED_TAKEN_FROM, TAKEN_FROM};
use crate::restore::options::{Options, Sections};
use crate::select::{Selected, Withheld};

/// The statistics that are restored, and what there is to say about the others.
pub(in crate::restore) fn wanted(
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
    let gathered = if options.no_analyze {
        "none are gathered either (--no-analyze)"
    } else {
        "ANALYZE gathers them"
    };
    if manifest.statistics.is_empty() {
        return (
            Vec::new(),
            vec![format!(
                "the archive holds no statistics (dump --statistics writes them): {gathered}"
            )],
        );
    }
    if target < TAKEN_FROM {
        let version = target / 10_000;
        return (
            Vec::new(),
            vec![format!("PostgreSQL {version} takes no statistics (18 and newer do): {gathered}")],
        );
    }
    let kept = selected.ids();
    let statistics = manifest.statistics.iter().filter(|one| kept.contains(&one.object));
    let statistics = statistics.cloned().filter_map(|one| withheld.keep(one)).collect();
    let extended =
        selected.objects.iter().filter(|object| object.kind == ObjectKind::Statistics).count();
    let mut warnings = Vec::new();
    if extended > 0 && target < EXTENDED_TAKEN_FROM {
        let version = target / 10_000;
        warnings.push(format!(
            "PostgreSQL {version} does not take extended statistics (19 and newer do), of which \
             there are {extended}: for all of their tables, {gathered}"
        ));
    }
    (statistics, warnings)
}

#[cfg(test)]
mod tests;
