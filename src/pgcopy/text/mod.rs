//! The text that the server itself would print for a value that travels in COPY BINARY.
//!
//! ```text
//! a column's type by name ─► Type ─► a field's bytes ─► the text that the type's output function gives
//! ```
//!
//! The settings are those of a dump's session: `DateStyle` ISO, `IntervalStyle` postgres, `TimeZone`
//! UTC, `extra_float_digits` 3, `bytea_output` hex. Texts stay in the encoding that they came in.
//!
//! Knows no other type than those whose rows a dump takes in binary: an unknown one is refused by
//! its name. Does not know what a row or a table is.

mod array;
mod bits;
mod escapes;
mod float;
mod geometry;
mod interval;
mod moment;
mod network;
mod number;
mod range;
mod reader;
mod search;
#[cfg(test)]
mod tests;
mod transaction;
mod types;
mod value;

pub use escapes::{escape, unescape};
pub use types::Type;
