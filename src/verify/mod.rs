//! Verify: reads everything, believes nothing, collects what is wrong. Does not know how findings are shown, nor any server.
//!
//! ```text
//! structure (header, footer, manifest, index) ─► manifest's references ─► every chunk: read, check, decode, digest ─► totals ─► root
//! ```

mod chunks;
mod finding;
mod gate;
mod manifest;
#[cfg(test)]
pub(crate) mod testing;

use std::fs::File;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

pub use finding::{Finding, Place};

use crate::archive::manifest::RowEncoding;
use crate::archive::{Archive, ReadAt};
use crate::error::{Kind, Result};
use crate::pg::ident;
use crate::pgcopy::Digest;
use crate::progress::Progress;
use finding::Findings;

/// The version of the report's JSON; fields may be added within one version.
const SCHEMA_VERSION: u32 = 1;

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this structure.
    pub schema_version: u32,
    /// The archive's path.
    pub archive: String,
    /// Whether nothing is wrong.
    pub ok: bool,
    /// All that is wrong.
    pub findings: Vec<Finding>,
    /// The archive's identity, where it could be read.
    pub id: Option<String>,
    /// What the footer says that the whole hashes to, in hexadecimal, where it could be read.
    pub root: Option<String>,
    /// The tables, as far as their chunks could be decoded.
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

/// Verifies the archive at `path`, all of it.
///
/// # Errors
/// Only if nothing can be said about it: [`Kind::File`] if it cannot be read, [`Kind::Requirement`] if it is of a newer format. Whatever is
/// wrong with it is a finding.
pub fn run(path: &Path, progress: &dyn Progress) -> Result<Report> {
    let started = Instant::now();
    let name = path.display().to_string();
    progress.phase(&format!("verify {name}"));
    let mut report = match Archive::<File>::open_path(path) {
        Ok(archive) => check(&archive, progress),
        Err(error) if error.kind() == Kind::Archive => {
            let mut findings = Findings::default();
            findings.add(Place::File, error.to_string());
            let file_bytes = path.metadata().map_or(0, |metadata| metadata.len());
            report(name, findings, Vec::new(), Totals { file_bytes, ..Totals::default() })
        }
        Err(error) => return Err(error),
    };
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Checks an archive whose structure could be read.
fn check<R: ReadAt>(archive: &Archive<R>, progress: &dyn Progress) -> Report {
    let mut findings = Findings::default();
    manifest::check(&archive.manifest, &mut findings);
    let sums = chunks::check(archive, &mut findings, progress);
    if let Err(error) = archive.check_root() {
        findings.add(Place::File, error.to_string());
    }
    let mut tables = Vec::with_capacity(sums.len());
    let mut totals = Totals { file_bytes: archive.footer.total_bytes, ..Totals::default() };
    for ((table, sum), expected) in archive.manifest.tables.iter().zip(&sums).zip(&archive.index.tables) {
        let name = ident::qualified(&table.schema, &table.name);
        let ok = sum.bad_chunks == 0 && sum.totals == *expected;
        // Where a chunk is bad, that the sum differs is no news.
        if sum.bad_chunks == 0 {
            let place = manifest::table_place(table);
            findings.compare(&place, "its chunks do not add up to its total", &expected.chunks, &sum.totals.chunks);
            findings.compare(&place, "its rows do not add up to its total", &expected.rows, &sum.totals.rows);
            findings.compare(&place, "its rows' bytes do not add up to its total", &expected.raw_bytes, &sum.totals.raw_bytes);
            findings.compare(&place, "its stored bytes do not add up to its total", &expected.stored_bytes, &sum.totals.stored_bytes);
            findings.compare(&place, "its rows have another digest", &expected.digest, &sum.totals.digest);
        }
        let crate::archive::TableTotals { chunks, rows, raw_bytes, stored_bytes, digest } = sum.totals;
        totals.tables += 1;
        totals.chunks += chunks;
        totals.rows += rows;
        totals.raw_bytes += raw_bytes;
        totals.stored_bytes += stored_bytes;
        tables.push(TableReport { name, ok, encoding: table.encoding, chunks, rows, raw_bytes, stored_bytes, digest });
    }
    let mut report = report(archive.name.clone(), findings, tables, totals);
    report.id = Some(archive.header.archive.to_string());
    report.root = Some(archive.footer.root.to_string());
    report
}

fn report(archive: String, findings: Findings, tables: Vec<TableReport>, totals: Totals) -> Report {
    let findings = findings.into_list();
    let (schema_version, ok) = (SCHEMA_VERSION, findings.is_empty());
    Report { schema_version, archive, ok, findings, id: None, root: None, tables, totals, seconds: 0.0 }
}

#[cfg(test)]
mod tests;
