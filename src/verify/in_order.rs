//! A stream: every chunk is checked as it comes, and all that came is compared with index and
//! footer at the end.
//!
//! Whichever thread is free reads the next chunk and decodes it while another reads on. Memory is
//! lent out before a body is read, so that a stream that is faster than the threads waits for them.

use std::collections::HashMap;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chunks::{MEMORY_BYTES, TableSum, table_done, threads};
use super::finding::Place;
use super::gate::Gate;
use super::{Report, broken, check_manifest, conclude};
use crate::archive::{InOrder, Passed, StoredChunk, UncheckedChunk, Whole};
use crate::error::{Error, Kind, Result};
use crate::progress::{Progress, TableTotal};
use crate::sql::ident;

/// What the threads share.
struct Work<'a, R> {
    archive: Mutex<InOrder<R>>,
    gate: Gate,
    tables: usize,
    progress: &'a dyn Progress,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    /// What is wrong with chunks, by their numbers among those that came.
    damage: HashMap<usize, String>,
    /// What ended the reading.
    failure: Option<Error>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks all that comes.
///
/// # Errors
/// As those of [`super::run`].
pub(super) fn check<R: Read + Send>(
    stream: R,
    name: &str,
    max_memory: u64,
    progress: &dyn Progress,
) -> Result<Report> {
    let archive = InOrder::open(stream, name, max_memory)?;
    let tables = archive.manifest().map_or(&[][..], |manifest| &manifest.tables);
    // How many rows there are is known when they have all come.
    let total = |table: &crate::archive::manifest::Table| TableTotal {
        name: ident::qualified(&table.schema, &table.name),
        rows: table.rows_estimate.max(0) as u64,
        bytes: table.bytes_estimate,
    };
    let totals: Vec<TableTotal> = tables.iter().map(total).collect();
    progress.tables(&totals);
    let work = Work {
        archive: Mutex::new(archive),
        gate: Gate::new(MEMORY_BYTES),
        tables: totals.len(),
        progress,
        found: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| work.check_some());
        }
    });
    let Found { damage, failure } = work.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let archive = work.archive.into_inner().unwrap_or_else(PoisonError::into_inner);
    match archive.finish(damage)? {
        Passed::Whole(whole) => Ok(compare(&whole, progress)),
        Passed::Broken(error, survey) => Ok(broken::check(name, &error, *survey)),
    }
}

impl<R: Read> Work<'_, R> {
    /// Takes chunks as they come until there are none left.
    fn check_some(&self) {
        if let Err(failure) = self.try_check_some() {
            lock(&self.found).failure.get_or_insert(failure);
        }
    }

    fn try_check_some(&self) -> Result<()> {
        loop {
            let mut archive = lock(&self.archive);
            if lock(&self.found).failure.is_some() {
                return Ok(());
            }
            let Some(chunk) = archive.next_chunk()? else { return Ok(()) };
            // Those who hold memory want nothing of the archive before they have given it back.
            let pass = self.gate.enter(chunk.memory_bytes);
            let body = archive.read_body();
            if matches!(&body, Err(error) if error.kind() != Kind::Archive) {
                return body.map(drop);
            }
            drop(archive);
            let checked = body.and_then(UncheckedChunk::check_stored).and_then(StoredChunk::check);
            drop(pass);
            match checked {
                Ok(_) => {}
                Err(error) if error.kind() == Kind::Requirement => return Err(error),
                Err(error) => {
                    drop(lock(&self.found).damage.insert(chunk.number, error.cause().to_owned()));
                }
            }
            let table = chunk.table.0 as usize;
            if table < self.tables {
                self.progress.advance(table, chunk.rows, chunk.raw_bytes);
            }
        }
    }
}

/// Compares what came with what the index says.
fn compare(whole: &Whole, progress: &dyn Progress) -> Report {
    let archive = &whole.archive;
    let mut findings = check_manifest(&archive.manifest);
    let names: Vec<String> = archive
        .manifest
        .tables
        .iter()
        .map(|table| ident::qualified(&table.schema, &table.name))
        .collect();
    let mut sums = vec![TableSum::default(); names.len()];
    for (number, entry) in archive.index.chunks.iter().enumerate() {
        let table = entry.table.0 as usize;
        match whole.check_chunk(number) {
            Ok(()) => sums[table].add(entry),
            Err(error) => {
                sums[table].bad_chunks += 1;
                findings.add(
                    Place::Chunk {
                        chunk: number,
                        table: names[table].clone(),
                        offset: entry.offset,
                    },
                    error.cause(),
                );
            }
        }
    }
    for (table, (name, sum)) in names.iter().zip(&sums).enumerate() {
        if sum.totals.chunks + sum.bad_chunks > 0 {
            table_done(table, name, sum, progress);
        } else {
            progress.table_done(table);
        }
    }
    conclude(archive, &sums, whole.check_root(), findings)
}
