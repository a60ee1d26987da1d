//! Archives whose checksums are right and whose content is not: exchanged, repeated, left out, out
//! of bounds, bombs.

use uuid::Uuid;

use super::super::chunk::header_bytes;
use super::super::codec::seal;
use super::super::footer::Footer;
use super::super::header::Format;
use super::super::table_end::TableEnd;
use super::super::testing::{ARCHIVE, TABLES, manifest, read_all, small, write};
use super::super::{Archive, Codec, Index};
use crate::archive::manifest::{ObjectId, TableId};
use crate::archive::statistics::Statistics;
use crate::error::{Error, Kind};

/// An archive in parts, to be put together again with every checksum outside the chunks made right.
pub(super) struct Parts {
    pub(super) header: Vec<u8>,
    pub(super) section: Vec<u8>,
    pub(super) chunks: Vec<Vec<u8>>,
    pub(super) index: Index,
    pub(super) archive: Uuid,
    /// The ends of tables, where they are not what the index makes them.
    pub(super) ends: Vec<(usize, TableEnd)>,
    /// Whether the hashes of chunk headers stay as they are in the index.
    pub(super) keeps_hashes: bool,
}

impl Parts {
    fn of(archive: Uuid) -> Self {
        let (bytes, _) = write(Vec::new(), archive, Codec::None).expect("a small archive");
        let read = Archive::open(bytes.clone(), "test").expect("it was just written");
        let chunk = |entry: &super::super::IndexEntry| {
            bytes[entry.offset as usize..][..entry.stored_bytes as usize].to_vec()
        };
        Self {
            header: bytes[..64].to_vec(),
            section: bytes[64..64 + read.footer.manifest_bytes as usize].to_vec(),
            chunks: read.index.chunks.iter().map(chunk).collect(),
            index: read.index,
            archive,
            ends: Vec::new(),
            keeps_hashes: false,
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        let heads = [&self.header[..], &self.section].concat();
        let mut root = blake3::Hasher::new();
        root.update(&heads);
        let mut offset = heads.len() as u64;
        self.index
            .tables
            .iter_mut()
            .for_each(|table| *table = super::super::TableTotals::default());
        for (entry, chunk) in self.index.chunks.iter_mut().zip(&self.chunks) {
            (entry.offset, entry.stored_bytes) = (offset, chunk.len() as u64);
            offset += entry.stored_bytes;
            let columns = TABLES.get(entry.table.0 as usize).map_or(0, |table| table.2);
            if !self.keeps_hashes {
                entry.header_blake3 =
                    blake3::hash(&chunk[..header_bytes(Format::Two, columns) as usize]).into();
            }
            if let Some(table) = self.index.tables.get_mut(entry.table.0 as usize) {
                table.add(entry);
            }
        }
        let mut ends = Vec::new();
        for (place, &totals) in self.index.tables.iter().enumerate() {
            self.index.ends[place] = offset;
            let honest = TableEnd { archive: self.archive, table: TableId(place as u32), totals };
            let forged = self.ends.iter().find(|(table, _)| *table == place).map(|(_, end)| *end);
            ends.extend(forged.unwrap_or(honest).encode());
            offset += TableEnd::BYTES as u64;
        }
        let index = self.index.encode();
        root.update(&index);
        let footer = Footer {
            manifest_offset: 64,
            manifest_bytes: self.section.len() as u64,
            index_offset: offset,
            index_bytes: index.len() as u64,
            chunks: self.index.chunks.len() as u64,
            rows: self.index.chunks.iter().map(|chunk| chunk.rows).sum(),
            raw_bytes: self.index.chunks.iter().map(|chunk| chunk.raw_bytes).sum(),
            total_bytes: (offset as usize + index.len() + Footer::BYTES) as u64,
            root: root.finalize().into(),
            archive: self.archive,
        };
        [&heads[..], &self.chunks.concat(), &ends, &index, &footer.encode()].concat()
    }
}

pub(super) fn check(change: impl FnOnce(&mut Parts), expect: &str) -> Error {
    let mut parts = Parts::of(ARCHIVE);
    change(&mut parts);
    let error = read_all(parts.bytes()).expect_err(expect);
    assert!(error.to_string().contains(expect), "{error}");
    error
}

#[test]
fn parts_put_together_unchanged_are_the_archive() {
    assert_eq!(Parts::of(ARCHIVE).bytes(), small(Codec::None).expect("a small archive").0);
}

#[test]
fn exchanged_repeated_and_foreign_chunks_are_found() {
    check(|parts| parts.chunks.swap(0, 2), "");
    let other_hash = |parts: &mut Parts| {
        parts.index.chunks[0].header_blake3[0] ^= 1;
        parts.keeps_hashes = true;
    };
    check(other_hash, "the hash of its header is not what the index says");
    check(
        |parts| {
            parts.chunks.push(parts.chunks[0].clone());
            parts.index.chunks.push(parts.index.chunks[0]);
        },
        "chunk 3 is there twice",
    );
    let mut foreign = Parts::of(Uuid::from_u128(1));
    check(|parts| parts.chunks[0] = foreign.chunks.remove(0), "it belongs to another archive");
}

#[test]
fn a_chunks_place_has_no_meaning() {
    let mut parts = Parts::of(ARCHIVE);
    parts.chunks.swap(0, 2);
    parts.index.chunks.swap(0, 2);
    assert_eq!(read_all(parts.bytes()).expect("another order of the same").len(), 3);
}

#[test]
fn a_table_end_that_does_not_fit_is_refused() {
    let honest = |parts: &Parts| TableEnd {
        archive: ARCHIVE,
        table: TableId(0),
        totals: parts.index.tables[0],
    };
    let changes: [fn(&mut TableEnd); 7] = [
        |end| end.archive = Uuid::from_u128(1),
        |end| end.table = TableId(1),
        |end| end.totals.chunks += 1,
        |end| end.totals.rows += 1,
        |end| end.totals.raw_bytes += 1,
        |end| end.totals.stored_bytes += 1,
        |end| end.totals.digest.0 ^= 1,
    ];
    for change in changes {
        check(
            |parts| {
                let mut end = honest(parts);
                change(&mut end);
                parts.ends.push((0, end));
            },
            "it is not what the index says",
        );
    }
}

#[test]
fn a_table_end_has_one_place() {
    let manifest = manifest(&TABLES);
    let (bytes, _) = small(Codec::None).expect("a small archive");
    let archive = Archive::open(bytes, "test").expect("it was just written");
    let (start, end) = (archive.index.chunks[0].offset, archive.footer.index_offset);
    let refuse = |change: fn(&mut Index), expect: &str| {
        let mut index = archive.index.clone();
        change(&mut index);
        let error = Index::decode(Format::Two, &index.encode(), &manifest, start, end)
            .expect_err(expect)
            .to_string();
        assert!(error.contains(expect), "{error}");
    };
    refuse(|index| index.ends[0] = index.ends[1], "expected");
    refuse(|index| index.ends[2] += 1, "the end of table 2 is at");
    refuse(|index| index.ends[0] = index.chunks[1].offset, "expected");
    refuse(
        |index| {
            let moved = TableEnd::BYTES as u64;
            index.ends[0] = index.chunks[2].offset;
            index.chunks[2].offset += moved;
        },
        "chunk 2 follows the end of its table",
    );
}

#[test]
fn the_root_shows_an_exchanged_part() {
    let (bytes, _) = small(Codec::None).expect("a small archive");
    let mut parts = Parts::of(ARCHIVE);
    // A last chunk left out, with an index made for it, and the footer's old root.
    parts.chunks.pop();
    parts.index.chunks.pop();
    let mut forged = parts.bytes();
    let at = forged.len() - Footer::BYTES;
    let old = bytes.len() - Footer::BYTES;
    forged[at + 64..at + 96].copy_from_slice(&bytes[old + 64..old + 96]);
    reseal_footer(&mut forged);
    let archive = Archive::open(forged, "test").expect("all else agrees");
    let error = archive.check_root().expect_err("another root");
    assert!(error.to_string().contains("check the root of test"), "{error}");
}

fn reseal_footer(archive: &mut [u8]) {
    let at = archive.len() - Footer::BYTES;
    let mut footer = archive[at..at + 132].to_vec();
    seal(&mut footer, 0);
    archive[at..at + 136].copy_from_slice(&footer);
}

#[test]
fn sections_that_are_kept_for_later_are_refused() {
    for (at, expect) in [
        (112, "sections that format 2 has not"),
        (120, "sections that format 2 has not"),
        (128, "reserved"),
    ] {
        let (mut bytes, _) = small(Codec::None).expect("a small archive");
        let footer = bytes.len() - Footer::BYTES;
        bytes[footer + at] = 1;
        reseal_footer(&mut bytes);
        let error = read_all(bytes).expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    }
}

#[test]
fn an_index_that_does_not_fit_is_refused() {
    check(|parts| parts.index.chunks[0].table = TableId(9), "which is not there");
    check(|parts| parts.index.chunks[0].part = 1, "there is only this file");
    check(|parts| parts.index.chunks[0].rows = 0, "has 0 rows");
    check(|parts| parts.index.chunks[0].raw_bytes = u64::MAX / 4, "rows of");
    check(|parts| parts.index.chunks[0].rows += 1, "its header is not what the index says");
    check(|parts| parts.index.chunks[0].digest.0 ^= 1, "its header is not what the index says");
    check(|parts| parts.index.tables.truncate(2), "it has 2 tables, the manifest 3");
    check(|parts| parts.archive = Uuid::from_u128(1), "it belongs to another archive");
}

#[test]
fn an_index_of_huge_counts_is_refused() {
    for (at, what) in [(8, "chunks"), (16, "tables")] {
        let mut index = Parts::of(ARCHIVE).index.encode();
        index.truncate(index.len() - 4);
        for huge in [1_u32, 1 << 20, u32::MAX] {
            index[at..at + 4].copy_from_slice(&huge.to_le_bytes());
            let mut sealed = index.clone();
            seal(&mut sealed, 0);
            Index::decode(Format::Two, &sealed, &manifest(&TABLES), 0, 0).expect_err(what);
        }
    }
}

/// Changes the header of the first chunk and makes its checksum right.
fn change_chunk(at: usize, bytes: &[u8], expect: &str) {
    let change = |parts: &mut Parts| {
        let head = header_bytes(Format::Two, 3) as usize;
        let chunk = &mut parts.chunks[0];
        let mut header = chunk[..head - 4].to_vec();
        header[at..at + bytes.len()].copy_from_slice(bytes);
        seal(&mut header, 0);
        chunk[..head].copy_from_slice(&header);
    };
    assert_eq!(check(change, expect).kind(), Kind::Archive);
}

#[test]
fn a_chunk_header_that_does_not_fit_is_refused() {
    change_chunk(52, &[0], "there is no row encoding 0");
    change_chunk(52, &[2], "");
    change_chunk(53, &[1], "reserved");
    change_chunk(54, &[4], "it says 4 columns and has room for 3");
    change_chunk(54, &[0xff, 0xff], "it says 65535 columns");
    change_chunk(56, &[0; 8], "it says 0 rows");
    change_chunk(56, &[0xff; 8], "which is too little");
    change_chunk(56, &[0xff; 2], "which is too little");
    change_chunk(64, &[0xff; 8], "the limit is");
    change_chunk(72, &[0xff; 8], "its blocks have");
    change_chunk(80, &[0xff; 16], "not what the index says");
    change_chunk(128, &[0xff; 4], "its rows' checksum");
    change_chunk(132, &[0xff; 4], "the checksum of its blocks");
    change_chunk(96, &[0xff; 4], "the hash of its blocks");
    // The first column: 16 bytes for each of two rows.
    change_chunk(136, &[6], "there is no form of lengths 6");
    change_chunk(138, &[2], "there is no codec 2");
    change_chunk(139, &[1], "a block of 32 bytes is stored in 32");
    change_chunk(137, &[7], "there is no transform 7");
    change_chunk(137, &[4], "transform 4 does not make such blocks");
    change_chunk(137, &[1], "its rows' checksum");
    change_chunk(140, &[15], "its lengths make 30 bytes, its data has 32");
    change_chunk(144, &[1], "a block of 0 bytes is stored in 1");
    change_chunk(148, &[0xff; 4], "is stored in 32");
    change_chunk(152, &[0xff; 4], "is stored in 4294967295");
    // The second: all NULL.
    change_chunk(156, &[1], "its rows' checksum");
    change_chunk(160, &[1], "a column's lengths are given twice");
}

#[test]
fn a_digest_that_is_not_the_rows_is_found() {
    let change = |parts: &mut Parts| {
        let head = header_bytes(Format::Two, 3) as usize;
        let mut header = parts.chunks[0][..head - 4].to_vec();
        header[80] ^= 1;
        parts.index.chunks[0].digest.0 ^= 1;
        seal(&mut header, 0);
        parts.chunks[0][..head].copy_from_slice(&header);
    };
    check(change, "its digest is");
}

fn statistics(id: u32) -> Statistics {
    Statistics { object: ObjectId(id), size: None, columns: Vec::new(), extended: Vec::new() }
}

#[test]
fn a_manifest_that_does_not_fit_is_refused() {
    let section = |change: fn(&mut super::super::manifest::Manifest)| {
        let mut manifest = manifest(&TABLES);
        change(&mut manifest);
        super::super::section::encode(&manifest, Codec::None)
            .expect_err("it does not fit")
            .to_string()
    };
    assert!(
        section(|manifest| manifest.objects[1].id = ObjectId(0))
            .contains("two objects have the number 0")
    );
    assert!(section(|manifest| manifest.tables[0].object = ObjectId(7)).contains("names object 7"));
    assert!(section(|manifest| manifest.tables[0].object = ObjectId(1)).contains("is there twice"));
    assert!(
        section(|manifest| manifest.objects[1].depends_on.push(ObjectId(8)))
            .contains("names object 8")
    );
    assert!(
        section(|manifest| manifest.objects[1].of = Some(ObjectId(9))).contains("names object 9")
    );
    assert!(
        section(|manifest| manifest.statistics = vec![statistics(7)]).contains("names object 7")
    );
    assert!(
        section(|manifest| manifest.statistics = vec![statistics(1), statistics(1)])
            .contains("its statistics twice")
    );
}

/// Changes the manifest section's prefix and makes its checksum right.
fn change_section(at: usize, bytes: &[u8], expect: &str) {
    let change = |parts: &mut Parts| {
        let mut prefix = parts.section[..36].to_vec();
        prefix[at..at + bytes.len()].copy_from_slice(bytes);
        seal(&mut prefix, 0);
        parts.section[..40].copy_from_slice(&prefix);
    };
    assert_eq!(check(change, expect).kind(), Kind::Archive);
}

#[test]
fn a_manifest_prefix_that_does_not_fit_is_refused() {
    change_section(0, b"x", "it does not begin as a manifest");
    change_section(8, &[1], "a block is not a zstd frame");
    change_section(8, &[9], "there is no codec 9");
    change_section(15, &[1], "it does not begin as a manifest");
    change_section(16, &[0xff; 8], "expected 18446744073709551615");
    change_section(24, &[0xff; 8], "the limit is 1073741824");
    change_section(24, &[1, 0, 0, 0], "expected 1");
    change_section(32, &[1, 0, 0, 0], "its checksum does not match");
}
