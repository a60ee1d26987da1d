//! What can still be read of an archive whose structure is broken: the parts one by one, then chunk
//! after chunk from the first on.
//!
//! Nothing that is found here may be restored: only an index says which chunks there are.

use bytes::Bytes;

use super::chunk::{self, ChunkHeader, header_bytes};
use super::decode::StoredChunk;
use super::error::damaged;
use super::footer::Footer;
use super::header::{self, Format, Header};
use super::index::IndexEntry;
use super::limits::{COLUMNS_MAX, ROWS_MEMORY_BYTES};
use super::manifest::{Manifest, TableId};
use super::read_at::ReadAt;
use super::reader::{TAIL_BYTES, check_body, read};
use super::section;
use super::table_end::{self, TableEnd};
use crate::error::{Error, Result};

/// The parts of a broken archive, each on its own.
#[derive(Debug)]
pub struct Survey {
    /// The file's bytes.
    pub total_bytes: u64,
    /// Whether its first bytes are of something else than an archive.
    pub is_foreign: bool,
    /// What it is.
    pub header: Result<Header>,
    /// The schema and the tables; found behind the header, without the footer's help.
    pub manifest: Result<Manifest>,
    /// Where everything should be.
    pub footer: Result<Footer>,
    /// The chunks that follow the manifest, up to the first place where neither a chunk nor a
    /// table's end can be recognised.
    pub chunks: Vec<SurveyedChunk>,
    /// Where that is; an index or the end of the file should be there.
    pub chunks_end: u64,
}

/// A chunk that says of itself what it is.
#[derive(Clone, Debug)]
pub struct SurveyedChunk {
    /// Where it is and what it says it holds.
    pub entry: IndexEntry,
    /// What is wrong with it.
    pub damage: Option<String>,
}

/// Reads whatever can be read, one chunk in memory at a time. `seen` is told of each chunk.
pub fn survey<R: ReadAt>(
    source: &R,
    max_memory: u64,
    mut seen: impl FnMut(&SurveyedChunk),
) -> Result<Survey> {
    let total_bytes =
        source.total_bytes().map_err(|error| Error::file("ask for its size", error))?;
    let start = read(source, 0, total_bytes.min(Header::BYTES as u64), "header");
    let is_foreign = start.as_ref().is_ok_and(|bytes| header::is_foreign(bytes));
    let header = start.and_then(|bytes| Header::decode(&bytes));
    let tail = total_bytes.min(TAIL_BYTES);
    let footer =
        read(source, total_bytes - tail, tail, "footer").and_then(|bytes| footer(&header, &bytes));
    let start = Header::BYTES as u64;
    let manifest_bytes = read_within(source, start, section::PREFIX_BYTES as u64, total_bytes)
        .and_then(|prefix| section::bytes(&prefix));
    let mut chunks = Vec::new();
    let mut chunks_end = start;
    let manifest = manifest_bytes.and_then(|bytes| {
        chunks_end = start.saturating_add(bytes);
        section::decode(&read_within(source, start, bytes, total_bytes)?, max_memory)
    });
    loop {
        if is_table_end(source, chunks_end, total_bytes) {
            chunks_end += TableEnd::BYTES as u64;
            continue;
        }
        let Some((header_bytes, header_blake3, header, columns)) =
            chunk_header(source, chunks_end, total_bytes)
        else {
            break;
        };
        let body_offset = chunks_end + header_bytes;
        let body = read_within(source, body_offset, header.body_bytes, total_bytes);
        let damage = body
            .and_then(|body| check(header, columns, body.into(), max_memory))
            .err()
            .map(|error| error.cause().to_owned());
        let stored_bytes = (body_offset - chunks_end).saturating_add(header.body_bytes);
        let ChunkHeader { table, raw_bytes, rows, digest, .. } = header;
        let entry = IndexEntry {
            table: TableId(table),
            part: 0,
            offset: chunks_end,
            stored_bytes,
            raw_bytes,
            rows,
            digest,
            header_blake3,
        };
        let chunk = SurveyedChunk { entry, damage };
        seen(&chunk);
        chunks.push(chunk);
        chunks_end = chunks_end.saturating_add(stored_bytes).min(total_bytes);
    }
    Ok(Survey { total_bytes, is_foreign, header, manifest, footer, chunks, chunks_end })
}

/// The footer at the end of an archive's last bytes.
pub(super) fn footer(header: &Result<Header>, tail: &[u8]) -> Result<Footer> {
    match header {
        Ok(header) => Footer::decode(header.format(), tail),
        // A damaged header does not tell the format.
        Err(_) => Footer::decode(Format::Two, tail)
            .or_else(|error| Footer::decode(Format::One, tail).map_err(|_| error)),
    }
}

