//! What a job may cost, in microseconds of server time. Only proportions matter: they decide what is started first.
//!
//! Measured with PostgreSQL 18 on Kong's tables: COPY takes 6 ns a byte, a btree over uuids 30 ns × rows × log2(rows), one over text with
//! a linguistic collation about three times that, a foreign key's proof 0.5 µs a row.

/// A statement that only changes catalogs.
pub(super) const CATALOG: u64 = 1_500;

/// Loading rows.
pub(super) fn load(raw_bytes: u64, rows: u64) -> u64 {
    CATALOG + raw_bytes / 160 + rows / 10
}

/// Building an index on `rows` rows; `bytes` is its size in the source (0 is unknown), `text` whether it sorts text.
pub(super) fn index(rows: u64, bytes: u64, method: &str, text: bool) -> u64 {
    let sorting = rows.saturating_mul(u64::from(rows.max(2).ilog2())) * 3 / 100;
    let factor = match method {
        "btree" | "hash" if text => 3,
        "btree" | "hash" | "brin" => 1,
        // GIN, GiST and the rest take several entries from each row, or insert them one by one.
        _ => 3,
    };
    CATALOG + sorting.saturating_mul(factor) + bytes / 500
}

/// Statistics: a sample of 30,000 rows, whose pages are read from all over the table.
pub(super) fn analyze(raw_bytes: u64, columns: usize) -> u64 {
    CATALOG + raw_bytes.min(240 << 20) / 1_000 + 4_000 * columns as u64
}

/// Proving a foreign key: one join of both tables.
pub(super) fn validate(child_rows: u64, parent_rows: u64) -> u64 {
    CATALOG + child_rows / 2 + parent_rows / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_costs_more() {
        assert!(load(1 << 30, 0) > load(1 << 20, 0));
        assert!(index(1_000_000, 0, "btree", true) > index(1_000_000, 0, "btree", false));
        assert!(index(2_000_000, 0, "gin", false) > index(1_000_000, 0, "gin", false));
        assert_eq!(index(0, 0, "btree", false), CATALOG);
        assert!(validate(1_000_000, 10) > validate(10, 10));
        assert!(analyze(u64::MAX, 10) < 1_000_000);
    }
}
