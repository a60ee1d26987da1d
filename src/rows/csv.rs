//! Rows as `COPY … TO STDOUT (FORMAT csv, HEADER)` writes them.

use super::row::Row;
use crate::archive::manifest::Column;

/// Writes the columns' names with the end of the line.
pub fn write_header(columns: &[Column], out: &mut Vec<u8>) {
    line(columns.iter().map(|column| Some(column.name.as_bytes())), columns.len(), out);
}

/// Writes a row with its end of line.
pub fn write(row: &Row, out: &mut Vec<u8>) {
    line(row.bytes().map(|(_, value)| value), row.columns.len(), out);
}

fn line<'a>(values: impl Iterator<Item = Option<&'a [u8]>>, count: usize, out: &mut Vec<u8>) {
    for (at, value) in values.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let Some(value) = value else { continue };
        // Nothing at all is NULL, and this alone in a line is the end of a file.
        let is_quoted = value.is_empty()
            || (count == 1 && value == b"\\.")
            || value.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
        if !is_quoted {
            out.extend_from_slice(value);
            continue;
        }
        out.push(b'"');
        for &byte in value {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
    out.push(b'\n');
}
