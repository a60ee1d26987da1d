use super::*;
use crate::progress::{JobTotal, TableTotal};

const WIDTHS: [usize; 6] = [10, 20, 40, 78, 80, 120];

/// A restore half-way: two tables and an index under way.
fn restore() -> (Tally, Instant) {
    let begin = Instant::now();
    let at = |seconds| begin + Duration::from_secs(seconds);
    let mut tally = Tally::new(begin);
    tally.set_phase("load rows, build keys and indexes of what is loaded");
    let table = |name: &str| TableTotal { name: name.to_owned(), rows: 200_000, bytes: 40_000_000 };
    tally.set_tables(
        &[
            table("public.consumers"),
            table("public.\"a name that is much longer than others\""),
            table("public.c"),
        ],
        begin,
    );
    let job = |cost, loads| JobTotal { cost, chain: cost, loads };
    tally.set_jobs(
        &[
            job(4_000_000, Some(0)),
            job(4_000_000, Some(1)),
            job(4_000_000, Some(2)),
            job(9_000_000, None),
        ],
        begin,
    );
    for load in 0..3 {
        tally.job_begun(load, "load", begin);
    }
    tally.advance(2, 200_000, 40_000_000, at(5));
    tally.table_done(2, at(5));
    tally.job_done(2, at(5));
    tally.job_begun(3, "build index public.consumers_username_idx", at(5));
    tally.advance(0, 65_795, 14_400_000, at(6));
    tally.advance(1, 1_234, 1_000_000, at(6));
    tally.look(at(7));
    (tally, at(7))
}

#[test]
fn lines_fit_their_width() {
    let (tally, now) = restore();
    let show = |width| lines(&tally, now, width).join("\n");
    insta::assert_snapshot!("120_columns", show(120));
    insta::assert_snapshot!("80_columns", show(80));
    insta::assert_snapshot!("40_columns", show(40));
    for width in WIDTHS {
        for line in lines(&tally, now, width) {
            assert!(line.width() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn names_of_any_script_are_cut() {
    assert_eq!(cut("public.routes", 13), "public.routes");
    assert_eq!(cut("public.routes", 12), "public.rout…");
    assert_eq!(cut("表表表表", 8), "表表表表");
    assert_eq!(cut("表表表表", 7), "表表表…");
    assert_eq!(cut("表表表表", 6), "表表…");
    assert_eq!((cut("ab", 1).as_str(), cut("ab", 0).as_str()), ("…", ""));
    assert_eq!(padded("表", 4), "表  ");
    let build = "build INDEX public.consumers_username_idx";
    assert_eq!(cut_within(build, 41), build);
    assert_eq!(cut_within(build, 32), "build INDEX public.cons…name_idx");
    assert_eq!(cut_within("表表表表", 7), "表表表…");
    assert_eq!((cut_within("ab", 1).as_str(), cut_within("ab", 0).as_str()), ("…", ""));
}

#[test]
fn a_bar_is_as_wide_as_it_should_be() {
    for (percent, expect) in [
        (0, "[    ]"),
        (24, "[    ]"),
        (25, "[=>  ]"),
        (99, "[===>]"),
        (100, "[====]"),
        (300, "[====]"),
    ] {
        assert_eq!(bar(percent, 4), expect, "{percent}");
    }
}

#[test]
fn few_of_many_are_shown() {
    let now = Instant::now();
    let mut tally = Tally::new(now);
    let tables: Vec<TableTotal> =
        (0..50).map(|n| TableTotal { name: format!("t{n}"), rows: 1, bytes: 1 }).collect();
    tally.set_tables(&tables, now);
    (0..50).for_each(|table| tally.advance(table, 0, 0, now));
    assert_eq!(lines(&tally, now, 80).len(), LINES_MAX + 2);
}
