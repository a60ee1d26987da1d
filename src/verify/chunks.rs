//! Every chunk: read, checksums, decoded, rows and digest counted anew, on all cores.
//!
//! Plain threads, not the pool: they wait for the disk and for memory. There are two more than
//! cores, so that some decode while others read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::finding::{Findings, Place};
use super::gate::Gate;
use crate::archive::{Archive, IndexEntry, ReadAt, TableTotals};
use crate::error::{Error, Kind, Result};
use crate::limits::cores;
use crate::progress::{Level, Progress, TableTotal};
use crate::sql::ident;

/// Bytes held at a time, stored and decoded, save for a single chunk that is larger.
pub(super) const MEMORY_BYTES: u64 = 96 << 20;

/// More threads would only wait for memory.
const THREADS_MAX: usize = 10;

/// What a table's chunks amount to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TableSum {
    /// Counted from the rows of chunks that are intact.
    pub(super) totals: TableTotals,
    pub(super) bad_chunks: u64,
}

impl TableSum {
    /// Counts a chunk that is intact.
    pub(super) fn add(&mut self, chunk: &IndexEntry) {
        let totals = &mut self.totals;
        totals.chunks += 1;
        totals.rows = totals.rows.saturating_add(chunk.rows);
        totals.raw_bytes = totals.raw_bytes.saturating_add(chunk.raw_bytes);
        totals.stored_bytes = totals.stored_bytes.saturating_add(chunk.stored_bytes);
        totals.digest += chunk.digest;
    }
}

/// What the threads share.
struct Work<'a, R> {
    archive: &'a Archive<R>,
    names: Vec<String>,
    next: AtomicUsize,
    gate: Gate,
    progress: &'a dyn Progress,
    found: Mutex<Found<'a>>,
}

struct Found<'a> {
    sums: Vec<TableSum>,
    findings: &'a mut Findings,
    /// Why a chunk could not be looked at, which says nothing of the archive.
    failed: Option<Error>,
}

/// Checks all chunks, and tells what each table's amount to, in the order of the manifest.
///
/// # Errors
/// [`Kind::Requirement`] if there is too little memory.
pub(super) fn check<R: ReadAt>(
    archive: &Archive<R>,
    findings: &mut Findings,
    progress: &dyn Progress,
) -> Result<Vec<TableSum>> {
    let names: Vec<String> = archive
        .manifest
        .tables
        .iter()
        .map(|table| ident::qualified(&table.schema, &table.name))
        .collect();
    let total = |(name, totals): (&String, &TableTotals)| TableTotal {
        name: name.clone(),
        rows: totals.rows,
        bytes: totals.raw_bytes,
    };
    progress.tables(&names.iter().zip(&archive.index.tables).map(total).collect::<Vec<_>>());
    let sums = vec![TableSum::default(); names.len()];
    let work = Work {
        archive,
        names,
        next: AtomicUsize::new(0),
        gate: Gate::new(MEMORY_BYTES),
        progress,
        found: Mutex::new(Found { sums, findings, failed: None }),
    };
    for (table, _) in
        archive.index.tables.iter().enumerate().filter(|(_, totals)| totals.chunks == 0)
    {
        progress.table_done(table);
    }
    std::thread::scope(|scope| {
        for _ in 0..threads().min(archive.index.chunks.len()) {
            scope.spawn(|| work.check_some());
        }
    });
    let found = work.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.failed.map_or(Ok(found.sums), Err)
}

/// How many threads check chunks.
pub(super) fn threads() -> usize {
    (cores() + 2).min(THREADS_MAX)
}

impl<R: ReadAt> Work<'_, R> {
    /// Takes chunks in file order until there are none left.
    fn check_some(&self) {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = self.archive.index.chunks.get(number) else { return };
            // The stored bytes, the columns, and a row, which may be all of it.
            let pass = self.gate.enter(
                entry
                    .stored_bytes
                    .saturating_add(entry.raw_bytes)
                    .saturating_add(self.archive.columns_bytes(entry)),
            );
            let result = self.decode(number, entry);
            drop(pass);
            self.count(number, entry, result);
        }
    }

    /// The entry as the chunk itself would write it.
    fn decode(&self, number: usize, entry: &IndexEntry) -> Result<IndexEntry> {
        let joined = self.archive.read_chunk(number)?.check()?;
        Ok(IndexEntry {
            rows: joined.rows,
            raw_bytes: joined.raw_bytes,
            digest: joined.digest,
            ..*entry
        })
    }

    fn count(&self, number: usize, entry: &IndexEntry, result: Result<IndexEntry>) {
        let table = entry.table.0 as usize;
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = &mut found.sums[table];
        match result {
            Ok(chunk) => sum.add(&chunk),
            Err(error) if error.kind() == Kind::Requirement => found.failed = Some(error),
            Err(error) => {
                sum.bad_chunks += 1;
                let place = Place::Chunk {
                    chunk: number,
                    table: self.names[table].clone(),
                    offset: entry.offset,
                };
                found.findings.add(place, error.cause());
            }
        }
        let sum = found.sums[table];
        drop(found);
        self.progress.advance(table, entry.rows, entry.raw_bytes);
        if sum.totals.chunks + sum.bad_chunks == self.archive.index.tables[table].chunks {
            table_done(table, &self.names[table], &sum, self.progress);
        }
    }
}

/// Tells that a table is complete.
pub(super) fn table_done(table: usize, name: &str, sum: &TableSum, progress: &dyn Progress) {
    progress.message(Level::Detail, &format!("{name}: digest {}", sum.totals.digest));
    progress.table_done(table);
}
