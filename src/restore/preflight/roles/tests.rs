use super::*;
use crate::archive::manifest::{Acl, Object, ObjectId, Section, testing};
use crate::restore::options::Sections;
use crate::restore::target::{Role, Schema};
use crate::sql::render;

/// A role that is the session's to use, one that it may only be like, one that is another's.
fn target() -> Target {
    let role = |name: &str, usage, set| (name.to_owned(), Role { usage, set });
    let creators = ["mine".to_owned()].into();
    let schema = Schema { creators, ..Schema::default() };
    Target {
        user: "Me".to_owned(),
        roles: [role("mine", true, true), role("kin", true, false), role("his", false, false)]
            .into(),
        tablespaces: [("fast".to_owned(), true), ("Slow".to_owned(), false)].into(),
        schemas: [("old".to_owned(), schema)].into(),
        ..Target::default()
    }
}

fn table(schema: &str, owner: Option<&str>) -> Object {
    Object {
        schema: Some(schema.to_owned()),
        name: "t".to_owned(),
        owner: owner.map(str::to_owned),
        statements: vec!["CREATE TABLE".to_owned()],
        ..Object::new(ObjectId(0), ObjectKind::Table, "TABLE t")
    }
}

fn found(objects: &[Object], target: &Target, change: fn(&mut Wanted<'_>)) -> Vec<String> {
    let (render, source) = (render::Options::default(), testing::source());
    let mut wanted = Wanted {
        objects,
        source: &source,
        sections: Sections::ALL,
        render: &render,
        demands_empty: true,
        marks: true,
        cleans: false,
        resumes: false,
    };
    change(&mut wanted);
    roles_and_places(wanted, target).iter().map(ToString::to_string).collect()
}

#[test]
fn owners_must_stand_and_be_ours_to_give_to() {
    let not_given = |role: &str| {
        format!(
            "role \"Me\" may not give objects to role {role}, which owns 1 object of the archive \
             (GRANT {role} TO \"Me\", or leave owners out with -O)"
        )
    };
    for (owner, schema, expect) in [
        (None, "new", None),
        (Some("mine"), "new", None),
        (Some("mine"), "old", None),
        (Some("kin"), "new", Some(not_given("kin"))),
        (Some("his"), "new", Some(not_given("his"))),
        (
            Some("No One"),
            "new",
            Some(
                "role \"No One\" does not exist; it owns 1 object of the archive (CREATE ROLE \
                 \"No One\", or leave owners out with -O)"
                    .to_owned(),
            ),
        ),
    ] {
        let told = found(&[table(schema, owner)], &target(), |_| ());
        assert_eq!(told, expect.into_iter().collect::<Vec<_>>(), "{owner:?} {schema}");
    }
}

#[test]
fn an_owner_must_create_in_a_schema_that_stands() {
    let mut target = target();
    target.roles.insert("other".to_owned(), Role { usage: true, set: true });
    let objects = [table("old", Some("other")), table("new", Some("other"))];
    assert_eq!(
        found(&objects, &target, |_| ()),
        ["role other may not create in schema old, which an owner must (GRANT CREATE ON SCHEMA \
          old TO other, or leave owners out with -O)"]
    );
    target.superuser = true;
    assert!(found(&objects, &target, |_| ()).is_empty());
}

#[test]
fn objects_of_one_owner_are_counted_once() {
    let told = found(&[table("a", Some("x")), table("b", Some("x"))], &target(), |_| ());
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("it owns 2 objects of the archive"), "{told:?}");
}

#[test]
fn what_stands_or_is_of_another_section_has_no_owner_to_find() {
    let bare = Object { statements: Vec::new(), ..table("a", Some("x")) };
    assert!(found(&[bare], &target(), |_| ()).is_empty());
    let late = Object { section: Section::PostData, ..table("a", Some("x")) };
    let sections = |wanted: &mut Wanted<'_>| wanted.sections.post_data = false;
    assert!(found(std::slice::from_ref(&late), &target(), sections).is_empty());
    assert_eq!(found(&[late], &target(), |_| ()).len(), 1);
}

fn granted(grantee: Option<&str>, grantor: &str) -> Object {
    let items = vec![testing::grant(grantee, grantor, &["SELECT"])];
    let acl = Acl { on: "TABLE t".to_owned(), initial: Vec::new(), items };
    Object { acl: Some(acl), ..table("a", Some("mine")) }
}

#[test]
fn who_is_named_in_privileges_must_stand_and_who_grants_be_ours() {
    for (grantee, grantor, expect) in [
        (None, "mine", ""),
        (Some("his"), "mine", ""),
        (
            Some("x"),
            "mine",
            "role x does not exist; privileges of the archive name it (CREATE ROLE x, or leave \
             privileges out with -x)",
        ),
        (
            None,
            "x",
            "role x does not exist; privileges of the archive name it (CREATE ROLE x, or leave \
             privileges out with -x)",
        ),
        (
            None,
            "kin",
            "role \"Me\" may not grant in the name of role kin, as the archive's privileges ask \
             (GRANT kin TO \"Me\", or leave privileges out with -x)",
        ),
    ] {
        let told = found(&[granted(grantee, grantor)], &target(), |_| ());
        assert_eq!(told.join("; "), expect, "{grantee:?} {grantor}");
    }
}

#[test]
fn a_role_that_loses_what_it_had_must_stand_too() {
    let mut object = granted(Some("x"), "mine");
    if let Some(acl) = &mut object.acl {
        std::mem::swap(&mut acl.initial, &mut acl.items);
    }
    assert_eq!(found(&[object.clone()], &target(), |_| ()).len(), 1);
    // What it has from the start and keeps is not granted again.
    if let Some(acl) = &mut object.acl {
        acl.items = acl.initial.clone();
    }
    assert!(found(&[object], &target(), |_| ()).is_empty());
}

#[test]
fn policies_name_roles_whatever_is_left_out() {
    let policy = Object {
        roles: vec!["mine".to_owned(), "X".to_owned()],
        ..Object { identity: "POLICY p ON t".to_owned(), ..table("a", None) }
    };
    assert_eq!(
        found(&[policy], &target(), |_| ()),
        ["role \"X\" does not exist; POLICY p ON t names it (CREATE ROLE \"X\")"]
    );
}

#[test]
fn tablespaces_must_stand_and_be_ours_to_create_in() {
    for (name, expect) in [
        ("fast", ""),
        (
            "Slow",
            "role \"Me\" may not create in tablespace \"Slow\" (use the default tablespace with \
             --no-tablespaces)",
        ),
        (
            "none",
            "tablespace \"none\" does not exist (use the default tablespace with \
             --no-tablespaces)",
        ),
    ] {
        let object = Object { tablespace: Some(name.to_owned()), ..table("a", None) };
        let told = found(&[object.clone(), object], &target(), |_| ());
        assert_eq!(told.join("; "), expect, "{name}");
    }
}
