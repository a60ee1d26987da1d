//! COPY BINARY: a field count, and for each field a length and its bytes, all big-endian.

use bytes::Bytes;
use crc32fast::Hasher;

use super::super::stream::BINARY_TRAILER;
use super::super::{LARGE_ROW_BYTES, columns::Columns, columns::NULL, digest::Digest};
use super::{BATCH_BYTES, Builder, Split, finish, refuse, single};
use crate::error::Result;

pub(super) fn split(columns: usize, raw: &Bytes) -> Result<Split> {
    if raw.len() > LARGE_ROW_BYTES
        && let Some(split) = split_single(columns, raw)?
    {
        return Ok(split);
    }
    let mut builders = Builder::many(columns);
    let (mut rows, mut digest, mut crc) = (0, Digest::default(), Hasher::new());
    let mut rest = &raw[..];
    while !rest.is_empty() && rest != BINARY_TRAILER {
        let batch = rest;
        while !rest.is_empty() && batch.len() - rest.len() < BATCH_BYTES && rest != BINARY_TRAILER {
            let (fields, next) = row(rows, &mut builders, rest)?;
            digest += Digest::of_row(fields);
            rows += 1;
            rest = next;
        }
        crc.update(&batch[..batch.len() - rest.len()]);
        if batch.len() == raw.len() {
            for builder in &mut builders {
                builder.reserve(raw.len() - rest.len(), raw.len());
            }
        }
    }
    let raw_bytes = (raw.len() - rest.len()) as u64;
    Ok(Split { columns: finish(builders, rows), rows, digest, raw_crc: crc.finalize(), raw_bytes, trailer: !rest.is_empty() })
}

/// Takes one row off `raw`; gives its bytes after the field count, and what follows it.
#[inline]
fn row<'a>(row: u64, builders: &mut [Builder], raw: &'a [u8]) -> Result<(&'a [u8], &'a [u8])> {
    let fields = field_count(row, builders.len(), raw)?;
    let mut rest = fields;
    for builder in builders {
        let (value, next) = field(row, rest)?;
        match value {
            Some(value) => builder.push(row, value),
            None => builder.note(row, NULL),
        }
        rest = next;
    }
    Ok((&fields[..fields.len() - rest.len()], rest))
}

#[inline]
fn field_count(row: u64, columns: usize, raw: &[u8]) -> Result<&[u8]> {
    let Some((count, fields)) = raw.split_first_chunk::<2>() else {
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

#[inline]
fn field(row: u64, raw: &[u8]) -> Result<(Option<&[u8]>, &[u8])> {
    let Some((length, rest)) = raw.split_first_chunk::<4>() else {
        return Err(refuse(row, "is cut short"));
    };
    match i32::from_be_bytes(*length) {
        -1 => Ok((None, rest)),
        length if length < 0 => Err(refuse(row, format!("has a field of length {length}"))),
        length => match rest.split_at_checked(length as usize) {
            Some((value, rest)) => Ok((Some(value), rest)),
            None => Err(refuse(row, "is cut short")),
        },
    }
}

/// Splits without copying if `raw` is one row; otherwise nothing is done.
fn split_single(columns: usize, raw: &Bytes) -> Result<Option<Split>> {
    let fields = field_count(0, columns, raw)?;
    let mut rest = fields;
    let mut values = Vec::with_capacity(columns);
    for _ in 0..columns {
        let (value, next) = field(0, rest)?;
        values.push(value);
        rest = next;
    }
    if !rest.is_empty() && rest != BINARY_TRAILER {
        return Ok(None);
    }
    let fields = &fields[..fields.len() - rest.len()];
    let columns = values.into_iter().map(|value| single(value.map(|value| raw.slice_ref(value)))).collect();
    let row = &raw[..raw.len() - rest.len()];
    Ok(Some(Split {
        columns: Columns { rows: 1, columns },
        rows: 1,
        digest: Digest::of_row(fields),
        raw_crc: crc32fast::hash(row),
        raw_bytes: row.len() as u64,
        trailer: !rest.is_empty(),
    }))
}
