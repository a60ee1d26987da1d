//! Reads an archive at random: first what describes it, whose parts must fill the file, then any
//! chunk, and the ends of tables.

use bytes::Bytes;

use super::chunk::{self, ChunkHeader, header_bytes};
use super::decode::StoredChunk;
use super::error::{damaged, no_memory};
use super::footer::Footer;
use super::header::{Format, Header};
use super::index::{self, Index, IndexEntry};
use super::limits::ROWS_MEMORY_BYTES;
use super::manifest::{Manifest, RowEncoding, Table, TableId};
use super::read_at::ReadAt;
use super::root::Root;
use super::table_end::TableEnd;
use super::{room, section};
use crate::error::{Error, Kind, Result};

/// An archive whose header, manifest, index and footer were read and agree with each other.
#[derive(Debug)]
pub struct Archive<R> {
    /// What it is.
    pub header: Header,
    /// The schema, the tables, the source.
    pub manifest: Manifest,
    /// The chunks.
    pub index: Index,
    /// Where everything is.
    pub footer: Footer,
    /// What errors call it: the path, normally.
    pub name: String,
    /// The memory that the rows of a chunk may take.
    pub(super) memory_max: u64,
    pub(super) source: R,
}

/// The end of the file that is searched for a footer when there is none at the very end.
pub(super) const TAIL_BYTES: u64 = 64 << 10;

/// How much is read at once where a section is only hashed.
const HASH_BYTES: u64 = 1 << 20;

impl<R: ReadAt> Archive<R> {
    /// Reads header, footer, manifest and index, and checks their checksums and that they agree.
    pub fn open(source: R, name: &str) -> Result<Self> {
        Self::open_within(source, name, 0)
    }

    /// Opens an archive that can be read at any place; its manifest, and the rows of a chunk, may
    /// take `max_memory` bytes of memory if that is more than is usual for them.
    pub fn open_within(source: R, name: &str, max_memory: u64) -> Result<Self> {
        Self::open_parts(source, name, max_memory)
            .map_err(|error| error.within(format!("open {name}")))
    }

    fn open_parts(source: R, name: &str, max_memory: u64) -> Result<Self> {
        let total = source.total_bytes().map_err(|error| Error::file("ask for its size", error))?;
        let start = read(&source, 0, total.min(Header::BYTES as u64), "header")?;
        let header = Header::decode(&start)?;
        let tail_bytes = total.min(TAIL_BYTES);
        let footer = Footer::decode(
            header.format(),
            &read(&source, total - tail_bytes, tail_bytes, "footer")?,
        )?;
        check_places(&header, &footer, total)?;
        let manifest = section::decode(
            &read(&source, footer.manifest_offset, footer.manifest_bytes, "manifest")?,
            max_memory,
        )?;
        let chunks_start = footer.manifest_offset + footer.manifest_bytes;
        let index = read(&source, footer.index_offset, footer.index_bytes, "index")?;
        let index =
            Index::decode(header.format(), &index, &manifest, chunks_start, footer.index_offset)?;
        check_totals(&footer, &index)?;
        let memory_max = max_memory.max(ROWS_MEMORY_BYTES);
        Ok(Self { header, manifest, index, footer, name: name.to_owned(), memory_max, source })
    }

    /// Reads what the root covers and compares it, and every table's end with the index.
    pub fn check_root(&self) -> Result<()> {
        let doing = || format!("check the root of {}", self.name);
        let mut hasher = blake3::Hasher::new();
        let Footer { manifest_offset, manifest_bytes, index_offset, index_bytes, .. } = self.footer;
        self.hash(&mut hasher, 0, manifest_offset + manifest_bytes)
            .map_err(|error| error.within(doing()))?;
        if self.header.format() == Format::One {
            for chunk in &self.index.chunks {
                self.hash(&mut hasher, chunk.offset, self.header_bytes(chunk))
                    .map_err(|error| error.within(doing()))?;
            }
        }
        self.hash(&mut hasher, index_offset, index_bytes).map_err(|error| error.within(doing()))?;
        self.compare_root(hasher.finalize().into())?;
        self.compare_ends(|offset| {
            TableEnd::decode(&read(&self.source, offset, TableEnd::BYTES as u64, "table's end")?)
        })
    }

