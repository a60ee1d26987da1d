use super::*;
use crate::archive::manifest::ObjectId;
use crate::archive::manifest::testing::{column, manifest};

const MIB: u64 = 1 << 20;

fn source(id: u32, mib: u64) -> TableSource {
    let table = Table {
        rows_estimate: -1,
        bytes_estimate: mib * MIB,
        ..Table::new(
            ObjectId(id),
            "s",
            format!("t{id}"),
            vec![column("A b", "text")],
            RowEncoding::Binary,
        )
    };
    TableSource { table, pages: mib * 128, ctid_ranges: true, query: None }
}

fn plan(sources: &[TableSource], jobs: usize) -> Plan {
    let tables = sources.iter().map(|source| source.table.clone()).collect();
    make(&manifest(Vec::new(), tables), sources, jobs).expect("every table has a source")
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
    assert_eq!(filtered, "COPY (SELECT \"A b\" FROM ONLY s.t7 WHERE a) TO STDOUT (FORMAT binary)");
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

#[test]
fn tables_without_pages_or_ranges() {
    let with = |pages, ctid_ranges, filter: Option<&str>| {
        let mut source = TableSource { pages, ctid_ranges, ..source(0, 0) };
        source.table.filter = filter.map(str::to_owned);
        ranges(&source, pages, 1)
    };
    for (pages, ctid_ranges, filter, expect) in [
        (0, true, None, &[][..]),
        (0, false, None, &[Range::Whole]),
        (0, false, Some("WHERE a"), &[Range::Whole]),
        (1, true, None, &[Range::Whole]),
        (u64::MAX / 2, false, None, &[Range::Whole]),
        (1 << 30, true, Some("WHERE a"), &[Range::Whole]),
        // Not cut below twice the step, which is the least of a fair share.
        (2047, true, None, &[Range::Whole]),
        (2048, true, None, &[Range::Pages(0, 1024), Range::From(1024)]),
        (3071, true, None, &[Range::Pages(0, 1024), Range::From(1024)]),
    ] {
        assert_eq!(with(pages, ctid_ranges, filter), expect, "{pages} {ctid_ranges} {filter:?}");
    }
}

#[test]
fn steps_follow_the_fair_share_between_their_ends() {
    let pages = |all_pages, jobs| {
        let source = TableSource { pages: 1 << 20, ..source(0, 1) };
        match ranges(&source, all_pages, jobs)[0] {
            Range::Pages(0, to) => to,
            ref other => panic!("{other}"),
        }
    };
    for (all_pages, jobs, expect) in [
        (1 << 20, 1, 4096),
        (1 << 20, 64, 4096),
        (1 << 20, 128, 2048),
        (1 << 20, 256, 1024),
        (1 << 20, 10_000, 1024),
        (1 << 40, 1, 4096),
        (0, 0, 1024),
    ] {
        assert_eq!(pages(all_pages, jobs), expect, "{all_pages} {jobs}");
    }
}

proptest::proptest! {
    /// Every page is read by one range, and each table's estimate is shared among its ranges.
    #[test]
    fn ranges_are_a_partition(
        pages in 0_u64..(1 << 32), others in 0_u64..(1 << 32), jobs in 0_usize..300,
    ) {
        let source = TableSource { pages: pages >> 8, ..source(0, 1) };
        let mut next = 0;
        let ranges = ranges(&source, source.pages + others, jobs);
        for range in &ranges {
            match *range {
                Range::Whole => next = source.pages,
                Range::Pages(from, to) => {
                    assert!(from == next && to - from <= RANGE_PAGES && to < source.pages);
                    next = to;
                }
                Range::From(from) => {
                    assert!(from == next && source.pages - from < 2 * RANGE_PAGES);
                    next = source.pages;
                }
            }
        }
        assert_eq!(next, source.pages, "{ranges:?}");
    }

    /// Every piece is in one job; large ones are alone, small ones at most so many together.
    #[test]
    fn jobs_hold_every_piece_once(
        sizes in proptest::collection::vec(0_u64..300, 0..90), jobs in 1_usize..9,
    ) {
        let sources: Vec<TableSource> = (0..)
            .zip(&sizes)
            .map(|(id, &mib)| TableSource { pages: mib * 128 + 1, ..source(id, mib) })
            .collect();
        let plan = plan(&sources, jobs);
        assert!(plan.pieces().iter().all(|&pieces| pieces > 0));
        for job in &plan.jobs {
            assert!((1..=BATCH_TABLES_MAX).contains(&job.pieces.len()));
            let is_small = |piece: &Piece| sizes[piece.table.0 as usize] == 0;
            assert!(job.pieces.len() == 1 || job.pieces.iter().all(is_small));
        }
        let order: Vec<u64> =
            plan.jobs.iter().map(|job| sizes[job.pieces[0].table.0 as usize]).collect();
        assert!(order.is_sorted_by(|a, b| a >= b), "largest first: {order:?}");
    }
}

#[test]
fn totals_are_the_manifests_and_unknown_rows_are_none() {
    let mut sources = [source(0, 3), source(1, 0)];
    sources[1].table.rows_estimate = 77;
    let totals = plan(&sources, 1).totals;
    let told: Vec<(&str, u64, u64)> =
        totals.iter().map(|total| (total.name.as_str(), total.rows, total.bytes)).collect();
    assert_eq!(told, [("s.t0", 0, 3 * MIB), ("s.t1", 77, 0)]);
}

#[test]
fn nothing_is_no_job() {
    let plan = plan(&[], 4);
    assert!(plan.jobs.is_empty() && plan.totals.is_empty() && plan.pieces().is_empty());
}

#[test]
fn what_stands_for_a_table_is_not_locked_and_asked_by_its_query() {
    let query = "(SELECT 1 FROM generate_series(1, 2))".to_owned();
    let lo = TableSource { query: Some(query), ctid_ranges: false, pages: 0, ..source(0, 9) };
    let plan = plan(&[lo, source(1, 1)], 1);
    let pieces: Vec<&Piece> = plan.jobs.iter().flat_map(|job| &job.pieces).collect();
    assert_eq!([pieces[0].locks, pieces[1].locks], [false, true]);
    assert_eq!(
        pieces[0].sql,
        "COPY (SELECT 1 FROM generate_series(1, 2)) TO STDOUT (FORMAT binary)"
    );
}

#[test]
fn ranges_are_told() {
    for (range, expect) in [
        (Range::Whole, "all pages"),
        (Range::Pages(0, 1024), "pages 0..1024"),
        (Range::From(u64::MAX), "pages 18446744073709551615.."),
    ] {
        assert_eq!(range.to_string(), expect);
    }
}
