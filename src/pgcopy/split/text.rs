//! COPY TEXT: lines of fields with tabs between them. Escapes stay as they are; a field that is
//! `\N` is NULL.

use memchr::memchr2;

use super::super::columns::NULL;
use super::super::digest::Digest;
use super::super::stream::{TEXT_END, TEXT_NULL};
use super::format::{Format, Value, refuse};
use crate::error::Result;

pub(super) struct Text;

impl Format for Text {
    fn is_end(rest: &[u8]) -> bool {
        rest.is_empty()
    }

    fn row<'a, C>(
        number: u64,
        columns: &mut [C],
        raw: &'a [u8],
        mut each: impl FnMut(&mut C, Value<'a>),
    ) -> Result<&'a [u8]> {
        if columns.is_empty() {
            return raw
                .strip_prefix(b"\n")
                .ok_or_else(|| refuse(number, "has fields, expected none"));
        }
        if columns.len() == 1 && raw.starts_with(TEXT_END) {
            return Err(refuse(number, "is the end mark of a text file"));
        }
        let mut rest = raw;
        let mut left = columns.len();
        for column in columns {
            left -= 1;
            let (value, next) = field(number, rest, left == 0)?;
            each(column, value);
            rest = next;
        }
        Ok(rest)
    }

    /// As COPY BINARY would send it.
    fn frame(frame: &mut Vec<u8>, value: Value<'_>) {
        frame.extend_from_slice(&value.length.to_be_bytes());
        frame.extend_from_slice(value.bytes().unwrap_or_default());
    }

    fn digest(_: &[u8], frame: &[u8]) -> Digest {
        Digest::of_row(frame)
    }
}

fn field(row: u64, raw: &[u8], last: bool) -> Result<(Value<'_>, &[u8])> {
    let Some(end) = memchr2(b'\t', b'\n', raw) else {
        return Err(refuse(row, "is cut short"));
    };
    if (raw[end] == b'\n') != last {
        return Err(refuse(row, if last { "has too many fields" } else { "has too few fields" }));
    }
    let length = if &raw[..end] == TEXT_NULL { NULL } else { end as u32 };
    Ok((Value { from: raw, length }, &raw[end + 1..]))
}
