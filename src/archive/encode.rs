//! Rows to a chunk that is ready to be written. CPU work only; runs on any thread.

use bytes::Bytes;
use uuid::Uuid;

use super::block::{self, Codec};
use super::chunk::{ChunkHeader, ColumnBlocks, header_bytes};
use super::error::no_memory;
use super::header::Format;
use super::limits::{COLUMNS_MAX, raw_bytes_max};
use super::manifest::{RowEncoding, TableId};
use super::room;
use super::transform::{self, Prepared};
use crate::error::{Error, Kind, Result};
use crate::pgcopy::{Column, Digest, split};

/// A chunk as it will be stored; its writer and number are given by the writer.
#[derive(Clone, Debug)]
pub struct EncodedChunk {
    pub(super) header: ChunkHeader,
    pub(super) columns: Vec<ColumnBlocks>,
    /// The blocks, in the order of `columns`.
    pub(super) body: Vec<u8>,
}

impl EncodedChunk {
    /// The bytes it takes in the archive, its header included.
    pub fn stored_bytes(&self) -> u64 {
        header_bytes(Format::Two, self.columns.len()) + self.header.body_bytes
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

    /// The memory it was encoded into, to be used again.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Whose rows they are.
    pub fn table(&self) -> TableId {
        TableId(self.header.table)
    }
}

/// Makes a chunk of whole rows, the stream's header already stripped: splits, digests, sums,
/// compresses, hashes.
///
/// The blocks lie in `body`, whose content does not matter; it need not be larger than `raw`, and
/// may have no memory yet. The flag tells whether the trailer of COPY BINARY stood at the end of
/// `raw`.
///
/// # Errors
/// Rows that are malformed, or more of them than a chunk takes (64 MiB; a single row, 1 GiB and 64
/// KiB).
pub fn encode_chunk(
    archive: Uuid,
    table: TableId,
    encoding: RowEncoding,
    columns: usize,
    raw: &Bytes,
    codec: Codec,
    mut body: Vec<u8>,
) -> Result<(EncodedChunk, bool)> {
    const DOING: &str = "encode a chunk";
    if columns > COLUMNS_MAX {
        return Err(Error::new(
            Kind::Requirement,
            DOING,
            format!("{columns} columns, the limit is {COLUMNS_MAX}"),
        ));
    }
    let room = room::take(&room::COLUMNS).map_err(|error| no_memory(DOING, &error))?;
    let split = split(encoding, columns, raw, room)?;
    let limit = raw_bytes_max(split.rows);
    if split.raw_bytes > limit {
        let cause =
            format!("{} rows of {} bytes, the limit is {limit} bytes", split.rows, split.raw_bytes);
        // Whoever cuts the stream keeps the first limit; PostgreSQL itself keeps the second.
        return Err(Error::new(
            if split.rows == 1 { Kind::Requirement } else { Kind::Unexpected },
            DOING,
            cause,
        ));
    }
    body.clear();
    body.try_reserve(raw.len()).map_err(|error| no_memory(DOING, &error))?;
    let mut scratch = room::take(&room::SCRATCH).map_err(|error| no_memory(DOING, &error))?;
    let columns = split.columns.columns.iter();
    let columns: Vec<ColumnBlocks> =
        columns.map(|column| store(column, split.rows, codec, &mut scratch, &mut body)).collect();
    room::put_back(&room::SCRATCH, scratch);
    drop(split.columns);
    room::keep(&room::COLUMNS, split.room);
    let header = ChunkHeader {
        archive,
        writer: Uuid::nil(),
        number: 0,
        table: table.0,
        encoding,
        columns: columns.len() as u16,
        rows: split.rows,
        raw_bytes: split.raw_bytes,
        body_bytes: body.len() as u64,
        digest: split.digest,
        body_blake3: blake3::hash(&body).into(),
        raw_crc: split.raw_crc,
        body_crc: crc32fast::hash(&body),
    };
    Ok((EncodedChunk { header, columns, body }, split.trailer))
}

/// Appends a column's blocks to `body` and tells where they are. What is not compressed is not
/// transformed either.
fn store(
    column: &Column,
    rows: u64,
    codec: Codec,
    scratch: &mut [u8],
    body: &mut Vec<u8>,
) -> ColumnBlocks {
    let prepared = match codec {
        Codec::None => Prepared::as_it_is(column),
        Codec::Zstd(_) => transform::apply(column, rows, scratch),
    };
    let mut append = |codec: Codec, block: &[u8]| {
        let start = body.len();
        let codec = block::compress(codec, block, body);
        (codec, (body.len() - start) as u32)
    };
    let (lengths_codec, lengths_stored) = append(codec, prepared.lengths);
    let data_codec = if prepared.is_noise { Codec::None } else { codec };
    let (data_codec, data_stored) = append(data_codec, prepared.data);
    ColumnBlocks {
        form: prepared.form,
        transform: prepared.transform,
        lengths_codec,
        data_codec,
        lengths_stored,
        data_raw: column.data.len() as u32,
        data_block: prepared.data.len() as u32,
        data_stored,
    }
}
