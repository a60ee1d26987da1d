//! Whole archives: written, read, cut, changed, exchanged.

mod bombs;
mod damage;
mod forgery;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

use super::manifest::{RowEncoding, TableId};
use super::testing::{ARCHIVE, TABLES, binary, chunks, manifest, read_all, small, text, write};
use super::{Archive, ArchiveWriter, Codec, encode_chunk};
use crate::error::Kind;
use crate::pgcopy::Digest;

type Rows = Vec<Vec<Option<Vec<u8>>>>;

fn tables() -> impl Strategy<Value = Vec<(usize, Vec<Rows>)>> {
    let value = prop_oneof![vec(b'a'..=b'c', 0..40), vec(b'0'..=b'9', 8), Just(vec![b'x'; 300])];
    let table = (1_usize..5).prop_flat_map(move |width| {
        let rows = vec(vec(proptest::option::weighted(0.7, value.clone()), width), 1..30);
        (Just(width), vec(rows, 0..4))
    });
    vec(table, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_archive_comes_back(tables in tables(), level in prop_oneof![Just(None), (-7..=5).prop_map(Some)], text_first: bool) {
        let codec = level.map_or(Codec::None, Codec::Zstd);
        let names: Vec<String> = (0..tables.len()).map(|table| format!("table{table}")).collect();
        let encoding = |table: usize| if table.is_multiple_of(2) == text_first { RowEncoding::Text } else { RowEncoding::Binary };
        let shapes: Vec<_> = names.iter().enumerate().map(|(table, name)| (name.as_str(), encoding(table), tables[table].0)).collect();
        let mut writer = ArchiveWriter::new(Vec::new(), ARCHIVE, &manifest(&shapes), codec).expect("a vector takes all");
        let (mut raws, mut totals) = (Vec::new(), Vec::new());
        for (table, (width, chunks)) in tables.iter().enumerate() {
            let mut digest = Digest::default();
            for rows in chunks {
                let rows: Vec<Vec<Option<&[u8]>>> = rows.iter().map(|row| row.iter().map(Option::as_deref).collect()).collect();
                let rows: Vec<_> = rows.iter().map(Vec::as_slice).collect();
                let raw = if encoding(table) == RowEncoding::Text { text(&rows) } else { binary(&rows) };
                let (chunk, _) = encode_chunk(ARCHIVE, TableId(table as u32), encoding(table), *width, &raw, codec, b"of an earlier chunk".to_vec()).expect("whole rows");
                prop_assert_eq!(chunk.rows(), rows.len() as u64);
                digest += chunk.digest();
                writer.write_chunk(&chunk).expect("a vector takes all");
                raws.push(raw);
            }
            totals.push(digest);
        }
        writer.end_tables().expect("every table is there");
        let (bytes, summary) = writer.finish().expect("a vector takes all");
        prop_assert_eq!(summary.tables.iter().map(|table| table.digest).collect::<Vec<_>>(), totals);
        prop_assert_eq!(read_all(bytes).expect("it was just written"), raws);
    }

    #[test]
    fn garbage_is_never_an_archive(bytes in vec(any::<u8>(), 0..400), keep in 0_usize..3) {
        let (whole, _) = small(Codec::None).expect("a small archive");
        // With a right header, with a right footer, with neither.
        let garbage = [&whole[..if keep == 1 { 64 } else { 0 }], &bytes, &whole[whole.len() - if keep == 2 { 144 } else { 0 }..]].concat();
        prop_assert_eq!(read_all(garbage).expect_err("garbage").kind(), Kind::Archive);
    }
}

const CODECS: [Codec; 2] = [Codec::None, Codec::Zstd(1)];

#[test]
fn an_archive_comes_back() {
    for codec in CODECS {
        let (bytes, summary) = small(codec).expect("a small archive");
        assert_eq!(summary.total_bytes, bytes.len() as u64);
        let archive = Archive::open(bytes.clone(), "test").expect("it was just written");
        assert_eq!(archive.header.archive, ARCHIVE);
        assert_eq!(archive.manifest, manifest(&TABLES));
        assert_eq!(archive.footer.root, summary.root);
        assert_eq!(archive.index.tables, summary.tables);
        assert_eq!((summary.chunks, summary.rows), (3, 5));
        assert_eq!(summary.tables.iter().map(|table| table.rows).collect::<Vec<_>>(), [3, 2, 0]);
        assert_eq!(summary.tables[2].digest, Digest(0));
        assert_eq!(read_all(bytes).expect("it was just written"), chunks().map(|(_, raw)| raw));
    }
}

#[test]
fn an_archive_without_tables_or_rows_comes_back() {
    for tables in [&TABLES[..], &[]] {
        let mut writer = ArchiveWriter::new(Vec::new(), ARCHIVE, &manifest(tables), Codec::Zstd(3))
            .expect("a vector takes all");
        writer.end_tables().expect("every table is there");
        let (bytes, summary) = writer.finish().expect("a vector takes all");
        assert_eq!((summary.chunks, summary.stored_bytes), (0, 0));
        assert!(read_all(bytes).expect("it was just written").is_empty());
    }
}

#[test]
fn the_trailer_is_reported_and_not_stored() {
    let (_, raw) = &chunks()[0];
    let ended = Bytes::from([&raw[..], b"\xff\xff"].concat());
    let encode = |raw| {
        encode_chunk(ARCHIVE, TableId(0), RowEncoding::Binary, 3, &raw, Codec::None, Vec::new())
            .expect("whole rows")
    };
    let ((ended, seen), (plain, unseen)) = (encode(ended), encode(raw.clone()));
    assert!(seen && !unseen);
    assert_eq!(
        (ended.raw_bytes(), ended.digest(), ended.stored_bytes()),
        (plain.raw_bytes(), plain.digest(), plain.stored_bytes())
    );
    let (alone, seen) = encode(Bytes::from_static(b"\xff\xff"));
    assert!(seen && alone.rows() == 0);
    let mut writer = ArchiveWriter::new(Vec::new(), ARCHIVE, &manifest(&TABLES), Codec::None)
        .expect("a vector takes all");
    writer.write_chunk(&alone).expect("it is left out");
    writer.end_tables().expect("every table is there");
    assert_eq!(writer.finish().expect("a vector takes all").1.chunks, 0);
}

#[test]
fn what_repeats_costs_nothing() {
    let row: &[Option<&[u8]>] = &[None, Some(b"01234567"), None];
    let rows: Vec<_> = std::iter::repeat_n(row, 10_000).collect();
    let (chunk, _) = encode_chunk(
        ARCHIVE,
        TableId(0),
        RowEncoding::Binary,
        3,
        &binary(&rows),
        Codec::Zstd(1),
        Vec::new(),
    )
    .expect("whole rows");
    assert!(chunk.stored_bytes() < 300, "{}", chunk.stored_bytes());
}

#[test]
fn what_does_not_shrink_is_stored() {
    let random: Vec<u8> = blake3::Hasher::new().finalize_xof().into_bytes(160_000);
    let values: Vec<[Option<&[u8]>; 1]> = random.chunks(16).map(|value| [Some(value)]).collect();
    let rows: Vec<&[Option<&[u8]>]> = values.iter().map(|row| &row[..]).collect();
    let (chunk, _) = encode_chunk(
        ARCHIVE,
        TableId(0),
        RowEncoding::Binary,
        1,
        &binary(&rows),
        Codec::Zstd(1),
        Vec::new(),
    )
    .expect("whole rows");
    assert_eq!(chunk.header.body_bytes, 160_000);
}

#[test]
fn a_large_row_comes_back() {
    let tables = [("wide", RowEncoding::Binary, 2), ("lines", RowEncoding::Text, 2)];
    let value = vec![b'v'; 9 << 20];
    let row: &[Option<&[u8]>] = &[Some(&value), None];
    for codec in CODECS {
        let mut writer = ArchiveWriter::new(Vec::new(), ARCHIVE, &manifest(&tables), codec)
            .expect("a vector takes all");
        let raws = [binary(&[row]), text(&[row])];
        for (table, raw) in raws.iter().enumerate() {
            let (chunk, _) = encode_chunk(
                ARCHIVE,
                TableId(table as u32),
                tables[table].1,
                2,
                raw,
                codec,
                b"of an earlier chunk".to_vec(),
            )
            .expect("a whole row");
            writer.write_chunk(&chunk).expect("a vector takes all");
        }
        writer.end_tables().expect("every table is there");
        let (bytes, _) = writer.finish().expect("a vector takes all");
        assert!(read_all(bytes).expect("it was just written") == raws);
    }
}

#[test]
fn the_limits_are_kept() {
    let half = vec![0; 33 << 20];
    let row: &[Option<&[u8]>] = &[Some(&half)];
    let encode = |rows: &[_]| {
        encode_chunk(
            ARCHIVE,
            TableId(0),
            RowEncoding::Binary,
            1,
            &binary(rows),
            Codec::None,
            Vec::new(),
        )
    };
    encode(&[row]).expect("one row may be large");
    let error = encode(&[row, row]).expect_err("two rows of 66 MiB");
    assert!(error.to_string().contains("the limit is 67108864 bytes"), "{error}");
    encode_chunk(
        ARCHIVE,
        TableId(0),
        RowEncoding::Binary,
        1601,
        &Bytes::new(),
        Codec::None,
        Vec::new(),
    )
    .expect_err("too many columns");
    let error = ArchiveWriter::new(
        Vec::new(),
        ARCHIVE,
        &manifest(&[("t", RowEncoding::Text, 1601)]),
        Codec::None,
    )
    .expect_err("as above");
    assert!(error.to_string().contains("the limit is 1600"), "{error}");
}

#[test]
fn a_chunk_that_does_not_fit_is_not_written() {
    let (table, raw) = chunks()[0].clone();
    let encode = |archive, table| {
        encode_chunk(archive, table, RowEncoding::Binary, 3, &raw, Codec::None, Vec::new())
            .expect("whole rows")
            .0
    };
    let mut writer = ArchiveWriter::new(Vec::new(), ARCHIVE, &manifest(&TABLES), Codec::None)
        .expect("a vector takes all");
    for chunk in [
        encode(Uuid::from_u128(1), table),
        encode(ARCHIVE, TableId(1)),
        encode(ARCHIVE, TableId(2)),
        encode(ARCHIVE, TableId(3)),
    ] {
        assert_eq!(
            writer.write_chunk(&chunk).expect_err("it does not fit").kind(),
            Kind::Unexpected
        );
    }
    writer.write_chunk(&encode(ARCHIVE, table)).expect("it fits");
    writer.end_tables().expect("every table is there");
    assert_eq!(writer.finish().expect("a vector takes all").1.chunks, 1);
}

/// Takes so many bytes and then fails.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let taken = buf.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_write_that_fails_at_any_byte_fails_the_archive() {
    let (bytes, _) = small(Codec::Zstd(1)).expect("a small archive");
    for room in 0..bytes.len() {
        let error = write(Full(room), ARCHIVE, Codec::Zstd(1))
            .map(|(_, summary)| summary)
            .expect_err("no room");
        assert_eq!(error.kind(), Kind::File);
        assert!(error.hint_text().is_some(), "{error}");
    }
    write(Full(bytes.len()), ARCHIVE, Codec::Zstd(1))
        .map(|(_, summary)| summary)
        .expect("just enough room");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_called_that() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let error = write(full, ARCHIVE, Codec::None).map(|(_, summary)| summary).expect_err("no room");
    assert_eq!(error.kind(), Kind::File);
    assert!(error.hint_text().is_some_and(|hint| hint.contains("free some space")), "{error}");
}

#[test]
fn after_a_failed_write_nothing_is_written() {
    let mut writer = ArchiveWriter::new(Full(4096), ARCHIVE, &manifest(&TABLES), Codec::None)
        .expect("it is buffered");
    let noise = blake3::Hasher::new().finalize_xof().into_bytes(1 << 20);
    let raw = binary(&[&[Some(&noise), None, None]]);
    let encode = || {
        encode_chunk(ARCHIVE, TableId(0), RowEncoding::Binary, 3, &raw, Codec::None, Vec::new())
            .expect("a whole row")
            .0
    };
    writer.write_chunk(&encode()).expect_err("no room");
    let error = writer.write_chunk(&encode()).expect_err("still no room");
    assert!(error.to_string().contains("an earlier write failed"), "{error}");
    writer.finish().map(|(_, summary)| summary).expect_err("never finished");
}

/// Makes many bytes of noise.
trait IntoBytes {
    fn into_bytes(self, bytes: usize) -> Vec<u8>;
}

impl IntoBytes for blake3::OutputReader {
    fn into_bytes(mut self, bytes: usize) -> Vec<u8> {
        let mut out = vec![0; bytes];
        self.fill(&mut out);
        out
    }
}
