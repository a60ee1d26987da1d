use super::*;
use crate::restore::target::Extension;

#[test]
fn of_what_another_version_made_only_tables_must_go() {
    let leftovers = [Leftover::table("My", "keys"), Leftover::trigger_function("My", "sync_tags")];
    let drops = of_leftovers(&leftovers);
    let told: Vec<(&str, bool)> =
        drops.iter().map(|drop| (drop.step.sql.as_str(), drop.may_stay)).collect();
    assert_eq!(
        told,
        [
            ("DROP TABLE IF EXISTS \"My\".keys", false),
            ("DROP FUNCTION IF EXISTS \"My\".sync_tags()", true),
        ]
    );
}

#[test]
fn if_exists_comes_after_the_kind() {
    for (kind, name) in [
        ("TABLE", "public.t"),
        ("TABLE", "\"IF EXISTS\".t"),
        ("OPERATOR CLASS", "s.c USING btree"),
        ("OPERATOR FAMILY", "s.c USING btree"),
        ("OPERATOR", "s.+ (integer, integer)"),
        ("CAST", "(text AS s.t)"),
        ("MATERIALIZED VIEW", "s.m"),
        ("VIEW", "s.v"),
        ("FOREIGN TABLE", "s.f"),
        ("FOREIGN DATA WRAPPER", "w"),
        ("USER MAPPING", "FOR PUBLIC SERVER s"),
        ("TEXT SEARCH CONFIGURATION", "s.c"),
        ("TRANSFORM", "FOR s.t LANGUAGE plperl"),
        ("TRIGGER", "a ON s.t"),
        ("EVENT TRIGGER", "e"),
        ("POLICY", "p ON s.t"),
        ("RULE", "r ON s.t"),
        ("PROCEDURE", "s.p()"),
        ("ROUTINE", "s.p()"),
        ("PROCEDURAL LANGUAGE", "l"),
        ("ACCESS METHOD", "m"),
    ] {
        let expect = format!("DROP {kind} IF EXISTS {name}");
        assert_eq!(with_if_exists(&format!("DROP {kind} {name}")), expect);
    }
    for same in [
        "ALTER TABLE t DROP CONSTRAINT c",
        "CREATE OR REPLACE VIEW v AS SELECT NULL",
        "DROP TABLES t",
        "SELECT 1",
        "",
    ] {
        assert_eq!(with_if_exists(same), same);
    }
}

fn object(id: u32, kind: ObjectKind, drop: &str) -> Object {
    Object {
        statements: vec!["CREATE".to_owned()],
        drop: Some(drop.to_owned()),
        section: crate::archive::manifest::Section::PreData,
        ..Object::new(ObjectId(id), kind, drop.trim_start_matches("DROP "))
    }
}

fn statements(objects: &[Object], target: &Target, if_exists: bool) -> Vec<String> {
    drops(objects, Sections::ALL, target, if_exists).into_iter().map(|drop| drop.step.sql).collect()
}

#[test]
fn what_was_made_last_goes_first() {
    let objects = [
        object(0, ObjectKind::Schema, "DROP SCHEMA s"),
        object(1, ObjectKind::Table, "DROP TABLE s.t"),
        object(2, ObjectKind::View, "DROP VIEW s.v"),
    ];
    let target = Target::default();
    assert_eq!(
        statements(&objects, &target, false),
        ["DROP VIEW s.v", "DROP TABLE s.t", "DROP SCHEMA s"]
    );
    assert_eq!(
        statements(&objects, &target, true),
        ["DROP VIEW IF EXISTS s.v", "DROP TABLE IF EXISTS s.t", "DROP SCHEMA IF EXISTS s"]
    );
    let all = drops(&objects, Sections::ALL, &target, false);
    let doing: Vec<&str> = all.iter().map(|drop| drop.step.doing.as_str()).collect();
    assert_eq!(doing, ["drop VIEW s.v", "drop TABLE s.t", "drop SCHEMA s"]);
    let may_stay: Vec<bool> = all.iter().map(|drop| drop.may_stay).collect();
    assert_eq!(may_stay, [false, false, true], "a schema may hold what is somebody else's");
    assert!(all.iter().all(|drop| !drop.part && drop.breaks.is_none()));
}

#[test]
fn parts_go_with_the_whole_and_need_not_be_there() {
    let mut index = object(1, ObjectKind::Index, "DROP INDEX s.i");
    index.of = Some(ObjectId(0));
    let mut trigger = object(2, ObjectKind::Trigger, "DROP TRIGGER g ON s.t");
    trigger.of = Some(ObjectId(0));
    let table = object(0, ObjectKind::Table, "DROP TABLE s.t");
    let target = Target::default();
    let all = drops(&[table, index.clone(), trigger], Sections::ALL, &target, false);
    assert_eq!(all[0].step.sql, "DROP TRIGGER IF EXISTS g ON s.t");
    assert_eq!((all[0].part, all[1].part), (true, false));
    assert_eq!(all.len(), 2, "an index of that name may be another table's");
    // Without its table in the list it stands for itself.
    let all = drops(&[index], Sections::ALL, &target, false);
    assert_eq!((all[0].step.sql.as_str(), all[0].part), ("DROP INDEX s.i", false));
}

