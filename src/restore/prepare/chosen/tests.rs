use super::*;
use crate::archive::manifest::{ObjectId, RowEncoding, testing};

fn object(id: u32, kind: ObjectKind, schema: Option<&str>, name: &str) -> Object {
    Object {
        schema: schema.map(str::to_owned),
        name: name.to_owned(),
        statements: vec!["CREATE".to_owned()],
        ..Object::new(ObjectId(id), kind, name)
    }
}

fn manifest(objects: Vec<Object>, tables: &[(u32, &str)]) -> Manifest {
    let table = |&(object, schema): &(u32, &str)| {
        Table::new(ObjectId(object), schema, "t", Vec::new(), RowEncoding::Binary)
    };
    testing::manifest(objects, tables.iter().map(table).collect())
}

#[test]
fn an_archive_that_only_names_its_tables_defines_what_comes_after_them_or_nothing() {
    let defined = |id| object(id, ObjectKind::Table, Some("s"), "t");
    let bare = |id| Object { statements: Vec::new(), ..defined(id) };
    let index =
        |id| Object { section: Section::PostData, ..object(id, ObjectKind::Index, Some("s"), "i") };
    let (nothing, rows) = (Lacks::default(), Lacks { pre_data: true, post_data: true });
    let post_data = Lacks { pre_data: true, post_data: false };
    for (objects, expect) in [
        (vec![], nothing),
        (vec![bare(0)], rows),
        (vec![defined(0)], nothing),
        (vec![bare(0), bare(1)], rows),
        (vec![bare(0), defined(1)], nothing),
        (vec![bare(0), index(1)], post_data),
        (vec![defined(0), index(1)], nothing),
        (vec![object(1, ObjectKind::Database, None, "d"), bare(0)], rows),
    ] {
        let found = lacks(&manifest(objects.clone(), &[(0, "s")]));
        assert_eq!(found, expect, "{objects:?}");
    }
}

#[test]
fn the_database_is_taken_and_the_others_stay_in_order() {
    let mut objects = vec![
        object(2, ObjectKind::Schema, None, "a"),
        object(0, ObjectKind::Database, None, "kong"),
        object(1, ObjectKind::Table, Some("a"), "t"),
    ];
    let database = take_database(&mut objects);
    assert_eq!(database.map(|database| database.name).as_deref(), Some("kong"));
    let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["a", "t"]);
    assert_eq!(take_database(&mut objects), None);
    assert_eq!(objects.len(), 2);
}

#[test]
fn a_schema_is_its_own() {
    for (kind, schema, name, expect) in [
        (ObjectKind::Schema, None, "a", Some("a")),
        (ObjectKind::Schema, Some("b"), "a", Some("a")),
        (ObjectKind::Table, Some("b"), "a", Some("b")),
        (ObjectKind::Extension, None, "a", None),
    ] {
        assert_eq!(schema_of(&object(0, kind, schema, name)), expect);
    }
}

#[test]
fn schemas_are_filled_by_what_is_made_or_loaded() {
    let chunk = vec![ChunkSize { chunk: 0, rows: 1, raw_bytes: 1 }];
    let objects = [
        object(0, ObjectKind::Schema, None, "new"),
        object(1, ObjectKind::View, Some("b"), "v"),
        object(2, ObjectKind::View, Some("b"), "w"),
        object(3, ObjectKind::Extension, None, "e"),
    ];
    let manifest = manifest(Vec::new(), &[(7, "loaded"), (8, "without rows"), (9, "a")]);
    let chunks = [chunk.clone(), Vec::new(), chunk];
    assert_eq!(filled(&objects, &manifest, &chunks), ["a", "b", "loaded", "new"]);
    assert!(filled(&[], &manifest, &[const { Vec::new() }; 3]).is_empty());
}
