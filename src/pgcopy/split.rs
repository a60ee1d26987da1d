//! Rows to columns: one pass over the bytes, which are copied, digested and summed while they are in the cache.

mod binary;
mod text;

use bytes::Bytes;

use super::columns::{Column, Columns, Lengths, NULL};
use super::digest::Digest;
use crate::archive::manifest::RowEncoding;
use crate::error::{Error, Kind, Result};

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
}

/// Splits whole rows, the stream's header already stripped, into `columns` columns.
///
/// A trailer of COPY BINARY may stand at the very end; anything after it, or a row that is cut, is an error. A single row
/// of more than [`super::LARGE_ROW_BYTES`] is not copied: the columns' data are slices of `raw`.
pub fn split(encoding: RowEncoding, columns: usize, raw: &Bytes) -> Result<Split> {
    match encoding {
        RowEncoding::Binary => binary::split(columns, raw),
        RowEncoding::Text => text::split(columns, raw),
    }
}

/// Bytes of rows after which the checksum catches up: small enough to be in the cache still.
const BATCH_BYTES: usize = 32 << 10;

fn refuse(row: u64, cause: impl std::fmt::Display) -> Error {
    Error::new(Kind::Server, "split COPY data into columns", format!("row {row} of the piece {cause}"))
}

/// A column while it grows. As long as all lengths are the same, NULL counted as one, none is stored.
#[derive(Debug)]
struct Builder {
    /// The length of all values so far, or [`Builder::MIXED`].
    length: u32,
    /// Empty, or one for each row, [`NULL`] among them.
    lengths: Vec<u32>,
    data: Vec<u8>,
}

impl Builder {
    /// No value is that long, and it is not [`NULL`].
    const MIXED: u32 = NULL - 1;

    fn many(columns: usize) -> Vec<Self> {
        (0..columns).map(|_| Self { length: Self::MIXED, lengths: Vec::new(), data: Vec::new() }).collect()
    }

    /// Reserves what is missing, now that `done` bytes of rows of `total` tell how large the column will be.
    fn reserve(&mut self, done: usize, total: usize) {
        let guess = |now: usize| (now as u128 * total as u128 / done.max(1) as u128) as usize;
        let spare = |now: usize| (guess(now) - now).min(total) + guess(now) / 64;
        self.data.reserve_exact(spare(self.data.len()));
        self.lengths.reserve_exact(spare(self.lengths.len()));
    }

    #[inline]
    fn push(&mut self, row: u64, value: &[u8]) {
        self.note(row, value.len() as u32);
        self.data.extend_from_slice(value);
    }

    /// Notes the length of the value of `row`, or [`NULL`].
    #[inline]
    fn note(&mut self, row: u64, length: u32) {
        if length != self.length {
            self.note_other(row, length);
        }
    }

    #[inline]
    fn note_other(&mut self, row: u64, length: u32) {
        if self.length == Self::MIXED && row > 0 {
            self.lengths.push(length);
        } else if row == 0 {
            self.length = length;
        } else {
            self.lengths.resize(row as usize, self.length);
            self.lengths.push(length);
            self.length = Self::MIXED;
        }
    }

    fn finish(self) -> Column {
        let lengths = match self.length {
            Self::MIXED => Lengths::from_mixed(&self.lengths),
            NULL => Lengths::Null,
            length => Lengths::Fixed(length),
        };
        Column { lengths, data: self.data.into() }
    }
}

fn finish(builders: Vec<Builder>, rows: u64) -> Columns {
    Columns { rows, columns: builders.into_iter().map(Builder::finish).collect() }
}

/// The column of a chunk of one row, its value not copied.
fn single(value: Option<Bytes>) -> Column {
    match value {
        Some(data) => Column { lengths: Lengths::Fixed(data.len() as u32), data },
        None => Column { lengths: Lengths::Null, data: Bytes::new() },
    }
}
