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
pub struct Plan {
    /// Taken by the sessions from the front.
    pub jobs: Vec<Job>,
    /// Names and guessed sizes, by table.
    pub totals: Vec<TableTotal>,
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
pub struct Job {
    /// One piece of a large table, or several small tables.
    pub pieces: Vec<Piece>,
}

/// A table, or a range of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The table.
    pub table: TableId,
    /// Quoted.
    pub name: String,
    /// Whether it is a table that can be locked.
    pub locks: bool,
    /// Which pages.
    pub range: Range,
    /// The COPY statement.
    pub sql: String,
    /// How its rows travel.
    pub encoding: RowEncoding,
    /// Columns in a row.
    pub columns: usize,
}

/// Pages of a table's heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
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
            let pages = match range {
                Range::Whole => source.pages,
                Range::Pages(from, to) => to - from,
                Range::From(from) => source.pages - from,
            };
            let bytes = (table.bytes_estimate / source.pages.max(1)) * pages;
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
mod tests {
    use super::*;
    use crate::archive::manifest::{Column, ObjectId, Source};

    const MIB: u64 = 1 << 20;

    fn source(id: u32, mib: u64) -> TableSource {
        let table = Table {
            rows_estimate: -1,
            bytes_estimate: mib * MIB,
            ..Table::new(
                ObjectId(id),
                "s",
                format!("t{id}"),
                vec![Column { name: "A b".into(), type_name: "text".into(), not_null: false }],
                RowEncoding::Binary,
            )
        };
        TableSource {
            table,
            oid: id,
            relkind: 'r',
            pages: mib * 128,
            ctid_ranges: true,
            query: None,
        }
    }

    fn plan(sources: &[TableSource], jobs: usize) -> Plan {
        let text = String::new;
        let from = Source {
            tool: text(),
            server_version: text(),
            server_version_num: 180_000,
            database: text(),
            encoding: text(),
            collate: text(),
            ctype: text(),
            locale_provider: text(),
            collation_version: None,
            snapshot_time: text(),
            snapshot_lsn: None,
        };
        let tables = sources.iter().map(|source| source.table.clone()).collect();
        let manifest = Manifest {
            source: from,
            objects: Vec::new(),
            tables,
            not_carried: Vec::new(),
            statistics: Vec::new(),
        };
        make(&manifest, sources, jobs).expect("every table has a source")
    }

    fn tables(job: &Job) -> Vec<u32> {
        job.pieces.iter().map(|piece| piece.table.0).collect()
    }

    #[test]
    fn tables_come_one_after_the_other_largest_first() {
        let plan =
            plan(&[source(0, 0), source(1, 100), source(2, 500), source(3, 1), source(4, 300)], 2);
        let order: Vec<u32> = plan.jobs.iter().flat_map(tables).collect();
        let mut seen = order.clone();
        seen.dedup();
        assert_eq!(
            seen,
            [2, 4, 1, 3],
            "each table's ranges stand together, and a heap without pages is not read"
        );
        assert_eq!(plan.pieces(), [0, 3, 15, 1, 9]);
    }

    #[test]
    fn ranges_cover_every_page_once_and_the_last_is_open() {
        for (pages, jobs) in [(1, 1), (4096, 1), (8192, 1), (100_000, 3), (1_000_003, 16)] {
            let source = TableSource { pages, ..source(0, 1) };
            let mut next = 0;
            let ranges = ranges(&source, pages, jobs);
            for (place, range) in ranges.iter().enumerate() {
                let last = place + 1 == ranges.len();
                match *range {
                    Range::Whole => assert_eq!(ranges.len(), 1),
                    Range::Pages(from, to) => {
                        assert!(from == next && to > from && !last, "{ranges:?}");
                        next = to;
                    }
                    Range::From(from) => {
                        assert!(from == next && from < pages && last, "{ranges:?}");
                    }
                }
            }
        }
        let uncut = TableSource { ctid_ranges: false, ..source(0, 500) };
        assert_eq!(ranges(&uncut, uncut.pages, 4), [Range::Whole]);
    }

    #[test]
    fn a_statement_reads_what_is_planned() {
        let sql = |change: fn(&mut TableSource), range| {
            let mut source = source(7, 1);
            change(&mut source);
            copy_sql(&source, range)
        };
        assert_eq!(sql(|_| (), Range::Whole), "COPY s.t7 (\"A b\") TO STDOUT (FORMAT binary)");
        let ranged = sql(|source| source.table.encoding = RowEncoding::Text, Range::Pages(8, 16));
        assert!(
            ranged.starts_with("COPY (SELECT \"A b\" FROM ONLY s.t7 WHERE ctid >= '(8,0)'")
                && ranged.ends_with("(FORMAT text)"),
            "{ranged}"
        );
        let filtered = sql(|source| source.table.filter = Some("WHERE a".into()), Range::Whole);
        assert_eq!(
            filtered,
            "COPY (SELECT \"A b\" FROM ONLY s.t7 WHERE a) TO STDOUT (FORMAT binary)"
        );
        assert_eq!(
            sql(|source| source.table.columns.clear(), Range::Whole),
            "COPY (SELECT  FROM ONLY s.t7) TO STDOUT (FORMAT binary)"
        );
    }

    #[test]
    fn small_tables_travel_together() {
        let sources: Vec<_> = (0..40).map(|id| TableSource { pages: 1, ..source(id, 0) }).collect();
        let jobs: Vec<usize> = plan(&sources, 2).jobs.iter().map(|job| job.pieces.len()).collect();
        assert_eq!(jobs, [32, 8]);
    }
}
