//! The index: every chunk's place and content, every table's totals. The one authority; a chunk's
//! own header must repeat it.
//!
//! ```text
//! 0 magic | 8 chunks | 16 tables | 20 reserved | 24 chunks × 88 bytes | tables × 64 bytes | crc
//!
//! chunk: 0 table | 4 part | 8 offset | 16 stored_bytes | 24 raw_bytes | 32 rows | 40 digest | 56 header_blake3
//! table: 0 chunks | 8 rows | 16 raw_bytes | 24 stored_bytes | 32 digest | 48 end_part | 52 reserved | 56 end_offset
//! ```
//!
//! Format 1 has another magic, and neither the hashes of chunk headers nor the places of table
//! ends.

use std::collections::HashSet;

use bincode::{Decode, Encode};

use super::chunk::header_bytes;
use super::codec;
use super::error::damaged;
use super::header::Format;
use super::limits::{CHUNKS_MAX, TABLES_MAX, raw_bytes_max};
use super::manifest::{Manifest, TableId};
use super::table_end::{TableEnd, TableTotals};
use crate::error::Result;
use crate::pgcopy::Digest;

const MAGIC: [u8; 8] = *b"SBKINDX2";
const MAGIC_1: [u8; 8] = *b"SBKINDEX";

/// Whether an index of this format may begin here.
pub(super) fn is_here(format: Format, start: &[u8]) -> bool {
    start.starts_with(match format {
        Format::One => &MAGIC_1,
        Format::Two => &MAGIC,
    })
}

/// How many tables the index that begins here says it has; nothing is checked yet.
pub(super) fn tables(start: &[u8]) -> Option<u64> {
    let prefix: Prefix = codec::decode(start.get(..PREFIX_BYTES)?).ok()?;
    Some(prefix.tables.into())
}

/// The bytes of an index of so many chunks and tables, at most.
pub(super) fn section_bytes(chunks: u64, tables: u64) -> u64 {
    PREFIX_BYTES as u64
        + CHUNK_BYTES as u64 * chunks.min(CHUNKS_MAX)
        + TABLE_BYTES as u64 * tables
        + CRC_BYTES as u64
}

const PREFIX_BYTES: usize = 24;
const CHUNK_BYTES: usize = 88;
const CHUNK_BYTES_1: usize = 56;
const TABLE_BYTES: usize = 64;
const TABLE_BYTES_1: usize = 48;
const CRC_BYTES: usize = 4;

/// What is stored beside the raw bytes is never more than this many times as much: at most four
/// bytes of length for a value that has at least one byte of framing.
const LENGTHS_FACTOR_MAX: u64 = 4;

/// The most bytes of an index section.
pub(super) const SECTION_BYTES_MAX: u64 = PREFIX_BYTES as u64
    + CHUNK_BYTES as u64 * CHUNKS_MAX
    + TABLE_BYTES as u64 * TABLES_MAX
    + CRC_BYTES as u64;

/// All chunks in file order, all tables in manifest order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// In the order in which they are stored.
    pub chunks: Vec<IndexEntry>,
    /// In the order of the manifest's tables, those without rows included.
    pub tables: Vec<TableTotals>,
    /// Where each table's end is recorded; none in format 1.
    pub ends: Vec<u64>,
}

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// Whose rows they are.
    pub table: TableId,
    /// The file that holds it: 0, this one.
    pub part: u32,
    /// Where its header begins.
    pub offset: u64,
    /// Its bytes in the file, the header included.
    pub stored_bytes: u64,
    /// The bytes of its rows as COPY sent them.
    pub raw_bytes: u64,
    /// How many rows it has, at least one.
    pub rows: u64,
    /// The sum of its rows' digests.
    pub digest: Digest,
    /// The BLAKE3 of its header; zeros in format 1, where the root covers it.
    pub header_blake3: [u8; 32],
}

#[derive(Encode, Decode)]
struct Prefix {
    magic: [u8; 8],
    chunks: u64,
    tables: u32,
    reserved: u32,
}

/// What a chunk's entry has in both formats.
#[derive(Encode, Decode)]
struct ChunkLayout {
    table: u32,
    part: u32,
    offset: u64,
    stored_bytes: u64,
    raw_bytes: u64,
    rows: u64,
    digest: u128,
}

/// What a table's entry has in both formats.
#[derive(Encode, Decode)]
struct TableLayout {
    chunks: u64,
    rows: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    digest: u128,
}

