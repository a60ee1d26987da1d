//! A small archive for tests.

use std::io::Write;

use bytes::Bytes;
use uuid::Uuid;

use crate::archive::manifest::{
    Detail, Manifest, NotCarried, Object, ObjectId, ObjectKind, RowEncoding, Table, TableId,
    testing,
};
use crate::archive::{ArchiveWriter, Codec, encode_chunk};

/// Two tables, services and routes, two columns each.
pub(crate) fn manifest() -> Manifest {
    let not_carried = NotCarried {
        kind: "event trigger".to_owned(),
        name: "audit".to_owned(),
        reason: "not supported".to_owned(),
    };
    let names = ["services", "routes"];
    let objects = (0..).zip(names).map(|(id, name)| object(id, name)).collect();
    let tables = (0..).zip(names).map(|(id, name)| table(id, name)).collect();
    Manifest { not_carried: vec![not_carried], ..testing::manifest(objects, tables) }
}

fn object(id: u32, name: &str) -> Object {
    Object {
        schema: Some("public".to_owned()),
        name: name.to_owned(),
        owner: Some("kong".to_owned()),
        statements: vec![format!("CREATE TABLE public.{name} (id integer, name text)")],
        detail: Detail::Table { relkind: 'r', partition: false, force_row_security: false },
        ..Object::new(ObjectId(id), ObjectKind::Table, format!("TABLE public.{name}"))
    }
}

fn table(id: u32, name: &str) -> Table {
    Table {
        rows_estimate: 1000,
        bytes_estimate: 8192,
        ..Table::new(
            ObjectId(id),
            "public",
            name,
            vec![testing::column("id", "integer"), testing::column("name", "text")],
            RowEncoding::Text,
        )
    }
}

/// An archive of `chunks` chunks of routes, 100 rows each, and an empty table services.
pub(crate) fn archive(chunks: usize, codec: Codec) -> Vec<u8> {
    let uuid = Uuid::from_u128(7);
    let mut writer = ArchiveWriter::new(Vec::new(), uuid, &manifest(), codec).unwrap();
    for chunk in 0..chunks {
        let mut raw = Vec::new();
        for row in 0..100 {
            writeln!(raw, "{}\troute number {row}", chunk * 100 + row).unwrap();
        }
        let (encoded, _) = encode_chunk(
            uuid,
            TableId(1),
            RowEncoding::Text,
            2,
            &Bytes::from(raw),
            codec,
            Vec::new(),
        )
        .unwrap();
        writer.write_chunk(&encoded).unwrap();
    }
    writer.end_tables().expect("every table is there");
    writer.finish().unwrap().0
}