    fn hash(&self, hasher: &mut blake3::Hasher, offset: u64, bytes: u64) -> Result<()> {
        let end = offset + bytes;
        let mut at = offset;
        while at < end {
            let now = HASH_BYTES.min(end - at);
            hasher.update(&read(&self.source, at, now, "bytes")?);
            at += now;
        }
        Ok(())
    }

    /// Reads a chunk, checks the checksums of what is stored, and compares its header with the
    /// index.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] if there is no chunk of that number.
    pub fn read_chunk(&self, chunk: usize) -> Result<StoredChunk> {
        let Some(entry) = self.index.chunks.get(chunk) else {
            let cause = format!("there are {} chunks", self.index.chunks.len());
            return Err(Error::new(
                Kind::Unexpected,
                format!("read chunk {chunk} of {}", self.name),
                cause,
            ));
        };
        self.read_entry(chunk as u64, entry).map_err(|error| {
            let Table { schema, name, .. } = self.table_of(entry);
            error.within(format!(
                "read chunk {chunk} of {} ({schema}.{name}, at byte {})",
                self.name, entry.offset
            ))
        })
    }

    /// The most bytes that the columns of a chunk of so many rows take while it is read and
    /// decoded, beside the chunk as it is stored and its rows.
    pub fn columns_bytes(&self, entry: &IndexEntry) -> u64 {
        let table = self.table_of(entry);
        columns_bytes(table.encoding, table.columns.len(), entry.rows, entry.raw_bytes)
    }

    fn read_entry(&self, number: u64, entry: &IndexEntry) -> Result<StoredChunk> {
        let mut room = room::take_for(&room::STORED, entry.stored_bytes)
            .map_err(|error| no_memory("read the chunk", &error))?;
        let stored_bytes = entry.stored_bytes as usize;
        fill(&self.source, entry.offset, &mut room[..stored_bytes], "chunk")?;
        let room = Bytes::from(room);
        let mut stored = room.slice(..stored_bytes);
        let head = stored.split_to(self.header_bytes(entry) as usize);
        let (header, columns) = chunk::decode(self.header.format(), &head)?;
        self.compare(number, entry, &header, || blake3::hash(&head).into())?;
        check_body(&header, &stored)?;
        let memory_max = self.memory_max;
        Ok(StoredChunk { header, columns, body: stored, memory_max, room })
    }
}

impl<R> Archive<R> {
    /// Compares what a chunk's header says with the index.
    pub(super) fn compare(
        &self,
        number: u64,
        entry: &IndexEntry,
        header: &ChunkHeader,
        hash: impl FnOnce() -> [u8; 32],
    ) -> Result<()> {
        let refuse = |cause: String| Err(damaged("check it", cause));
        if header.archive != self.header.archive {
            return refuse(format!("it belongs to another archive, {}", header.archive));
        }
        match self.header.format() {
            Format::One if header.number != number => {
                return refuse(format!("it is chunk {} in another place", header.number));
            }
            Format::Two if entry.header_blake3 != hash() => {
                return refuse("the hash of its header is not what the index says".into());
            }
            Format::One | Format::Two => {}
        }
        let table = self.table_of(entry);
        let columns = usize::from(header.columns);
        let says = (
            header.table,
            header.rows,
            header.raw_bytes,
            header.digest,
            header.body_bytes,
            header.encoding,
            columns,
        );
        let body_bytes = entry.stored_bytes - self.header_bytes(entry);
        if says
            != (
                entry.table.0,
                entry.rows,
                entry.raw_bytes,
                entry.digest,
                body_bytes,
                table.encoding,
                table.columns.len(),
            )
        {
            return refuse("its header is not what the index says".into());
        }
        Ok(())
    }

    pub(super) fn header_bytes(&self, entry: &IndexEntry) -> u64 {
        header_bytes(self.header.format(), self.table_of(entry).columns.len())
    }

    fn table_of(&self, entry: &IndexEntry) -> &Table {
        &self.manifest.tables[entry.table.0 as usize]
    }

    /// Compares a root that was computed with that of the footer.
    pub(super) fn compare_root(&self, found: Root) -> Result<()> {
        if found == self.footer.root {
            return Ok(());
        }
        Err(damaged(
            format!("check the root of {}", self.name),
            format!("it is {found}, expected {}", self.footer.root),
        ))
    }

