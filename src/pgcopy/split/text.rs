//! COPY TEXT: lines of fields with tabs between them. Escapes stay as they are; a field that is `\N` is NULL.

use bytes::Bytes;
use crc32fast::Hasher;
use memchr::{memchr, memchr2};

use super::super::columns::{Columns, NULL};
use super::super::digest::{Digest, RowHasher};
use super::super::{LARGE_ROW_BYTES, TEXT_END, TEXT_NULL};
use super::{BATCH_BYTES, Builder, Split, finish, refuse, single};
use crate::error::Result;

pub(super) fn split(columns: usize, raw: &Bytes) -> Result<Split> {
    if raw.len() > LARGE_ROW_BYTES && memchr(b'\n', raw) == Some(raw.len() - 1) {
        return split_single(columns, raw);
    }
    let mut builders = Builder::many(columns);
    let (mut rows, mut digest, mut crc) = (0, Digest::default(), Hasher::new());
    let mut frame = Vec::new();
    let mut rest = &raw[..];
    while !rest.is_empty() {
        let batch = rest;
        while !rest.is_empty() && batch.len() - rest.len() < BATCH_BYTES {
            frame.clear();
            rest = row(rows, &mut builders, rest, &mut frame)?;
            digest += Digest::of_row(&frame);
            rows += 1;
        }
        crc.update(&batch[..batch.len() - rest.len()]);
        if batch.len() == raw.len() {
            for builder in &mut builders {
                builder.reserve(raw.len() - rest.len(), raw.len());
            }
        }
    }
    let raw_bytes = raw.len() as u64;
    Ok(Split { columns: finish(builders, rows), rows, digest, raw_crc: crc.finalize(), raw_bytes, trailer: false })
}

/// Takes one line off `raw`, frames its fields as COPY BINARY would, and gives what follows it.
fn row<'a>(row: u64, builders: &mut [Builder], raw: &'a [u8], frame: &mut Vec<u8>) -> Result<&'a [u8]> {
    let columns = builders.len();
    let mut rest = raw;
    for (at, builder) in builders.iter_mut().enumerate() {
        let (value, next) = field(row, rest, at + 1 == columns)?;
        if let Some(value) = value {
            builder.push(row, value);
            frame.extend_from_slice(&(value.len() as u32).to_be_bytes());
            frame.extend_from_slice(value);
        } else {
            builder.note(row, NULL);
            frame.extend_from_slice(&NULL.to_be_bytes());
        }
        rest = next;
    }
    if columns == 0 {
        return raw.strip_prefix(b"\n").ok_or_else(|| refuse(row, "has fields, expected none"));
    }
    if columns == 1 && raw.starts_with(TEXT_END) {
        return Err(refuse(row, "is the end mark of a text file"));
    }
    Ok(rest)
}

fn field(row: u64, raw: &[u8], last: bool) -> Result<(Option<&[u8]>, &[u8])> {
    let Some(end) = memchr2(b'\t', b'\n', raw) else {
        return Err(refuse(row, "is cut short"));
    };
    if (raw[end] == b'\n') != last {
        return Err(refuse(row, if last { "has too many fields" } else { "has too few fields" }));
    }
    let value = &raw[..end];
    Ok(((value != TEXT_NULL).then_some(value), &raw[end + 1..]))
}

fn split_single(columns: usize, raw: &Bytes) -> Result<Split> {
    let mut split = Vec::with_capacity(columns);
    let mut hasher = RowHasher::new();
    let mut rest = &raw[..];
    for at in 0..columns {
        let (value, next) = field(0, rest, at + 1 == columns)?;
        hasher.field(value);
        split.push(single(value.map(|value| raw.slice_ref(value))));
        rest = next;
    }
    if columns == 0 {
        return Err(refuse(0, "has fields, expected none"));
    }
    Ok(Split {
        columns: Columns { rows: 1, columns: split },
        rows: 1,
        digest: hasher.digest(),
        raw_crc: crc32fast::hash(raw),
        raw_bytes: raw.len() as u64,
        trailer: false,
    })
}
