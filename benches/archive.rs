//! The stages of the data path, one core each, over a chunk's 4 MiB of rows as Kong has them.
//! `cargo bench` prints bytes of raw rows a second.
//!
//! ```text
//! dump     split (columns, digest and checksum of the rows) ─► encode (split, compression, checksums of what is stored)
//! restore  decode (decompression, join) ─► join (rows again, their digest and checksum)
//! ```
//!
//! So encode without split is what compression costs, and decode without join what decompression
//! does; digest is within split and join.

use std::hint::black_box;

use bytes::Bytes;
use divan::Bencher;
use divan::counter::BytesCount;
use silverback::archive::manifest::{
    Column, Manifest, Object, ObjectId, ObjectKind, RowEncoding, Source, Table, TableId,
};
use silverback::archive::{Archive, ArchiveWriter, Codec, EncodedChunk, StoredChunk, encode_chunk};
use silverback::pgcopy::{Digest, join, split};
use uuid::Uuid;

fn main() {
    divan::main();
}

const RAW_BYTES: usize = 4 << 20;

/// Which rows: credentials as Kong stores them, the same as text, certificates of 7 kB, and 60
/// columns of which 57 are NULL.
#[derive(Clone, Copy, Debug)]
enum Rows {
    Credentials,
    Text,
    Certificates,
    MostlyNull,
}

const ALL: [Rows; 4] = [Rows::Credentials, Rows::Text, Rows::Certificates, Rows::MostlyNull];

impl Rows {
    fn encoding(self) -> RowEncoding {
        if matches!(self, Self::Text) { RowEncoding::Text } else { RowEncoding::Binary }
    }

    fn columns(self) -> usize {
        match self {
            Self::Credentials | Self::Text => 9,
            Self::Certificates => 7,
            Self::MostlyNull => 60,
        }
    }

    fn raw(self) -> Bytes {
        self.rows().concat().into()
    }

    fn rows(self) -> Vec<Vec<u8>> {
        let mut noise = Noise(1);
        let workspace = noise.uuid();
        let mut rows = Vec::new();
        let mut raw_bytes = 0;
        for row in 0.. {
            if raw_bytes >= RAW_BYTES {
                break;
            }
            let fields = match self {
                Self::Certificates => certificate(row, &mut noise, workspace),
                Self::MostlyNull => (0..60)
                    .map(|at| (at % 20 == 0).then(|| noise.uuid().into_bytes().to_vec()))
                    .collect(),
                Self::Credentials | Self::Text => {
                    credential(row, &mut noise, workspace, matches!(self, Self::Text))
                }
            };
            rows.push(framed(&fields, self.encoding()));
            raw_bytes += rows[row as usize].len();
        }
        rows
    }
}

/// id, created_at, consumer_id, name, key, custom_id, tags, ttl, ws_id.
fn credential(row: u64, noise: &mut Noise, workspace: Uuid, text: bool) -> Vec<Option<Vec<u8>>> {
    let uuid =
        |uuid: Uuid| if text { uuid.to_string().into_bytes() } else { uuid.into_bytes().to_vec() };
    let kind = ["dev", "prod", "staging", "qa"][(noise.next() % 4) as usize];
    let created = 800_000_000_000_000 + row / 3 * 1_000_000;
    let tags: &[u8] = if text {
        b"{vip}"
    } else {
        b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\0\0\0\x03vip"
    };
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
        noise
            .next()
            .is_multiple_of(3)
            .then(|| format!("cust-{}", noise.next() % 1_000_000).into_bytes()),
        noise.next().is_multiple_of(10).then(|| tags.to_vec()),
        None,
        Some(uuid(workspace)),
    ]
}

/// id, created_at, cert, key, tags, ws_id, updated_at.
fn certificate(row: u64, noise: &mut Noise, workspace: Uuid) -> Vec<Option<Vec<u8>>> {
    let created = (800_000_000_000_000 + row * 1_000_000).to_be_bytes().to_vec();
    let (certificate, key) = (noise.pem("CERTIFICATE", 78), noise.pem("PRIVATE KEY", 26));
    let id = noise.uuid().into_bytes().to_vec();
    vec![
        Some(id),
        Some(created.clone()),
        Some(certificate),
        Some(key),
        None,
        Some(workspace.into_bytes().to_vec()),
        Some(created),
    ]
}

