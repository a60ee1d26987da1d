//! COPY BINARY: a field count, and for each field a length and its bytes, all big-endian.

use super::super::digest::Digest;
use super::super::stream::BINARY_TRAILER;
use super::format::{Format, Value, refuse};
use crate::error::{Error, Result};

pub(super) struct Binary;

impl Format for Binary {
    #[inline]
    fn is_end(rest: &[u8]) -> bool {
        rest.is_empty() || rest == BINARY_TRAILER
    }

    #[inline]
    fn row<'a, C>(
        number: u64,
        columns: &mut [C],
        raw: &'a [u8],
        mut each: impl FnMut(&mut C, Value<'a>),
    ) -> Result<&'a [u8]> {
        let mut rest = field_count(number, columns.len(), raw)?;
        for column in columns {
            let Some((value, next)) = field(rest) else {
                return Err(refuse_field(number, rest));
            };
            each(column, value);
            rest = next;
        }
        Ok(rest)
    }

    #[inline]
    fn frame(_: &mut Vec<u8>, _: Value<'_>) {}

    /// The fields lie in the row as they are digested.
    #[inline]
    fn digest(row: &[u8], _: &[u8]) -> Digest {
        Digest::of_row(&row[FIELD_COUNT_BYTES..])
    }
}

const FIELD_COUNT_BYTES: usize = 2;

#[inline]
fn field_count(row: u64, columns: usize, raw: &[u8]) -> Result<&[u8]> {
    let Some((count, fields)) = raw.split_first_chunk::<FIELD_COUNT_BYTES>() else {
        return Err(refuse(row, "is cut short"));
    };
    if *count == BINARY_TRAILER {
        return Err(refuse(row, format!("is the trailer, and {} bytes follow it", fields.len())));
    }
    let count = u16::from_be_bytes(*count);
    if usize::from(count) != columns {
        return Err(refuse(row, format!("has {count} fields, expected {columns}")));
    }
    Ok(fields)
}

/// The next field and what follows it; nothing if it is cut short or has no length.
#[inline]
fn field(raw: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (length, from) = raw.split_first_chunk::<4>()?;
    // NULL's is −1. Any other negative length is more than a chunk can have.
    let value = Value { from, length: u32::from_be_bytes(*length) };
    Some((value, from.get(value.size()..)?))
}

/// Why there was no field.
#[cold]
fn refuse_field(row: u64, raw: &[u8]) -> Error {
    match raw.first_chunk::<4>().map(|length| i32::from_be_bytes(*length)) {
        Some(length) if length < 0 => refuse(row, format!("has a field of length {length}")),
        _ => refuse(row, "is cut short"),
    }
}
