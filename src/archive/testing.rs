//! Small archives for the tests of this folder.

use bytes::Bytes;
use uuid::Uuid;

use super::manifest::{
    Manifest, Object, ObjectId, ObjectKind, RowEncoding, Table, TableId, testing,
};
use super::{Archive, ArchiveWriter, Codec, Summary, encode_chunk};
use crate::error::Result;

pub(super) const ARCHIVE: Uuid = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);

pub(super) type Row<'a> = &'a [Option<&'a [u8]>];

/// Rows as COPY BINARY frames them.
pub(super) fn binary(rows: &[Row]) -> Bytes {
    let mut out = Vec::new();
    for row in rows {
        out.extend((row.len() as u16).to_be_bytes());
        for value in *row {
            out.extend(value.map_or(-1, |value| value.len() as i32).to_be_bytes());
            out.extend(value.unwrap_or_default());
        }
    }
    out.into()
}

/// Rows as COPY TEXT writes them, the values escaped by the caller.
pub(super) fn text(rows: &[Row]) -> Bytes {
    let line = |row: &Row| {
        row.iter().map(|value| value.unwrap_or(b"\\N")).collect::<Vec<_>>().join(&b'\t')
    };
    rows.iter().flat_map(|row| [line(row), b"\n".to_vec()].concat()).collect::<Vec<_>>().into()
}

pub(super) fn manifest(tables: &[(&str, RowEncoding, usize)]) -> Manifest {
    let object = |id: usize, name: &str| Object {
        schema: Some("public".into()),
        name: name.into(),
        owner: Some("kong".into()),
        statements: vec![format!("CREATE TABLE public.{name} ()")],
        drop: Some(format!("DROP TABLE public.{name}")),
        ..Object::new(ObjectId(id as u32), ObjectKind::Table, format!("TABLE public.{name}"))
    };
    let column = |at: usize| testing::column(&format!("column{at}"), "text");
    let table = |id: usize, name: &str, encoding, columns: usize| Table {
        rows_estimate: -1,
        ..Table::new(
            ObjectId(id as u32),
            "public",
            name,
            (0..columns).map(column).collect(),
            encoding,
        )
    };
    testing::manifest(
        tables.iter().enumerate().map(|(id, (name, ..))| object(id, name)).collect(),
        tables
            .iter()
            .enumerate()
            .map(|(id, &(name, encoding, columns))| table(id, name, encoding, columns))
            .collect(),
    )
}

/// The tables of [`small`].
pub(super) const TABLES: [(&str, RowEncoding, usize); 3] = [
    ("routes", RowEncoding::Binary, 3),
    ("notes", RowEncoding::Text, 2),
    ("empty", RowEncoding::Binary, 1),
];

/// The chunks of [`small`]: two of one table, one of another.
pub(super) fn chunks() -> [(TableId, Bytes); 3] {
    let long = [b'x'; 300];
    [
        (
            TableId(0),
            binary(&[
                &[Some(b"0123456789abcdef"), None, Some(&long)],
                &[Some(b"fedcba9876543210"), None, Some(b"")],
            ]),
        ),
        (TableId(1), text(&[&[Some(b"a\\tb"), None], &[Some(b""), Some(b"\\\\N")]])),
        (TableId(0), binary(&[&[Some(b"0000000000000000"), Some(b"1"), None]])),
    ]
}

/// Writes an archive of binary and text rows.
pub(super) fn small(codec: Codec) -> Result<(Vec<u8>, Summary)> {
    write(Vec::new(), ARCHIVE, codec)
}

/// Writes the archive of [`small`] to `out`.
pub(super) fn write<W: std::io::Write>(
    out: W,
    archive: Uuid,
    codec: Codec,
) -> Result<(W, Summary)> {
    let mut writer = ArchiveWriter::new(out, archive, &manifest(&TABLES), codec)?;
    for (table, raw) in chunks() {
        let (_, encoding, columns) = TABLES[table.0 as usize];
        let (chunk, _) = encode_chunk(
            archive,
            table,
            encoding,
            columns,
            &raw,
            codec,
            b"of an earlier chunk".to_vec(),
        )?;
        writer.write_chunk(&chunk)?;
    }
    writer.end_tables()?;
    writer.finish()
}

/// Opens an archive and reads all of it; gives the raw rows of every chunk.
pub(super) fn read_all(bytes: Vec<u8>) -> Result<Vec<Bytes>> {
    let archive = Archive::open(bytes, "test")?;
    archive.check_root()?;
    let rows = |number| Ok(archive.read_chunk(number)?.decode()?.whole());
    (0..archive.index.chunks.len()).map(rows).collect()
}