fn framed(fields: &[Option<Vec<u8>>], encoding: RowEncoding) -> Vec<u8> {
    if encoding == RowEncoding::Text {
        let fields: Vec<&[u8]> =
            fields.iter().map(|field| field.as_deref().unwrap_or(b"\\N")).collect();
        return [&fields.join(&b'\t')[..], b"\n"].concat();
    }
    let mut row = (fields.len() as u16).to_be_bytes().to_vec();
    for field in fields {
        row.extend(field.as_ref().map_or(-1, |field| field.len() as i32).to_be_bytes());
        row.extend(field.as_deref().unwrap_or_default());
    }
    row
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

    /// Lines of 64 base64 characters between those of a PEM file.
    fn pem(&mut self, label: &str, lines: usize) -> Vec<u8> {
        const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut out = format!("-----BEGIN {label}-----\n").into_bytes();
        for _ in 0..lines {
            out.extend((0..64).map(|_| BASE64[(self.next() % 64) as usize]));
            out.push(b'\n');
        }
        out.extend(format!("-----END {label}-----\n").into_bytes());
        out
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(
            (u128::from(self.next()) << 64 | u128::from(self.next())).to_le_bytes(),
        )
        .into_uuid()
    }
}

fn encoded(rows: Rows, raw: &Bytes, codec: Codec) -> EncodedChunk {
    encode_chunk(Uuid::nil(), TableId(0), rows.encoding(), rows.columns(), raw, codec, Vec::new())
        .expect("whole rows")
        .0
}

#[divan::bench(name = "split", args = ALL)]
fn split_rows(bencher: Bencher, rows: Rows) {
    let raw = rows.raw();
    let mut room = Vec::new();
    bencher.counter(BytesCount::new(raw.len())).bench_local(|| {
        let split = split(rows.encoding(), rows.columns(), &raw, std::mem::take(&mut room))
            .expect("whole rows");
        drop(split.columns);
        room = split.room.try_into_mut().expect("its columns are gone").into();
    });
}

/// Binary rows without their field count, as they are digested; a row of text is digested field by
/// field while it is split.
#[divan::bench(args = [Rows::Credentials, Rows::Certificates, Rows::MostlyNull])]
fn digest(bencher: Bencher, rows: Rows) {
    let rows = rows.rows();
    let raw_bytes: usize = rows.iter().map(Vec::len).sum();
    bencher
        .counter(BytesCount::new(raw_bytes))
        .bench(|| rows.iter().map(|row| Digest::of_row(&row[2..])).sum::<Digest>());
}

#[divan::bench(name = "join", args = ALL)]
fn join_rows(bencher: Bencher, rows: Rows) {
    let raw = rows.raw();
    let columns =
        split(rows.encoding(), rows.columns(), &raw, Vec::new()).expect("whole rows").columns;
    bencher
        .counter(BytesCount::new(raw.len()))
        .with_inputs(|| columns.clone())
        .bench_values(|columns| join(rows.encoding(), columns, Vec::new()));
}

#[divan::bench(args = ALL, consts = [0, 1, 3])]
fn encode<const LEVEL: i32>(bencher: Bencher, rows: Rows) {
    let codec = if LEVEL == 0 { Codec::None } else { Codec::Zstd(LEVEL) };
    let raw = rows.raw();
    bencher.counter(BytesCount::new(raw.len())).bench(|| encoded(rows, black_box(&raw), codec));
}

/// What `verify` and `restore` do with a chunk: checksums of what is stored, decompression, join.
#[divan::bench(args = ALL, consts = [0, 1, 3])]
fn decode<const LEVEL: i32>(bencher: Bencher, rows: Rows) {
    let codec = if LEVEL == 0 { Codec::None } else { Codec::Zstd(LEVEL) };
    let raw = rows.raw();
    let chunk = encoded(rows, &raw, codec);
    let mut writer = ArchiveWriter::new(Vec::new(), Uuid::nil(), &manifest(rows), codec)
        .expect("a vector takes all");
    writer.write_chunk(&chunk).expect("a vector takes all");
    writer.end_tables().expect("every table is there");
    let archive = Archive::open(writer.finish().expect("a vector takes all").0, "bench")
        .expect("it was just written");
    bencher
        .counter(BytesCount::new(raw.len()))
        .bench(|| archive.read_chunk(0).and_then(StoredChunk::decode).expect("whole"));
}

fn manifest(rows: Rows) -> Manifest {
    let column = |at: usize| Column {
        name: format!("column{at}"),
        type_name: "text".into(),
        sent_as: None,
        not_null: false,
    };
    let object = Object {
        schema: Some("public".into()),
        name: "rows".into(),
        ..Object::new(ObjectId(0), ObjectKind::Table, "TABLE public.rows")
    };
    let table = Table {
        rows_estimate: -1,
        ..Table::new(
            ObjectId(0),
            "public",
            "rows",
            (0..rows.columns()).map(column).collect(),
            rows.encoding(),
        )
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
    Manifest {
        source,
        objects: vec![object],
        tables: vec![table],
        not_carried: Vec::new(),
        statistics: Vec::new(),
    }
}
