//! Archives that pass through pipes: the bytes are those of a file, and so is everything that is
//! said of them.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use silverback::archive::manifest::{Manifest, RowEncoding, TableId};
use silverback::archive::{Archive, ArchiveWriter, Codec, encode_chunk};
use testkit::{Direction, Proxy, newest_server};
use uuid::Uuid;

use crate::archives::{judge, spec};
use crate::invariants::{Scene, clear_end, hold_at, nothing_left, wait_within};
use crate::support::{Outcome, Silverback, assert_same_rows, dump, restore, temp_dir};

const BINARY: &str = env!("CARGO_BIN_EXE_silverback");

/// A dump of the scene to a stream, with one session beside the one that holds the snapshot.
fn streamed(scene: &Scene<'_>) -> Silverback {
    Silverback::new(["dump", "-j1", "-Z", "none", "-d", &scene.source.url(), "-f", "-"])
}

/// Runs a command on the bytes of a file, which come from a pipe.
fn piped(words: &[&str], file: &Path) -> Outcome {
    let mut bytes = File::open(file).expect("it is there");
    let (reader, mut writer) = std::io::pipe().expect("a pipe can be made");
    let running = Silverback::new(words).stdin(reader).spawn();
    // One that was refused early reads no more.
    let _ = std::io::copy(&mut bytes, &mut writer);
    drop(writer);
    running.wait()
}

#[test]
fn a_dump_to_a_stream_is_the_dump_to_a_file() {
    // The larger table is cut into ranges.
    let scene = Scene::new(newest_server(), 45_000);
    scene
        .source
        .connect()
        .execute("SELECT lo_from_bytea(0, 'an object'); SELECT lo_from_bytea(0, 'another')");
    let (file, stream) = (scene.path("file.sbk"), scene.path("stream.sbk"));
    dump(&scene.source, &file).args(["-q", "-j1", "-Z", "none"]).run().expect(0);
    let outcome =
        streamed(&scene).stdout(File::create(&stream).expect("the folder is ours")).run().expect(0);
    assert!(outcome.stderr.contains("archive standard output, "), "{}", outcome.stderr);
    clear_end(&outcome);
    judge(&stream);
    let read = |path: &Path| {
        let archive = Archive::open_path(path).expect("it is intact");
        let bytes = std::fs::read(path).expect("it is there");
        let body = |number: usize| {
            let entry = archive.index.chunks[number];
            let header =
                140 + 20 * archive.manifest.tables[entry.table.0 as usize].columns.len() as u64;
            let body = bytes
                [(entry.offset + header) as usize..(entry.offset + entry.stored_bytes) as usize]
                .to_vec();
            (entry.table.0, entry.rows, entry.digest.to_string(), body)
        };
        let mut chunks: Vec<_> = (0..archive.index.chunks.len()).map(body).collect();
        // Which of two chunks is encoded first is chance.
        chunks.sort();
        let Manifest { mut source, objects, mut tables, not_carried, .. } = archive.manifest;
        source.snapshot_time.clear();
        source.snapshot_lsn = None;
        // Autovacuum may look at a table in between.
        for table in &mut tables {
            (table.rows_estimate, table.bytes_estimate) = (0, 0);
        }
        (chunks, (source, objects, tables, not_carried), archive.index.tables)
    };
    let (of_file, of_stream) = (read(&file), read(&stream));
    assert!(
        of_file.0.len() > 8 && of_file.2.iter().any(|totals| totals.rows == 0),
        "several tables, one of them empty"
    );
    assert!(of_file == of_stream, "the archives differ in more than identity and time");
    let target = scene.target();
    restore(&stream, &target).run().expect(0);
    assert_same_rows(&scene.source, &target);
}

