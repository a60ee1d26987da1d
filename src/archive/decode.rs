//! A stored chunk to its rows. CPU work only; runs on any thread.

use bytes::Bytes;

use super::block;
use super::chunk::{ChunkHeader, ColumnBlocks, Form};
use super::damaged;
use super::manifest::{RowEncoding, TableId};
use crate::error::Result;
use crate::pgcopy::{Column, Columns, Digest, Joined, Lengths, join, tell};

/// A chunk as it is stored, its header and checksums already checked.
#[derive(Clone, Debug)]
pub struct StoredChunk {
    pub(super) header: ChunkHeader,
    pub(super) columns: Vec<ColumnBlocks>,
    pub(super) body: Bytes,
}

impl StoredChunk {
    /// Whose rows they are.
    pub fn table(&self) -> TableId {
        TableId(self.header.table)
    }

    /// How they travel.
    pub fn encoding(&self) -> RowEncoding {
        self.header.encoding
    }

    /// How many rows it says it has.
    pub fn rows(&self) -> u64 {
        self.header.rows
    }

    /// The bytes that its rows say they have.
    pub fn raw_bytes(&self) -> u64 {
        self.header.raw_bytes
    }

    /// The digest that it says it has.
    pub fn digest(&self) -> Digest {
        self.header.digest
    }

    /// Decompresses and joins, and compares checksum, rows, bytes and digest with what the header says.
    pub fn decode(self) -> Result<Joined> {
        self.decode_with(join)
    }

    /// The same without keeping the rows.
    pub fn check(self) -> Result<Joined> {
        self.decode_with(tell)
    }

    fn decode_with(self, join: fn(RowEncoding, Columns) -> Result<Joined>) -> Result<Joined> {
        const DOING: &str = "decode a chunk";
        let Self { header, columns, mut body } = self;
        let columns = columns
            .iter()
            .map(|column| load(header.rows, column, &mut body))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| damaged(DOING, cause))?;
        drop(body);
        let joined = join(header.encoding, Columns { rows: header.rows, columns })?;
        if joined.raw_bytes != header.raw_bytes {
            return Err(damaged(DOING, format!("its rows have {} bytes, expected {}", joined.raw_bytes, header.raw_bytes)));
        }
        if joined.raw_crc != header.raw_crc {
            return Err(damaged(DOING, format!("its rows' checksum is {:08x}, expected {:08x}", joined.raw_crc, header.raw_crc)));
        }
        if joined.digest != header.digest {
            return Err(damaged(DOING, format!("its digest is {}, expected {}", joined.digest, header.digest)));
        }
        Ok(joined)
    }
}

/// Takes a column's blocks off the front of `body`.
fn load(rows: u64, column: &ColumnBlocks, body: &mut Bytes) -> Result<Column, String> {
    let mut take = |stored: u32| {
        let stored = stored as usize;
        if stored <= body.len() { Ok(body.split_to(stored)) } else { Err("a block lies beyond the chunk's end") }
    };
    let (lengths, data) = (take(column.lengths_stored)?, take(column.data_stored)?);
    let lengths = block::decompress(column.lengths_codec, &lengths, column.form.lengths_bytes(rows))?;
    let lengths = match column.form {
        Form::Null => Lengths::Null,
        Form::Fixed => Lengths::Fixed(column.value_bytes),
        Form::FixedOrNull => Lengths::FixedOrNull(column.value_bytes, lengths),
        Form::U8 => Lengths::U8(lengths),
        Form::U16 => Lengths::U16(lengths),
        Form::U32 => Lengths::U32(lengths),
    };
    let data = block::decompress(column.data_codec, &data, u64::from(column.data_raw))?;
    Ok(Column { lengths, data })
}
