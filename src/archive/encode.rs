//! Rows to a chunk that is ready to be written. CPU work only; runs on any thread.

use bytes::Bytes;
use uuid::Uuid;

use super::block::{self, Codec};
use super::chunk::{ChunkHeader, ColumnBlocks, Form, header_bytes};
use super::limits::{COLUMNS_MAX, raw_bytes_max};
use super::manifest::{RowEncoding, TableId};
use crate::error::{Error, Kind, Result};
use crate::pgcopy::{Column, Digest, Lengths, split};

/// A chunk as it will be stored; its place in the archive is given by the writer.
#[derive(Clone, Debug)]
pub struct EncodedChunk {
    pub(super) header: ChunkHeader,
    pub(super) columns: Vec<ColumnBlocks>,
    /// The blocks, in the order of `columns`.
    pub(super) body: Vec<Bytes>,
}

impl EncodedChunk {
    /// The bytes it takes in the archive, its header included.
    pub fn stored_bytes(&self) -> u64 {
        header_bytes(self.columns.len()) + self.header.body_bytes
    }

    /// The bytes of its rows as COPY sent them.
    pub fn raw_bytes(&self) -> u64 {
        self.header.raw_bytes
    }

    /// How many rows it has; a chunk of none is not written.
    pub fn rows(&self) -> u64 {
        self.header.rows
    }

    /// The sum of its rows' digests.
    pub fn digest(&self) -> Digest {
        self.header.digest
    }

    /// Whose rows they are.
    pub fn table(&self) -> TableId {
        TableId(self.header.table)
    }
}

/// Makes a chunk of whole rows, the stream's header already stripped: splits, digests, sums, compresses, hashes.
///
/// The flag tells whether the trailer of COPY BINARY stood at the end of `raw`.
///
/// # Errors
/// Rows that are malformed, or more of them than a chunk takes (64 MiB; a single row, 1 GiB and 64 KiB).
pub fn encode_chunk(
    archive: Uuid,
    table: TableId,
    encoding: RowEncoding,
    columns: usize,
    raw: &Bytes,
    codec: Codec,
) -> Result<(EncodedChunk, bool)> {
    const DOING: &str = "encode a chunk";
    if columns > COLUMNS_MAX {
        return Err(Error::new(Kind::Requirement, DOING, format!("{columns} columns, the limit is {COLUMNS_MAX}")));
    }
    let split = split(encoding, columns, raw)?;
    let limit = raw_bytes_max(split.rows);
    if split.raw_bytes > limit {
        let cause = format!("{} rows of {} bytes, the limit is {limit} bytes", split.rows, split.raw_bytes);
        // Whoever cuts the stream keeps the first limit; PostgreSQL itself keeps the second.
        return Err(Error::new(if split.rows == 1 { Kind::Requirement } else { Kind::Unexpected }, DOING, cause));
    }
    let mut body = Vec::with_capacity(columns * 2);
    let columns: Vec<ColumnBlocks> = split.columns.columns.into_iter().map(|column| store(column, codec, &mut body)).collect();
    let (mut crc, mut blake3) = (crc32fast::Hasher::new(), blake3::Hasher::new());
    for block in &body {
        crc.update(block);
        blake3.update(block);
    }
    let header = ChunkHeader {
        archive,
        number: 0,
        table: table.0,
        encoding,
        columns: columns.len() as u16,
        rows: split.rows,
        raw_bytes: split.raw_bytes,
        body_bytes: body.iter().map(|block| block.len() as u64).sum(),
        digest: split.digest,
        body_blake3: blake3.finalize().into(),
        raw_crc: split.raw_crc,
        body_crc: crc.finalize(),
    };
    Ok((EncodedChunk { header, columns, body }, split.trailer))
}

/// Compresses a column's blocks into `body` and tells where they are.
fn store(column: Column, codec: Codec, body: &mut Vec<Bytes>) -> ColumnBlocks {
    let Column { lengths, data } = column;
    let (form, value_bytes) = match &lengths {
        Lengths::Null => (Form::Null, 0),
        Lengths::Fixed(length) => (Form::Fixed, *length),
        Lengths::FixedOrNull(length, _) => (Form::FixedOrNull, *length),
        Lengths::U8(_) => (Form::U8, 0),
        Lengths::U16(_) => (Form::U16, 0),
        Lengths::U32(_) => (Form::U32, 0),
    };
    let (lengths_codec, lengths) = block::compress(codec, lengths.block());
    let data_raw = data.len() as u32;
    let (data_codec, data) = block::compress(codec, data);
    let (lengths_stored, data_stored) = (lengths.len() as u32, data.len() as u32);
    body.extend([lengths, data].into_iter().filter(|block| !block.is_empty()));
    ColumnBlocks { form, lengths_codec, data_codec, value_bytes, lengths_stored, data_raw, data_stored }
}
