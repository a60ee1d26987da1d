//! The COPY row formats: rows split into columns, columns joined into rows, the row digest.
//!
//! ```text
//! COPY data ─► split ─► Columns (lengths, values of each) ─► join ─► the same COPY data
//! ```
//!
//! Knows neither tokio nor Postgres, nor what a value means: a field is a length and bytes, or
//! NULL. Only [`text`] knows values.

mod columns;
mod digest;
mod encoding;
mod fields;
mod join;
mod sizes;
mod split;
mod stream;
#[cfg(test)]
mod tests;
pub mod text;

pub use columns::{Column, Columns, Form};
pub use digest::Digest;
pub use encoding::RowEncoding;
pub use fields::{Fields, fields};
pub use join::{Joined, join, tell};
pub use sizes::LARGE_ROW_BYTES;
pub use split::{Split, each_row, first_row, split};
pub use stream::{BINARY_HEADER, BINARY_TRAILER, strip_binary_header};
