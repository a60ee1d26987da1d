//! Rows that are too large to be copied.

/// A single row of more raw bytes than this is never copied: its columns are slices of it, and it
/// is joined in slices.
pub const LARGE_ROW_BYTES: usize = 4 << 20;

/// The longest slice that [`join`](super::join()) makes of a large row.
pub(super) const PIECE_BYTES_MAX: usize = 1 << 20;