/// Where a table's end is.
#[derive(Encode, Decode)]
struct EndLayout {
    part: u32,
    reserved: u32,
    offset: u64,
}

impl TableTotals {
    pub(super) fn add(&mut self, chunk: &IndexEntry) {
        self.chunks += 1;
        self.rows += chunk.rows;
        self.raw_bytes += chunk.raw_bytes;
        self.stored_bytes += chunk.stored_bytes;
        self.digest += chunk.digest;
    }
}

impl Index {
    pub(super) fn encode(&self) -> Vec<u8> {
        let bytes = PREFIX_BYTES
            + self.chunks.len() * CHUNK_BYTES
            + self.tables.len() * TABLE_BYTES
            + CRC_BYTES;
        let mut out = Vec::with_capacity(bytes);
        let prefix = Prefix {
            magic: MAGIC,
            chunks: self.chunks.len() as u64,
            tables: self.tables.len() as u32,
            reserved: 0,
        };
        codec::encode_into(&prefix, &mut out);
        for &IndexEntry {
            table,
            part,
            offset,
            stored_bytes,
            raw_bytes,
            rows,
            digest,
            header_blake3,
        } in &self.chunks
        {
            let layout = ChunkLayout {
                table: table.0,
                part,
                offset,
                stored_bytes,
                raw_bytes,
                rows,
                digest: digest.0,
            };
            codec::encode_into(&layout, &mut out);
            out.extend_from_slice(&header_blake3);
        }
        for (&TableTotals { chunks, rows, raw_bytes, stored_bytes, digest }, &offset) in
            self.tables.iter().zip(&self.ends)
        {
            codec::encode_into(
                &TableLayout { chunks, rows, raw_bytes, stored_bytes, digest: digest.0 },
                &mut out,
            );
            codec::encode_into(&EndLayout { part: 0, reserved: 0, offset }, &mut out);
        }
        codec::seal(&mut out, 0);
        out
    }

    /// Reads a section of this format, and checks that what it lists fills the file from `start` to
    /// `end` and adds up to its totals.
    pub(super) fn decode(
        format: Format,
        section: &[u8],
        manifest: &Manifest,
        start: u64,
        end: u64,
    ) -> Result<Self> {
        let refuse = |cause: String| damaged("read the index", cause);
        let index = decode_layout(format, section).map_err(refuse)?;
        index.check(format, manifest).map_err(refuse)?;
        index.check_places(start, end).map_err(refuse)?;
        Ok(index)
    }

    fn check(&self, format: Format, manifest: &Manifest) -> Result<(), String> {
        if self.tables.len() != manifest.tables.len() {
            return Err(format!(
                "it has {} tables, the manifest {}",
                self.tables.len(),
                manifest.tables.len()
            ));
        }
        let mut totals = vec![TableTotals::default(); self.tables.len()];
        let mut headers = HashSet::with_capacity(self.chunks.len());
        for (number, chunk) in self.chunks.iter().enumerate() {
            let Some(table) = manifest.tables.get(chunk.table.0 as usize) else {
                return Err(format!(
                    "chunk {number} is of table {}, which is not there",
                    chunk.table.0
                ));
            };
            if chunk.part != 0 {
                return Err(format!(
                    "chunk {number} is in part {}, and there is only this file",
                    chunk.part
                ));
            }
            if chunk.rows == 0 || chunk.raw_bytes > raw_bytes_max(chunk.rows) {
                return Err(format!(
                    "chunk {number} has {} rows of {} bytes",
                    chunk.rows, chunk.raw_bytes
                ));
            }
            let header = header_bytes(format, table.columns.len());
            if chunk.stored_bytes < header
                || chunk.stored_bytes - header > chunk.raw_bytes * (1 + LENGTHS_FACTOR_MAX)
            {
                return Err(format!(
                    "chunk {number} has {} bytes for {} of rows",
                    chunk.stored_bytes, chunk.raw_bytes
                ));
            }
            if format == Format::Two && !headers.insert(chunk.header_blake3) {
                return Err(format!("chunk {number} is there twice"));
            }
            totals[chunk.table.0 as usize].add(chunk);
        }
        match totals.iter().zip(&self.tables).position(|(found, stored)| found != stored) {
            Some(table) => Err(format!("the totals of table {table} are not those of its chunks")),
            None => Ok(()),
        }
    }

