//! Verify: reads everything, believes nothing, collects what is wrong, and reports on each table
//! and on all. Does not know how findings are shown, nor any server.
//!
//! A file is read by several threads, each chunk where the index says; a stream ([`in_order`])
//! once, chunk after chunk, with the same result.
//!
//! ```text
//! structure (header, footer, manifest, index) ─► manifest's references ─► every chunk: read, check, decode, digest ─► totals ─► root
//! ```

mod broken;
mod chunks;
mod finding;
mod gate;
mod in_order;
mod manifest;
mod statements;
#[cfg(test)]
pub(crate) mod testing;

use std::time::Instant;

use serde::Serialize;

pub use finding::{Finding, Place};

use crate::archive::manifest::{Manifest, RowEncoding};
use crate::archive::{Archive, Index, ReadAt, TableTotals};
use crate::error::{Kind, Result};
use crate::limits::Limits;
use crate::pgcopy::Digest;
use crate::pool;
use crate::progress::Progress;
use crate::sql::ident;
use crate::storage::Source;
use chunks::TableSum;
use finding::Findings;

/// The version of the report's JSON; fields may be added within one version.
const SCHEMA_VERSION: u32 = 1;

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this structure.
    pub schema_version: u32,
    /// The archive's path, or the stream it came from.
    pub archive: String,
    /// Whether it is an archive at all, be it a damaged one.
    pub is_archive: bool,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// All that is wrong.
    pub findings: Vec<Finding>,
    /// The archive's identity, where it could be read.
    pub id: Option<String>,
    /// What the footer says that the whole hashes to, in hexadecimal, where it could be read.
    pub root: Option<String>,
    /// The tables, as far as their chunks are intact.
    pub tables: Vec<TableReport>,
    /// The sums over all tables.
    pub totals: Totals,
    /// How long it took.
    pub seconds: f64,
}

/// What was read of one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Qualified and quoted.
    pub name: String,
    /// Whether all its chunks are intact and add up to its totals.
    pub ok: bool,
    /// How its rows travel.
    pub encoding: RowEncoding,
    /// Chunks that are intact.
    pub chunks: u64,
    /// Their rows.
    pub rows: u64,
    /// Their rows' bytes as COPY sends them.
    pub raw_bytes: u64,
    /// Their bytes in the file.
    pub stored_bytes: u64,
    /// The sum of their rows' digests.
    pub digest: Digest,
}

/// Sums over what is intact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Tables.
    pub tables: u64,
    /// Chunks.
    pub chunks: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of rows as COPY sends them.
    pub raw_bytes: u64,
    /// Bytes of chunks in the file.
    pub stored_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// Verifies an archive, all of it. Its manifest may take as much memory as the limits say, if that
/// is more than is usual for its size.
///
/// # Errors
/// Only if nothing can be said about it: [`Kind::File`] if it cannot be read, [`Kind::Requirement`]
/// if it is of a newer format or there is too little memory. Whatever is wrong with it is a
/// finding.
pub fn run(source: Source, limits: &Limits, progress: &dyn Progress) -> Result<Report> {
    let max_memory = limits.max_memory.unwrap_or_default();
    let started = Instant::now();
    let name = source.name().to_owned();
    pool::check_threads(chunks::threads())?;
    progress.phase(&format!("verify {name}"));
    let mut report = match source {
        Source::File(file, _) => match Archive::open_within(&file, &name, max_memory) {
            Ok(archive) => check(&archive, progress)?,
            Err(error) if error.kind() == Kind::Archive => {
                broken::survey_and_check(&file, &name, &error, max_memory, progress)
            }
            Err(error) => return Err(error),
        },
        Source::Stream(stream) => in_order::check(stream, &name, max_memory, progress)?,
    };
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Checks an archive whose structure could be read.
fn check<R: ReadAt>(archive: &Archive<R>, progress: &dyn Progress) -> Result<Report> {
    let mut findings = check_manifest(&archive.manifest);
    let sums = chunks::check(archive, &mut findings, progress)?;
    Ok(conclude(archive, &sums, archive.check_root(), findings))
}

fn check_manifest(manifest: &Manifest) -> Findings {
    let mut findings = Findings::default();
    manifest::check(manifest, &mut findings);
    statements::check(manifest, &mut findings);
    findings
}

/// Puts a verification's report together, and compares what the chunks amount to with what the
/// index says.
fn conclude<R>(
    archive: &Archive<R>,
    sums: &[TableSum],
    root: Result<()>,
    mut findings: Findings,
) -> Report {
    if let Err(error) = root {
        findings.add(Place::File, error.to_string());
    }
    for ((table, sum), expected) in
        archive.manifest.tables.iter().zip(sums).zip(&archive.index.tables)
    {
        // Where a chunk is bad, that the sum differs is no news.
        if sum.bad_chunks == 0 {
            compare(&manifest::table_place(table), expected, &sum.totals, &mut findings);
        }
    }
    let (tables, totals) =
        tables(&archive.manifest, sums, Some(&archive.index), archive.footer.total_bytes);
    let mut report = report(archive.name.clone(), findings, tables, totals);
    report.id = Some(archive.header.archive.to_string());
    report.root = Some(archive.footer.root.to_string());
    report
}

fn compare(place: &Place, expected: &TableTotals, found: &TableTotals, findings: &mut Findings) {
    findings.compare(
        place,
        "its chunks do not add up to its total",
        &expected.chunks,
        &found.chunks,
    );
    findings.compare(place, "its rows do not add up to its total", &expected.rows, &found.rows);
    findings.compare(
        place,
        "its rows' bytes do not add up to its total",
        &expected.raw_bytes,
        &found.raw_bytes,
    );
    findings.compare(
        place,
        "its stored bytes do not add up to its total",
        &expected.stored_bytes,
        &found.stored_bytes,
    );
    findings.compare(place, "its rows have another digest", &expected.digest, &found.digest);
}

/// What the report says of each table, and of all. A table is well if an index says so.
fn tables(
    manifest: &Manifest,
    sums: &[TableSum],
    index: Option<&Index>,
    file_bytes: u64,
) -> (Vec<TableReport>, Totals) {
    let mut tables = Vec::with_capacity(sums.len());
    let mut totals = Totals { file_bytes, ..Totals::default() };
    for (at, (table, sum)) in manifest.tables.iter().zip(sums).enumerate() {
        let expected = index.and_then(|index| index.tables.get(at));
        let ok = sum.bad_chunks == 0 && expected == Some(&sum.totals);
        let TableTotals { chunks, rows, raw_bytes, stored_bytes, digest } = sum.totals;
        totals.tables += 1;
        totals.chunks += chunks;
        totals.rows = totals.rows.saturating_add(rows);
        totals.raw_bytes = totals.raw_bytes.saturating_add(raw_bytes);
        totals.stored_bytes = totals.stored_bytes.saturating_add(stored_bytes);
        let name = ident::qualified(&table.schema, &table.name);
        tables.push(TableReport {
            name,
            ok,
            encoding: table.encoding,
            chunks,
            rows,
            raw_bytes,
            stored_bytes,
            digest,
        });
    }
    (tables, totals)
}

fn report(archive: String, findings: Findings, tables: Vec<TableReport>, totals: Totals) -> Report {
    let findings = findings.into_list();
    let (schema_version, ok) = (SCHEMA_VERSION, findings.is_empty());
    Report {
        schema_version,
        archive,
        is_archive: true,
        ok,
        findings,
        id: None,
        root: None,
        tables,
        totals,
        seconds: 0.0,
    }
}

#[cfg(test)]
mod tests;
