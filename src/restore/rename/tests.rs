//! A hand-made manifest, in which every kind of object lies in a schema that is renamed.

mod schemas;

use super::*;
use crate::archive::manifest::testing::{column, manifest};
use crate::archive::manifest::{Acl, Comment, Grant, RowEncoding, SecurityLabel, UsingIndex};
use crate::select::Pattern;
use crate::sql::render;

fn pairs(pairs: &[&str]) -> Renames {
    Renames::parse(&pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>()).unwrap()
}

/// An object of schema `a`; the text of the statement ends in what the identity says.
fn object(id: u32, kind: ObjectKind, name: &str, statement: &str) -> Object {
    Object {
        schema: Some("a".into()),
        name: name.into(),
        statements: vec![statement.into()],
        ..Object::new(ObjectId(id), kind, format!("THING a.{name}"))
    }
}

fn schema(id: u32, name: &str) -> Object {
    Object {
        name: name.into(),
        owner: Some("kong".into()),
        statements: vec![format!("CREATE SCHEMA {name}")],
        drop: Some(format!("DROP SCHEMA {name}")),
        ..Object::new(ObjectId(id), ObjectKind::Schema, format!("SCHEMA {name}"))
    }
}

fn table(id: u32, name: &str, columns: &[(&str, &str)]) -> Table {
    let columns = columns.iter().map(|(name, type_name)| column(name, type_name)).collect();
    Table::new(ObjectId(id), "a", name, columns, RowEncoding::Binary)
}

fn renamed(objects: Vec<Object>, tables: Vec<Table>, names: &[&str]) -> Manifest {
    let mut manifest = manifest(objects, tables);
    rename(&mut manifest, &Selection::default(), &pairs(names)).unwrap();
    manifest
}

