//! The stages of the data path, one core each: split, digest, encode, decode, join, over 8 MiB of rows as Kong has them.
//!
//! `cargo bench --bench archive` prints bytes of raw rows a second.

use std::hint::black_box;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;
use silverback::archive::manifest::{Column, Detail, Manifest, Object, ObjectId, ObjectKind, RowEncoding, Section, Source, Table, TableId};
use silverback::archive::{Archive, ArchiveWriter, Codec, EncodedChunk, StoredChunk, encode_chunk};
use silverback::pgcopy::{Digest, join, split};
use uuid::Uuid;

fn main() {
    divan::main();
}

const RAW_BYTES: usize = 8 << 20;

/// Which rows: credentials as Kong stores them, the same as text, and 60 columns of which 57 are NULL.
#[derive(Clone, Copy, Debug)]
enum Rows {
    Credentials,
    Text,
    MostlyNull,
}

const ALL: [Rows; 3] = [Rows::Credentials, Rows::Text, Rows::MostlyNull];

impl Rows {
    fn encoding(self) -> RowEncoding {
        if matches!(self, Self::Text) { RowEncoding::Text } else { RowEncoding::Binary }
    }

    fn columns(self) -> usize {
        if matches!(self, Self::MostlyNull) { 60 } else { 9 }
    }

    fn raw(self) -> Bytes {
        let mut noise = Noise(1);
        let workspace = noise.uuid();
        let mut out = Vec::with_capacity(RAW_BYTES + 1000);
        for row in 0.. {
            if out.len() >= RAW_BYTES {
                break;
            }
            let fields = match self {
                Self::MostlyNull => (0..60).map(|at| (at % 20 == 0).then(|| noise.uuid().into_bytes().to_vec())).collect(),
                Self::Credentials | Self::Text => credential(row, &mut noise, workspace, matches!(self, Self::Text)),
            };
            put(&mut out, &fields, self.encoding());
        }
        out.into()
    }
}

/// id, created_at, consumer_id, name, key, custom_id, tags, ttl, ws_id.
fn credential(row: u64, noise: &mut Noise, workspace: Uuid, text: bool) -> Vec<Option<Vec<u8>>> {
    let uuid = |uuid: Uuid| if text { uuid.to_string().into_bytes() } else { uuid.into_bytes().to_vec() };
    let kind = ["dev", "prod", "staging", "qa"][(noise.next() % 4) as usize];
    let created = 800_000_000_000_000 + row / 3 * 1_000_000;
    let tags: &[u8] = if text { b"{vip}" } else { b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\0\0\0\x03vip" };
    vec![
        Some(uuid(noise.uuid())),
        Some(if text {
            format!("2026-01-02 10:{:02}:{:02}+00", row / 60 % 60, row % 60).into_bytes()
        } else {
            created.to_be_bytes().to_vec()
        }),
        (!noise.next().is_multiple_of(20)).then(|| uuid(noise.uuid())),
        Some(format!("consumer-{row:07}-{kind}").into_bytes()),
        Some(noise.uuid().simple().to_string().into_bytes()),
        noise.next().is_multiple_of(3).then(|| format!("cust-{}", noise.next() % 1_000_000).into_bytes()),
        noise.next().is_multiple_of(10).then(|| tags.to_vec()),
        None,
        Some(uuid(workspace)),
    ]
}

fn put(out: &mut Vec<u8>, fields: &Vec<Option<Vec<u8>>>, encoding: RowEncoding) {
    if encoding == RowEncoding::Text {
        let fields: Vec<&[u8]> = fields.iter().map(|field| field.as_deref().unwrap_or(b"\\N")).collect();
        out.extend([&fields.join(&b'\t')[..], b"\n"].concat());
        return;
    }
    out.extend((fields.len() as u16).to_be_bytes());
    for field in fields {
        out.extend(field.as_ref().map_or(-1, |field| field.len() as i32).to_be_bytes());
        out.extend(field.as_deref().unwrap_or_default());
    }
}

/// SplitMix64: the same rows in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes((u128::from(self.next()) << 64 | u128::from(self.next())).to_le_bytes()).into_uuid()
    }
}

