//! Reads an archive once and in order, as it comes from a pipe. What is kept of a chunk is what its
//! header says.
//!
//! ```text
//! open: header, manifest ─► next_chunk, read_body (or not) … ─► finish: index, footer, and all of it compared
//! ```
//!
//! Each chunk's own checksums hold as soon as it has come; that the archive is whole is known at
//! the end only ([`super::passed`]). Where no record can be recognised, the next one of this
//! archive is searched for, so that one damaged header does not hide what follows.

use std::io::Read;

use bytes::Bytes;

use super::chunk::{self, ChunkHeader, ColumnBlocks, header_bytes};
use super::decode::StoredChunk;
use super::error::no_memory;
use super::header::{Format, Header};
use super::incoming::Incoming;
use super::limits::{CHUNKS_MAX, COLUMNS_MAX, ROWS_MEMORY_BYTES};
use super::manifest::{Manifest, TableId};
use super::reader::{check_body, columns_bytes};
use super::survey::cut_short;
use super::table_end::{self, TableEnd};
use super::{index, room, section};
use crate::error::{Error, Kind, Result};

/// What is read of every record to know what it is: as much as the smallest header of a chunk.
const START_BYTES: usize = 140;

/// With it every record begins.
const MARK: &[u8] = b"SBK";

/// How far one looks at a time in what cannot be recognised.
const SEARCH_BYTES: usize = 8 << 10;

/// Of so many places where no record could be recognised, the bytes are kept to say what is wrong
/// with them.
const BREAKS_KEPT: usize = 64;

/// An archive that comes in order.
pub struct InOrder<R> {
    pub(super) input: Incoming<R>,
    pub(super) name: String,
    /// The memory that the rows of a chunk may take.
    pub(super) memory_max: u64,
    /// The header as it came.
    pub(super) start: Vec<u8>,
    pub(super) header: Option<Header>,
    pub(super) manifest: Result<Manifest>,
    pub(super) manifest_bytes: u64,
    pub(super) root: blake3::Hasher,
    pub(super) arrived: Vec<Arrived>,
    pub(super) ends: Vec<(u64, Result<TableEnd>)>,
    pub(super) breaks: Vec<Break>,
    /// Bytes that were passed in search of a record.
    pub(super) lost_bytes: u64,
    pub(super) index_offset: Option<u64>,
    /// The chunk whose body comes next.
    body: Option<(ChunkHeader, Vec<ColumnBlocks>)>,
    /// Whether there are no more records.
    over: bool,
}

/// A chunk that has come.
pub(super) struct Arrived {
    pub(super) offset: u64,
    pub(super) header: ChunkHeader,
    pub(super) header_bytes: u64,
    pub(super) header_blake3: [u8; 32],
}

/// A place where no record could be recognised.
pub(super) struct Break {
    pub(super) offset: u64,
    /// What is there, as far as it is kept.
    pub(super) head: Vec<u8>,
}

/// A chunk whose header has come and whose body is next.
#[derive(Clone, Copy, Debug)]
pub struct Arriving {
    /// Its place among those that came.
    pub number: usize,
    /// Whose rows they are; no such table need be there.
    pub table: TableId,
    /// How many it says it has.
    pub rows: u64,
    /// The bytes that its rows say they have.
    pub raw_bytes: u64,
    /// What it takes to read and decode it.
    pub memory_bytes: u64,
}

/// A chunk whose header is intact and whose body may be anything.
#[derive(Debug)]
pub struct UncheckedChunk(StoredChunk);

impl UncheckedChunk {
    /// Compares the checksums of what is stored.
    pub fn check_stored(self) -> Result<StoredChunk> {
        check_body(&self.0.header, &self.0.body)?;
        Ok(self.0)
    }
}

/// What comes next.
enum Record {
    Chunk(Arriving),
    TableEnd,
    /// The index, or the end of all bytes.
    Last,
    Unknown,
}

