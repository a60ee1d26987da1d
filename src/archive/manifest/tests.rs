use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::archive::statistics::{ColumnStatistics, ExtendedStatistics, RelationSize, Values};

/// A value comes back as it was, by way of its text; that is returned.
fn comes_back<T>(value: &T) -> Value
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).expect("it is told");
    assert_eq!(&serde_json::from_str::<T>(&text).expect("it is read"), value, "{text}");
    serde_json::from_str(&text).expect("it is JSON")
}

fn owned(text: &str) -> String {
    text.to_owned()
}

fn source() -> Source {
    Source {
        tool: "silverback 0.1.0".to_owned(),
        server_version: "18.1".to_owned(),
        server_version_num: 180_001,
        database: "kong \"é\\\n".to_owned(),
        encoding: "UTF8".to_owned(),
        collate: "C".to_owned(),
        ctype: "de_DE".to_owned(),
        locale_provider: "i".to_owned(),
        collation_version: Some(owned("153.120")),
        snapshot_time: "2025-01-02T03:04:05Z".to_owned(),
        snapshot_lsn: Some(owned("0/16B3748")),
    }
}

fn grant() -> Grant {
    Grant {
        column: Some(owned("c")),
        grantee: Some(owned("reader")),
        grantor: "owner".to_owned(),
        privileges: vec!["SELECT".to_owned(), "UPDATE".to_owned()],
        grantable: true,
    }
}

/// An object of which everything is said.
fn full_object() -> Object {
    Object {
        schema: Some(owned("My schema")),
        name: "f(integer)".to_owned(),
        of: Some(ObjectId(4)),
        owner: Some(owned("o")),
        acl: Some(Acl { on: "FUNCTION f".to_owned(), initial: vec![], items: vec![grant()] }),
        comments: vec![Comment { on: "FUNCTION f".to_owned(), text: "it's \u{1F98D}".to_owned() }],
        security_labels: vec![SecurityLabel {
            on: "FUNCTION f".to_owned(),
            provider: "selinux".to_owned(),
            label: "l".to_owned(),
        }],
        section: Section::PostData,
        depends_on: vec![ObjectId(0), ObjectId(u32::MAX)],
        roles: vec!["r".to_owned()],
        tablespace: Some(owned("fast")),
        extension: Some(owned("postgis")),
        statements: vec!["CREATE FUNCTION f".to_owned()],
        drop: Some(owned("DROP FUNCTION f")),
        detail: Detail::Trigger { row: true },
        ..Object::new(ObjectId(7), ObjectKind::Function, "FUNCTION f")
    }
}

/// One of each.
fn details() -> Vec<(&'static str, Detail)> {
    let columns = || vec!["a".to_owned(), "b".to_owned()];
    let database = |locale: Option<String>, icu_rules| Detail::Database {
        locale_provider: "i".to_owned(),
        encoding: "UTF8".to_owned(),
        collate: "C".to_owned(),
        ctype: "C".to_owned(),
        locale,
        icu_rules,
        connection_limit: -1,
        is_template: true,
    };
    vec![
        ("none", Detail::None),
        ("table", Detail::Table { relkind: 'p', partition: true, force_row_security: false }),
        (
            "index",
            Detail::Index {
                unique: true,
                method: "gin".to_owned(),
                columns: vec![Some(owned("a")), None],
                partitioned: false,
                bytes: u64::MAX,
            },
        ),
        (
            "key",
            Detail::Key {
                primary: true,
                columns: columns(),
                using_index: Some(UsingIndex {
                    create_index: "CREATE UNIQUE INDEX i".to_owned(),
                    add_constraint: "ADD CONSTRAINT i".to_owned(),
                }),
                bytes: 0,
            },
        ),
        (
            "key",
            Detail::Key { primary: false, columns: columns(), using_index: None, bytes: 1 << 60 },
        ),
        (
            "foreign-key",
            Detail::ForeignKey {
                columns: columns(),
                references: ObjectId(3),
                add_not_valid: Some(owned("ALTER")),
                validate: None,
            },
        ),
        ("trigger", Detail::Trigger { row: false }),
        (
            "sequence-value",
            Detail::SequenceValue { last_value: i64::MIN.to_string(), is_called: true },
        ),
        ("database", database(Some(owned("de")), Some(owned("&a < b")))),
        ("database", database(None, None)),
        ("large-objects", Detail::LargeObjects { oids: vec![0, 16_384, u32::MAX] }),
    ]
}

#[test]
fn details_come_back_under_their_names() {
    for (name, detail) in details() {
        assert_eq!(comes_back(&detail)["type"], name);
        assert_eq!(detail.is_none(), name == "none");
    }
}

