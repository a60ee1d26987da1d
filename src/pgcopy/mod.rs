//! The COPY row formats: rows split into columns, columns joined into rows, the row digest.
//!
//! ```text
//! COPY data ─► split ─► Columns (lengths, values of each) ─► join ─► the same COPY data
//! ```
//!
//! Knows neither tokio nor Postgres, nor what a value means: a field is a length and bytes, or NULL.

mod columns;
mod digest;
mod join;
mod split;
mod stream;
#[cfg(test)]
mod tests;

pub use columns::{Column, Columns, Form, NULL};
pub use digest::{Digest, RowHasher};
pub use join::{Joined, join, tell};
pub use split::{Split, split};
pub use stream::{BINARY_HEADER, BINARY_TRAILER, strip_binary_header};

/// A single row of more raw bytes than this is never copied: its columns are slices of it, and it is joined in slices.
pub const LARGE_ROW_BYTES: usize = 4 << 20;

/// The longest slice that [`join`] makes of a large row.
pub const PIECE_BYTES_MAX: usize = 1 << 20;

/// NULL in COPY TEXT.
const TEXT_NULL: &[u8] = b"\\N";

/// The line that ends a COPY TEXT file, and would end a COPY from a client too early.
const TEXT_END: &[u8] = b"\\.\n";
