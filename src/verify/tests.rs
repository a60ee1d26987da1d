use std::collections::HashSet;

use uuid::Uuid;

use super::*;
use crate::archive::manifest::TableId;
use crate::archive::{ArchiveWriter, Codec, encode_chunk};
use crate::progress::Silent;

fn verify(bytes: &[u8]) -> Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sbk");
    std::fs::write(&path, bytes).unwrap();
    run(Source::open(&path).unwrap(), &Limits::default(), &Silent)
}

#[test]
fn an_intact_archive_has_no_findings() {
    let report = verify(&testing::archive(3, Codec::Zstd(1))).unwrap();
    assert!(report.ok && report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!((report.totals.tables, report.totals.chunks, report.totals.rows), (2, 3, 300));
    let names: Vec<_> =
        report.tables.iter().map(|table| (table.name.as_str(), table.rows, table.ok)).collect();
    assert_eq!(names, [("public.services", 0, true), ("public.routes", 300, true)]);
    assert!(report.root.is_some() && report.totals.file_bytes > 0);
}

#[test]
fn all_damaged_chunks_are_named() {
    let mut bytes = testing::archive(3, Codec::Zstd(1));
    let archive = Archive::open(bytes.clone(), "test").unwrap();
    for chunk in [0, 2] {
        let entry = archive.index.chunks[chunk];
        bytes[(entry.offset + entry.stored_bytes - 1) as usize] ^= 1;
    }
    let report = verify(&bytes).unwrap();
    let chunks: Vec<_> = report.findings.iter().map(|finding| &finding.place).collect();
    assert!(
        matches!(chunks[..], [Place::Chunk { .. }, Place::Chunk { .. }]),
        "{:?}",
        report.findings
    );
    assert_eq!((report.ok, report.totals.chunks, report.tables[1].ok), (false, 1, false));
}

#[test]
fn every_flipped_byte_and_every_cut_is_found() {
    let bytes = testing::archive(2, Codec::Zstd(1));
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        assert!(finds(&flipped), "byte {at} flipped");
    }
    for length in 0..bytes.len() {
        assert!(finds(&bytes[..length]), "cut to {length} bytes");
    }
}

/// Whether something is found, in memory: files would make it slow.
fn finds(bytes: &[u8]) -> bool {
    match Archive::open(bytes.to_vec(), "test") {
        Ok(archive) => !check(&archive, &Silent).is_ok_and(|report| report.ok),
        Err(error) => error.kind() == Kind::Archive || error.kind() == Kind::Requirement,
    }
}

/// What is said of a file and of a stream of the same bytes, which is the same.
fn both(bytes: &Vec<u8>, what: &str) -> Result<String> {
    let file = match Archive::open(bytes, "test") {
        Ok(archive) => check(&archive, &Silent),
        Err(error) if error.kind() == Kind::Archive => {
            Ok(broken::survey_and_check(bytes, "test", &error, 0, &Silent))
        }
        Err(error) => Err(error),
    };
    let stream = in_order::check(&bytes[..], "test", 0, &Silent);
    let told =
        |result: &Result<Report>| match result {
            Ok(report) => {
                let mut report = report.clone();
                // The root of format 1 covers headers, of which a stream knows no more where they
                // cannot be recognised.
                for finding in report.findings.iter_mut().filter(|finding| {
                    bytes.get(8) == Some(&1) && finding.what.contains("root of test")
                }) {
                    finding.what = "the root".to_owned();
                }
                serde_json::to_string_pretty(&report).unwrap()
            }
            Err(error) => error.to_string(),
        };
    assert_eq!(told(&stream), told(&file), "{what}");
    stream.map(|report| {
        report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })
}

const FORMAT_1: &[u8] = include_bytes!("../../format-spec/vectors/zstd.sbk");

#[test]
fn a_stream_is_told_what_a_file_is_told() {
    for bytes in [
        testing::archive(3, Codec::Zstd(1)),
        testing::archive(3, Codec::None),
        testing::archive(0, Codec::None),
        FORMAT_1.to_vec(),
    ] {
        assert_eq!(both(&bytes, "intact").unwrap(), "");
        // Here and there where there are rows to decode; everywhere where there are none.
        let stride = if Archive::open(&bytes, "test").unwrap().index.chunks.is_empty() {
            1
        } else {
            1 + bytes.len() / 80
        };
        for at in (0..bytes.len()).step_by(stride) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(
                both(&flipped, &format!("byte {at} flipped"))
                    .map_or(true, |found| !found.is_empty())
            );
        }
        for length in (0..bytes.len()).step_by(stride * 2) {
            let found = both(&bytes[..length].to_vec(), &format!("cut to {length} bytes")).unwrap();
            assert!(
                found.contains("cut") || found.contains("empty"),
                "cut to {length} bytes: {found}"
            );
        }
        for at in (0..bytes.len()).step_by(stride * 5) {
            both(&[&bytes[..at], b"x", &bytes[at..]].concat(), &format!("a byte put in at {at}"))
                .unwrap();
            both(&[&bytes[..at], &bytes[at + 1..]].concat(), &format!("a byte taken out at {at}"))
                .unwrap();
        }
        for more in [1, 200, 70_000] {
            let found =
                both(&[&bytes[..], &vec![0; more]].concat(), "bytes after the end").unwrap();
            assert!(found.contains("follow the end") || more > 60_000, "{found}");
        }
        both(&[&bytes[..], &bytes].concat(), "twice").unwrap();
        let half = bytes.len() / 2;
        both(&[&bytes[half..], &bytes[..half]].concat(), "its halves exchanged").unwrap();
    }
}

