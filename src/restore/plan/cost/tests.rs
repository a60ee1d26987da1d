use super::*;

#[test]
fn larger_costs_more() {
    assert!(load(1 << 30, 0).micros > load(1 << 20, 0).micros);
    assert!(index(1_000_000, 0, "btree", true).micros > index(1_000_000, 0, "btree", false).micros);
    assert!(index(2_000_000, 0, "gin", false).micros > index(1_000_000, 0, "gin", false).micros);
    assert_eq!(index(0, 0, "btree", false).micros, CATALOG.micros);
    assert!(validate(1_000_000, 10).micros > validate(10, 10).micros);
    assert!(analyze(u64::MAX, 10).micros < 1_000_000);
}

#[test]
fn what_memory_is_for() {
    let sorts = |rows, bytes, method, text| index(rows, bytes, method, text).sorts;
    for (rows, bytes, method, expect) in [
        (0, 0, "btree", Sorts::Runs(0)),
        (1, 0, "btree", Sorts::Runs(24 + 40)),
        (1_000, 0, "btree", Sorts::Runs(64_000)),
        (1_000, 100_000, "btree", Sorts::Runs(140_000)),
        (1_000, 1, "btree", Sorts::Runs(64_000)),
        (1_000, 0, "hash", Sorts::Gathered),
        (1_000, 0, "brin", Sorts::Gathered),
        (1_000, 0, "gin", Sorts::Gathered),
        (1_000, 0, "of_the_future", Sorts::Gathered),
    ] {
        for text in [false, true] {
            assert_eq!(sorts(rows, bytes, method, text), expect, "{rows} {bytes} {method}");
        }
    }
    assert_eq!(load(1 << 30, 1 << 20).sorts, Sorts::Nothing);
    assert_eq!(analyze(1 << 30, 9).sorts, Sorts::Nothing);
    assert_eq!(refresh().sorts, Sorts::Gathered);
}

#[test]
fn a_foreign_key_hashes_the_smaller_table() {
    for (child, parent, keys) in [(10, 1_000, 10), (1_000, 10, 10), (0, 5, 0), (7, 7, 7)] {
        assert_eq!(validate(child, parent).sorts, Sorts::Join(keys * 64), "{child} {parent}");
    }
}

#[test]
fn methods_and_text_have_their_factors() {
    let beyond = |method, text| index(1 << 20, 0, method, text).micros - CATALOG.micros;
    let plain = beyond("btree", false);
    assert_eq!(plain, (1 << 20) * 20 * 3 / 100);
    for (method, text, factor) in [
        ("btree", true, 3),
        ("hash", false, 1),
        ("hash", true, 3),
        ("brin", true, 1),
        ("gin", false, 3),
        ("gist", true, 3),
    ] {
        assert_eq!(beyond(method, text), plain * factor, "{method} {text}");
    }
    assert_eq!(index(1, 5_000, "btree", false).micros, index(1, 0, "btree", false).micros + 10);
}

#[test]
fn costs_of_several_add_up() {
    let runs = Cost { micros: 3, sorts: Sorts::Runs(9) };
    let join = Cost { micros: 4, sorts: Sorts::Join(8) };
    assert_eq!(runs.times(5), Cost { micros: 15, ..runs });
    assert_eq!(runs.times(0), Cost { micros: 0, ..runs });
    assert_eq!(runs.and(join), Cost { micros: 7, ..runs }, "memory is for the first");
    assert_eq!(join.and(runs), Cost { micros: 7, ..join });
    assert_eq!(refresh().micros, CATALOG.micros * 100);
    assert_eq!(Cost::of(7), Cost { micros: 7, sorts: Sorts::Nothing });
}

/// What an archive says of sizes is not believed to be small.
#[test]
fn no_number_is_too_large() {
    let max = u64::MAX;
    for method in ["btree", "hash", "gin"] {
        for text in [false, true] {
            let cost = index(max, max, method, text);
            assert!(cost.micros >= max / 100, "{method} {cost:?}");
            assert!(cost.micros >= index(max, 0, method, text).micros);
        }
    }
    assert_eq!(index(max, max, "btree", false).sorts, Sorts::Runs(max));
    assert!(load(max, max).micros > load(max, 0).micros);
    assert_eq!(validate(max, max).sorts, Sorts::Join(max));
    assert_eq!(Cost::of(max).times(usize::MAX).and(CATALOG).micros, max);
}
