//! A stored chunk to its rows. CPU work only; runs on any thread.

use bytes::Bytes;

use super::block::{self, Block, BlockCodec};
use super::chunk::{ChunkHeader, ColumnBlocks};
use super::error::damaged;
use super::manifest::RowEncoding;
use super::room;
use crate::error::Result;
use crate::pgcopy::{Column, Columns, Joined, join, tell};

/// A chunk as it is stored, its header and checksums already checked.
#[derive(Clone, Debug)]
pub struct StoredChunk {
    pub(super) header: ChunkHeader,
    pub(super) columns: Vec<ColumnBlocks>,
    pub(super) body: Bytes,
    /// What `body` is a slice of, if it is kept for the next chunk.
    pub(super) room: Bytes,
}

impl StoredChunk {
    /// Decompresses and joins, and compares checksum, rows, bytes and digest with what the header
    /// says.
    pub fn decode(self) -> Result<Joined> {
        self.decode_into(Vec::new())
    }

    /// Decodes a stored chunk; the rows lie in `out`, whose content does not matter, or in fresh
    /// memory if it is too small.
    pub fn decode_into(self, out: Vec<u8>) -> Result<Joined> {
        self.decode_with(|encoding, columns| join(encoding, columns, out))
    }

    /// The same without keeping the rows.
    pub fn check(self) -> Result<Joined> {
        self.decode_with(tell)
    }

    fn decode_with(
        self,
        join: impl FnOnce(RowEncoding, Columns) -> Result<Joined>,
    ) -> Result<Joined> {
        const DOING: &str = "decode a chunk";
        let Self { header, columns: descriptors, body, room: stored } = self;
        let blocks =
            blocks(header.rows, &descriptors, body).map_err(|cause| damaged(DOING, cause))?;
        let (blocks, room) = block::decompress(blocks).map_err(|cause| cause.into_error(DOING))?;
        let pairs = blocks.as_chunks().0.iter().zip(&descriptors);
        let column = |([lengths, data], column): (&[Bytes; 2], &ColumnBlocks)| Column {
            form: column.form,
            lengths: lengths.clone(),
            data: data.clone(),
        };
        let columns = Columns { rows: header.rows, columns: pairs.map(column).collect() };
        drop(blocks);
        let joined = join(header.encoding, columns)?;
        room::keep(&room::COLUMNS, room);
        room::keep(&room::STORED, stored);
        if joined.raw_bytes != header.raw_bytes {
            return Err(damaged(
                DOING,
                format!("its rows have {} bytes, expected {}", joined.raw_bytes, header.raw_bytes),
            ));
        }
        if joined.raw_crc != header.raw_crc {
            return Err(damaged(
                DOING,
                format!(
                    "its rows' checksum is {:08x}, expected {:08x}",
                    joined.raw_crc, header.raw_crc
                ),
            ));
        }
        if joined.digest != header.digest {
            return Err(damaged(
                DOING,
                format!("its digest is {}, expected {}", joined.digest, header.digest),
            ));
        }
        Ok(joined)
    }
}

/// Cuts the body into two blocks for each column.
fn blocks(rows: u64, columns: &[ColumnBlocks], mut body: Bytes) -> Result<Vec<Block>, String> {
    let mut take = |codec: BlockCodec, stored: u32, raw_bytes: u64| {
        let stored = stored as usize;
        if stored > body.len() {
            return Err("a block lies beyond the chunk's end".to_owned());
        }
        Ok(Block { codec, stored: body.split_to(stored), raw_bytes })
    };
    let mut blocks = Vec::with_capacity(columns.len() * 2);
    for column in columns {
        blocks.push(take(
            column.lengths_codec,
            column.lengths_stored,
            column.form.lengths_bytes(rows),
        )?);
        blocks.push(take(column.data_codec, column.data_stored, u64::from(column.data_raw))?);
    }
    Ok(blocks)
}