impl<R: Read> InOrder<R> {
    /// Reads header and manifest; the latter, and the rows of a chunk, may take `max_memory` bytes
    /// of memory if that is more than is usual for them.
    ///
    /// # Errors
    /// [`Kind::File`] if nothing can be read, [`Kind::Requirement`] if the format is newer. Damage
    /// is told by [`finish`](Self::finish).
    pub fn open(reader: R, name: &str, max_memory: u64) -> Result<Self> {
        let mut input = Incoming::new(reader, name);
        let start = input.take_vec(Header::BYTES as u64, "header")?;
        let header = match Header::decode(&start) {
            Err(error) if error.kind() == Kind::Requirement => {
                return Err(error.within(format!("open {name}")));
            }
            header => header.ok(),
        };
        let mut root = blake3::Hasher::new();
        root.update(&start);
        let (manifest_bytes, manifest) = match read_manifest(&mut input)? {
            Ok(section) => {
                root.update(&section);
                (section.len() as u64, section::decode(&section, max_memory))
            }
            Err(error) => (0, Err(error)),
        };
        Ok(Self {
            input,
            name: name.to_owned(),
            memory_max: max_memory.max(ROWS_MEMORY_BYTES),
            start,
            header,
            manifest,
            manifest_bytes,
            root,
            arrived: Vec::new(),
            ends: Vec::new(),
            breaks: Vec::new(),
            lost_bytes: 0,
            index_offset: None,
            body: None,
            over: false,
        })
    }

