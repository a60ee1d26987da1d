//! A real archive with every byte flipped, every length cut, bytes put in and taken out: always
//! found, never restored, no panic. And one that is written to an output that fails at any byte.

use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use silverback::archive::manifest::TableId;
use silverback::archive::{Archive, ArchiveWriter, Codec, encode_chunk};
use silverback::error::Kind;
use silverback::limits::Limits;
use silverback::pg::connect::Server;
use silverback::progress::Silent;
use silverback::storage::Source;
use silverback::{restore, verify};
use testkit::newest_server;
use uuid::Uuid;

use crate::invariants::{Scene, State, after_restore, clear_end};
use crate::support::{self, Silverback};

/// Nobody listens there.
const NOWHERE: &str = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1&sslmode=disable";

/// What a verification says of a file: nothing, or what is wrong with it.
fn findings(path: &Path) -> Vec<String> {
    match verify::run(Source::open(path).expect("the file is there"), &Limits::default(), &Silent) {
        Ok(report) => {
            assert_eq!(report.ok, report.findings.is_empty());
            report.findings.iter().map(ToString::to_string).collect()
        }
        Err(error) => {
            assert_eq!(error.kind(), Kind::Archive, "{error}");
            vec![error.to_string()]
        }
    }
}

/// Restores into a server that is not there: how far does it come?
struct Restorer {
    runtime: tokio::runtime::Runtime,
    server: Server,
}

impl Restorer {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        Self {
            runtime,
            server: Server::from_conninfo(NOWHERE).expect("the address is well-formed"),
        }
    }

    fn refusal(&self, path: &Path) -> Kind {
        let source = match Source::open(path) {
            Ok(source) => source,
            Err(error) => return error.kind(),
        };
        let options = restore::Options {
            limits: Limits { max_memory: Some(1 << 20), ..Limits::default() },
            ..restore::Options::default()
        };
        self.runtime
            .block_on(restore::run(source, &self.server, options, Arc::new(Silent)))
            .expect_err("there is no server")
            .kind()
    }
}

/// The bytes of chunks, which a restore checks one by one; everything else it checks before it
/// looks for the server.
fn chunks(whole: &[u8]) -> Vec<std::ops::Range<u64>> {
    let archive = Archive::open(whole.to_vec(), "whole").expect("it is intact");
    archive
        .index
        .chunks
        .iter()
        .map(|entry| entry.offset..entry.offset + entry.stored_bytes)
        .collect()
}

#[test]
fn every_flipped_byte_is_found_and_nothing_of_it_restored() {
    let scene = Scene::new(newest_server(), 5);
    let path = scene.archive();
    let whole = std::fs::read(&path).expect("the dump wrote it");
    let chunks = chunks(&whole);
    let restorer = Restorer::new();
    assert_eq!(findings(&path), [""; 0]);
    assert_eq!(restorer.refusal(&path), Kind::Connect);
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("it is ours");
    println!("{} bytes", whole.len());
    for (at, &byte) in whole.iter().enumerate() {
        let at = at as u64;
        file.write_all_at(&[byte ^ 1 << (at % 8)], at).expect("it is ours");
        assert_ne!(findings(&path), [""; 0], "byte {at}");
        let expected = if chunks.iter().any(|chunk| chunk.contains(&at)) {
            Kind::Connect
        } else {
            Kind::Archive
        };
        assert_eq!(restorer.refusal(&path), expected, "byte {at}");
        file.write_all_at(&[byte], at).expect("it is ours");
    }
    assert_eq!(findings(&path), [""; 0]);
}

#[test]
fn every_cut_is_found_and_nothing_of_it_restored() {
    let scene = Scene::new(newest_server(), 5);
    let path = scene.archive();
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("it is ours");
    let bytes = file.metadata().expect("it is there").len();
    let restorer = Restorer::new();
    for left in (0..bytes).rev() {
        file.set_len(left).expect("it is ours");
        let findings = findings(&path);
        let says_so =
            findings.iter().any(|finding| finding.contains("cut") || finding.contains("empty"));
        assert!(says_so, "{left} of {bytes} bytes: {findings:?}");
        assert_eq!(restorer.refusal(&path), Kind::Archive, "{left} of {bytes} bytes");
    }
}

