//! One row of 300 MB, moved within the memory that the design promises: the budget and 2.2 times
//! the row.

use crate::pair::Pair;
use crate::support::{Outcome, Silverback};

const ROW_BYTES: u64 = 300_000_000;
const BUDGET_BYTES: u64 = 256 << 20;
/// The program itself, its threads' stacks, and the allocator's leftovers.
const SLACK_BYTES: u64 = 96 << 20;

/// Runs to the end and says how much memory the process held at most.
fn measured(run: Silverback) -> (Outcome, u64) {
    let mut running = run.spawn();
    let status = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    while !running.is_done() {
        // The high-water mark only rises, so the last look before the end tells all but the last
        // milliseconds.
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.trim().trim_end_matches(" kB").parse().unwrap_or(0) * 1024);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (running.wait(), peak)
}

#[test]
fn a_row_of_300_megabytes_passes_alone() {
    // Nothing to compress, and enough other rows to fill the budget beside it.
    let pair = Pair::new(
        "CREATE TABLE large (id integer, body bytea); ALTER TABLE large ALTER body SET STORAGE \
         EXTERNAL;
         INSERT INTO large SELECT 0, string_agg(sha512(n::text::bytea), '') FROM \
         generate_series(1, 4687500) AS n;
         CREATE TABLE beside (id integer, filler text); INSERT INTO beside SELECT n, \
         repeat(md5(n::text), 25) FROM generate_series(1, 60000) AS n;",
    );
    assert_eq!(pair.source.value("SELECT length(body) FROM large"), ROW_BYTES.to_string());
    let limit = BUDGET_BYTES + ROW_BYTES * 22 / 10 + SLACK_BYTES;
    for (what, run) in [
        ("dump", pair.dump()),
        ("verify", Silverback::new(["verify"]).arg(pair.file())),
        ("restore", pair.restore()),
    ] {
        let (outcome, peak) = measured(run);
        outcome.expect(0);
        assert!(peak > 0 && peak <= limit, "{what} held {peak} bytes, {limit} are promised");
    }
    for query in ["SELECT sha256(body) FROM large", "SELECT sum(hashtext(filler)) FROM beside"] {
        assert_eq!(pair.copy.value(query), pair.source.value(query));
    }
}

/// At the default settings, with more sessions than most machines have cores.
#[test]
fn large_rows_of_many_tables_stay_within_300_mebibytes() {
    let tables = (0..8).map(|n| {
        format!(
            "CREATE TABLE t{n} (id integer, body bytea); ALTER TABLE t{n} ALTER body SET STORAGE \
             EXTERNAL;
             INSERT INTO t{n} SELECT id, sample FROM generate_series(1, 12) AS id, (SELECT \
             string_agg(sha512((n * 8 + {n})::text::bytea), '') AS sample FROM generate_series(1, \
             125000) AS n);"
        )
    });
    let pair = Pair::new(&tables.collect::<String>());
    for (what, run) in [
        ("dump", pair.dump().arg("-j8")),
        ("verify", Silverback::new(["verify"]).arg(pair.file())),
        ("restore", pair.restore().arg("-j8")),
    ] {
        let (outcome, peak) = measured(run);
        outcome.expect(0);
        assert!(peak > 0 && peak <= 300 << 20, "{what} held {peak} bytes");
    }
    assert_eq!(
        pair.copy.value("SELECT sha256(body) FROM t7 WHERE id = 4"),
        pair.source.value("SELECT sha256(body) FROM t7 WHERE id = 4")
    );
}
