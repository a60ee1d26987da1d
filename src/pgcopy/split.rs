//! Rows to columns, in two passes: the first tells what each column amounts to, the second fills
//! exactly that room.
//!
//! So all columns lie in one buffer, which can be used again, and the lengths are in their final
//! form at once.

mod binary;
mod format;
mod room;
mod seen;
mod text;

use bytes::Bytes;
use crc32fast::Hasher;

use format::Format;
use room::Room;
use seen::Seen;

use super::columns::{Column, Columns, Form};
use super::digest::{Digest, RowHasher};
use super::encoding::RowEncoding;
use super::sizes::LARGE_ROW_BYTES;
use crate::error::Result;

/// What [`split`] made of the rows.
#[derive(Clone, Debug)]
pub struct Split {
    /// The values.
    pub columns: Columns,
    /// How many rows there are.
    pub rows: u64,
    /// The sum of the rows' digests.
    pub digest: Digest,
    /// CRC32 of the rows as they came, without header and trailer.
    pub raw_crc: u32,
    /// The bytes of the rows as they came, without header and trailer.
    pub raw_bytes: u64,
    /// Whether the trailer of COPY BINARY stood at the end.
    pub trailer: bool,
    /// What the columns are slices of; once they are gone, it makes room for the next.
    pub room: Bytes,
}

/// Splits whole rows, the stream's header already stripped, into `columns` columns.
///
/// A trailer of COPY BINARY may stand at the very end; anything after it, or a row that is cut, is
/// an error. The columns lie in `room`, whose content does not matter, or in fresh memory if it is
/// too small. A single row of more than [`super::LARGE_ROW_BYTES`] is not copied: its columns are
/// slices of `raw`.
pub fn split(encoding: RowEncoding, columns: usize, raw: &Bytes, room: Vec<u8>) -> Result<Split> {
    match encoding {
        RowEncoding::Binary => split_as::<binary::Binary>(columns, raw, room),
        RowEncoding::Text => split_as::<text::Text>(columns, raw, room),
    }
}

/// Bytes of rows after which the checksum catches up: small enough to be in the cache still.
const BATCH_BYTES: usize = 32 << 10;

fn split_as<F: Format>(columns: usize, raw: &Bytes, room: Vec<u8>) -> Result<Split> {
    if raw.len() > LARGE_ROW_BYTES
        && let Some(split) = split_single::<F>(columns, raw)?
    {
        return Ok(Split { room: room.into(), ..split });
    }
    let (rows, seen) = survey::<F>(columns, raw)?;
    let mut room = Room::new(room, rows, seen);
    let (mut digest, mut crc, mut frame) = (Digest::default(), Hasher::new(), Vec::new());
    let (mut number, mut rest) = (0, &raw[..]);
    while !F::is_end(rest) {
        let batch = rest;
        while !F::is_end(rest) && batch.len() - rest.len() < BATCH_BYTES {
            frame.clear();
            let bytes = &mut room.bytes[..];
            let next = F::row(number, &mut room.places, rest, |place, value| {
                place.put(bytes, number, value);
                F::frame(&mut frame, value);
            })?;
            digest += F::digest(&rest[..rest.len() - next.len()], &frame);
            number += 1;
            rest = next;
        }
        crc.update(&batch[..batch.len() - rest.len()]);
    }
    let raw_bytes = (raw.len() - rest.len()) as u64;
    let (room, columns) = room.finish();
    let columns = Columns { rows, columns };
    Ok(Split {
        columns,
        rows,
        digest,
        raw_crc: crc.finalize(),
        raw_bytes,
        trailer: !rest.is_empty(),
        room,
    })
}

/// The first pass: all checks, and how many rows there are.
fn survey<F: Format>(columns: usize, raw: &[u8]) -> Result<(u64, Vec<Seen>)> {
    let mut seen = vec![Seen::NOTHING; columns];
    let (mut rows, mut rest) = (0, raw);
    while !F::is_end(rest) {
        rest = F::row(rows, &mut seen, rest, |seen, value| seen.note(rows, value.length))?;
        rows += 1;
    }
    Ok((rows, seen))
}

/// Visits each of some whole rows, the stream's header already stripped: its bytes as they came,
/// and its digest. Tells whether the trailer of COPY BINARY stood at the end; what may stand there
/// else, and which rows are refused, is as of [`split`].
pub fn each_row(
    encoding: RowEncoding,
    columns: usize,
    raw: &[u8],
    each: impl FnMut(&[u8], Digest),
) -> Result<bool> {
    match encoding {
        RowEncoding::Binary => each_row_as::<binary::Binary>(columns, raw, each),
        RowEncoding::Text => each_row_as::<text::Text>(columns, raw, each),
    }
}

/// Takes the first of some whole rows apart, into `fields`, where NULL is none. Tells how many bytes
/// are left behind it, or nothing where no row is left.
pub fn first_row<'a>(
    encoding: RowEncoding,
    columns: usize,
    raw: &'a [u8],
    fields: &mut Vec<Option<&'a [u8]>>,
) -> Result<Option<usize>> {
    match encoding {
        RowEncoding::Binary => first_row_as::<binary::Binary>(columns, raw, fields),
        RowEncoding::Text => first_row_as::<text::Text>(columns, raw, fields),
    }
}

fn first_row_as<'a, F: Format>(
    columns: usize,
    raw: &'a [u8],
    fields: &mut Vec<Option<&'a [u8]>>,
) -> Result<Option<usize>> {
    fields.clear();
    if F::is_end(raw) {
        return Ok(None);
    }
    let mut places = vec![(); columns];
    F::row(0, &mut places, raw, |(), value| fields.push(value.bytes())).map(|rest| Some(rest.len()))
}

fn each_row_as<F: Format>(
    columns: usize,
    raw: &[u8],
    mut each: impl FnMut(&[u8], Digest),
) -> Result<bool> {
    let mut places = vec![(); columns];
    let (mut number, mut rest, mut frame) = (0, raw, Vec::new());
    while !F::is_end(rest) {
        frame.clear();
        let next = F::row(number, &mut places, rest, |(), value| F::frame(&mut frame, value))?;
        let row = &rest[..rest.len() - next.len()];
        each(row, F::digest(row, &frame));
        number += 1;
        rest = next;
    }
    Ok(!rest.is_empty())
}

/// Splits without copying if `raw` is one row; otherwise nothing is done.
fn split_single<F: Format>(columns: usize, raw: &Bytes) -> Result<Option<Split>> {
    let mut values = vec![None; columns];
    let rest = F::row(0, &mut values, raw, |place, value| *place = value.bytes())?;
    if !F::is_end(rest) {
        return Ok(None);
    }
    let mut hasher = RowHasher::new();
    for value in &values {
        hasher.field(*value);
    }
    let single = |value: Option<&[u8]>| match value {
        Some(value) => Column {
            form: Form::Fixed(value.len() as u32),
            lengths: Bytes::new(),
            data: raw.slice_ref(value),
        },
        None => Column { form: Form::Null, lengths: Bytes::new(), data: Bytes::new() },
    };
    let columns = Columns { rows: 1, columns: values.into_iter().map(single).collect() };
    let row = &raw[..raw.len() - rest.len()];
    Ok(Some(Split {
        columns,
        rows: 1,
        digest: hasher.digest(),
        raw_crc: crc32fast::hash(row),
        raw_bytes: row.len() as u64,
        trailer: !rest.is_empty(),
        room: Bytes::new(),
    }))
}