    /// The schema and the tables, if they could be read.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref().ok()
    }

    /// Reads on to the next chunk, past the body of the one before if nobody has read it; none when
    /// there are no more.
    pub fn next_chunk(&mut self) -> Result<Option<Arriving>> {
        if let Some((header, _)) = self.body.take() {
            self.input.skip(header.body_bytes)?;
        }
        while !self.over {
            match self.record()? {
                Record::Chunk(arriving) => return Ok(Some(arriving)),
                Record::TableEnd => {}
                Record::Last => self.over = true,
                Record::Unknown => self.over = !self.search()?,
            }
        }
        Ok(None)
    }

    /// Reads the body of the chunk that [`next_chunk`](Self::next_chunk) gave, once.
    ///
    /// # Errors
    /// [`Kind::File`] if nothing can be read, [`Kind::Archive`] if the archive ends before it,
    /// [`Kind::Requirement`] if there is too little memory.
    pub fn read_body(&mut self) -> Result<UncheckedChunk> {
        let Some((header, columns)) = self.body.take() else {
            return Err(Error::new(Kind::Unexpected, "read a chunk", "its body was read already"));
        };
        let bytes = header.body_bytes as usize;
        let (memory, taken) = if room::fits(header.body_bytes) {
            let mut memory = room::take_for(&room::STORED, header.body_bytes)
                .map_err(|error| no_memory("read the chunk", &error))?;
            let taken = self.input.take(&mut memory[..bytes])?;
            (memory, taken)
        } else {
            let memory = self.input.take_vec(header.body_bytes, "chunk")?;
            let taken = memory.len();
            (memory, taken)
        };
        if taken < bytes {
            return Err(cut_short(self.input.position()));
        }
        let room = Bytes::from(memory);
        let (body, memory_max) = (room.slice(..bytes), self.memory_max);
        Ok(UncheckedChunk(StoredChunk { header, columns, body, memory_max, room }))
    }

    fn record(&mut self) -> Result<Record> {
        let offset = self.input.position();
        let tables = self.manifest().map_or(0, |manifest| manifest.tables.len());
        let known = self.header.as_ref().map(Header::format);
        let start = self.input.peek(START_BYTES)?;
        if start.is_empty() || self.arrived.len() as u64 == CHUNKS_MAX {
            return Ok(Record::Last);
        }
        if start.len() >= TableEnd::BYTES && start.starts_with(&table_end::MAGIC) {
            // There are no more in an archive, whatever comes.
            if self.ends.len() < tables {
                self.ends.push((offset, TableEnd::decode(&start[..TableEnd::BYTES])));
            }
            self.input.skip(TableEnd::BYTES as u64)?;
            return Ok(Record::TableEnd);
        }
        if [Format::One, Format::Two].into_iter().any(|format| {
            known.is_none_or(|known| known == format) && index::is_here(format, start)
        }) {
            self.index_offset = Some(offset);
            return Ok(Record::Last);
        }
        let begun = chunk::begins(start).filter(|(format, columns)| {
            known.is_none_or(|known| known == *format) && *columns <= COLUMNS_MAX
        });
        let Some((format, columns)) = begun else { return Ok(Record::Unknown) };
        let bytes = header_bytes(format, columns);
        let head = self.input.peek(bytes as usize)?;
        let Ok((header, blocks)) = chunk::decode(format, head) else { return Ok(Record::Unknown) };
        if format == Format::One {
            self.root.update(head);
        }
        let header_blake3 = blake3::hash(head).into();
        self.input.skip(bytes)?;
        let ChunkHeader { table, encoding, rows, raw_bytes, body_bytes, .. } = header;
        let columns_bytes = columns_bytes(encoding, columns, rows, raw_bytes);
        let memory_bytes = body_bytes.saturating_add(raw_bytes).saturating_add(columns_bytes);
        let number = self.arrived.len();
        self.arrived.push(Arrived { offset, header, header_bytes: bytes, header_blake3 });
        self.body = Some((header, blocks));
        Ok(Record::Chunk(Arriving { number, table: TableId(table), rows, raw_bytes, memory_bytes }))
    }

    /// Passes what of the stream cannot be recognised, and says whether a record comes after it.
    fn search(&mut self) -> Result<bool> {
        let offset = self.input.position();
        if self.breaks.is_empty() || self.breaks.len() < BREAKS_KEPT && self.header.is_some() {
            let head = self.input.peek(header_bytes(Format::Two, COLUMNS_MAX) as usize)?.to_vec();
            self.breaks.push(Break { offset, head });
        }
        let found = self.search_on()?;
        self.lost_bytes += self.input.position() - offset;
        Ok(found)
    }

    fn search_on(&mut self) -> Result<bool> {
        loop {
            let window = self.input.peek(SEARCH_BYTES)?;
            let bytes = window.len();
            // What stands here is no record; the next may begin with the byte after it.
            match memchr::memmem::find(window.get(1..).unwrap_or_default(), MARK) {
                Some(at) => {
                    self.input.skip(at as u64 + 1)?;
                    if self.is_record()? {
                        return Ok(true);
                    }
                }
                None if bytes < SEARCH_BYTES => {
                    self.input.skip(bytes as u64)?;
                    return Ok(false);
                }
                None => drop(self.input.skip((bytes - MARK.len()) as u64)?),
            }
        }
    }

    /// Whether what comes next in the stream is, beyond doubt, a record of this archive and not a
    /// value that looks like one.
    fn is_record(&mut self) -> Result<bool> {
        let Some(header) = self.header else { return Ok(false) };
        let tables = self.manifest().map(|manifest| manifest.tables.len());
        let format = header.format();
        let start = self.input.peek(START_BYTES)?;
        if index::is_here(format, start)
            && tables.is_none_or(|tables| index::tables(start) == Some(tables as u64))
        {
            return Ok(true);
        }
        // Damaged or not: what is wrong with it is found when it is read.
        let ours = start.get(8..24) == Some(header.archive.as_bytes());
        Ok(ours
            && (start.starts_with(&table_end::MAGIC)
                || chunk::begins(start).is_some_and(|(begun, _)| begun == format)))
    }
}

/// Reads the manifest section of a stream, if what stands here says how long it is and so much
/// comes.
fn read_manifest<R: Read>(input: &mut Incoming<R>) -> Result<Result<Vec<u8>>> {
    let start = input.position();
    let prefix = input.peek(section::PREFIX_BYTES)?;
    if prefix.len() < section::PREFIX_BYTES {
        return Ok(Err(cut_short(start + prefix.len() as u64)));
    }
    let bytes = match section::bytes(prefix) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(error)),
    };
    let section = input.take_vec(bytes, "manifest")?;
    Ok(if section.len() as u64 == bytes { Ok(section) } else { Err(cut_short(input.position())) })
}
