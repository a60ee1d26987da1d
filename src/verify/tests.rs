use super::*;
use crate::archive::Codec;
use crate::progress::Silent;

fn verify(bytes: &[u8]) -> Result<Report> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sbk");
    std::fs::write(&path, bytes).unwrap();
    run(&path, &Silent)
}

#[test]
fn an_intact_archive_has_no_findings() {
    let report = verify(&testing::archive(3, Codec::Zstd(1))).unwrap();
    assert!(report.ok && report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!((report.totals.tables, report.totals.chunks, report.totals.rows), (2, 3, 300));
    let names: Vec<_> = report.tables.iter().map(|table| (table.name.as_str(), table.rows, table.ok)).collect();
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
    assert!(matches!(chunks[..], [Place::Chunk { .. }, Place::Chunk { .. }]), "{:?}", report.findings);
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

#[test]
fn a_file_that_is_no_archive_is_a_finding() {
    for bytes in [&b""[..], b"hello", &[0; 5000]] {
        let report = verify(bytes).unwrap();
        assert!(!report.ok && !report.findings.is_empty() && report.tables.is_empty(), "{:?}", report.findings);
        assert_eq!(report.totals.file_bytes, bytes.len() as u64);
    }
}

#[test]
fn a_broken_archive_is_reported_as_far_as_it_goes() {
    let bytes = testing::archive(3, Codec::Zstd(1));
    let archive = Archive::open(bytes.clone(), "test").unwrap();
    let text = |report: &Report| report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    // Cut within the last chunk.
    let report = verify(&bytes[..archive.index.chunks[2].offset as usize + 9]).unwrap();
    assert_eq!((report.ok, report.totals.chunks, report.tables[1].rows, report.tables[1].ok), (false, 2, 200, false));
    assert!(text(&report).contains("cut short") && text(&report).contains("after 2 chunks, at byte "), "{}", text(&report));
    // The index is damaged, and a chunk.
    let mut damaged = bytes.clone();
    damaged[archive.footer.index_offset as usize + 30] ^= 1;
    damaged[(archive.index.chunks[2].offset + archive.index.chunks[2].stored_bytes - 1) as usize] ^= 1;
    // A table's end says nothing that its chunks do not.
    damaged[archive.index.ends[1] as usize + 50] ^= 1;
    let report = verify(&damaged).unwrap();
    assert_eq!((report.totals.chunks, report.findings.len()), (2, 2), "{}", text(&report));
    assert!(text(&report).contains("read the index") && text(&report).contains("chunk 2 (of public.routes"), "{}", text(&report));
    assert!(report.root.is_some() && report.id.is_some());
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let error = run(Path::new("/nonexistent/x.sbk"), &Silent).unwrap_err();
    assert_eq!(error.kind(), Kind::File);
}
