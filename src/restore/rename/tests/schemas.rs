//! What becomes of the schemas themselves, and of public.

use super::*;

#[test]
fn names_that_do_nothing_or_make_one_schema_of_two() {
    let empty_public = Object { statements: vec![], ..schema(2, "public") };
    let manifest =
        manifest(vec![schema(0, "a"), schema(1, "c"), empty_public], vec![table(9, "t", &[])]);
    let selection = Selection::default();
    for (names, expect) in [
        (&["x=y"][..], "the archive has nothing in a schema x"),
        (&["public=y"], "the archive has nothing in a schema public"),
        (&["a=c"], "the archive has a schema c, too"),
        (&["a=b", "x=y"], "the archive has nothing in a schema x"),
    ] {
        let (kind, text) = refused(&manifest, &selection, names);
        assert_eq!(kind, Kind::Usage, "{names:?}");
        assert!(text.contains(expect), "{text}");
    }
    let names = |names: &[&str]| {
        let mut manifest = manifest.clone();
        rename(&mut manifest, &selection, &pairs(names)).unwrap();
        let all: Vec<String> = manifest.objects.into_iter().map(|one| one.name).collect();
        (all.join(" "), manifest.tables[0].schema.clone())
    };
    assert_eq!(names(&["a=c", "c=a"]), ("c a public".into(), "c".into()), "they change places");
    assert_eq!(names(&["a=c", "c=d"]), ("c d public".into(), "c".into()), "one makes room");
    assert_eq!(names(&["a=public"]).0, "public c", "an empty one gives way");
    assert_eq!(names(&[]), ("a c public".into(), "a".into()), "nothing is renamed");
}

#[test]
fn into_public_nothing_is_made_and_from_it_nothing_is_taken_along() {
    let said = |mut one: Object| {
        let on = one.identity.clone();
        one.acl = Some(Acl { on: on.clone(), initial: vec![], items: vec![] });
        one.comments = vec![Comment { on, text: "standard public schema".into() }];
        one
    };
    let schema_of = |name: &str, names: &[&str]| {
        let manifest = renamed(vec![said(schema(0, name))], vec![], names);
        manifest.objects.into_iter().next().unwrap()
    };
    let into = schema_of("a", &["a=public"]);
    assert_eq!((&*into.name, &into.statements[..]), ("public", &[][..]), "it stands");
    assert_eq!((into.owner, into.acl, into.comments.len()), (None, None, 0));
    let from = schema_of("public", &["public=b"]);
    assert_eq!((&*from.name, &*from.statements[0]), ("b", "CREATE SCHEMA b"));
    assert_eq!((from.owner, from.comments.len()), (None, 0));
    let other = schema_of("a", &["a=b"]);
    assert_eq!((&*other.owner.unwrap(), &*other.acl.unwrap().on), ("kong", "SCHEMA b"));
    assert_eq!(other.comments[0].on, "SCHEMA b");
}

#[test]
fn a_schema_that_is_not_described_is_made() {
    let database = Object::new(ObjectId(7), ObjectKind::Database, "DATABASE kong");
    let mut one = object(3, ObjectKind::Table, "t", "CREATE TABLE public.t ()");
    one.schema = Some("public".into());
    let mut other = object(4, ObjectKind::Table, "t", "CREATE TABLE c.t ()");
    other.schema = Some("c".into());
    let objects = vec![database.clone(), one.clone(), other];
    let manifest = renamed(objects, vec![], &["public=\"New\""]);
    let [_, made, one_renamed, other] = &manifest.objects[..] else { panic!("{manifest:?}") };
    assert_eq!((made.id, made.kind, &*made.name), (ObjectId(8), ObjectKind::Schema, "New"));
    assert_eq!(made.identity, "SCHEMA \"New\"");
    assert_eq!(made.statements, ["CREATE SCHEMA \"New\""]);
    assert_eq!(made.drop.as_deref(), Some("DROP SCHEMA \"New\""));
    assert_eq!(one_renamed.depends_on, [ObjectId(8)], "it is made first");
    assert!(other.depends_on.is_empty());
    // Rows alone come into a schema that stands.
    one.statements.clear();
    let manifest = renamed(vec![database, one], vec![table(3, "t", &[])], &["public=b"]);
    assert_eq!((&*manifest.objects[1].name, manifest.objects[1].statements.len()), ("b", 0));
}

#[test]
fn who_might_use_public_may_use_the_schema_that_was_public() {
    let grant = |grantee: Option<&str>, privileges: &[&str]| Grant {
        column: None,
        grantee: grantee.map(str::to_owned),
        grantor: "pg_database_owner".into(),
        privileges: privileges.iter().map(|&privilege| privilege.to_owned()).collect(),
        grantable: false,
    };
    let own = grant(Some("pg_database_owner"), &["USAGE", "CREATE"]);
    let public = Object {
        acl: Some(Acl {
            on: "SCHEMA public".into(),
            initial: vec![own.clone(), grant(None, &["USAGE"])],
            items: vec![own, grant(None, &["USAGE"]), grant(Some("reader"), &["CREATE"])],
        }),
        owner: None,
        statements: vec![],
        ..schema(0, "public")
    };
    let mut table = object(1, ObjectKind::Table, "t", "CREATE TABLE public.t ()");
    (table.schema, table.owner) = (Some("public".into()), Some("kong".into()));
    let said = |objects: Vec<Object>| {
        let made = renamed(objects, vec![], &["public=b"]).objects.remove(0);
        (made.owner.clone(), render::acl_statements(&made, &render::Options::default()))
    };
    let (owner, granted) = said(vec![public.clone(), table.clone()]);
    assert_eq!(owner.as_deref(), Some("kong"));
    let expect = ["GRANT USAGE ON SCHEMA b TO PUBLIC", "GRANT CREATE ON SCHEMA b TO reader"];
    assert_eq!(granted, expect);
    // Rows alone come into a schema that stands.
    table.statements.clear();
    assert_eq!(said(vec![public, table]), (None, vec![]));
}
