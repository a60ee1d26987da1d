//! What a job may cost: microseconds of server time, of which only proportions matter, for they
//! decide what is started first; and what the server sorts or hashes for it, which decides how much
//! memory it may use.
//!
//! Measured with PostgreSQL 18 on Kong's tables: COPY takes 6 ns a byte, a btree over uuids 30 ns ×
//! rows × log2(rows), one over text with a linguistic collation about three times that, a foreign
//! key's proof 0.5 µs a row.

/// An estimate for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Microseconds.
    pub micros: u64,
    /// What memory is for.
    pub sorts: Sorts,
}

/// What the server sorts or hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorts {
    /// Nothing.
    Nothing,
    /// So many bytes of index entries as they are sorted, in runs that are merged.
    Runs(u64),
    /// So many bytes of keys, to join two tables.
    Join(u64),
    /// Whatever else memory is for, such as the entries of an index that grows by insertion: the
    /// more of them are gathered first, the better.
    Gathered,
}

/// A statement that only changes catalogs.
pub(in crate::restore) const CATALOG: Cost = Cost::of(1_500);

/// The least room that an index entry takes, in bytes.
const ENTRY: u64 = 24;
/// What an entry takes beside itself while it is sorted, in bytes: `SortTuple` in the server's
/// tuplesort.c, and, before PostgreSQL 17, its allocator's own.
const SORTED: u64 = 24 + 16;
/// The room that a key takes in a hash table, in bytes.
const HASHED: u64 = 64;

impl Cost {
    /// So many microseconds, without sorting.
    pub(in crate::restore) const fn of(micros: u64) -> Self {
        Self { micros, sorts: Sorts::Nothing }
    }

    /// That of so many such jobs together.
    pub(in crate::restore) fn times(self, count: usize) -> Self {
        Self { micros: self.micros.saturating_mul(count as u64), ..self }
    }

    /// That of both, one after the other; memory is for the first.
    pub(in crate::restore) fn and(self, other: Self) -> Self {
        Self { micros: self.micros.saturating_add(other.micros), ..self }
    }

    fn more(micros: u64, sorts: Sorts) -> Self {
        Self { micros: CATALOG.micros.saturating_add(micros), sorts }
    }
}

/// Loading rows.
pub(in crate::restore) fn load(raw_bytes: u64, rows: u64) -> Cost {
    Cost::more(raw_bytes / 160 + rows / 10, Sorts::Nothing)
}

/// Reading rows of so many tables back.
pub(in crate::restore) fn compare(raw_bytes: u64, tables: usize) -> Cost {
    Cost::of(100).times(tables).and(Cost::of(raw_bytes / 250))
}

/// Building an index on `rows` rows; `bytes` is its size in the source (0 is unknown), `text`
/// whether it sorts text.
pub(in crate::restore) fn index(rows: u64, bytes: u64, method: &str, text: bool) -> Cost {
    let comparisons = rows.saturating_mul(u64::from(rows.max(2).ilog2()));
    let sorting = comparisons.saturating_mul(3) / 100;
    let runs = Sorts::Runs(
        bytes.max(rows.saturating_mul(ENTRY)).saturating_add(rows.saturating_mul(SORTED)),
    );
    let (factor, sorts) = match method {
        "btree" if text => (3, runs),
        "btree" => (1, runs),
        "hash" if text => (3, Sorts::Gathered),
        "hash" | "brin" => (1, Sorts::Gathered),
        // GIN, GiST and the rest take several entries from each row, or insert them one by one.
        _ => (3, Sorts::Gathered),
    };
    Cost::more(sorting.saturating_mul(factor).saturating_add(bytes / 500), sorts)
}

/// Statistics: a sample of 30,000 rows, whose pages are read from all over the table.
pub(in crate::restore) fn analyze(raw_bytes: u64, columns: usize) -> Cost {
    Cost::more(raw_bytes.min(240 << 20) / 1_000 + 4_000 * columns as u64, Sorts::Nothing)
}

/// Filling a materialized view, and its indexes again: how many rows it will have is not known.
pub(in crate::restore) fn refresh() -> Cost {
    Cost { sorts: Sorts::Gathered, ..CATALOG.times(100) }
}

/// Proving a foreign key: one join of both tables, of which the smaller is hashed.
pub(in crate::restore) fn validate(child_rows: u64, parent_rows: u64) -> Cost {
    Cost::more(
        child_rows / 2 + parent_rows / 4,
        Sorts::Join(child_rows.min(parent_rows).saturating_mul(HASHED)),
    )
}

#[cfg(test)]
mod tests;
