//! One row of 300 MB, moved within the memory that the design promises: the budget and 2.2 times the row.

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
        // The high-water mark only rises, so the last look before the end tells all but the last milliseconds.
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
        "CREATE TABLE large (id integer, body bytea); ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
         INSERT INTO large SELECT 0, string_agg(sha512(n::text::bytea), '') FROM generate_series(1, 4687500) AS n;
         CREATE TABLE beside (id integer, filler text); INSERT INTO beside SELECT n, repeat(md5(n::text), 25) FROM generate_series(1, 60000) AS n;",
    );
    assert_eq!(pair.source.value("SELECT length(body) FROM large"), ROW_BYTES.to_string());
    let limit = BUDGET_BYTES + ROW_BYTES * 22 / 10 + SLACK_BYTES;
    for (what, run) in [("dump", pair.dump()), ("verify", Silverback::new(["verify"]).arg(pair.file())), ("restore", pair.restore())] {
        let (outcome, peak) = measured(run);
        outcome.expect(0);
        assert!(peak > 0 && peak <= limit, "{what} held {peak} bytes, {limit} are promised");
    }
    for query in ["SELECT sha256(body) FROM large", "SELECT sum(hashtext(filler)) FROM beside"] {
        assert_eq!(pair.copy.value(query), pair.source.value(query));
    }
}