fn encoded(rows: Rows, raw: Bytes, codec: Codec) -> EncodedChunk {
    encode_chunk(Uuid::nil(), TableId(0), rows.encoding(), rows.columns(), raw, codec).expect("whole rows").0
}

#[divan::bench(args = ALL)]
fn splits(bencher: Bencher, rows: Rows) {
    let raw = rows.raw();
    bencher.counter(BytesCount::new(raw.len())).bench(|| split(rows.encoding(), rows.columns(), &raw));
}

#[divan::bench]
fn digests(bencher: Bencher) {
    let raw = Rows::Credentials.raw();
    bencher.counter(BytesCount::new(raw.len())).bench(|| raw.chunks(150).map(Digest::of_row).sum::<Digest>());
}

#[divan::bench(args = ALL)]
fn joins(bencher: Bencher, rows: Rows) {
    let raw = rows.raw();
    let columns = split(rows.encoding(), rows.columns(), &raw).expect("whole rows").columns;
    bencher.counter(BytesCount::new(raw.len())).with_inputs(|| columns.clone()).bench_values(|columns| join(rows.encoding(), columns));
}

#[divan::bench(args = ALL, consts = [0, 1, 3])]
fn encodes<const LEVEL: i32>(bencher: Bencher, rows: Rows) {
    let codec = if LEVEL == 0 { Codec::None } else { Codec::Zstd(LEVEL) };
    let raw = rows.raw();
    bencher.counter(BytesCount::new(raw.len())).bench(|| encoded(rows, black_box(raw.clone()), codec));
}

/// What `verify` does with a chunk: checksums, decompression, joining, digests.
#[divan::bench(args = ALL, consts = [0, 1, 3])]
fn decodes<const LEVEL: i32>(bencher: Bencher, rows: Rows) {
    let codec = if LEVEL == 0 { Codec::None } else { Codec::Zstd(LEVEL) };
    let raw = rows.raw();
    let chunk = encoded(rows, raw.clone(), codec);
    let mut writer = ArchiveWriter::new(Vec::new(), Uuid::nil(), &manifest(rows), codec).expect("a vector takes all");
    writer.write_chunk(chunk).expect("a vector takes all");
    let archive = Archive::open(writer.finish().expect("a vector takes all").0, "bench").expect("it was just written");
    bencher.counter(BytesCount::new(raw.len())).bench(|| archive.read_chunk(0).and_then(StoredChunk::decode).expect("whole"));
}

fn manifest(rows: Rows) -> Manifest {
    let column = |at: usize| Column { name: format!("column{at}"), type_name: "text".into(), not_null: false };
    let object = Object {
        id: ObjectId(0),
        kind: ObjectKind::Table,
        schema: Some("public".into()),
        name: "rows".into(),
        of: None,
        identity: "TABLE public.rows".into(),
        owner: None,
        acl: None,
        comments: Vec::new(),
        security_labels: Vec::new(),
        section: Section::PreData,
        depends_on: Vec::new(),
        roles: Vec::new(),
        tablespace: None,
        statements: Vec::new(),
        drop: None,
        detail: Detail::None,
    };
    let table = Table {
        object: ObjectId(0),
        schema: "public".into(),
        name: "rows".into(),
        columns: (0..rows.columns()).map(column).collect(),
        encoding: rows.encoding(),
        filter: None,
        root: None,
        after: Vec::new(),
        rows_estimate: -1,
        bytes_estimate: 0,
    };
    let source = Source {
        tool: "bench".into(),
        server_version: "15.18".into(),
        server_version_num: 150_018,
        database: "kong".into(),
        encoding: "UTF8".into(),
        collate: "C".into(),
        ctype: "C".into(),
        locale_provider: "c".into(),
        collation_version: None,
        snapshot_time: "2026-01-02T03:04:05Z".into(),
        snapshot_lsn: None,
    };
    Manifest { source, objects: vec![object], tables: vec![table], not_carried: Vec::new() }
}
