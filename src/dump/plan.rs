//! What is copied in which pieces: a plain value, computed before the first byte moves.

use std::collections::HashMap;
use std::fmt;

use super::words::{qualified, unexpected};
use crate::archive::manifest::{Manifest, RowEncoding, Table, TableId};
use crate::error::Result;
use crate::pg::catalog::TableSource;
use crate::progress::TableTotal;
use crate::sql::copy_out;

/// A table is cut so that a piece is about this many pages: 32 MiB of 8 KiB pages.
const RANGE_PAGES: u64 = 4096;
/// Small tables travel in batches of so many, because a round trip costs more than their rows.
const BATCH_TABLES_MAX: usize = 32;
/// Up to this many pages a table is small: 256 KiB.
const SMALL_PAGES: u64 = 32;

/// The jobs of a dump: tables one after the other, largest first, the ranges of one together, so
/// that few are open at a time.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Taken by the sessions from the front.
    pub(super) jobs: Vec<Job>,
    /// Names and guessed sizes, by table.
    pub(super) totals: Vec<TableTotal>,
}

impl Plan {
    /// How many pieces each table is read in.
    pub(super) fn pieces(&self) -> Vec<u64> {
        let mut counts = vec![0; self.totals.len()];
        for piece in self.jobs.iter().flat_map(|job| &job.pieces) {
            counts[piece.table.0 as usize] += 1;
        }
        counts
    }
}

/// What one session copies before it asks for more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// One piece of a large table, or several small tables.
    pub(super) pieces: Vec<Piece>,
}

/// A table, or a range of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The table.
    pub(super) table: TableId,
    /// Quoted.
    pub(super) name: String,
    /// Whether it is a table that can be locked.
    pub(super) locks: bool,
    /// Which pages.
    pub(super) range: Range,
    /// The COPY statement.
    pub(super) sql: String,
    /// How its rows travel.
    pub(super) encoding: RowEncoding,
    /// Columns in a row.
    pub(super) columns: usize,
}

/// Pages of a table's heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    /// All of it.
    Whole,
    /// From a page up to, and not including, another.
    Pages(u64, u64),
    /// From a page to wherever the table ends by now.
    From(u64),
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => write!(f, "all pages"),
            Self::Pages(from, to) => write!(f, "pages {from}..{to}"),
            Self::From(from) => write!(f, "pages {from}.."),
        }
    }
}

/// A piece with its guessed size and that of its whole table.
struct Sized {
    table_bytes: u64,
    bytes: u64,
    piece: Piece,
}

/// Plans the copying of the manifest's tables by `jobs` sessions.
pub(super) fn make(manifest: &Manifest, sources: &[TableSource], jobs: usize) -> Result<Plan> {
    // An extension's tables share its object.
    let key = |table: &Table| (table.object, table.schema.clone(), table.name.clone());
    let by_table: HashMap<_, _> =
        sources.iter().map(|source| (key(&source.table), source)).collect();
    let mut totals = Vec::with_capacity(manifest.tables.len());
    let mut sized: Vec<Sized> = Vec::new();
    let all_pages: u64 = sources.iter().map(|source| source.pages).sum();
    for (place, table) in manifest.tables.iter().enumerate() {
        let source = by_table.get(&key(table)).ok_or_else(|| {
            unexpected("plan the dump", format!("no source for {}", qualified(table)))
        })?;
        totals.push(TableTotal {
            name: qualified(table),
            rows: table.rows_estimate.max(0) as u64,
            bytes: table.bytes_estimate,
        });
        for range in ranges(source, all_pages, jobs) {
            let page_bytes = table.bytes_estimate / source.pages.max(1);
            let bytes = match range {
                // What stands for a table has bytes and no pages.
                Range::Whole => table.bytes_estimate,
                Range::Pages(from, to) => page_bytes * (to - from),
                Range::From(from) => page_bytes * (source.pages - from),
            };
            let piece = Piece {
                table: TableId(place as u32),
                name: qualified(table),
                locks: source.query.is_none(),
                range,
                sql: copy_sql(source, range),
                encoding: table.encoding,
                columns: table.columns.len(),
            };
            sized.push(Sized { table_bytes: table.bytes_estimate, bytes, piece });
        }
    }
    // Stable: equal sizes stay in the manifest's order, and a table's ranges in theirs.
    sized.sort_by_key(|sized| std::cmp::Reverse(sized.table_bytes));
    Ok(Plan { jobs: batch(sized), totals })
}

fn ranges(source: &TableSource, all_pages: u64, jobs: usize) -> Vec<Range> {
    if source.pages == 0 && source.ctid_ranges {
        // A heap without a page, looked at after the snapshot was taken and the table locked, has
        // no row that the snapshot shows.
        return Vec::new();
    }
    if !source.ctid_ranges || source.table.filter.is_some() {
        return vec![Range::Whole];
    }
    // Fine enough to keep the sessions busy to the end, coarse enough for full chunks.
    let fair_share = all_pages / (jobs as u64 * 4).max(1);
    let step = RANGE_PAGES.min(fair_share.max(RANGE_PAGES / 4));
    if source.pages < step * 2 {
        return vec![Range::Whole];
    }
    let count = source.pages / step;
    (0..count)
        .map(|n| {
            if n + 1 == count {
                Range::From(n * step)
            } else {
                Range::Pages(n * step, (n + 1) * step)
            }
        })
        .collect()
}

fn copy_sql(source: &TableSource, range: Range) -> String {
    let table = &source.table;
    let condition = match (range, &table.filter) {
        (Range::Whole, None) => String::new(),
        // As the extension wrote it: the word WHERE and what follows.
        (Range::Whole, Some(filter)) => filter.clone(),
        (Range::Pages(from, to), _) => format!(
            "WHERE ctid >= '({from},0)'::pg_catalog.tid AND ctid < '({to},0)'::pg_catalog.tid"
        ),
        (Range::From(from), _) => format!("WHERE ctid >= '({from},0)'::pg_catalog.tid"),
    };
    let what = source.query.clone().unwrap_or_else(|| copy_out::own_rows(table, &condition));
    copy_out::copy_out(&what, table.encoding)
}

fn batch(sized: Vec<Sized>) -> Vec<Job> {
    let small_bytes = SMALL_PAGES * 8192;
    let mut jobs: Vec<Job> = Vec::new();
    let mut open: Vec<Piece> = Vec::new();
    for Sized { bytes, piece, .. } in sized {
        if bytes > small_bytes {
            jobs.push(Job { pieces: vec![piece] });
            continue;
        }
        open.push(piece);
        if open.len() == BATCH_TABLES_MAX {
            jobs.push(Job { pieces: std::mem::take(&mut open) });
        }
    }
    if !open.is_empty() {
        jobs.push(Job { pieces: open });
    }
    jobs
}

#[cfg(test)]
mod tests;
