//! Writes an archive in one pass, to anything that takes bytes in order.

use std::io::{BufWriter, Write};

use uuid::Uuid;

use super::block::Codec;
use super::chunk::{self, ChunkHeader};
use super::encode::EncodedChunk;
use super::footer::Footer;
use super::header::Header;
use super::index::{Index, IndexEntry};
use super::limits::CHUNKS_MAX;
use super::manifest::{Manifest, RowEncoding, TableId};
use super::root::Root;
use super::section;
use super::table_end::{TableEnd, TableTotals};
use crate::error::{Error, Kind, Result};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The hash that stands for the whole.
    pub root: Root,
    /// The archive's bytes.
    pub total_bytes: u64,
    /// How many chunks.
    pub chunks: u64,
    /// How many rows.
    pub rows: u64,
    /// The rows' bytes as COPY sent them.
    pub raw_bytes: u64,
    /// The chunks' bytes in the archive.
    pub stored_bytes: u64,
    /// In the order of the manifest's tables.
    pub tables: Vec<TableTotals>,
}

/// An archive that is being written. Until [`ArchiveWriter::finish`] has returned, what was written
/// is not an archive.
#[derive(Debug)]
pub struct ArchiveWriter<W: Write> {
    out: BufWriter<W>,
    archive: Uuid,
    position: u64,
    manifest_bytes: u64,
    /// Of each table in manifest order, what its chunks must have.
    shapes: Vec<(RowEncoding, usize)>,
    index: Index,
    root: blake3::Hasher,
    /// A write failed, so nobody knows what arrived.
    broken: bool,
}

/// Small blocks are gathered up to this many bytes; larger ones go straight through.
const BUFFER_BYTES: usize = 256 << 10;

/// Where the end of a table would be that has not ended: no record begins before the header.
const OPEN: u64 = 0;

const DOING: &str = "write the archive";