#[test]
fn a_full_object_comes_back_with_every_field() {
    let told = comes_back(&full_object());
    let fields: HashSet<&str> =
        told.as_object().expect("an object").keys().map(String::as_str).collect();
    let expect = [
        "id",
        "kind",
        "schema",
        "name",
        "of",
        "identity",
        "owner",
        "acl",
        "comments",
        "security_labels",
        "section",
        "depends_on",
        "roles",
        "tablespace",
        "extension",
        "statements",
        "drop",
        "detail",
    ];
    assert_eq!(fields, HashSet::from(expect));
    assert_eq!(told["kind"], "function");
    assert_eq!(told["section"], "post-data");
    assert_eq!(told["depends_on"], json!([0, u32::MAX]));
}

#[test]
fn what_is_not_said_of_an_object_is_not_written() {
    let told = comes_back(&Object::new(ObjectId(0), ObjectKind::Schema, "SCHEMA s"));
    for field in ["security_labels", "roles", "tablespace", "extension", "detail"] {
        assert!(told.get(field).is_none(), "{field}");
    }
    for field in ["schema", "of", "owner", "acl", "drop"] {
        assert_eq!(told[field], Value::Null, "{field}");
    }
}

#[test]
fn sections_come_in_order_under_their_names() {
    let all = [Section::PreData, Section::Data, Section::PostData];
    assert!(all.is_sorted());
    let names: Vec<Value> = all.iter().map(comes_back).collect();
    assert_eq!(names, ["pre-data", "data", "post-data"]);
}

fn manifest() -> Manifest {
    let column = Column {
        name: "A".to_owned(),
        type_name: "s.d".to_owned(),
        sent_as: Some(owned("integer")),
        not_null: true,
    };
    let values = Values::from([("null_frac".to_owned(), "0.5".to_owned())]);
    let name = |name: &str| TableName { schema: "s".to_owned(), name: name.to_owned() };
    Manifest {
        source: source(),
        objects: vec![full_object()],
        tables: vec![Table {
            filter: Some(owned("WHERE a")),
            root: Some(name("root")),
            after: vec![name("first"), name("second")],
            rows_estimate: -1,
            bytes_estimate: u64::MAX,
            ..Table::new(ObjectId(7), "s", "t", vec![column], RowEncoding::Text)
        }],
        not_carried: vec![NotCarried {
            kind: "cast".to_owned(),
            name: "n".to_owned(),
            reason: "r".to_owned(),
        }],
        statistics: vec![Statistics {
            object: ObjectId(7),
            size: Some(RelationSize {
                pages: i32::MAX,
                rows: "1e+06".to_owned(),
                all_visible: 3,
                all_frozen: Some(0),
            }),
            columns: vec![ColumnStatistics {
                name: "A".to_owned(),
                number: -1,
                inherited: true,
                values: values.clone(),
            }],
            extended: vec![ExtendedStatistics {
                inherited: false,
                values: values.clone(),
                expressions: vec![values],
            }],
        }],
    }
}

#[test]
fn a_full_manifest_comes_back() {
    let told = comes_back(&manifest());
    assert_eq!(told["tables"][0]["encoding"], serde_json::to_value(RowEncoding::Text).unwrap());
    assert_eq!(told["tables"][0]["rows_estimate"], -1);
    assert_eq!(told["tables"][0]["bytes_estimate"], u64::MAX);
}

#[test]
fn an_empty_manifest_comes_back_without_what_it_has_not() {
    let mut empty = manifest();
    empty.statistics.clear();
    empty.tables[0] = Table::new(ObjectId(7), "s", "t", Vec::new(), RowEncoding::Binary);
    empty.source.collation_version = None;
    empty.source.snapshot_lsn = None;
    let told = comes_back(&empty);
    assert!(told.get("statistics").is_none());
    for field in ["filter", "root", "after"] {
        assert!(told["tables"][0].get(field).is_none(), "{field}");
    }
}

/// Sets the value at a path, or takes it away.
fn change(told: &mut Value, path: &str, value: Option<Value>) {
    let (above, field) = path.rsplit_once('/').expect("a path");
    let above = told.pointer_mut(above).expect("what is above it");
    let fields = above.as_object_mut().expect("an object");
    match value {
        Some(value) => drop(fields.insert(field.to_owned(), value)),
        None => assert!(fields.remove(field).is_some(), "{path} is there"),
    }
}

