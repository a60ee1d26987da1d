//! Columns to rows: the inverse of [`super::split`], byte for byte.

use bytes::{Bytes, BytesMut};
use crc32fast::Hasher;
use memchr::memchr2;

use super::columns::{Column, Columns, Extent, NULL};
use super::digest::{Digest, RowHasher};
use super::encoding::RowEncoding;
use super::sizes::{LARGE_ROW_BYTES, PIECE_BYTES_MAX};
use super::stream::{TEXT_END, TEXT_NULL};
use crate::error::{Error, Kind, Result};

/// Rows as COPY takes them, without header and trailer.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Ready to be sent, in this order: one buffer, or slices of at most 1 MiB for a
    /// large single row. Only [`join`] keeps the buffer.
    pub pieces: Vec<Bytes>,
    /// How many rows there are.
    pub rows: u64,
    /// The sum of the rows' digests.
    pub digest: Digest,
    /// CRC32 of the pieces.
    pub raw_crc: u32,
    /// The pieces' bytes.
    pub raw_bytes: u64,
}

impl Joined {
    /// All rows in one piece, copied only where they lie in several.
    pub fn whole(&self) -> Bytes {
        match &self.pieces[..] {
            [one] => one.clone(),
            several => several.concat().into(),
        }
    }
}

/// The most bytes that [`join`] makes; callers have smaller limits of their own.
const JOINED_BYTES_MAX: u64 = 1 << 31;

/// Joins columns into rows. They lie in `out`, whose content does not matter, or in fresh memory if
/// it is too small.
///
/// # Errors
/// Columns whose lengths and data do not agree, that give too many bytes, or text fields that would
/// read as something else.
pub fn join(encoding: RowEncoding, columns: Columns, out: Vec<u8>) -> Result<Joined> {
    put_together(encoding, columns, Some(out))
}

/// The same without the rows themselves, which are made piece by piece, counted, and forgotten.
///
/// # Errors
/// Those of [`join`].
pub fn tell(encoding: RowEncoding, columns: Columns) -> Result<Joined> {
    put_together(encoding, columns, None)
}

fn put_together(encoding: RowEncoding, columns: Columns, out: Option<Vec<u8>>) -> Result<Joined> {
    let raw_bytes = joined_bytes(encoding, &columns)?;
    if encoding == RowEncoding::Text {
        check_text(&columns)?;
    }
    if columns.rows == 1 && raw_bytes > LARGE_ROW_BYTES as u64 {
        return join_single(encoding, columns, raw_bytes);
    }
    let rows = columns.rows;
    let mut cursors: Vec<Cursor> =
        columns.columns.iter().map(|column| Cursor { column, rest: &column.data }).collect();
    let mut out = Out::new(out, raw_bytes)?;
    let digest = match encoding {
        RowEncoding::Binary => binary(rows, &mut cursors, &mut out),
        RowEncoding::Text => text(rows, &mut cursors, &mut out)?,
    };
    debug_assert!(
        !out.keep || out.bytes.len() as u64 == raw_bytes,
        "the sum of the lengths was checked"
    );
    let (pieces, raw_crc) = out.finish();
    Ok(Joined { pieces, rows, digest, raw_crc, raw_bytes })
}

fn refuse(cause: impl Into<String>) -> Error {
    Error::new(Kind::Archive, "join columns into rows", cause)
}

/// Checks the columns and tells how many bytes their rows have.
fn joined_bytes(encoding: RowEncoding, columns: &Columns) -> Result<u64> {
    let width = columns.columns.len() as u64;
    let framing = match encoding {
        RowEncoding::Binary => 2 + 4 * width,
        RowEncoding::Text => width.max(1),
    };
    let mut total = u128::from(columns.rows) * u128::from(framing);
    for (at, column) in columns.columns.iter().enumerate() {
        let of_column = |cause: &str| refuse(format!("column {at}: {cause}"));
        let Extent { nulls, bytes, .. } = column.extent(columns.rows).map_err(of_column)?;
        if bytes != column.data.len() as u64 {
            return Err(of_column(&format!(
                "its lengths make {bytes} bytes, its data has {}",
                column.data.len()
            )));
        }
        total += u128::from(bytes);
        if encoding == RowEncoding::Text {
            total += u128::from(nulls) * TEXT_NULL.len() as u128;
        }
    }
    if total > u128::from(JOINED_BYTES_MAX) {
        return Err(refuse(format!("they would make {total} bytes")));
    }
    Ok(total as u64)
}

