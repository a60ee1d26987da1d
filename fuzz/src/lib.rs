//! Valid archives to start from, and checksums made right so that the fuzzer gets past them.
//! Offsets are those of `format-spec/`.

use std::collections::HashMap;

use bytes::Bytes;
use silverback::archive::manifest::{
    Column, Manifest, Object, ObjectId, ObjectKind, RowEncoding, Source, Table, TableId,
};
use silverback::archive::{
    Archive, ArchiveWriter, Codec, InOrder, Passed, StoredChunk, UncheckedChunk, encode_chunk,
};
use uuid::Uuid;

const HEADER_BYTES: usize = 64;
const FOOTER_BYTES: usize = 144;
/// Of a chunk's header without columns.
const CHUNK_BYTES: usize = 140;
const TABLE_END_BYTES: usize = 84;

/// A manifest of tables with so many columns each.
pub fn manifest(tables: &[(RowEncoding, usize)]) -> Manifest {
    let object = |id: usize| Object {
        schema: Some("public".into()),
        name: format!("t{id}"),
        ..Object::new(ObjectId(id as u32), ObjectKind::Table, format!("TABLE public.t{id}"))
    };
    let table = |id: usize, (encoding, columns): (RowEncoding, usize)| Table {
        rows_estimate: -1,
        ..Table::new(
            ObjectId(id as u32),
            "public",
            format!("t{id}"),
            (0..columns)
                .map(|at| Column {
                    name: format!("c{at}"),
                    type_name: "text".into(),
                    sent_as: None,
                    not_null: false,
                })
                .collect(),
            encoding,
        )
    };
    let text = String::new;
    let source = Source {
        tool: text(),
        server_version: text(),
        server_version_num: 150_018,
        database: text(),
        encoding: text(),
        collate: text(),
        ctype: text(),
        locale_provider: text(),
        collation_version: None,
        snapshot_time: text(),
        snapshot_lsn: None,
    };
    Manifest {
        source,
        objects: (0..tables.len()).map(object).collect(),
        tables: tables.iter().enumerate().map(|(id, &shape)| table(id, shape)).collect(),
        not_carried: Vec::new(),
        statistics: Vec::new(),
    }
}

/// Small rows of both encodings: a fixed column, a short one, one that is mostly NULL.
pub fn rows(encoding: RowEncoding) -> Bytes {
    match encoding {
        RowEncoding::Binary => {
            let mut out = Vec::new();
            for row in 0..40_u8 {
                out.extend(b"\0\x03\0\0\0\x04");
                out.extend([row; 4]);
                out.extend((i32::from(row % 3)).to_be_bytes());
                out.extend(vec![b'x'; usize::from(row % 3)]);
                out.extend(if row % 9 == 0 { &b"\0\0\0\x01y"[..] } else { b"\xff\xff\xff\xff" });
            }
            out.into()
        }
        RowEncoding::Text => (0..40)
            .flat_map(|row| format!("row {row}\t\\N\ta\\tb{}\n", row / 9).into_bytes())
            .collect::<Vec<_>>()
            .into(),
    }
}

/// Rows enough for a transform of each column: planes, differences, one value, a dictionary,
/// numbers, an alphabet.
fn transformed_rows() -> Bytes {
    let mut out = Vec::new();
    for row in 0..100_u32 {
        let mixed = row.wrapping_mul(0x9e37_79b9) >> 16;
        let cents = (mixed as u16 % 99 * 100 + 100).to_be_bytes();
        let fields = [
            format!("Clerk#{:09}", mixed % 1000).into_bytes(),
            (row + 1_000_000).to_be_bytes().to_vec(),
            b"one value".to_vec(),
            [&b"red"[..], b"green", b"blue"][mixed as usize % 3].to_vec(),
            [&b"\0\x02\0\0\0\0\0\x02\0"[..], &[1 + row as u8], &cents].concat(),
            digits(row).into_bytes(),
        ];
        out.extend(b"\0\x06");
        for field in fields {
            out.extend((field.len() as i32).to_be_bytes());
            out.extend(field);
        }
    }
    out.into()
}

/// 82 hexadecimal digits and a line feed, which do not return.
fn digits(row: u32) -> String {
    let words = (1..=11_u32).map(|at| {
        let mixed = (row * 11 + at).wrapping_mul(0x9e37_79b9);
        (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b)
    });
    let mut digits: String = words.map(|word| format!("{word:08x}")).collect();
    digits.replace_range(82.., "\n");
    digits
}