#[track_caller]
fn refused(manifest: &Manifest, selection: &Selection, names: &[&str]) -> (Kind, String) {
    let error = rename(&mut manifest.clone(), selection, &pairs(names)).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn the_statement_of_each_kind() {
    use ObjectKind as K;
    let cases = [
        (K::Table, "CREATE TABLE a.x (a a.mood)", "CREATE TABLE b.x (a b.mood)"),
        (K::Type, "CREATE TYPE a.x AS ENUM ('a')", "CREATE TYPE b.x AS ENUM ('a')"),
        (K::Domain, "CREATE DOMAIN a.x AS a.y", "CREATE DOMAIN b.x AS b.y"),
        (K::Sequence, "CREATE SEQUENCE a.x", "CREATE SEQUENCE b.x"),
        (
            K::SequenceValue,
            "SELECT pg_catalog.setval('a.x', 7, true)",
            "SELECT pg_catalog.setval('b.x', 7, true)",
        ),
        (
            K::Default,
            "ALTER TABLE ONLY a.x ALTER COLUMN a SET DEFAULT nextval('a.s'::regclass)",
            "ALTER TABLE ONLY b.x ALTER COLUMN a SET DEFAULT nextval('b.s'::regclass)",
        ),
        (
            K::Index,
            "CREATE INDEX a ON a.x USING btree (a)",
            "CREATE INDEX a ON b.x USING btree (a)",
        ),
        (
            K::View,
            "CREATE VIEW a.x AS SELECT t.x FROM a.t",
            "CREATE VIEW b.x AS SELECT t.x FROM b.t",
        ),
        (
            K::MaterializedView,
            "CREATE MATERIALIZED VIEW a.x AS SELECT 1 FROM a.t WITH NO DATA",
            "CREATE MATERIALIZED VIEW b.x AS SELECT 1 FROM b.t WITH NO DATA",
        ),
        (
            K::Trigger,
            "CREATE TRIGGER a BEFORE INSERT ON a.x FOR EACH ROW EXECUTE FUNCTION a.f()",
            "CREATE TRIGGER a BEFORE INSERT ON b.x FOR EACH ROW EXECUTE FUNCTION b.f()",
        ),
        (
            K::Rule,
            "CREATE RULE r AS ON INSERT TO a.x DO INSTEAD NOTHING",
            "CREATE RULE r AS ON INSERT TO b.x DO INSTEAD NOTHING",
        ),
        (K::Policy, "CREATE POLICY p ON a.x USING (a.f())", "CREATE POLICY p ON b.x USING (b.f())"),
        (
            K::Function,
            "CREATE FUNCTION a.x(a a.mood) RETURNS integer LANGUAGE sql AS $$SELECT 1$$",
            "CREATE FUNCTION b.x(a b.mood) RETURNS integer LANGUAGE sql AS $$SELECT 1$$",
        ),
        (
            K::PublicationTable,
            "ALTER PUBLICATION p ADD TABLE ONLY a.x",
            "ALTER PUBLICATION p ADD TABLE ONLY b.x",
        ),
    ];
    for (kind, from, to) in cases {
        let manifest = renamed(vec![schema(0, "a"), object(1, kind, "x", from)], vec![], &["a=b"]);
        let [made, one] = &manifest.objects[..] else { panic!("{kind}: {manifest:?}") };
        assert_eq!((&*made.name, &*made.statements[0]), ("b", "CREATE SCHEMA b"));
        assert_eq!(made.drop.as_deref(), Some("DROP SCHEMA b"));
        assert_eq!(made.owner.as_deref(), Some("kong"), "a plain schema keeps its owner");
        assert_eq!(one.statements, [to], "{kind}");
        assert_eq!((one.schema.as_deref(), &*one.identity), (Some("b"), "THING b.x"), "{kind}");
        assert_eq!(one.name, "x", "{kind}");
    }
}

#[test]
fn what_is_said_of_an_object_is_said_of_the_other_name() {
    let mut one = object(1, ObjectKind::Table, "t", "CREATE TABLE a.t ()");
    one.acl = Some(Acl { on: "TABLE a.t".into(), initial: vec![], items: vec![] });
    let comment = |on: &str| Comment { on: on.into(), text: "of a.t".into() };
    one.comments = vec![comment("TABLE a.t"), comment("COLUMN a.t.a")];
    one.security_labels =
        vec![SecurityLabel { on: "TABLE a.t".into(), provider: "a".into(), label: "a.t".into() }];
    one.drop = Some("DROP TABLE a.t".into());
    let one = renamed(vec![schema(0, "a"), one], vec![], &["a=\"B.b\""]).objects.remove(1);
    assert_eq!(one.acl.unwrap().on, "TABLE \"B.b\".t");
    let on: Vec<&str> = one.comments.iter().map(|comment| &*comment.on).collect();
    assert_eq!(on, ["TABLE \"B.b\".t", "COLUMN \"B.b\".t.a"]);
    assert!(one.comments.iter().all(|comment| comment.text == "of a.t"), "a comment's text stays");
    let label = &one.security_labels[0];
    assert_eq!((&*label.on, &*label.label), ("TABLE \"B.b\".t", "a.t"));
    assert_eq!(one.drop.unwrap(), "DROP TABLE \"B.b\".t");
    assert_eq!(one.schema.unwrap(), "B.b", "unquoted");
}

#[test]
fn functions_and_aggregates_are_named_with_their_arguments() {
    for (kind, expect) in [
        (ObjectKind::Function, "f(b.mood, integer)"),
        (ObjectKind::Aggregate, "f(b.mood, integer)"),
        (ObjectKind::Table, "f(a.mood, integer)"),
    ] {
        let one = object(1, kind, "f(a.mood, integer)", "CREATE");
        assert_eq!(renamed(vec![schema(0, "a"), one], vec![], &["a=b"]).objects[1].name, expect);
    }
}

#[test]
fn both_ways_of_a_key_and_of_a_foreign_key() {
    let mut key =
        object(1, ObjectKind::Constraint, "k", "ALTER TABLE ONLY a.t ADD PRIMARY KEY (a)");
    key.detail = Detail::Key {
        primary: true,
        columns: vec!["a".into()],
        using_index: Some(UsingIndex {
            create_index: "CREATE UNIQUE INDEX k ON a.t (a)".into(),
            add_constraint: "ALTER TABLE ONLY a.t ADD CONSTRAINT k PRIMARY KEY USING INDEX k"
                .into(),
        }),
        bytes: 9,
    };
    let mut foreign = object(2, ObjectKind::ForeignKey, "f", "ALTER TABLE a.t ADD …");
    foreign.statements = vec!["ALTER TABLE a.t ADD FOREIGN KEY (a) REFERENCES a.u(a)".into()];
    foreign.detail = Detail::ForeignKey {
        columns: vec!["a".into()],
        references: ObjectId(0),
        add_not_valid: Some(
            "ALTER TABLE a.t ADD FOREIGN KEY (a) REFERENCES a.u(a) NOT VALID".into(),
        ),
        validate: Some("ALTER TABLE a.t VALIDATE CONSTRAINT f".into()),
    };
    let manifest = renamed(vec![schema(0, "a"), key, foreign], vec![], &["a=b"]);
    let Detail::Key { using_index: Some(using), columns, bytes: 9, .. } =
        &manifest.objects[1].detail
    else {
        panic!("a key")
    };
    assert_eq!(columns, &["a"]);
    assert_eq!(using.create_index, "CREATE UNIQUE INDEX k ON b.t (a)");
    assert!(using.add_constraint.starts_with("ALTER TABLE ONLY b.t ADD"));
    let Detail::ForeignKey { add_not_valid, validate, .. } = &manifest.objects[2].detail else {
        panic!("a foreign key")
    };
    assert_eq!(
        add_not_valid.as_deref(),
        Some("ALTER TABLE b.t ADD FOREIGN KEY (a) REFERENCES b.u(a) NOT VALID")
    );
    assert_eq!(validate.as_deref(), Some("ALTER TABLE b.t VALIDATE CONSTRAINT f"));
}

#[test]
fn tables_and_what_they_name() {
    let name = |schema: &str, name: &str| TableName { schema: schema.into(), name: name.into() };
    let mut part = table(1, "a", &[("a", "a.mood[]"), ("m", "text")]);
    part.root = Some(name("a", "root"));
    part.after = vec![name("other", "a"), name("a", "first")];
    part.filter = Some("WHERE a.f(m) AND m <> 'a'".into());
    let objects = vec![schema(0, "a"), object(1, ObjectKind::Table, "a", "CREATE TABLE a.a ()")];
    let table = renamed(objects, vec![part], &["a=b"]).tables.remove(0);
    assert_eq!((&*table.schema, &*table.name), ("b", "a"));
    assert_eq!(table.root, Some(name("b", "root")));
    assert_eq!(table.after, [name("other", "a"), name("b", "first")]);
    assert_eq!(table.columns[0].type_name, "b.mood[]");
    assert_eq!(table.filter.as_deref(), Some("WHERE b.f(m) AND m <> 'a'"));
}

#[test]
fn columns_that_hold_names_are_refused_where_rows_are_meant() {
    let objects = vec![schema(0, "a"), object(1, ObjectKind::Table, "t", "CREATE TABLE a.t ()")];
    let mut selection = Selection::default();
    for (type_name, refuses) in
        [("regclass", true), ("regtype[]", true), ("oid", false), ("regrole", false)]
    {
        let manifest = manifest(objects.clone(), vec![table(1, "t", &[("what", type_name)])]);
        let result = rename(&mut manifest.clone(), &selection, &pairs(&["a=b"]));
        assert_eq!(result.is_err(), refuses, "{type_name}");
    }
    let manifest = manifest(objects, vec![table(1, "t", &[("what", "regproc")])]);
    let (kind, text) = refused(&manifest, &selection, &["a=b"]);
    assert_eq!(kind, Kind::Requirement);
    assert!(text.contains("the rows of t: its column what holds names (regproc)"), "{text}");
    // The rows of a table whose rows are not asked for are nobody's business. Patterns are about
    // the archive's names.
    selection.archived_as = [("b".to_owned(), "a".to_owned())].into();
    selection.exclude_table_data = vec![Pattern::table("a.t").unwrap()];
    assert!(rename(&mut manifest.clone(), &selection, &pairs(&["a=b"])).is_ok());
    selection.exclude_table_data = vec![Pattern::table("b.t").unwrap()];
    refused(&manifest, &selection, &["a=b"]);
    selection.schema_only = true;
    assert!(rename(&mut manifest.clone(), &selection, &pairs(&["a=b"])).is_ok());
}

/// A function whose body names the schema, which cannot be renamed.
fn function(id: u32, name: &str) -> Object {
    let sql = format!("CREATE FUNCTION a.{name} RETURNS integer LANGUAGE c AS $$SELECT a.g()$$");
    object(id, ObjectKind::Function, name, &sql)
}

#[test]
fn what_is_refused_counts_only_if_it_is_selected() {
    let objects = vec![
        schema(0, "a"),
        object(1, ObjectKind::Table, "t", "CREATE TABLE a.t ()"),
        function(2, "f()"),
    ];
    let manifest = manifest(objects, vec![]);
    let mut selection =
        Selection { archived_as: [("b".into(), "a".into())].into(), ..Selection::default() };
    let (kind, text) = refused(&manifest, &selection, &["a=b"]);
    assert_eq!(kind, Kind::Requirement);
    assert!(text.contains("THING a.f(): "), "by its old name: {text}");
    selection.tables = vec![Pattern::table("a.t").unwrap()];
    let mut done = manifest.clone();
    rename(&mut done, &selection, &pairs(&["a=b"])).unwrap();
    assert_eq!(done.objects[1].statements, ["CREATE TABLE b.t ()"]);
    // They keep the old name, where that is asked for.
    let kept = pairs(&["a=b"]).with_bodies(crate::sql::rename::Bodies::Kept);
    let mut done = manifest.clone();
    rename(&mut done, &Selection::default(), &kept).unwrap();
    assert!(done.objects[2].statements[0].starts_with("CREATE FUNCTION b.f()"));
    assert!(done.objects[2].statements[0].ends_with("$$SELECT a.g()$$"));
}

#[test]
fn ten_refusals_are_told_and_the_rest_counted() {
    for (count, told, more) in [(1, 1, None), (10, 10, None), (13, 10, Some("; and 3 more"))] {
        let functions = (1..=count).map(|id| function(id, &format!("f{id}()")));
        let manifest = manifest([schema(0, "a")].into_iter().chain(functions).collect(), vec![]);
        let (_, text) = refused(&manifest, &Selection::default(), &["a=b"]);
        assert_eq!(text.matches("THING a.f").count(), told, "{text}");
        assert_eq!(text.contains("more"), more.is_some(), "{text}");
        assert!(more.is_none_or(|more| text.contains(more)), "{text}");
    }
}

#[test]
fn names_within_other_types_are_refused_too() {
    let objects = |sql: &str| {
        vec![
            schema(0, "a"),
            object(1, ObjectKind::Domain, "d", "CREATE DOMAIN a.d AS regclass"),
            object(2, ObjectKind::Type, "c", "CREATE TYPE a.c AS (one integer, two a.d[])"),
            object(3, ObjectKind::Type, "plain", "CREATE TYPE a.plain AS (regclass text)"),
            object(4, ObjectKind::Table, "row", "CREATE TABLE a.\"row\" (x a.c)"),
            object(5, ObjectKind::Table, "t", sql),
        ]
    };
    for (type_name, refuses) in [
        ("a.d", true),
        ("a.d[]", true),
        ("a.c", true),
        ("a.\"row\"", true),
        ("a.plain", false),
        ("a.other", false),
    ] {
        let table = table(5, "t", &[("what", type_name)]);
        let manifest = manifest(objects("CREATE TABLE a.t ()"), vec![table]);
        let result = rename(&mut manifest.clone(), &Selection::default(), &pairs(&["a=b"]));
        let text = result.err().map(|error| error.to_string()).unwrap_or_default();
        let expect = format!("the rows of t: its column what holds names ({type_name})");
        assert_eq!(text.contains(&expect), refuses, "{type_name}: {text}");
    }
}
