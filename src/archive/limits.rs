//! The limits of the format. The writer keeps them, the reader tests them before it allocates.

/// The most raw bytes of a chunk of several rows: 64 MiB.
const CHUNK_BYTES_MAX: u64 = 64 << 20;

/// The most raw bytes of a chunk of one row: 1 GiB and 64 KiB, because PostgreSQL sends no row of
/// more than 1 GiB.
pub const ROW_BYTES_MAX: u64 = (1 << 30) + (64 << 10);

/// The most bytes of a manifest's JSON: 1 GiB.
pub(super) const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// The most columns of a table, which is PostgreSQL's own limit.
pub(super) const COLUMNS_MAX: usize = 1600;

/// The most chunks of an archive.
pub(super) const CHUNKS_MAX: u64 = 1 << 24;

/// The most tables of an archive.
pub(super) const TABLES_MAX: u64 = 1 << 22;

/// The largest zstd window: 128 MiB, which is what zstd itself takes without being asked.
pub(super) const WINDOW_LOG_MAX: u32 = 27;

/// Memory that rows take unasked: 96 MiB; only more than this is asked for.
pub(super) const ROWS_MEMORY_BYTES: u64 = 96 << 20;

/// The most raw bytes of a chunk of so many rows.
pub(super) fn raw_bytes_max(rows: u64) -> u64 {
    if rows == 1 { ROW_BYTES_MAX } else { CHUNK_BYTES_MAX }
}