/// A small archive of both encodings, and of columns that are transformed.
pub fn archive(codec: Codec) -> Vec<u8> {
    let tables = [
        (RowEncoding::Binary, 3, rows(RowEncoding::Binary)),
        (RowEncoding::Text, 3, rows(RowEncoding::Text)),
        (RowEncoding::Binary, 6, transformed_rows()),
    ];
    let shapes = [0, 1, 2].map(|id: usize| (tables[id].0, tables[id].1));
    let mut writer = ArchiveWriter::new(Vec::new(), Uuid::nil(), &manifest(&shapes), codec)
        .expect("a vector takes all");
    for (id, (encoding, columns, raw)) in tables.into_iter().enumerate() {
        let chunk = encode_chunk(
            Uuid::nil(),
            TableId(id as u32),
            encoding,
            columns,
            &raw,
            codec,
            Vec::new(),
        )
        .expect("whole rows");
        writer.write_chunk(&chunk.0).expect("a vector takes all");
    }
    writer.end_tables().expect("every table is there");
    writer.finish().expect("a vector takes all").0
}

/// The chunks of [`archive`], headers included.
pub fn chunks(codec: Codec) -> Vec<Vec<u8>> {
    let bytes = archive(codec);
    let index = Archive::open(bytes.clone(), "seed").expect("it was just written").index;
    index
        .chunks
        .iter()
        .map(|chunk| bytes[chunk.offset as usize..][..chunk.stored_bytes as usize].to_vec())
        .collect()
}

/// Opens an archive and reads all of it, as far as it goes.
pub fn read_all(bytes: Vec<u8>) {
    let Ok(archive) = Archive::open(bytes, "fuzz") else {
        return;
    };
    let _ = archive.check_root();
    for number in 0..archive.index.chunks.len() {
        if let Ok(chunk) = archive.read_chunk(number) {
            let entry = &archive.index.chunks[number];
            let (rows, raw_bytes) = (entry.rows, entry.raw_bytes);
            if let Ok(joined) = chunk.decode() {
                assert_eq!((joined.rows, joined.raw_bytes), (rows, raw_bytes));
            }
        }
    }
}

/// Reads what comes in order, as far as it goes: what is whole so is whole at random.
pub fn read_in_order(bytes: &[u8]) {
    let Ok(mut archive) = InOrder::open(bytes, "fuzz", 0) else {
        return;
    };
    while let Ok(Some(_)) = archive.next_chunk() {
        let _ =
            archive.read_body().and_then(UncheckedChunk::check_stored).and_then(StoredChunk::check);
    }
    let whole = matches!(archive.finish(HashMap::new()), Ok(Passed::Whole(_)));
    assert!(!whole || Archive::open(bytes.to_vec(), "fuzz").is_ok());
}

/// Makes the checksums of header, manifest, index, footer and every chunk right, wherever they are.
pub fn reseal(bytes: &mut [u8]) {
    let size = bytes.len();
    if size < HEADER_BYTES + FOOTER_BYTES {
        return;
    }
    seal(bytes, 0, 60);
    let footer = size - FOOTER_BYTES;
    put(bytes, footer + 56, &(size as u64).to_le_bytes());
    let manifest_end = HEADER_BYTES.saturating_add(long(bytes, footer + 8)).min(footer);
    if manifest_end >= HEADER_BYTES + 40 {
        let crc = crc32fast::hash(&bytes[HEADER_BYTES + 40..manifest_end]);
        put(bytes, HEADER_BYTES + 32, &crc.to_le_bytes());
        seal(bytes, HEADER_BYTES, 36);
    }
    let places = |bytes: &[u8], magic: &[u8]| {
        (HEADER_BYTES..footer).filter(|&at| bytes[at..].starts_with(magic)).collect::<Vec<_>>()
    };
    for at in places(bytes, b"SBKCHNK2") {
        seal_chunk(&mut bytes[at..footer]);
    }
    for at in places(bytes, b"SBKTBEND") {
        if at + TABLE_END_BYTES <= footer {
            seal(bytes, at, TABLE_END_BYTES - 4);
        }
    }
    let (index, index_bytes) = (long(bytes, footer + 16), long(bytes, footer + 24));
    if index_bytes >= 28 && index.checked_add(index_bytes).is_some_and(|end| end <= footer) {
        seal(bytes, index, index_bytes - 4);
    }
    seal(bytes, footer, 132);
}

