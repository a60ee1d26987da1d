//! What an archive that came in order turned out to be, once its last byte has come: the index and
//! the footer are compared with all that was seen.

use std::collections::HashMap;
use std::io::Read;

use super::chunk::{self, header_bytes};
use super::error::damaged;
use super::footer::Footer;
use super::header::{self, Format, Header};
use super::in_order::{Arrived, Break, InOrder};
use super::index::{self, Index, IndexEntry};
use super::manifest::TableId;
use super::reader::{Archive, TAIL_BYTES, check_places, check_totals};
use super::root::Root;
use super::survey::{self, Survey, SurveyedChunk};
use super::table_end::TableEnd;
use crate::error::{Error, Kind, Result};

/// What came in order, as far as it can be told.
pub enum Passed {
    /// Header, manifest, index and footer agree with each other. Chunks may be damaged.
    Whole(Box<Whole>),
    /// They do not: why an archive could not be opened so, and what there is of it.
    Broken(Error, Box<Survey>),
}

/// An archive whose every byte has passed.
pub struct Whole {
    /// What describes it.
    pub archive: Archive<()>,
    arrived: Vec<Arrived>,
    ends: Vec<(u64, Result<TableEnd>)>,
    breaks: Vec<Break>,
    damage: HashMap<usize, String>,
    root: Root,
}

impl<R: Read> InOrder<R> {
    /// Once the last byte has come: compares all that passed with index and footer. `damage` says
    /// what is wrong with the rows of chunks, by their numbers among those that came.
    ///
    /// # Errors
    /// [`Kind::File`] if it cannot be read, [`Kind::Requirement`] if its manifest needs more
    /// memory.
    pub fn finish(mut self, damage: HashMap<usize, String>) -> Result<Passed> {
        while self.next_chunk()?.is_some() {}
        let records_end = self.input.position();
        let tables = self.manifest().map(|manifest| manifest.tables.len() as u64);
        let section = match (self.index_offset, tables) {
            (Some(_), Some(tables)) => {
                // Where chunks were lost, the index may list them all the same.
                let chunks =
                    self.arrived.len() as u64 + self.lost_bytes / header_bytes(Format::One, 0);
                self.input.take_vec(index::section_bytes(chunks, tables) + TAIL_BYTES, "index")?
            }
            _ => Vec::new(),
        };
        self.input.skip(u64::MAX)?;
        match self.frame(&section) {
            Ok((header, footer, index, root)) => {
                let Self { name, memory_max, manifest, arrived, ends, breaks, .. } = self;
                let archive = Archive {
                    header,
                    manifest: manifest?,
                    index,
                    footer,
                    name,
                    memory_max,
                    source: (),
                };
                Ok(Passed::Whole(Box::new(Whole { archive, arrived, ends, breaks, damage, root })))
            }
            Err(error) => {
                let error = error.within(format!("open {}", self.name));
                if error.kind() != Kind::Archive {
                    return Err(error);
                }
                Ok(Passed::Broken(error, Box::new(self.survey(records_end, &damage))))
            }
        }
    }

    /// What [`Archive::open`] reads and checks, in its order.
    fn frame(&self, section: &[u8]) -> Result<(Header, Footer, Index, Root)> {
        let header = Header::decode(&self.start)?;
        let footer = Footer::decode(header.format(), self.input.tail())?;
        check_places(&header, &footer, self.input.position())?;
        let manifest = self.manifest.as_ref().map_err(again)?;
        if footer.manifest_bytes != self.manifest_bytes {
            let cause =
                format!("it has {} bytes, expected {}", self.manifest_bytes, footer.manifest_bytes);
            return Err(damaged("read the manifest", cause));
        }
        let at = self
            .index_offset
            .and_then(|start| footer.index_offset.checked_sub(start))
            .and_then(|at| usize::try_from(at).ok());
        let section = at.and_then(|at| section.get(at..)?.get(..footer.index_bytes as usize));
        let Some(section) = section else {
            return Err(damaged("read the index", "there is no index here"));
        };
        let chunks_start = footer.manifest_offset + footer.manifest_bytes;
        let index =
            Index::decode(header.format(), section, manifest, chunks_start, footer.index_offset)?;
        check_totals(&footer, &index)?;
        let root = self.root.clone().update(section).finalize().into();
        Ok((header, footer, index, root))
    }

    /// The same as [`survey::survey`] finds in a file.
    fn survey(self, records_end: u64, damage: &HashMap<usize, String>) -> Survey {
        let header = Header::decode(&self.start);
        let chunks_end = self
            .breaks
            .first()
            .map(|first| first.offset)
            .or(self.index_offset)
            .unwrap_or(records_end);
        let before =
            self.arrived.iter().enumerate().take_while(|(_, chunk)| chunk.offset < chunks_end);
        let chunks = before
            .map(|(number, chunk)| SurveyedChunk {
                entry: chunk.entry(),
                damage: damage.get(&number).cloned(),
            })
            .collect();
        let footer = survey::footer(&header, self.input.tail());
        Survey {
            total_bytes: self.input.position(),
            is_foreign: header::is_foreign(&self.start),
            header,
            manifest: self.manifest,
            footer,
            chunks,
            chunks_end,
        }
    }
}

impl Arrived {
    fn entry(&self) -> IndexEntry {
        let header = &self.header;
        let stored_bytes = self.header_bytes.saturating_add(header.body_bytes);
        let (table, rows, raw_bytes, digest) =
            (TableId(header.table), header.rows, header.raw_bytes, header.digest);
        IndexEntry {
            table,
            part: 0,
            offset: self.offset,
            stored_bytes,
            raw_bytes,
            rows,
            digest,
            header_blake3: self.header_blake3,
        }
    }
}

impl Whole {
    /// Compares a chunk of the index with all that was seen: that it did not come, or not as the
    /// index says, or not intact.
    pub fn check_chunk(&self, number: usize) -> Result<()> {
        let Some(entry) = self.archive.index.chunks.get(number) else { return Err(none_here()) };
        if let Ok(at) = self.arrived.binary_search_by_key(&entry.offset, |chunk| chunk.offset) {
            let chunk = &self.arrived[at];
            self.archive.compare(number as u64, entry, &chunk.header, || chunk.header_blake3)?;
            return self.damage.get(&at).map_or(Ok(()), |cause| Err(damaged("check it", cause)));
        }
        let head = self
            .breaks
            .iter()
            .find(|one| one.offset == entry.offset)
            .map_or(&[][..], |one| &one.head);
        let head = &head[..head.len().min(self.archive.header_bytes(entry) as usize)];
        Err(chunk::decode(self.archive.header.format(), head).err().unwrap_or_else(none_here))
    }

    /// The same as [`Archive::check_root`] of a file.
    pub fn check_root(&self) -> Result<()> {
        self.archive.compare_root(self.root)?;
        self.archive.compare_ends(|offset| {
            match self.ends.binary_search_by_key(&offset, |(place, _)| *place) {
                Ok(at) => self.ends[at].1.as_ref().copied().map_err(again),
                Err(_) => TableEnd::decode(&[]),
            }
        })
    }
}

fn none_here() -> Error {
    damaged("read the chunk's header", "there is no chunk here")
}

/// The same error once more.
fn again(error: &Error) -> Error {
    let same = Error::new(error.kind(), error.doing(), error.cause());
    match error.hint_text() {
        Some(hint) => same.hint(hint),
        None => same,
    }
}