#[test]
fn bytes_put_in_taken_out_or_exchanged_are_found() {
    let scene = Scene::new(newest_server(), 5);
    let whole = std::fs::read(scene.archive()).expect("the dump wrote it");
    let (path, restorer) = (scene.path("other.sbk"), Restorer::new());
    let check = |what: &str, bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("the folder is ours");
        assert_ne!(findings(&path), [""; 0], "{what}");
        assert!(matches!(restorer.refusal(&path), Kind::Archive | Kind::Connect), "{what}");
    };
    for at in (0..whole.len()).step_by(7) {
        check(&format!("a byte put in at {at}"), &[&whole[..at], b"x", &whole[at..]].concat());
        check(&format!("a byte taken out at {at}"), &[&whole[..at], &whole[at + 1..]].concat());
    }
    let half = whole.len() / 2;
    check("its halves exchanged", &[&whole[half..], &whole[..half]].concat());
    check("twice", &[&whole[..], &whole[..]].concat());
    check("zeros at its end", &[&whole[..], &[0; 512]].concat());
    check("zeros", &vec![0; whole.len()]);
    let mut zeroed = whole.clone();
    zeroed[half..half + 16].fill(0);
    check("zeros in its middle", &zeroed);
}

#[test]
fn a_chunk_of_another_archive_is_found() {
    let scene = Scene::new(newest_server(), 5);
    let first = std::fs::read(scene.archive()).expect("the dump wrote it");
    let second = scene.path("second.sbk");
    support::dump(&scene.source, &second).arg("-q").run().expect(0);
    let second = std::fs::read(second).expect("the dump wrote it");
    let (one, two) = (
        Archive::open(first.clone(), "first").expect("intact"),
        Archive::open(second.clone(), "second").expect("intact"),
    );
    // The chunks of small tables come in any order; each table has one.
    let to = &one.index.chunks[0];
    let from = two
        .index
        .chunks
        .iter()
        .find(|chunk| chunk.table == to.table)
        .expect("the same tables have rows");
    assert_eq!((from.stored_bytes, from.digest), (to.stored_bytes, to.digest));
    let mut spliced = first;
    let (from, to, bytes) = (from.offset as usize, to.offset as usize, from.stored_bytes as usize);
    spliced[to..to + bytes].copy_from_slice(&second[from..from + bytes]);
    let path = scene.path("spliced.sbk");
    std::fs::write(&path, spliced).expect("the folder is ours");
    let findings = findings(&path);
    assert!(findings.iter().any(|finding| finding.contains("another archive")), "{findings:#?}");
}

#[test]
fn the_program_finds_what_the_library_finds() {
    let scene = Scene::new(newest_server(), 2_000);
    let path = scene.archive();
    let whole = std::fs::read(&path).expect("the dump wrote it");
    let archive = Archive::open(whole.clone(), "whole").expect("it is intact");
    let largest =
        archive.index.chunks.iter().max_by_key(|chunk| chunk.stored_bytes).expect("there are rows");
    let body = largest.offset + largest.stored_bytes / 2;
    let places = [
        0,
        70,
        archive.footer.index_offset + 20,
        whole.len() as u64 - 5,
        archive.index.ends[0] + 4,
    ];
    let damaged = scene.path("damaged.sbk");
    let flip = |at: u64| {
        let mut bytes = whole.clone();
        bytes[at as usize] ^= 0x10;
        std::fs::write(&damaged, bytes).expect("the folder is ours");
    };
    for at in places {
        flip(at);
        let outcome = support::verify(&damaged).run().expect(3);
        clear_end(&outcome);
        let target = scene.target();
        let outcome = support::restore(&damaged, &target).run().expect(3);
        assert_eq!(after_restore(&outcome, &damaged, &scene.source, &target), State::Untouched);
    }
    flip(body);
    let outcome = support::verify(&damaged).arg("--json").run().expect(3);
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("a report");
    assert_eq!(report["ok"], false);
    // What describes the archive is intact, so that this is found under way. None of the chunk's
    // rows may have got through.
    let target = scene.target();
    let outcome = support::restore(&damaged, &target).run().expect(7).says("filler").says("verify");
    assert_eq!(target.value("SELECT count(*) FROM filler"), "0");
    assert_eq!(after_restore(&outcome, &damaged, &scene.source, &target), State::Marked);
    clear_end(&Silverback::new(["list"]).arg(&damaged).run().expect(0));
}