#[test]
fn what_alters_is_a_part_even_alone() {
    let key = object(3, ObjectKind::ForeignKey, "ALTER TABLE ONLY s.t DROP CONSTRAINT k");
    let all = drops(&[key], Sections::ALL, &Target::default(), false);
    assert!(all[0].part && all[0].breaks.is_none());
}

#[test]
fn a_view_that_is_made_empty_breaks_a_circle() {
    let mut rule = object(1, ObjectKind::Rule, "CREATE OR REPLACE VIEW s.v AS SELECT NULL");
    rule.of = Some(ObjectId(0));
    let view = object(0, ObjectKind::View, "DROP VIEW s.v");
    let all = drops(&[view, rule], Sections::ALL, &Target::default(), true);
    assert_eq!(all[0].step.sql, "CREATE OR REPLACE VIEW s.v AS SELECT NULL");
    assert_eq!((all[0].breaks, all[0].part), (Some(ObjectId(0)), true));
    assert_eq!(all[1].breaks, None);
}

#[test]
fn nothing_is_dropped_with_cascade_at_first() {
    let base = object(0, ObjectKind::Type, "DROP TYPE s.y CASCADE");
    for (if_exists, expect) in [(false, "DROP TYPE s.y"), (true, "DROP TYPE IF EXISTS s.y")] {
        let all = drops(std::slice::from_ref(&base), Sections::ALL, &Target::default(), if_exists);
        assert_eq!(all[0].step.sql, expect);
        assert_eq!(all[0].base_type.as_deref(), Some("s.y"), "named without the words around it");
    }
    let plain = object(0, ObjectKind::Type, "DROP TYPE s.y");
    assert_eq!(drops(&[plain], Sections::ALL, &Target::default(), false)[0].base_type, None);
}

#[test]
fn large_objects_are_unlinked_where_they_are() {
    let mut large = object(0, ObjectKind::LargeObject, "SELECT 1");
    large.section = crate::archive::manifest::Section::Data;
    large.detail = Detail::LargeObjects { oids: vec![7, 4_294_967_295] };
    let all = drops(&[large], Sections::ALL, &Target::default(), false);
    assert_eq!(
        all[0].step.sql,
        "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN \
         (7, 4294967295)"
    );
}

#[test]
fn only_what_is_of_the_sections_goes() {
    let mut index = object(1, ObjectKind::Index, "DROP INDEX s.i");
    index.section = crate::archive::manifest::Section::PostData;
    let objects = [object(0, ObjectKind::Table, "DROP TABLE s.t"), index];
    for (sections, expect) in [
        (Sections { pre_data: false, ..Sections::ALL }, &["DROP INDEX IF EXISTS s.i"][..]),
        (Sections { post_data: false, ..Sections::ALL }, &["DROP TABLE IF EXISTS s.t"]),
        (Sections { pre_data: false, data: true, post_data: false }, &[]),
    ] {
        let all = drops(&objects, sections, &Target::default(), true);
        let sql: Vec<&str> = all.iter().map(|drop| drop.step.sql.as_str()).collect();
        assert_eq!(sql, expect);
    }
}

#[test]
fn extensions_go_where_they_can_be_made_again() {
    for (name, found, is_superuser, expect) in [
        ("ltree", Some(false), false, true),
        ("ltree", Some(false), true, true),
        ("postgis", Some(true), false, false),
        ("postgis", Some(true), true, true),
        ("unheard", None, true, false),
        ("plpgsql", Some(false), true, false),
    ] {
        let mut target = Target { superuser: is_superuser, ..Target::default() };
        if let Some(superuser) = found {
            let extension = Extension { installed: true, superuser, ..Extension::default() };
            target.extensions.insert(name.to_owned(), extension);
        }
        let extension = Object {
            name: name.to_owned(),
            ..object(0, ObjectKind::Extension, &format!("DROP EXTENSION {name}"))
        };
        assert_eq!(is_dropped(&extension, &target), expect, "{name}");
    }
}

#[test]
fn what_is_not_made_is_not_dropped() {
    let bare = Object { statements: Vec::new(), ..object(0, ObjectKind::Table, "DROP TABLE t") };
    let lasting = Object { drop: None, ..object(0, ObjectKind::Comment, "") };
    let target = Target::default();
    assert!(!is_dropped(&bare, &target) && !is_dropped(&lasting, &target));
    assert!(drops(&[bare, lasting], Sections::ALL, &target, false).is_empty());
}