/// Refuses to join a text value that the server would take for the end of a field, a row or the
/// data.
fn check_text(columns: &Columns) -> Result<()> {
    if columns.columns.iter().any(|column| memchr2(b'\t', b'\n', &column.data).is_some()) {
        return Err(refuse("a text field holds a tab or a line feed that is not escaped"));
    }
    Ok(())
}

fn check_not_null(value: Option<&[u8]>) -> Result<()> {
    if value == Some(TEXT_NULL) {
        Err(refuse("a text field that is not NULL reads as NULL"))
    } else {
        Ok(())
    }
}

/// Walks through one column that is joined, after its lengths were checked.
struct Cursor<'a> {
    column: &'a Column,
    /// The data of the rows to come.
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// The value of `row`; called once for each in order.
    fn next(&mut self, row: usize) -> Option<&'a [u8]> {
        let length = self.column.length(row);
        let value = (length != NULL).then_some(length as usize)?;
        Some(self.rest.split_off(..value).expect("the data are as long as the lengths say"))
    }

    /// Appends the value of `row` as COPY BINARY frames it; called once for each in order.
    #[inline]
    fn frame(&mut self, row: usize, out: &mut Vec<u8>) {
        let length = self.column.length(row);
        out.extend_from_slice(&length.to_be_bytes());
        if length == NULL {
            return;
        }
        let (rest, length) = (self.rest, length as usize);
        // A copy of a known size is a few moves, one of any size a call; what is too much is taken
        // back.
        match rest.first_chunk::<SHORT_BYTES>() {
            Some(chunk) if length <= SHORT_BYTES && out.capacity() - out.len() >= SHORT_BYTES => {
                let end = out.len() + length;
                out.extend_from_slice(chunk);
                out.truncate(end);
            }
            _ => out.extend_from_slice(&rest[..length]),
        }
        self.rest = &rest[length..];
    }
}

const SHORT_BYTES: usize = 32;

/// Bytes of rows after which the checksum catches up: small enough to be in the cache still.
const BATCH_BYTES: usize = 32 << 10;

/// Rows while they are made, and their checksum.
struct Out {
    bytes: Vec<u8>,
    /// How many of `bytes` are in `crc`.
    summed: usize,
    crc: Hasher,
    keep: bool,
}

impl Out {
    fn new(out: Option<Vec<u8>>, raw_bytes: u64) -> Result<Self> {
        let keep = out.is_some();
        let mut bytes = out.unwrap_or_default();
        bytes.clear();
        if keep && (bytes.capacity() as u64) < raw_bytes {
            bytes = Vec::new();
            bytes.try_reserve_exact(raw_bytes as usize).map_err(|error| {
                Error::new(Kind::Requirement, "join columns into rows", error.to_string())
            })?;
        }
        Ok(Self { bytes, summed: 0, crc: Hasher::new(), keep })
    }

    /// Called after each row.
    #[inline]
    fn catch_up(&mut self) {
        if self.bytes.len() - self.summed >= BATCH_BYTES {
            self.sum();
        }
    }

    fn sum(&mut self) {
        self.crc.update(&self.bytes[self.summed..]);
        if !self.keep {
            self.bytes.clear();
        }
        self.summed = self.bytes.len();
    }

    fn finish(mut self) -> (Vec<Bytes>, u32) {
        self.sum();
        (if self.keep { vec![self.bytes.into()] } else { Vec::new() }, self.crc.finalize())
    }
}