#[test]
fn a_stranger_in_a_stream_is_called_what_it_is_called_in_a_file() {
    let strangers: [&[u8]; 6] = [
        b"",
        b"PGDMP\x01\x0e",
        b"\x1f\x8b\x08\0",
        b"-- a script\n",
        &[0; 5000],
        b"\x89SBK\n\x1a\n",
    ];
    for stranger in strangers {
        assert!(!both(&stranger.to_vec(), "a stranger").unwrap().is_empty());
        assert!(!both(&stranger.repeat(9000), "a long stranger").unwrap().is_empty());
    }
}

/// Several chunks at a time are damaged, so that what follows them must be found again.
#[test]
fn a_damaged_header_hides_nothing_that_follows() {
    for (bytes, chunks) in
        [(testing::archive(6, Codec::None), [0, 3, 5]), (FORMAT_1.to_vec(), [0, 2, 2])]
    {
        let archive = Archive::open(bytes.clone(), "test").unwrap();
        let mut damaged = bytes;
        for chunk in chunks {
            damaged[archive.index.chunks[chunk].offset as usize + 60] = 0xa5;
        }
        let found = both(&damaged, "three headers").unwrap();
        let expected = HashSet::from(chunks).len() + usize::from(archive.header.version == 1);
        assert_eq!(found.lines().count(), expected, "{found}");
    }
}

/// A value that looks like a record is none, though the header before it is damaged.
#[test]
fn values_that_look_like_records_are_none() {
    let uuid = Uuid::from_u128(7);
    let mut writer =
        ArchiveWriter::new(Vec::new(), uuid, &testing::manifest(), Codec::None).unwrap();
    for chunk in 0..3 {
        let marks =
            ["SBKCHNK2", "SBKCHUNK", "SBKTBEND", "SBKINDX2", "SBKINDEX", "SBK", "SBKSBKSBK"];
        // Long enough that each lies at some edge of what is looked at.
        let rows =
            (0..4000).map(|row| format!("{chunk}\t{}{}\n", marks[row % 7], "x".repeat(row % 211)));
        let raw = rows.collect::<String>().into_bytes().into();
        writer
            .write_chunk(
                &encode_chunk(
                    uuid,
                    TableId(1),
                    RowEncoding::Text,
                    2,
                    &raw,
                    Codec::None,
                    Vec::new(),
                )
                .unwrap()
                .0,
            )
            .unwrap();
    }
    writer.end_tables().unwrap();
    let mut bytes = writer.finish().unwrap().0;
    let index = Archive::open(bytes.clone(), "test").unwrap().index;
    bytes[index.chunks[1].offset as usize + 60] ^= 1;
    assert_eq!(both(&bytes, "a header").unwrap().lines().count(), 1);
    bytes[index.chunks[0].offset as usize] ^= 1;
    bytes[index.chunks[2].offset as usize + 100] ^= 1;
    bytes[index.ends[0] as usize] ^= 1;
    assert_eq!(both(&bytes, "three headers and a table's end").unwrap().lines().count(), 4);
}

#[test]
fn a_stream_that_cannot_be_read_is_an_error() {
    /// Breaks off with an error, as a socket may.
    struct Torn(Vec<u8>);
    impl std::io::Read for Torn {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            let bytes = buf.len().min(self.0.len());
            buf[..bytes].copy_from_slice(&self.0[..bytes]);
            self.0.drain(..bytes);
            Ok(bytes)
        }
    }
    let bytes = testing::archive(3, Codec::None);
    for length in (0..bytes.len()).step_by(100) {
        let error = in_order::check(Torn(bytes[..length].to_vec()), "standard input", 0, &Silent)
            .unwrap_err();
        assert_eq!(error.kind(), Kind::File);
        assert!(error.to_string().starts_with("read standard input: "), "{error}");
    }
}

#[test]
fn a_file_that_is_no_archive_is_a_finding() {
    for bytes in [&b""[..], b"hello", &[0; 5000]] {
        let report = verify(bytes).unwrap();
        assert!(
            !report.ok && !report.findings.is_empty() && report.tables.is_empty(),
            "{:?}",
            report.findings
        );
        assert_eq!(report.totals.file_bytes, bytes.len() as u64);
    }
}

#[test]
fn a_broken_archive_is_reported_as_far_as_it_goes() {
    let bytes = testing::archive(3, Codec::Zstd(1));
    let archive = Archive::open(bytes.clone(), "test").unwrap();
    let text = |report: &Report| {
        report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    // Cut within the last chunk.
    let report = verify(&bytes[..archive.index.chunks[2].offset as usize + 9]).unwrap();
    assert_eq!(
        (report.ok, report.totals.chunks, report.tables[1].rows, report.tables[1].ok),
        (false, 2, 200, false)
    );
    assert!(
        text(&report).contains("cut short") && text(&report).contains("after 2 chunks, at byte "),
        "{}",
        text(&report)
    );
    // The index is damaged, and a chunk.
    let mut damaged = bytes.clone();
    damaged[archive.footer.index_offset as usize + 30] ^= 1;
    damaged
        [(archive.index.chunks[2].offset + archive.index.chunks[2].stored_bytes - 1) as usize] ^= 1;
    // A table's end says nothing that its chunks do not.
    damaged[archive.index.ends[1] as usize + 50] ^= 1;
    let report = verify(&damaged).unwrap();
    assert_eq!((report.totals.chunks, report.findings.len()), (2, 2), "{}", text(&report));
    assert!(
        text(&report).contains("read the index")
            && text(&report).contains("chunk 2 (of public.routes"),
        "{}",
        text(&report)
    );
    assert!(report.root.is_some() && report.id.is_some());
}