    /// Compares every table's end, which `read` gives by its place in the file, with the index.
    pub(super) fn compare_ends(&self, read: impl Fn(u64) -> Result<TableEnd>) -> Result<()> {
        for ((table, &offset), &totals) in
            (0..).map(TableId).zip(&self.index.ends).zip(&self.index.tables)
        {
            let end = read(offset).map_err(|error| error.within(format!("check {}", self.name)))?;
            if end != (TableEnd { archive: self.header.archive, table, totals }) {
                let doing = format!("check {}: read the end of table {}", self.name, table.0);
                return Err(damaged(doing, "it is not what the index says"));
            }
        }
        Ok(())
    }
}

/// Compares the checksums of a chunk's blocks.
pub(super) fn check_body(header: &ChunkHeader, body: &[u8]) -> Result<()> {
    if header.body_crc != crc32fast::hash(body) {
        return Err(damaged("check it", "the checksum of its blocks does not match"));
    }
    if header.body_blake3 != *blake3::hash(body).as_bytes() {
        return Err(damaged("check it", "the hash of its blocks does not match"));
    }
    Ok(())
}

/// The most bytes that the columns of so many rows take while they are decoded.
pub(super) fn columns_bytes(
    encoding: RowEncoding,
    columns: usize,
    rows: u64,
    raw_bytes: u64,
) -> u64 {
    // A binary field's length is in its row too; in text, each is at least one byte of it.
    let lengths = match encoding {
        RowEncoding::Binary => 0,
        RowEncoding::Text => rows.saturating_mul(columns as u64).saturating_mul(4),
    };
    raw_bytes.saturating_add(lengths)
}

/// Checks of an archive that is read at random that header, manifest, chunks, index and footer
/// follow each other without a gap and fill the file.
pub(super) fn check_places(header: &Header, footer: &Footer, total: u64) -> Result<()> {
    let refuse = |cause: String| Err(damaged("read the footer", cause));
    if footer.total_bytes != total {
        return refuse(format!("the archive has {total} bytes, expected {}", footer.total_bytes));
    }
    if footer.archive != header.archive {
        return refuse(format!("it belongs to another archive, {}", footer.archive));
    }
    let Footer { manifest_offset, manifest_bytes, index_offset, index_bytes, .. } = *footer;
    let chunks_start = manifest_offset.checked_add(manifest_bytes);
    let index_end = index_offset.checked_add(index_bytes);
    let ordered = manifest_offset == Header::BYTES as u64
        && chunks_start.is_some_and(|start| start <= index_offset)
        && index_end == total.checked_sub(Footer::bytes(header.format()) as u64);
    if !ordered {
        return refuse("its parts do not follow each other".into());
    }
    if manifest_bytes > section::SECTION_BYTES_MAX || index_bytes > index::SECTION_BYTES_MAX {
        return refuse(format!(
            "manifest ({manifest_bytes} bytes) or index ({index_bytes} bytes) is over its limit"
        ));
    }
    Ok(())
}

pub(super) fn check_totals(footer: &Footer, index: &Index) -> Result<()> {
    let (rows, raw_bytes) = index
        .chunks
        .iter()
        .fold((0_u64, 0_u64), |(rows, raw), chunk| (rows + chunk.rows, raw + chunk.raw_bytes));
    if (footer.chunks, footer.rows, footer.raw_bytes)
        != (index.chunks.len() as u64, rows, raw_bytes)
    {
        return Err(damaged("read the index", "it does not add up to what the footer says"));
    }
    Ok(())
}

/// Reads a section; the caller has capped `bytes`.
pub(super) fn read(source: &impl ReadAt, offset: u64, bytes: u64, what: &str) -> Result<Vec<u8>> {
    let mut buf = Vec::new();
    buf.try_reserve_exact(bytes as usize)
        .map_err(|error| no_memory(&format!("read the {what}"), &error))?;
    buf.resize(bytes as usize, 0);
    fill(source, offset, &mut buf, what)?;
    Ok(buf)
}

fn fill(source: &impl ReadAt, offset: u64, buf: &mut [u8], what: &str) -> Result<()> {
    source.read_exact_at(buf, offset).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged(
            format!("read the {what}"),
            "the archive is cut short, or was cut while it is read",
        ),
        _ => Error::file(format!("read the {what}"), error),
    })
}