/// An output that has room for so many bytes.
struct Limited {
    room: usize,
    written: Vec<u8>,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room - self.written.len());
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.written.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the rows of an archive into another output.
fn rewrite(
    archive: &Archive<Vec<u8>>,
    chunks: &[(TableId, Bytes)],
    out: &mut Limited,
) -> silverback::error::Result<()> {
    let uuid = Uuid::from_u128(7);
    let mut writer = ArchiveWriter::new(out, uuid, &archive.manifest, Codec::None)?;
    for (table, rows) in chunks {
        let described = &archive.manifest.tables[table.0 as usize];
        let (chunk, _) = encode_chunk(
            uuid,
            *table,
            described.encoding,
            described.columns.len(),
            rows,
            Codec::None,
            Vec::new(),
        )?;
        writer.write_chunk(&chunk)?;
    }
    writer.end_tables()?;
    writer.finish().map(drop)
}

#[test]
fn an_output_that_fails_at_any_byte_ends_the_writing() {
    // More than the writer gathers before it writes.
    let scene = Scene::new(newest_server(), 600);
    let bytes = std::fs::read(scene.archive()).expect("the dump wrote it");
    let archive = Archive::open(bytes, "source").expect("it is intact");
    let rows = |number: usize| {
        let chunk = archive
            .read_chunk(number)
            .and_then(silverback::archive::StoredChunk::decode)
            .expect("it is intact");
        (archive.index.chunks[number].table, chunk.whole())
    };
    let chunks: Vec<_> = (0..archive.index.chunks.len()).map(rows).collect();
    let mut whole = Limited { room: usize::MAX, written: Vec::new() };
    rewrite(&archive, &chunks, &mut whole).expect("there is room");
    let whole = whole.written;
    let spread = (0..whole.len()).step_by(whole.len() / 200);
    let ends = (0..300).chain(whole.len() - 300..whole.len());
    for room in spread.chain(ends) {
        let mut limited = Limited { room, written: Vec::new() };
        let error = rewrite(&archive, &chunks, &mut limited).expect_err("there is no room");
        assert_eq!(error.kind(), Kind::File, "{error}");
        assert!(
            limited.written == whole[..limited.written.len()],
            "{room} bytes: what was written is no beginning of the archive"
        );
        assert!(
            Archive::open(limited.written, "part").is_err(),
            "{room} bytes passed for an archive"
        );
    }
    let mut enough = Limited { room: whole.len(), written: Vec::new() };
    rewrite(&archive, &chunks, &mut enough).expect("there is just enough room");
    assert!(enough.written == whole);
}

#[test]
fn an_archive_is_not_damaged_because_there_is_little_memory() {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("format-spec/vectors/zstd-2.sbk");
    let mut ends = Vec::new();
    for mib in (20..600).step_by(20) {
        let script =
            format!("ulimit -v {}; exec timeout -k 1 10 \"$0\" verify -q \"$1\"", mib << 10);
        let mut verify = std::process::Command::new("sh");
        verify
            .args(["-c", &script, env!("CARGO_BIN_EXE_silverback")])
            .arg(&archive)
            .env("RUST_BACKTRACE", "0");
        let output = verify.output().expect("sh runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let is_verdict = output.status.code() == Some(3) || said.contains("DAMAGED");
        let hangs = output.status.code() == Some(124);
        assert!(!is_verdict && !hangs, "{mib} MiB: {said}");
        ends.push(output.status.code());
    }
    assert!(ends.contains(&Some(0)) && ends.first() != Some(&Some(0)), "{ends:?}");
}