#[test]
fn values_of_another_sort_are_refused() {
    let good = serde_json::to_value(manifest()).expect("it is told");
    for (path, value) in [
        ("/source/server_version_num", json!("18")),
        ("/source/server_version_num", json!(-1)),
        ("/source/server_version_num", json!(1_u64 << 32)),
        ("/source/database", json!(null)),
        ("/source/collation_version", json!(1)),
        ("/objects", json!({})),
        ("/objects/0/id", json!(-1)),
        ("/objects/0/id", json!(1_u64 << 32)),
        ("/objects/0/id", json!("7")),
        ("/objects/0/id", json!(1.5)),
        ("/objects/0/kind", json!("Function")),
        ("/objects/0/kind", json!("of-the-future")),
        ("/objects/0/kind", json!(3)),
        ("/objects/0/section", json!("postdata")),
        ("/objects/0/depends_on", json!([0, null])),
        ("/objects/0/depends_on", json!(3)),
        ("/objects/0/statements", json!("CREATE")),
        ("/objects/0/statements", json!([1])),
        ("/objects/0/name", json!(null)),
        ("/objects/0/detail", json!({"type": "of-the-future"})),
        ("/objects/0/detail", json!({"type": "trigger"})),
        ("/objects/0/detail", json!({"type": "trigger", "row": "yes"})),
        ("/objects/0/detail", json!({"row": true})),
        (
            "/objects/0/detail",
            json!({"type": "table", "relkind": "rp", "partition": true,
            "force_row_security": true}),
        ),
        (
            "/objects/0/detail",
            json!({"type": "table", "relkind": "", "partition": true,
            "force_row_security": true}),
        ),
        ("/objects/0/detail", json!({"type": "large-objects", "oids": [-1]})),
        ("/objects/0/detail", json!({"type": "large-objects", "oids": [1_u64 << 32]})),
        ("/objects/0/acl/items/0/grantable", json!(1)),
        ("/objects/0/acl/items/0/privileges", json!("SELECT")),
        ("/objects/0/acl/items/0/grantor", json!(null)),
        ("/tables/0/encoding", json!("csv")),
        ("/tables/0/rows_estimate", json!(1.0e30)),
        ("/tables/0/bytes_estimate", json!(-1)),
        ("/tables/0/root", json!("root")),
        ("/tables/0/columns", json!([{"name": "a"}])),
        ("/statistics/0/size/pages", json!(1_u64 << 31)),
        ("/statistics/0/columns/0/number", json!(40_000)),
    ] {
        let mut told = good.clone();
        change(&mut told, path, Some(value.clone()));
        assert!(serde_json::from_value::<Manifest>(told).is_err(), "{path} = {value}");
    }
}

#[test]
fn what_must_be_there_is_missed_and_what_may_be_absent_is_not() {
    let good = serde_json::to_value(manifest()).expect("it is told");
    for (path, may_be_absent) in [
        ("/source", false),
        ("/source/tool", false),
        ("/source/encoding", false),
        ("/source/snapshot_time", false),
        ("/source/collation_version", true),
        ("/source/snapshot_lsn", true),
        ("/objects", false),
        ("/objects/0/id", false),
        ("/objects/0/kind", false),
        ("/objects/0/schema", true),
        ("/objects/0/name", false),
        ("/objects/0/identity", false),
        ("/objects/0/owner", true),
        ("/objects/0/acl", true),
        ("/objects/0/comments", false),
        ("/objects/0/security_labels", true),
        ("/objects/0/section", false),
        ("/objects/0/depends_on", false),
        ("/objects/0/roles", true),
        ("/objects/0/tablespace", true),
        ("/objects/0/extension", true),
        ("/objects/0/statements", false),
        ("/objects/0/drop", true),
        ("/objects/0/detail", true),
        ("/objects/0/acl/on", false),
        ("/objects/0/acl/items/0/column", true),
        ("/objects/0/acl/items/0/grantee", true),
        ("/objects/0/acl/items/0/grantable", false),
        ("/tables", false),
        ("/tables/0/object", false),
        ("/tables/0/columns", false),
        ("/tables/0/filter", true),
        ("/tables/0/root", true),
        ("/tables/0/after", true),
        ("/tables/0/rows_estimate", false),
        ("/tables/0/bytes_estimate", false),
        ("/not_carried", false),
        ("/statistics", true),
        ("/statistics/0/size", true),
        ("/statistics/0/columns", true),
        ("/statistics/0/extended", true),
        ("/statistics/0/extended/0/expressions", true),
    ] {
        let mut told = good.clone();
        change(&mut told, path, None);
        assert_eq!(serde_json::from_value::<Manifest>(told).is_ok(), may_be_absent, "{path}");
    }
}
