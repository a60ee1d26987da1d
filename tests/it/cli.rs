//! The command line as its users meet it: what is refused, what is printed where, exit codes,
//! signals, and verify and list on archives made here.

mod habits;
mod prompt;
mod restores;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use silverback::archive::manifest::{Manifest, RowEncoding, TableId};
use silverback::archive::{Archive, ArchiveWriter, Codec, encode_chunk};
use uuid::Uuid;

use super::support::{Outcome, Silverback, dump, temp_dir, verify, wait_for};

fn silverback(words: &str) -> Outcome {
    Silverback::new(words.split_whitespace()).run()
}

fn manifest() -> Manifest {
    let object = |id: u32, name: &str| {
        json!({
            "id": id, "kind": "table", "schema": "public", "name": name, "of": null, "identity": format!("TABLE public.{name}"),
            "owner": "kong", "acl": null, "comments": [], "section": "pre-data", "depends_on": [], "drop": null,
            "statements": [format!("CREATE TABLE public.{name} (id integer)")],
        })
    };
    let table = |id: u32, name: &str| {
        json!({
            "object": id, "schema": "public", "name": name, "encoding": "text", "rows_estimate": 0, "bytes_estimate": 0,
            "columns": [{ "name": "id", "type_name": "integer", "not_null": false }],
        })
    };
    let manifest = json!({
        "source": {
            "tool": "test", "server_version": "15.0", "server_version_num": 150_000, "database": "kong", "encoding": "UTF8", "collate": "C",
            "ctype": "C", "locale_provider": "c", "collation_version": null, "snapshot_time": "2025-01-02T03:04:05Z", "snapshot_lsn": null,
        },
        "objects": [object(0, "empty"), object(1, "rows")],
        "tables": [table(0, "empty"), table(1, "rows")],
        "not_carried": [{ "kind": "event trigger", "name": "evil\u{1b}[2J", "reason": "not supported" }],
    });
    serde_json::from_value(manifest).expect("a manifest")
}

/// An archive with four chunks of 1000 rows.
fn archive(folder: &Path) -> PathBuf {
    let (path, uuid) = (folder.join("test.sbk"), Uuid::from_u128(1));
    let mut writer = ArchiveWriter::new(
        File::create(&path).expect("created"),
        uuid,
        &manifest(),
        Codec::Zstd(1),
    )
    .expect("written");
    for chunk in 0..4 {
        let rows: Vec<String> = (0..1000).map(|row| (chunk * 1000 + row).to_string()).collect();
        let (encoded, _) = encode_chunk(
            uuid,
            TableId(1),
            RowEncoding::Text,
            1,
            &(rows.join("\n") + "\n").into(),
            Codec::Zstd(1),
            Vec::new(),
        )
        .expect("encoded");
        writer.write_chunk(&encoded).expect("written");
    }
    writer.end_tables().expect("every table is there");
    writer.finish().expect("written");
    path
}