    /// Checks that chunks and table ends follow each other without a gap, and each end its table's
    /// chunks.
    fn check_places(&self, start: u64, end: u64) -> Result<(), String> {
        let mut ends: Vec<(u64, usize)> = self.ends.iter().copied().zip(0..).collect();
        ends.sort_unstable();
        let mut ends = ends.into_iter().peekable();
        let mut ended = vec![false; self.ends.len()];
        let mut offset = start;
        for (number, chunk) in self.chunks.iter().enumerate() {
            while let Some((_, table)) = ends.next_if(|(place, _)| *place == offset) {
                ended[table] = true;
                offset += TableEnd::BYTES as u64;
            }
            if chunk.offset != offset {
                return Err(format!(
                    "chunk {number} begins at {}, expected {offset}",
                    chunk.offset
                ));
            }
            if ended.get(chunk.table.0 as usize) == Some(&true) {
                return Err(format!(
                    "chunk {number} follows the end of its table, {}",
                    chunk.table.0
                ));
            }
            offset =
                offset.checked_add(chunk.stored_bytes).ok_or("its chunks have too many bytes")?;
        }
        for (place, table) in ends {
            if place != offset {
                return Err(format!("the end of table {table} is at {place}, expected {offset}"));
            }
            offset += TableEnd::BYTES as u64;
        }
        if offset != end {
            return Err(format!(
                "the last of what it lists ends at {offset}, and it begins at {end}"
            ));
        }
        Ok(())
    }
}

fn decode_layout(format: Format, section: &[u8]) -> Result<Index, String> {
    let (magic, chunk_bytes, table_bytes) = match format {
        Format::One => (MAGIC_1, CHUNK_BYTES_1, TABLE_BYTES_1),
        Format::Two => (MAGIC, CHUNK_BYTES, TABLE_BYTES),
    };
    if !section.starts_with(&magic) {
        return Err("there is no index here".into());
    }
    let content = codec::unseal(section)?;
    let Some((prefix, rest)) = content.split_at_checked(PREFIX_BYTES) else {
        return Err("it is cut short".into());
    };
    let prefix: Prefix = codec::decode(prefix)?;
    let (chunks, tables) = (prefix.chunks, u64::from(prefix.tables));
    if chunks > CHUNKS_MAX || tables > TABLES_MAX {
        return Err(format!(
            "it says {chunks} chunks of {tables} tables, the limits are {CHUNKS_MAX} and \
             {TABLES_MAX}"
        ));
    }
    if prefix.reserved != 0 {
        return Err("reserved bytes are not zero".into());
    }
    let all_chunks_bytes = chunks as usize * chunk_bytes;
    if rest.len() != all_chunks_bytes + tables as usize * table_bytes {
        return Err(format!(
            "it says {chunks} chunks of {tables} tables, which do not fill its {} bytes",
            section.len()
        ));
    }
    let (chunks, tables) = rest.split_at(all_chunks_bytes);
    let (tables, ends): (Vec<_>, Vec<_>) = tables
        .chunks_exact(table_bytes)
        .map(decode_table)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .unzip();
    Ok(Index {
        chunks: chunks.chunks_exact(chunk_bytes).map(decode_chunk).collect::<Result<_, _>>()?,
        tables,
        ends: ends.into_iter().flatten().collect(),
    })
}

/// Reads a chunk's entry of either format.
fn decode_chunk(bytes: &[u8]) -> Result<IndexEntry, String> {
    let (both, hash) = bytes.split_at(CHUNK_BYTES_1);
    let ChunkLayout { table, part, offset, stored_bytes, raw_bytes, rows, digest } =
        codec::decode(both)?;
    let header_blake3 = if hash.is_empty() { [0; 32] } else { codec::decode(hash)? };
    Ok(IndexEntry {
        table: TableId(table),
        part,
        offset,
        stored_bytes,
        raw_bytes,
        rows,
        digest: Digest(digest),
        header_blake3,
    })
}

/// Reads a table's entry in the index of either format, and where its end is.
fn decode_table(bytes: &[u8]) -> Result<(TableTotals, Option<u64>), String> {
    let (both, end) = bytes.split_at(TABLE_BYTES_1);
    let TableLayout { chunks, rows, raw_bytes, stored_bytes, digest } = codec::decode(both)?;
    let totals = TableTotals { chunks, rows, raw_bytes, stored_bytes, digest: Digest(digest) };
    if end.is_empty() {
        return Ok((totals, None));
    }
    let EndLayout { part, reserved, offset } = codec::decode(end)?;
    if part != 0 || reserved != 0 {
        return Err("a table's end is in another part, or reserved bytes are not zero".into());
    }
    Ok((totals, Some(offset)))
}
