//! Rows as `COPY … TO STDOUT` writes them as text.

use super::row::Row;
use crate::pgcopy::text::escape;

/// Writes a row with its end of line.
pub fn write(row: &Row, out: &mut Vec<u8>) {
    for (at, (_, value)) in row.bytes().enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        match value {
            Some(value) => escape(value, out),
            None => out.extend_from_slice(b"\\N"),
        }
    }
    out.push(b'\n');
}