fn damage(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("read");
    bytes[at] ^= 4;
    std::fs::write(path, bytes).expect("written");
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[test]
fn wrong_use_is_exit_2_with_a_way_out() {
    let check = |words: &str, says: &str| {
        silverback(words).expect(2).says(says);
    };
    check("dump -F c -f x.sbk", "hint: leave -F out");
    check("dump --format=d -f x.sbk", "hint: leave -F out");
    check("restore -Fc x.sbk", "hint: leave -F out");
    check("dump -Z gzip -f x.sbk", "hint: write -Z zstd");
    check("dump -Z 6 -f x.sbk", "hint: write -Z zstd");
    check("restore -", "hint: save the archive to a file first");
    check("dump", "no file is named");
    check("dump -f x.sbk --inserts", "--inserts");
    check("dump -f x.sbk -t a.b.c.d", "more than three parts");
    check("restore", "no archive is named");
    check("verify - -", "- is given twice");
    check("", "Usage:");
    let line = json_lines(&silverback("dump --log-format json").expect(2).stderr);
    assert_eq!(
        (&line[0]["event"], &line[0]["code"], &line[0]["exit"]),
        (&json!("error"), &json!("usage"), &json!(2))
    );
}

#[test]
fn help_and_version_go_to_standard_output() {
    let check = |words: &str, prints: &str| {
        let outcome = silverback(words).expect(0);
        assert!(
            outcome.stdout.contains(prints) && outcome.stderr.is_empty(),
            "{words}: {outcome:?}"
        );
    };
    check("--help", "Commands:");
    check("-?", "Commands:");
    check("dump -?", "-h, --host");
    check("restore --help", "--dry-run");
    check("--version", env!("CARGO_PKG_VERSION"));
    check("verify -V", env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_intact_archive_is_verified() {
    let folder = temp_dir();
    let path = archive(folder.path());
    let outcome = verify(&path).run().expect(0);
    assert!(outcome.stdout.contains("is intact: 2 tables, 4,000 rows"), "{}", outcome.stdout);
    let outcome = verify(&path).arg("-q").run().expect(0);
    assert!(outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{outcome:?}");
    let report: Value =
        serde_json::from_str(&verify(&path).arg("--json").run().expect(0).stdout).expect("JSON");
    assert_eq!(
        (&report["schema_version"], &report["ok"], &report["totals"]["rows"]),
        (&json!(1), &json!(true), &json!(4000))
    );
    assert!(verify(&path).arg("-v").run().expect(0).stderr.contains("public.rows: digest "));
}

#[test]
fn all_damage_is_found_and_named() {
    let folder = temp_dir();
    let path = archive(folder.path());
    let chunks = Archive::<File>::open_path(&path).expect("opened").index.chunks;
    for chunk in [1, 3] {
        damage(&path, (chunks[chunk].offset + chunks[chunk].stored_bytes - 1) as usize);
    }
    let outcome = verify(&path).run().expect(3).says("it is damaged: 2 findings");
    assert!(
        outcome.stdout.contains("chunk 1 (of public.rows")
            && outcome.stdout.contains("chunk 3 (of public.rows"),
        "{}",
        outcome.stdout
    );
    let report: Value =
        serde_json::from_str(&verify(&path).arg("--json").run().expect(3).stdout).expect("JSON");
    assert_eq!(
        (&report["findings"][1]["place"]["chunk"], &report["totals"]["rows"]),
        (&json!(3), &json!(2000))
    );
}

#[test]
fn what_is_no_archive_is_said() {
    let folder = temp_dir();
    let path = archive(folder.path());
    let whole = std::fs::read(&path).expect("read");
    let check = |bytes: &[u8], says: &str| {
        std::fs::write(&path, bytes).expect("written");
        let outcome = verify(&path).run().expect(3);
        assert!((outcome.stdout.clone() + &outcome.stderr).contains(says), "{outcome:?}");
        Silverback::new(["list"]).arg(&path).run().expect(3).says(says);
        Silverback::new(["restore", "-d", "host=/nonexistent user=x dbname=x"])
            .arg(&path)
            .run()
            .expect(3)
            .says(says);
    };
    check(&whole[..whole.len() - 1], "cut short");
    check(&whole[..whole.len() / 2], "cut short");
    check(b"", "empty");
    check(b"PGDMP and more", "not a silverback archive, but pg_dump's custom format");
    check(b"\x1f\x8b\x08", "compressed with gzip");
    let outcome = verify(&path).run();
    assert!(outcome.stdout.is_empty() && !outcome.stderr.contains("damaged"), "{outcome:?}");
    let directory = folder.path().join("directory");
    std::fs::create_dir(&directory).expect("made");
    std::fs::write(directory.join("toc.dat"), "PGDMP").expect("written");
    verify(&directory).run().expect(3).says("pg_dump's directory format");
    verify(&folder.path().join("missing.sbk")).run().expect(8).says("No such file");
    verify(folder.path()).run().expect(8).says("not a regular file");
}

#[test]
fn an_archive_is_listed() {
    let folder = temp_dir();
    let path = archive(folder.path());
    let list = |option: &str| {
        Silverback::new(["list"]).arg(&path).args(option.split_whitespace()).run().expect(0).stdout
    };
    let text = list("");
    assert!(text.contains("public.rows") && text.contains("4,000"), "{text}");
    assert!(text.contains("event trigger evil\\u{1b}[2J: not supported"), "{text}");
    let value: Value = serde_json::from_str(&list("--json")).expect("JSON");
    assert_eq!(
        (&value["tables"][1]["rows"], &value["objects"][0]["identity"]),
        (&json!(4000), &json!("TABLE public.empty"))
    );
    assert!(list("--sql").contains(
        "CREATE TABLE public.rows (id integer);\nALTER TABLE public.rows OWNER TO kong;\n"
    ));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let folder = temp_dir();
    let path = archive(folder.path());
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    for words in [&["list"][..], &["verify"], &["list", "--sql"], &["list", "--json"], &["--help"]]
    {
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_silverback")]);
        command.args(words).stdout(full.try_clone().expect("cloned")).stderr(Stdio::piped());
        if words != ["--help"] {
            command.arg(&path);
        }
        let output = command.output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(8) && stderr.contains("write to standard output"),
            "{words:?}: {output:?}"
        );
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn an_output_that_exists_is_never_touched() {
    let folder = temp_dir();
    let path = folder.path().join("there.sbk");
    std::fs::write(&path, "precious").expect("written");
    let dump = |path: &Path| {
        Silverback::new(["dump", "-d", "host=/nonexistent user=x dbname=x", "-f"]).arg(path).run()
    };
    dump(&path).expect(6).says("exists");
    dump(folder.path()).expect(6).says("it is a directory");
    dump(&folder.path().join("no/such/folder.sbk")).expect(8).says("create its directory first");
    dump(&folder.path().join("new.sbk")).expect(4).says("/nonexistent");
    assert_eq!(std::fs::read(&path).expect("read"), b"precious");
    assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1);
}

#[test]
fn errors_are_json_when_asked() {
    let folder = temp_dir();
    let file = folder.path().join("x.sbk");
    let words = ["dump", "--log-format", "json", "-d", "host=/nonexistent user=x dbname=x", "-f"];
    let outcome = Silverback::new(words).arg(&file).run().expect(4);
    let last = json_lines(&outcome.stderr).pop().expect("a line");
    assert_eq!(
        (&last["event"], &last["code"], &last["exit"]),
        (&json!("error"), &json!("connect"), &json!(4))
    );
    assert!(
        last["doing"].is_string() && last["cause"].is_string() && outcome.stdout.is_empty(),
        "{last}"
    );
}

#[test]
fn a_dump_sums_up() {
    let database = testkit::newest_server().database("cli_summary");
    database.execute(
        "CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 1000) g; CREATE TABLE \"b\n\" ()",
    );
    let folder = temp_dir();
    let outcome = dump(&database, &folder.path().join("text.sbk"))
        .run()
        .expect(0)
        .says("dumped 2 tables, 1,000 rows: ")
        .says(&format!("/{} (", database.name()))
        .says(&format!("\ndatabase {}: 2 tables", database.name()));
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("root "), "{outcome:?}");
    let outcome = dump(&database, &folder.path().join("quiet.sbk")).arg("-q").run().expect(0);
    assert!(outcome.stdout.is_empty() && outcome.stderr.is_empty(), "{outcome:?}");
    let outcome = dump(&database, &folder.path().join("json.sbk"))
        .args(["--log-format", "json"])
        .run()
        .expect(0);
    let lines = json_lines(&outcome.stderr);
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert_eq!(
        (&first["event"], &first["doing"], &first["database"], &last["database"]),
        (&json!("connection"), &json!("dump"), &json!(database.name()), &json!(database.name()))
    );
    assert!(first["sources"]["database"].is_string(), "{first}");
    assert_eq!(
        (&last["event"], &last["rows"], &last["tables"]),
        (&json!("summary"), &json!(1000), &json!(2))
    );
    dump(&database, &folder.path().join("none.sbk"))
        .args(["-t", "a", "-t", "missing"])
        .run()
        .expect(6)
        .says("no object matches missing (-t)");
    dump(&database, &folder.path().join("definitions.sbk"))
        .args(["-s", "-T", "slip", "--exclude-table-data", "gone"])
        .run()
        .expect(0)
        .says(&format!("dumped the definitions of database {}: 2 tables", database.name()))
        .says("warning: -T slip matches no table, view or sequence")
        .says("warning: --exclude-table-data gone matches no table");
}

#[test]
fn what_is_not_carried_is_named_and_exit_10() {
    let database = testkit::newest_server().database("cli_left_out");
    database.execute(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent)",
    );
    let folder = temp_dir();
    let says = "warning: skipped: foreign key child_id_fkey on public.child: it needs \
        public.parent, which is not selected";
    dump(&database, &folder.path().join("x.sbk")).args(["-t", "child"]).run().expect(10).says(says);
}

#[test]
fn signals_leave_nothing() {
    let database = testkit::newest_server().database("cli_signals");
    database.execute("CREATE TABLE a AS SELECT g AS id FROM generate_series(1, 1000) g");
    let folder = temp_dir();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let blocker = database.connect();
        blocker.execute("BEGIN; LOCK a");
        let run = dump(&database, &folder.path().join("x.sbk")).spawn();
        wait_for("the dump to wait for the lock", || {
            database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"
        });
        let started = Instant::now();
        run.signal(signal);
        run.wait().expect(code).says("stopped by SIG").says("no file was left behind");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 0);
        wait_for("the server to be rid of it", || {
            database.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0"
        });
    }
}

#[test]
fn a_file_size_limit_is_reported() {
    let database = testkit::newest_server().database("cli_limit");
    database.execute(
        "CREATE TABLE a AS SELECT gen_random_uuid() AS id FROM generate_series(1, 50000) g",
    );
    let folder = temp_dir();
    let file = folder.path().join("x.sbk");
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -f 64; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_silverback"),
        "dump",
        "-Z",
        "none",
        "-d",
        &database.url(),
        "-f",
    ]);
    let output = command.arg(&file).output().expect("sh runs");
    assert_eq!(output.status.code(), Some(8), "{output:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 0);
}