#[test]
fn a_dump_is_verified_and_listed_as_it_comes() {
    let scene = Scene::new(newest_server(), 2_000);
    for words in [&["verify", "-"][..], &["list", "-"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let reading = Silverback::new(words).stdin(reader).spawn();
        clear_end(&streamed(&scene).stdout(writer).run().expect(0));
        let outcome = reading.wait().expect(0);
        assert!(
            outcome.stdout.contains("standard input") && outcome.stdout.contains("2,0"),
            "{}",
            outcome.stdout
        );
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_dump() {
    let scene = Scene::new(newest_server(), 5_000);
    let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
    let running = streamed(&scene).stdout(writer).spawn();
    reader.read_exact(&mut [0; 100]).expect("a header comes");
    drop(reader);
    let outcome = running
        .wait()
        .expect(8)
        .says("standard output")
        .says("Broken pipe")
        .says("hint: the program that reads");
    clear_end(&outcome);
    nothing_left(&scene.source);
}

#[test]
fn a_dump_that_is_stopped_is_no_archive_for_its_reader() {
    let scene = Scene::new(newest_server(), 20_000);
    let proxy = Proxy::to(newest_server().port());
    proxy.stall_after(Direction::Down, 3 << 20);
    let part = scene.path("part.sbk");
    let url = format!("{}?sslmode=disable", proxy.url(scene.source.owner(), scene.source.name()));
    let run = Silverback::new(["dump", "-j1", "-Z", "none", "-d", &url, "-f", "-"]);
    let running = hold_at(run.stdout(File::create(&part).expect("the folder is ours")), &proxy);
    running.signal("INT");
    clear_end(&running.wait().expect(130));
    drop(proxy);
    let outcome = piped(&["verify", "-"], &part).expect(3);
    assert!(outcome.stdout.contains("cut short"), "{}", outcome.stdout);
    piped(&["list", "-"], &part).expect(3).says("cut short");
    nothing_left(&scene.source);
}

#[test]
fn a_signal_ends_who_waits_for_the_other_end_of_a_pipe() {
    let scene = Scene::new(newest_server(), 5_000);
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut waits_for_a_writer = writer.try_clone().expect("a descriptor can be copied");
    waits_for_a_writer.write_all(b"\x89SBK").expect("a pipe takes a few bytes");
    let verify = Silverback::new(["verify", "-"]).stdin(reader).spawn();
    let (mut waits_for_a_reader, full) = std::io::pipe().expect("a pipe can be made");
    let dump = streamed(&scene).stdout(full).spawn();
    waits_for_a_reader.read_exact(&mut [0; 64]).expect("a header comes");
    for running in [verify, dump] {
        running.signal("INT");
        clear_end(&wait_within(running, 6).expect(130));
    }
    nothing_left(&scene.source);
}

/// Runs the program on a terminal of its own.
fn on_a_terminal(words: &str) -> (Option<i32>, String) {
    let output = Command::new("script")
        .args(["-q", "-e", "-c", &format!("'{BINARY}' {words}"), "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .expect("script (of util-linux) runs");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn no_archive_goes_to_a_terminal_or_comes_from_one() {
    for words in ["dump -d postgresql://nobody@127.0.0.1:1/nothing -f -", "verify -", "list -"] {
        let (code, said) = on_a_terminal(words);
        assert!(
            code == Some(2) && said.contains("it is a terminal") && said.contains("hint: "),
            "{words}: {code:?} {said}"
        );
    }
}

#[test]
fn a_restore_from_a_stream_is_refused() {
    let outcome = Silverback::new(["restore", "-d", "host=127.0.0.1 port=1 user=x dbname=x", "-"])
        .run()
        .expect(2);
    clear_end(&outcome.says("standard input yet").says("hint: save the archive to a file first"));
}

/// What a command says of a file and of a stream of its bytes; the name and the time it took apart,
/// they must be the same.
#[track_caller]
fn same(words: &[&str], file: &Path, code: i32) -> String {
    let name = file.to_str().expect("UTF-8");
    let with = |archive: &str| {
        [words, &[archive]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let of_file = Silverback::new(with(name)).run().expect(code);
    let words = with("-");
    let of_stream = piped(&words.iter().map(String::as_str).collect::<Vec<_>>(), file).expect(code);
    // A broken file is read once more, and that is said.
    let kept =
        |line: &&str| !line.contains("\"seconds\"") && !line.contains("looking for what is intact");
    let told = |outcome: &Outcome| {
        outcome
            .stdout
            .lines()
            .chain(outcome.stderr.lines())
            .filter(kept)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(told(&of_stream), told(&of_file).replace(name, "standard input"), "{words:?}");
    told(&of_stream)
}

#[test]
fn every_archive_of_the_specification_reads_the_same() {
    let of = |folder: &str, names: &[&str]| {
        names.iter().map(|name| spec(folder).join(name)).collect::<Vec<PathBuf>>()
    };
    let vectors = of("vectors", &["plain.sbk", "zstd.sbk", "plain-2.sbk", "zstd-2.sbk"]);
    let older = of(
        "archives-1",
        &[
            "kong.sbk",
            "types.sbk",
            "partitions.sbk",
            "large_objects.sbk",
            "rules.sbk",
            "latin1.sbk",
        ],
    );
    for file in vectors.into_iter().chain(older) {
        for words in [
            &["list"][..],
            &["list", "--json"],
            &["list", "--sql"],
            &["verify", "--json"],
            &["verify", "-q"],
        ] {
            same(words, &file, 0);
        }
    }
}

#[test]
fn damage_reads_the_same() {
    let folder = temp_dir();
    let file = folder.path().join("damaged.sbk");
    let whole =
        std::fs::read(spec("vectors/zstd-2.sbk")).expect("the vector is part of the repository");
    // The library compares the reports for every byte; this is that the program prints them.
    for at in (0..whole.len()).step_by(211) {
        let mut flipped = whole.clone();
        flipped[at] ^= 4;
        std::fs::write(&file, flipped).expect("the folder is ours");
        same(&["verify", "--json"], &file, 3);
        std::fs::write(&file, &whole[..at]).expect("the folder is ours");
        let told = same(&["verify", "--json"], &file, 3);
        assert!(told.contains("cut short") || told.contains("empty"), "{told}");
        same(&["list"], &file, 3);
    }
    std::fs::write(&file, [&whole[..], b"more"].concat()).expect("the folder is ours");
    let told = same(&["list"], &file, 3);
    assert!(told.contains("4 bytes follow the end"), "{told}");
}

#[test]
fn strangers_are_called_the_same() {
    let folder = temp_dir();
    let file = folder.path().join("stranger");
    let gzip: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    for (stranger, says) in [
        (&b"PGDMP\x01\x10\0"[..], "not a silverback archive"),
        (gzip, "not a silverback archive"),
        (b"--\n-- PostgreSQL database dump\n--\n", "not a silverback archive"),
        (b"", "the file is empty"),
        (b"\x89SBK\n\x1a\n", "text mode"),
    ] {
        std::fs::write(&file, stranger).expect("the folder is ours");
        for words in [&["list"][..], &["verify"], &["verify", "--json"]] {
            let said = if words.len() == 1 && words[0] == "verify" {
                // Its second line is the time that it took.
                piped(&["verify", "-"], &file).expect(3).stderr
            } else {
                same(words, &file, 3)
            };
            assert!(said.contains(says), "{said}");
        }
    }
}

/// An archive of 200 MB that nothing compresses.
fn large(path: &Path) {
    let manifest = serde_json::json!({
        "source": {
            "tool": "test", "server_version": "15.0", "server_version_num": 150_000, "database": "x", "encoding": "UTF8", "collate": "C",
            "ctype": "C", "locale_provider": "c", "collation_version": null, "snapshot_time": "2025-01-02T03:04:05Z", "snapshot_lsn": null,
        },
        "objects": [{
            "id": 0, "kind": "table", "schema": "public", "name": "t", "of": null, "identity": "TABLE public.t", "owner": "x", "acl": null,
            "comments": [], "section": "pre-data", "depends_on": [], "drop": null, "statements": ["CREATE TABLE public.t (a text)"],
        }],
        "tables": [{
            "object": 0, "schema": "public", "name": "t", "encoding": "text", "rows_estimate": 0, "bytes_estimate": 0,
            "columns": [{ "name": "a", "type_name": "text", "not_null": false }],
        }],
        "not_carried": [],
    });
    let manifest = serde_json::from_value(manifest).expect("a manifest");
    let uuid = Uuid::from_u128(1);
    let mut writer =
        ArchiveWriter::new(File::create(path).expect("created"), uuid, &manifest, Codec::None)
            .expect("written");
    for chunk in 0..50 {
        let mut rows = Vec::new();
        for row in 0..4000 {
            writeln!(rows, "{chunk} {row} {}", "x".repeat(1000)).expect("memory takes all");
        }
        let encoded = encode_chunk(
            uuid,
            TableId(0),
            RowEncoding::Text,
            1,
            &rows.into(),
            Codec::None,
            Vec::new(),
        );
        writer.write_chunk(&encoded.expect("encoded").0).expect("written");
    }
    writer.end_tables().expect("every table is there");
    writer.finish().expect("written");
}

#[test]
fn two_hundred_megabytes_are_read_in_bounded_memory() {
    let folder = temp_dir();
    let file = folder.path().join("large.sbk");
    large(&file);
    assert!(file.metadata().expect("it is there").len() > 200_000_000);
    for (words, limit_kib) in [(["verify", "-"], 120 << 10), (["list", "-"], 40 << 10)] {
        let run = Silverback::new(words).stdin(File::open(&file).expect("it is there"));
        let (outcome, peak) = crate::faults::watched(run);
        outcome.expect(0);
        println!("{words:?} took {peak} KiB");
        assert!(peak <= limit_kib, "{words:?} took {peak} KiB");
    }
}
