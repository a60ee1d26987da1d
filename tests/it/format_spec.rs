//! `format-spec/`: the vectors are what the program writes and reads, and `read.py`, written from
//! the page alone, agrees with it.

use std::fs;
use std::path::Path;
use std::process::Output;

use bytes::Bytes;
use silverback::archive::manifest::{
    Column, Detail, Manifest, Object, ObjectId, ObjectKind, RowEncoding, Source, Table, TableId,
};
use silverback::archive::{Archive, ArchiveWriter, Codec, encode_chunk};
use uuid::Uuid;

use crate::archives::{check_python, python, spec};
use crate::support::{temp_dir, verify};

pub(crate) type Row = Vec<Option<Vec<u8>>>;

/// Name, encoding, columns, chunks.
pub(crate) type Rows = Vec<(&'static str, RowEncoding, &'static [&'static str], Vec<Vec<Row>>)>;

#[expect(clippy::unnecessary_wraps, reason = "rows are lists of options")]
pub(crate) fn some(value: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    Some(value.as_ref().to_vec())
}

/// The vectors' rows. They never change.
fn vector_rows() -> Rows {
    let first = vec![
        vec![
            some("0123456789abcdef"),
            some([1; 8]),
            some("a"),
            some([b'm'; 300]),
            some([b'l'; 65536]),
            None,
        ],
        vec![some("fedcba9876543210"), None, None, None, some(""), None],
        vec![some([0xff; 16]), some([2; 8]), some("routes"), some("short"), None, None],
    ];
    let second = vec![vec![some([0; 16]), None, some("ä"), some(""), None, some("only here")]];
    let notes = vec![
        vec![some("tab\\tand\\nline\\\\"), None],
        vec![some(""), some("\\\\N")],
        vec![some("žluť"), some("{}")],
    ];
    vec![
        (
            "routes",
            RowEncoding::Binary,
            &["id", "at", "name", "middle", "large", "gone"],
            vec![first, second],
        ),
        ("notes", RowEncoding::Text, &["text", "more"], vec![notes]),
        ("empty", RowEncoding::Binary, &["id"], Vec::new()),
    ]
}

/// Rows enough for compression, several chunks and every codec of a block.
fn many_rows() -> Rows {
    let id = |row: u64| blake3::hash(&row.to_le_bytes()).as_bytes()[..16].to_vec();
    let row = |row: u64| {
        let odd = (row % 2 == 1).then(|| id(row / 7));
        vec![
            Some(id(row)),
            odd,
            some(format!("consumer-{row}")),
            None,
            some((row * 1_000_000).to_be_bytes()),
        ]
    };
    let line = |row: u64| {
        vec![
            some(format!("line {row}\\tof many")),
            row.is_multiple_of(3).then(|| b"{a,b}".to_vec()),
        ]
    };
    let chunk = |part: u64| (part * 6000..(part + 1) * 6000).map(row).collect();
    vec![
        (
            "consumers",
            RowEncoding::Binary,
            &["id", "parent", "name", "gone", "at"],
            (0..3).map(chunk).collect(),
        ),
        ("lines", RowEncoding::Text, &["text", "tags"], vec![(0..5000).map(line).collect()]),
        ("nothing", RowEncoding::Binary, &[], vec![vec![Vec::new(); 3]]),
    ]
}

pub(crate) fn raw(encoding: RowEncoding, rows: &[Row]) -> Bytes {
    let mut out = Vec::new();
    for row in rows {
        if encoding == RowEncoding::Text {
            let fields: Vec<&[u8]> =
                row.iter().map(|value| value.as_deref().unwrap_or(b"\\N")).collect();
            out.extend([&fields.join(&b'\t')[..], b"\n"].concat());
            continue;
        }
        out.extend((row.len() as u16).to_be_bytes());
        for value in row {
            out.extend(value.as_ref().map_or(-1, |value| value.len() as i32).to_be_bytes());
            out.extend(value.as_deref().unwrap_or_default());
        }
    }
    out.into()
}

pub(crate) fn manifest(tables: &Rows) -> Manifest {
    let object = |id: usize, name: &str| Object {
        schema: Some("public".into()),
        name: name.into(),
        owner: Some("kong".into()),
        statements: vec![format!("CREATE TABLE public.{name} ()")],
        drop: Some(format!("DROP TABLE public.{name}")),
        detail: Detail::Table { relkind: 'r', partition: false, force_row_security: false },
        ..Object::new(ObjectId(id as u32), ObjectKind::Table, format!("TABLE public.{name}"))
    };
    let table = |id: usize, name: &str, encoding, columns: &[&str]| Table {
        rows_estimate: -1,
        ..Table::new(
            ObjectId(id as u32),
            "public",
            name,
            columns
                .iter()
                .map(|&name| Column {
                    name: name.into(),
                    type_name: "text".into(),
                    sent_as: None,
                    not_null: false,
                })
                .collect(),
            encoding,
        )
    };
    let source = Source {
        tool: "silverback 0.1.0".into(),
        server_version: "15.18".into(),
        server_version_num: 150_018,
        database: "kong".into(),
        encoding: "UTF8".into(),
        collate: "C".into(),
        ctype: "C".into(),
        locale_provider: "c".into(),
        collation_version: None,
        snapshot_time: "2026-01-02T03:04:05Z".into(),
        snapshot_lsn: Some("0/16B3748".into()),
    };
    Manifest {
        source,
        objects: tables.iter().enumerate().map(|(id, (name, ..))| object(id, name)).collect(),
        tables: tables
            .iter()
            .enumerate()
            .map(|(id, &(name, encoding, columns, _))| table(id, name, encoding, columns))
            .collect(),
        not_carried: Vec::new(),
        statistics: Vec::new(),
    }
}

pub(crate) fn write(tables: &Rows, codec: Codec) -> Vec<u8> {
    let uuid = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    let mut writer =
        ArchiveWriter::new(Vec::new(), uuid, &manifest(tables), codec).expect("a vector takes all");
    for (id, (_, encoding, columns, chunks)) in tables.iter().enumerate() {
        for rows in chunks {
            let raw = raw(*encoding, rows);
            let (chunk, _) = encode_chunk(
                uuid,
                TableId(id as u32),
                *encoding,
                columns.len(),
                &raw,
                codec,
                Vec::new(),
            )
            .expect("whole rows");
            writer.write_chunk(&chunk).expect("a vector takes all");
        }
    }
    writer.end_tables().expect("every table is there");
    writer.finish().expect("a vector takes all").0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// What `read.py --json` must print of the rows.
pub(crate) fn lines(tables: &Rows) -> Vec<serde_json::Value> {
    let field = |encoding, value: &Option<Vec<u8>>| match (encoding, value) {
        (_, None) => serde_json::Value::Null,
        (RowEncoding::Text, Some(value)) => {
            std::str::from_utf8(value).expect("text rows are UTF-8").into()
        }
        (RowEncoding::Binary, Some(value)) => hex(value).into(),
    };
    let mut lines = Vec::new();
    for (name, encoding, _, chunks) in tables {
        for row in chunks.iter().flatten() {
            let row: Vec<_> = row.iter().map(|value| field(*encoding, value)).collect();
            lines.push(serde_json::json!({"table": format!("public.{name}"), "row": row}));
        }
    }
    lines
}

pub(crate) fn vector(name: &str) -> Vec<u8> {
    fs::read(spec("vectors").join(name)).expect("the vector is part of the repository")
}

/// Compares with a vector; what differs is kept beside the build for a closer look.
pub(crate) fn check_vector(found: &[u8], name: &str) {
    if found != vector(name) {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&kept, found).expect("the build's folder can be written");
        panic!(
            "{} is not format-spec/vectors/{name}; a vector is never made anew: find what changed",
            kept.display()
        );
    }
}

/// Runs `read.py`.
pub(crate) fn read_py(archive: &Path, options: &[&str]) -> Output {
    let output =
        python().arg(spec("read.py")).arg(archive).args(options).output().expect("the Python runs");
    check_python(&String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_writer_writes_the_plain_vector() {
    check_vector(&write(&vector_rows(), Codec::None), "plain-2.sbk");
}

#[test]
fn the_vectors_are_read() {
    let rows = vector_rows();
    let expect: Vec<Bytes> = rows
        .iter()
        .flat_map(|(_, encoding, _, chunks)| chunks.iter().map(|rows| raw(*encoding, rows)))
        .collect();
    for name in ["plain.sbk", "zstd.sbk", "plain-2.sbk", "zstd-2.sbk"] {
        let archive = Archive::open(vector(name), name).expect("a vector is an archive");
        archive.check_root().expect("a vector is whole");
        assert_eq!(archive.manifest, manifest(&rows));
        let decode = |number| archive.read_chunk(number)?.decode().map(|joined| joined.whole());
        let found: Vec<Bytes> = (0..archive.index.chunks.len())
            .map(|number| decode(number).expect("a vector is whole"))
            .collect();
        assert!(found == expect, "{name}");
    }
}

#[test]
fn read_py_prints_the_vectors() {
    for name in ["plain", "zstd", "plain-2", "zstd-2"] {
        let output = read_py(&spec("vectors").join(format!("{name}.sbk")), &["--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        check_vector(&output.stdout, &format!("{name}.jsonl"));
        let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        let printed: Vec<serde_json::Value> =
            printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(printed[..printed.len() - 1], lines(&vector_rows()));
    }
}

#[test]
fn read_py_agrees_with_the_writer() {
    let folder = temp_dir();
    let path = folder.path().join("many.sbk");
    let rows = many_rows();
    for codec in [Codec::None, Codec::Zstd(1), Codec::Zstd(19)] {
        let bytes = write(&rows, codec);
        fs::write(&path, &bytes).expect("the test's folder can be written");
        let output = read_py(&path, &["--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let printed = String::from_utf8(output.stdout).expect("JSON is UTF-8");
        let mut printed: Vec<serde_json::Value> =
            printed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let summary = printed.pop().expect("a last line");
        assert!(printed == lines(&rows), "{codec:?}");
        let archive = Archive::open(bytes, "many").expect("it was just written");
        assert_eq!(summary["root"], archive.footer.root.to_string());
        for (found, totals) in
            summary["tables"].as_array().expect("a list").iter().zip(&archive.index.tables)
        {
            assert_eq!(found["digest"], totals.digest.to_string());
            assert_eq!(found["rows"], totals.rows);
        }
    }
}

/// Writes a changed vector and lets `read.py` and ours judge it: the same exit code, and `read.py`
/// says `expect`.
fn check_refused(name: &str, change: impl FnOnce(&mut Vec<u8>), code: u8, expect: &str) {
    let folder = temp_dir();
    let path = folder.path().join("changed.sbk");
    let mut bytes = vector(name);
    change(&mut bytes);
    fs::write(&path, &bytes).expect("the test's folder can be written");
    let output = read_py(&path, &["--check"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(i32::from(code)), "{told}");
    assert!(told.contains(expect), "{name}: {told}");
    let ours = Archive::open(bytes, "changed").and_then(|archive| {
        archive.check_root()?;
        (0..archive.index.chunks.len())
            .try_for_each(|number| archive.read_chunk(number)?.decode().map(drop))
    });
    assert_eq!(ours.expect_err(expect).kind().exit_code(), code);
}

#[test]
fn read_py_finds_damage() {
    // With the sizes of the footer and of what stands before the digest and the descriptors of a
    // chunk's header.
    for (name, footer, digest, descriptors, headers_damage) in [
        ("zstd.sbk", 128, 64, 120, "root:"),
        ("zstd-2.sbk", 144, 80, 136, "chunk header: checksum"),
    ] {
        let bytes = vector(name);
        let index = Archive::open(bytes.clone(), name).expect("a vector is an archive").index;
        let (chunk, end) = (index.chunks[0].offset as usize, bytes.len());
        let flip = |at: usize| move |bytes: &mut Vec<u8>| bytes[at] ^= 1;
        for (at, expect) in [
            (0, "not a Silverback archive"),
            (30, "header: checksum"),
            (64, "manifest: checksum"),
            (200, "manifest: checksum"),
            (chunk + 3, "chunk 0"),
            (chunk + digest + 1, headers_damage),
            (chunk + descriptors + 1, "chunk header: checksum"),
            (index.chunks[1].offset as usize - 1, "checksum of the body"),
            (end - footer - 30, "index: checksum"),
            (end - footer + 28, "footer: checksum"),
            (end - 1, "end mark is damaged"),
        ] {
            check_refused(name, flip(at), 3, expect);
        }
        for cut in [1, 60, 64, 100, end - footer, end - 1] {
            check_refused(name, |bytes| bytes.truncate(cut), 3, "cut short");
        }
        check_refused(name, Vec::clear, 3, "empty");
        check_refused(name, |bytes| bytes.push(0), 3, "no footer");
        let reseal = |at: usize, value: u8| {
            move |bytes: &mut Vec<u8>| {
                bytes[at] = value;
                let crc = crc32fast::hash(&bytes[..60]).to_le_bytes();
                bytes[60..64].copy_from_slice(&crc);
            }
        };
        check_refused(name, reseal(8, 3), 6, "newer format");
        check_refused(name, reseal(12, 2), 6, "newer format");
        check_refused(name, reseal(36, 2), 3, "reserved");
        for end in index.ends {
            check_refused(name, flip(end as usize + 40), 3, "checksum does not match");
        }
    }
}

/// Each archive breaks one rule, its checksums made right: `break_rules.py` asks `read.py`, and the
/// program is asked here.
#[test]
fn both_readers_refuse_an_archive_for_the_rule_that_it_breaks() {
    let folder = temp_dir();
    let made =
        python().arg(spec("break_rules.py")).arg(folder.path()).output().expect("the Python runs");
    let said = String::from_utf8_lossy(&made.stderr);
    check_python(&said);
    assert!(made.status.success(), "{said}");
    let rules = fs::read_to_string(folder.path().join("rules.json")).expect("it was just written");
    let rules: Vec<serde_json::Value> = serde_json::from_str(&rules).expect("a list");
    assert!(rules.len() >= 50, "{} rules", rules.len());
    verify(&folder.path().join("honest.sbk")).run().expect(0);
    let mut missed = Vec::new();
    for rule in &rules {
        let (name, words) =
            (rule["name"].as_str().expect("a name"), rule["verify"].as_str().expect("words"));
        let outcome = verify(&folder.path().join(format!("{name}.sbk"))).run();
        let text = format!("{}{}", outcome.stdout, outcome.stderr);
        if !matches!(outcome.code, Some(3 | 6)) || !text.contains(words) {
            missed.push(format!(
                "{name} (section {}): exit {:?}, {words:?} is not in\n{text}",
                rule["section"], outcome.code
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