/// What is to be read lies beyond the end.
pub(super) fn cut_short(total: u64) -> Error {
    damaged("read a part", format!("the archive is cut short, at byte {total}"))
}

/// Whether a table's end is here, damaged or not: it says nothing that its chunks do not.
fn is_table_end<R: ReadAt>(source: &R, offset: u64, total: u64) -> bool {
    read_within(source, offset, TableEnd::BYTES as u64, total)
        .is_ok_and(|bytes| bytes.starts_with(&table_end::MAGIC))
}

/// A chunk's header, if there is one that is intact, with its size and hash.
fn chunk_header<R: ReadAt>(
    source: &R,
    offset: u64,
    total: u64,
) -> Option<(u64, [u8; 32], ChunkHeader, Vec<chunk::ColumnBlocks>)> {
    let start = read_within(source, offset, header_bytes(Format::One, 0), total).ok()?;
    let (format, columns) = chunk::begins(&start)?;
    if columns > COLUMNS_MAX {
        return None;
    }
    let bytes = header_bytes(format, columns);
    let head = read_within(source, offset, bytes, total).ok()?;
    let (header, columns) = chunk::decode(format, &head).ok()?;
    Some((bytes, blake3::hash(&head).into(), header, columns))
}

fn check(
    header: ChunkHeader,
    columns: Vec<chunk::ColumnBlocks>,
    body: Bytes,
    max_memory: u64,
) -> Result<()> {
    check_body(&header, &body)?;
    let (memory_max, room) = (max_memory.max(ROWS_MEMORY_BYTES), Bytes::new());
    StoredChunk { header, columns, body, memory_max, room }.check().map(drop)
}

/// Reads what of a broken archive lies within the file. A length is believed only as far as the
/// file reaches.
fn read_within<R: ReadAt>(source: &R, offset: u64, bytes: u64, total: u64) -> Result<Vec<u8>> {
    match offset.checked_add(bytes) {
        Some(end) if end <= total => read(source, offset, bytes, "part"),
        _ => Err(cut_short(total)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::RowEncoding;
    use crate::archive::testing;
    use crate::archive::{ArchiveWriter, Codec, encode_chunk};

    /// Three chunks of one table.
    fn sample() -> Vec<u8> {
        let manifest = testing::manifest(&[("rows", RowEncoding::Text, 1)]);
        let mut writer = ArchiveWriter::new(Vec::new(), testing::ARCHIVE, &manifest, Codec::None)
            .expect("written");
        for _ in 0..3 {
            let rows = testing::text(&[&[Some(b"one")], &[Some(b"two")]]);
            let (chunk, _) = encode_chunk(
                testing::ARCHIVE,
                TableId(0),
                RowEncoding::Text,
                1,
                &rows,
                Codec::None,
                Vec::new(),
            )
            .expect("encoded");
            writer.write_chunk(&chunk).expect("written");
        }
        writer.end_tables().expect("written");
        writer.finish().expect("written").0
    }

    fn intact(bytes: &[u8]) -> usize {
        let survey = survey(&bytes.to_vec(), 0, |_| ()).expect("memory can be read");
        survey.chunks.iter().filter(|chunk| chunk.damage.is_none()).count()
    }

    #[test]
    fn what_stands_before_a_cut_is_found() {
        let bytes = sample();
        let whole = survey(&bytes, 0, |_| ()).expect("memory can be read");
        assert!(whole.header.is_ok() && whole.manifest.is_ok() && whole.footer.is_ok());
        assert_eq!(
            (whole.chunks.len(), whole.chunks_end),
            (3, whole.footer.expect("read").index_offset)
        );
        for length in 0..bytes.len() {
            let ends =
                whole.chunks.iter().map(|chunk| chunk.entry.offset + chunk.entry.stored_bytes);
            let expected = ends.filter(|end| *end <= length as u64).count();
            assert_eq!(intact(&bytes[..length]), expected, "cut to {length} bytes");
        }
    }

    #[test]
    fn a_flipped_byte_costs_no_more_than_it_must() {
        let bytes = sample();
        let chunks = survey(&bytes, 0, |_| ()).expect("memory can be read").chunks;
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let body = chunks.iter().any(|chunk| {
                let entry = chunk.entry;
                (entry.offset + header_bytes(Format::Two, 1)..entry.offset + entry.stored_bytes)
                    .contains(&(at as u64))
            });
            let behind = at as u64 >= chunks[2].entry.offset + chunks[2].entry.stored_bytes;
            let expected = if body { 2 } else { 3 };
            assert!(intact(&flipped) == expected || !(body || behind), "byte {at}");
        }
    }
}