fn binary(rows: u64, cursors: &mut [Cursor], out: &mut Out) -> Digest {
    let count = (cursors.len() as u16).to_be_bytes();
    let mut digest = Digest::default();
    for row in 0..rows as usize {
        out.bytes.extend_from_slice(&count);
        let start = out.bytes.len();
        for cursor in &mut *cursors {
            cursor.frame(row, &mut out.bytes);
        }
        digest += Digest::of_row(&out.bytes[start..]);
        out.catch_up();
    }
    digest
}

#[inline]
fn frame(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => {
            out.extend_from_slice(&(value.len() as u32).to_be_bytes());
            out.extend_from_slice(value);
        }
        None => out.extend_from_slice(&NULL.to_be_bytes()),
    }
}

fn text(rows: u64, cursors: &mut [Cursor], out: &mut Out) -> Result<Digest> {
    let (mut digest, mut frame_bytes) = (Digest::default(), Vec::new());
    for row in 0..rows as usize {
        frame_bytes.clear();
        let start = out.bytes.len();
        for (at, cursor) in cursors.iter_mut().enumerate() {
            if at > 0 {
                out.bytes.push(b'\t');
            }
            let value = cursor.next(row);
            check_not_null(value)?;
            out.bytes.extend_from_slice(value.unwrap_or(TEXT_NULL));
            frame(&mut frame_bytes, value);
        }
        out.bytes.push(b'\n');
        if &out.bytes[start..] == TEXT_END {
            return Err(refuse("a row reads as the end of the data"));
        }
        digest += Digest::of_row(&frame_bytes);
        out.catch_up();
    }
    Ok(digest)
}

/// Joins one large row without copying its large fields.
fn join_single(encoding: RowEncoding, columns: Columns, raw_bytes: u64) -> Result<Joined> {
    let mut out = Pieces::default();
    let mut hasher = RowHasher::new();
    let width = columns.columns.len();
    if encoding == RowEncoding::Binary {
        out.small.extend_from_slice(&(width as u16).to_be_bytes());
    }
    for (at, column) in columns.columns.into_iter().enumerate() {
        let value = (column.length(0) != NULL).then(|| column.data.clone());
        hasher.field(value.as_deref());
        match (encoding, value) {
            (RowEncoding::Binary, Some(value)) => {
                out.small.extend_from_slice(&(value.len() as u32).to_be_bytes());
                out.push(value);
            }
            (RowEncoding::Binary, None) => out.small.extend_from_slice(&NULL.to_be_bytes()),
            (RowEncoding::Text, value) => {
                check_not_null(value.as_deref())?;
                out.push(value.unwrap_or(Bytes::from_static(TEXT_NULL)));
                out.small.extend_from_slice(if at + 1 == width { b"\n" } else { b"\t" });
            }
        }
    }
    out.cut();
    let mut crc = Hasher::new();
    out.pieces.iter().for_each(|piece| crc.update(piece));
    Ok(Joined {
        pieces: out.pieces,
        rows: 1,
        digest: hasher.digest(),
        raw_crc: crc.finalize(),
        raw_bytes,
    })
}

/// Gathers what is small and slices what is large.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Bytes>,
    small: BytesMut,
}

impl Pieces {
    /// A field of more bytes than this is not copied.
    const SMALL_BYTES_MAX: usize = 64 << 10;

    fn push(&mut self, mut value: Bytes) {
        if value.len() <= Self::SMALL_BYTES_MAX {
            self.small.extend_from_slice(&value);
            if self.small.len() > PIECE_BYTES_MAX - 2 * Self::SMALL_BYTES_MAX {
                self.cut();
            }
            return;
        }
        self.cut();
        while value.len() > PIECE_BYTES_MAX {
            self.pieces.push(value.split_to(PIECE_BYTES_MAX));
        }
        self.pieces.push(value);
    }

    fn cut(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push(self.small.split().freeze());
        }
    }
}
