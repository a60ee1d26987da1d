//! An archive whose structure does not hold: what is wrong with each part, and what of the rows is
//! intact all the same.

use super::chunks::TableSum;
use super::finding::{Findings, Place};
use super::{Report, Totals, manifest, report, statements, tables};
use crate::archive::{ReadAt, Survey, survey};
use crate::error::Error;
use crate::progress::{Level, Progress};
use crate::sql::ident;

/// Reports on a source that could not be opened as an archive because of `error`.
pub(super) fn survey_and_check<R: ReadAt>(
    source: &R,
    name: &str,
    error: &Error,
    max_memory: u64,
    progress: &dyn Progress,
) -> Report {
    let mut seen = 0_u64;
    let survey = survey(source, max_memory, |_| {
        if seen == 0 {
            progress.message(Level::Info, &format!("{name} is broken; looking for what is intact"));
        }
        seen += 1;
        progress.steps(seen, seen);
    });
    match survey {
        Ok(survey) => check(name, error, survey),
        Err(other) => {
            let mut findings = Findings::default();
            findings.add(Place::File, error.to_string());
            findings.add(Place::File, other.to_string());
            report(name.to_owned(), findings, Vec::new(), Totals::default())
        }
    }
}

/// Reports on what was found of it.
pub(super) fn check(name: &str, error: &Error, survey: Survey) -> Report {
    let name = name.to_owned();
    let mut findings = Findings::default();
    findings.add(Place::File, error.to_string());
    if survey.header.is_err() && survey.manifest.is_err() && survey.footer.is_err() {
        // Nothing of it is ours, and what our parts would be in it says nothing.
        let totals = Totals { file_bytes: survey.total_bytes, ..Totals::default() };
        return Report {
            is_archive: !survey.is_foreign,
            ..report(name, findings, Vec::new(), totals)
        };
    }
    // What kept it from being opened stands first already.
    let mut add = |part: Option<&Error>| {
        if let Some(part) = part.filter(|part| part.cause() != error.cause()) {
            findings.add(Place::File, part.to_string());
        }
    };
    add(survey.header.as_ref().err());
    add(survey.manifest.as_ref().err());
    add(survey.footer.as_ref().err());
    let manifest = survey.manifest.as_ref().ok();
    let mut sums = vec![TableSum::default(); manifest.map_or(0, |manifest| manifest.tables.len())];
    for (number, chunk) in survey.chunks.iter().enumerate() {
        let table = chunk.entry.table.0 as usize;
        let named = manifest.and_then(|manifest| manifest.tables.get(table));
        if let Some(damage) = &chunk.damage {
            let table = named.map_or_else(
                || format!("table {table}"),
                |table| ident::qualified(&table.schema, &table.name),
            );
            findings.add(
                Place::Chunk { chunk: number, table, offset: chunk.entry.offset },
                damage.as_str(),
            );
        } else if let Some(sum) = sums.get_mut(table) {
            sum.add(&chunk.entry);
        }
    }
    let index_offset = survey.footer.as_ref().ok().map(|footer| footer.index_offset);
    if index_offset != Some(survey.chunks_end) && survey.manifest.is_ok() {
        let what = format!(
            "after {} {}, at byte {}, no chunk can be recognised",
            survey.chunks.len(),
            if survey.chunks.len() == 1 { "chunk" } else { "chunks" },
            survey.chunks_end
        );
        findings.add(Place::File, what);
    }
    let (mut reports, mut totals) =
        (Vec::new(), Totals { file_bytes: survey.total_bytes, ..Totals::default() });
    if let Some(manifest) = manifest {
        manifest::check(manifest, &mut findings);
        statements::check(manifest, &mut findings);
        // Without an index nobody knows whether these are all rows.
        (reports, totals) = tables(manifest, &sums, None, survey.total_bytes);
    }
    let mut report = report(name, findings, reports, totals);
    report.id = survey.header.ok().map(|header| header.archive.to_string());
    report.root = survey.footer.ok().map(|footer| footer.root.to_string());
    report
}