impl<W: Write> ArchiveWriter<W> {
    /// Writes header and manifest.
    ///
    /// # Errors
    /// A manifest of more than 1 GiB or whose parts do not fit together,
    /// before a byte is written.
    pub fn new(out: W, uuid: Uuid, manifest: &Manifest, codec: Codec) -> Result<Self> {
        let section = section::encode(manifest, codec)?;
        let mut writer = Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, out),
            archive: uuid,
            position: 0,
            manifest_bytes: section.len() as u64,
            shapes: manifest
                .tables
                .iter()
                .map(|table| (table.encoding, table.columns.len()))
                .collect(),
            index: Index {
                chunks: Vec::new(),
                tables: vec![TableTotals::default(); manifest.tables.len()],
                ends: vec![OPEN; manifest.tables.len()],
            },
            root: blake3::Hasher::new(),
            broken: false,
        };
        let header = Header::new(uuid).encode();
        writer.root.update(&header);
        writer.root.update(&section);
        writer.put(&header)?;
        writer.put(&section)?;
        Ok(writer)
    }

    /// Writes a chunk; one without rows is left out.
    ///
    /// # Errors
    /// A chunk that is not of this archive, not of the shape that the manifest gives its table, or
    /// of a table that has ended; a failed write, after which every call fails.
    pub fn write_chunk(&mut self, chunk: &EncodedChunk) -> Result<()> {
        let table = chunk.table();
        let shape = (chunk.header.encoding, chunk.columns.len());
        if chunk.header.archive != self.archive || self.shapes.get(table.0 as usize) != Some(&shape)
        {
            return Err(Error::new(
                Kind::Unexpected,
                DOING,
                format!("a chunk does not fit table {} of the manifest", table.0),
            ));
        }
        if self.index.ends[table.0 as usize] != OPEN {
            return Err(Error::new(
                Kind::Unexpected,
                DOING,
                format!("a chunk came after the end of table {}", table.0),
            ));
        }
        if chunk.rows() == 0 {
            return Ok(());
        }
        let number = self.index.chunks.len() as u64;
        if number == CHUNKS_MAX {
            return Err(Error::new(
                Kind::Requirement,
                DOING,
                format!("it would have more than {CHUNKS_MAX} chunks"),
            ));
        }
        // A process that writes alone has the archive's identity.
        let header = chunk::encode(
            &ChunkHeader { writer: self.archive, number, ..chunk.header },
            &chunk.columns,
        );
        let entry = IndexEntry {
            table,
            part: 0,
            offset: self.position,
            stored_bytes: chunk.stored_bytes(),
            raw_bytes: chunk.raw_bytes(),
            rows: chunk.rows(),
            digest: chunk.digest(),
            header_blake3: blake3::hash(&header).into(),
        };
        self.put(&header)?;
        self.put(&chunk.body)?;
        debug_assert_eq!(
            self.position,
            entry.offset + entry.stored_bytes,
            "a chunk's size is what its header says"
        );
        self.index.tables[table.0 as usize].add(&entry);
        self.index.chunks.push(entry);
        Ok(())
    }

    /// Records that a table is complete; no chunk of it may follow.
    ///
    /// # Errors
    /// A table that is not there or has ended; a failed write.
    pub fn end_table(&mut self, table: TableId) -> Result<()> {
        let place = table.0 as usize;
        if self.index.ends.get(place) != Some(&OPEN) {
            return Err(Error::new(
                Kind::Unexpected,
                DOING,
                format!("table {} has ended, or is not there", table.0),
            ));
        }
        self.index.ends[place] = self.position;
        let end = TableEnd { archive: self.archive, table, totals: self.index.tables[place] };
        self.put(&end.encode())
    }

    /// Records that every table is complete that was not yet.
    pub fn end_tables(&mut self) -> Result<()> {
        let open: Vec<u32> = (0..)
            .zip(&self.index.ends)
            .filter(|(_, end)| **end == OPEN)
            .map(|(table, _)| table)
            .collect();
        open.into_iter().try_for_each(|table| self.end_table(TableId(table)))
    }

    /// Writes index and footer, and flushes. Making the bytes durable is up to the owner of `W`.
    ///
    /// # Errors
    /// A table that has not ended: some of its rows may be missing; a failed write.
    pub fn finish(mut self) -> Result<(W, Summary)> {
        if let Some(open) = self.index.ends.iter().position(|end| *end == OPEN) {
            return Err(Error::new(
                Kind::Unexpected,
                DOING,
                format!("table {open} is not complete"),
            ));
        }
        let section = self.index.encode();
        self.root.update(&section);
        let index_offset = self.position;
        self.put(&section)?;
        let sum = |of: fn(&TableTotals) -> u64| self.index.tables.iter().map(of).sum::<u64>();
        let footer = Footer {
            manifest_offset: Header::BYTES as u64,
            manifest_bytes: self.manifest_bytes,
            index_offset,
            index_bytes: section.len() as u64,
            chunks: self.index.chunks.len() as u64,
            rows: sum(|table| table.rows),
            raw_bytes: sum(|table| table.raw_bytes),
            total_bytes: self.position + Footer::BYTES as u64,
            root: self.root.finalize().into(),
            archive: self.archive,
        };
        let stored_bytes = sum(|table| table.stored_bytes);
        self.put(&footer.encode())?;
        let out = self.out.into_inner().map_err(|error| Error::file(DOING, error.into_error()))?;
        let Footer { root, total_bytes, chunks, rows, raw_bytes, .. } = footer;
        let summary = Summary {
            root,
            total_bytes,
            chunks,
            rows,
            raw_bytes,
            stored_bytes,
            tables: self.index.tables,
        };
        Ok((out, summary))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.broken {
            return Err(Error::new(Kind::File, DOING, "an earlier write failed"));
        }
        self.out.write_all(bytes).map_err(|error| {
            self.broken = true;
            Error::file(DOING, error)
        })?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}