/// Makes the checksums of one chunk right, whose bytes come first.
pub fn seal_chunk(bytes: &mut [u8]) {
    if bytes.len() < CHUNK_BYTES {
        return;
    }
    let header = CHUNK_BYTES + 20 * usize::from(u16::from_le_bytes([bytes[54], bytes[55]]));
    if let Some(body) = bytes.get(header..).and_then(|rest| rest.get(..long(bytes, 72))) {
        let (crc, blake3) = (crc32fast::hash(body), blake3::hash(body));
        put(bytes, 132, &crc.to_le_bytes());
        put(bytes, 96, blake3.as_bytes());
    }
    if header <= bytes.len() {
        seal(bytes, 0, header - 4);
    }
}

/// Puts one chunk into an archive that is right in everything else.
pub fn frame(mut chunk: Vec<u8>) -> Option<Vec<u8>> {
    if chunk.len() < CHUNK_BYTES {
        return None;
    }
    let encoding = if chunk[52] == 2 { RowEncoding::Text } else { RowEncoding::Binary };
    let columns = usize::from(u16::from_le_bytes([chunk[54], chunk[55]])).min(40);
    put(&mut chunk, 0, b"SBKCHNK2");
    // Archive, writer, number and table.
    chunk[8..52].fill(0);
    chunk[54] = columns as u8;
    chunk[55] = 0;
    let header = CHUNK_BYTES + 20 * columns;
    let body = chunk.len().checked_sub(header)?;
    put(&mut chunk, 72, &(body as u64).to_le_bytes());
    seal_chunk(&mut chunk);

    let mut writer =
        ArchiveWriter::new(Vec::new(), Uuid::nil(), &manifest(&[(encoding, columns)]), Codec::None)
            .expect("a vector takes all");
    writer.end_tables().expect("every table is there");
    let mut out = writer.finish().expect("a vector takes all").0;
    let mut footer = out.split_off(out.len() - FOOTER_BYTES);
    let offset = long(&footer, 8) + HEADER_BYTES;
    out.truncate(offset);
    out.extend(&chunk);

    let (rows, raw_bytes, digest) = (&chunk[56..64], &chunk[64..72], &chunk[80..96]);
    let stored = (chunk.len() as u64).to_le_bytes();
    let one = 1_u64.to_le_bytes();
    let hash = blake3::hash(&chunk[..header]);
    let entry = [
        &[0; 8][..],
        &(offset as u64).to_le_bytes(),
        &stored,
        raw_bytes,
        rows,
        digest,
        hash.as_bytes(),
    ]
    .concat();
    let totals = [&one[..], rows, raw_bytes, &stored, digest].concat();
    let end = out.len() as u64;
    out.extend([b"SBKTBEND", &[0; 24][..], &totals, &[0; 4]].concat());
    let index = [
        b"SBKINDX2",
        &one[..],
        &1_u32.to_le_bytes(),
        &[0; 4],
        &entry,
        &totals,
        &[0; 8],
        &end.to_le_bytes(),
        &[0; 4],
    ]
    .concat();
    put(&mut footer, 16, &(out.len() as u64).to_le_bytes());
    put(&mut footer, 24, &(index.len() as u64).to_le_bytes());
    put(&mut footer, 32, &one);
    put(&mut footer, 40, rows);
    put(&mut footer, 48, raw_bytes);
    out.extend(index);
    out.extend(footer);
    reseal(&mut out);
    Some(out)
}

fn seal(bytes: &mut [u8], start: usize, length: usize) {
    let crc = crc32fast::hash(&bytes[start..start + length]);
    put(bytes, start + length, &crc.to_le_bytes());
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

fn long(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_get_past_every_check() {
        for codec in [Codec::None, Codec::Zstd(3)] {
            let mut bytes = archive(codec);
            reseal(&mut bytes);
            assert_eq!(bytes, archive(codec));
            for chunk in chunks(codec) {
                let framed = frame(chunk).expect("a whole chunk");
                let read =
                    Archive::open(framed, "seed").expect("everything around the chunk is right");
                read.read_chunk(0)
                    .expect("its checksums are right")
                    .decode()
                    .expect("it is a seed");
            }
        }
    }
}
