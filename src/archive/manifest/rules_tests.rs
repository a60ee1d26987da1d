use std::collections::{BTreeSet, HashSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::testing::grant;
use super::*;

#[test]
fn kinds_are_told_in_words() {
    for (kind, words, written) in [
        (ObjectKind::Table, "table", "table"),
        (ObjectKind::ForeignKey, "foreign key", "foreign-key"),
        (ObjectKind::MaterializedView, "materialized view", "materialized-view"),
        (ObjectKind::TextSearchDictionary, "text search dictionary", "text-search-dictionary"),
        (ObjectKind::DefaultAcl, "default acl", "default-acl"),
        (ObjectKind::ForeignDataWrapper, "foreign data wrapper", "foreign-data-wrapper"),
    ] {
        assert_eq!(kind.to_string(), words);
        assert_eq!(serde_json::to_value(kind).expect("it is told"), written);
        assert_eq!(serde_json::from_value::<ObjectKind>(written.into()).expect("read"), kind);
    }
}

fn table(schema: &str, name: &str) -> Table {
    Table::new(ObjectId(0), schema, name, Vec::new(), RowEncoding::Binary)
}

#[test]
fn one_table_stands_for_large_objects() {
    for (schema, name, expect) in [
        ("pg_catalog", "pg_largeobject", true),
        ("public", "pg_largeobject", false),
        ("pg_catalog", "pg_largeobject_metadata", false),
        ("PG_CATALOG", "pg_largeobject", false),
    ] {
        assert_eq!(table(schema, name).is_large_objects(), expect, "{schema}.{name}");
    }
}

#[test]
fn a_new_table_has_all_its_rows_and_no_guess() {
    let table = table("s", "t");
    assert_eq!((table.rows_estimate, table.bytes_estimate), (0, 0));
    assert!(table.filter.is_none() && table.root.is_none() && table.after.is_empty());
}

#[test]
fn newer_servers_are_told_of() {
    for (number, told) in [
        (0, false),
        (130_000, false),
        (180_001, false),
        (190_000, false),
        (199_999, false),
        (200_000, true),
        (u32::MAX, true),
    ] {
        let said = newer_than_known(number, "X.Y");
        assert_eq!(said.is_some(), told, "{number}");
        assert!(said.is_none_or(|said| said.starts_with("PostgreSQL X.Y is newer than 19,")));
    }
}

#[test]
fn what_is_not_carried_is_told_in_a_line() {
    let one = NotCarried {
        kind: "event trigger".to_owned(),
        name: "\"A b\"".to_owned(),
        reason: "why: not".to_owned(),
    };
    assert_eq!(one.to_string(), "skipped: event trigger \"A b\": why: not");
}

#[test]
fn privileges_are_a_difference() {
    let everybody = grant(None, "o", &["EXECUTE"]);
    let owner = grant(Some("o"), "o", &["EXECUTE"]);
    let reader = grant(Some("r"), "o", &["EXECUTE"]);
    let acl = |initial: &[&Grant], items: &[&Grant]| Acl {
        on: "FUNCTION f()".to_owned(),
        initial: initial.iter().map(|&grant| grant.clone()).collect(),
        items: items.iter().map(|&grant| grant.clone()).collect(),
    };
    for (initial, items, granted, revoked) in [
        (&[][..], &[][..], &[][..], &[][..]),
        (&[&everybody, &owner], &[&owner, &everybody], &[], &[]),
        (&[&everybody, &owner], &[&owner], &[], &[&everybody]),
        (&[&everybody, &owner], &[&everybody, &owner, &reader], &[&reader], &[]),
        (&[&everybody], &[&reader], &[&reader], &[&everybody]),
        (&[&everybody], &[], &[], &[&everybody]),
    ] {
        let acl = acl(initial, items);
        assert_eq!(acl.granted().collect::<Vec<_>>(), granted);
        assert_eq!(acl.revoked().collect::<Vec<_>>(), revoked);
    }
}

#[test]
fn a_grant_with_other_words_is_another() {
    let plain = grant(Some("r"), "o", &["SELECT"]);
    for other in [
        Grant { grantable: true, ..grant(Some("r"), "o", &["SELECT"]) },
        grant(Some("r"), "o", &["SELECT", "UPDATE"]),
        grant(None, "o", &["SELECT"]),
        Grant { grantor: "p".to_owned(), ..plain.clone() },
        Grant { column: Some("c".to_owned()), ..plain.clone() },
    ] {
        let acl =
            Acl { on: String::new(), initial: vec![plain.clone()], items: vec![other.clone()] };
        assert_eq!(acl.granted().collect::<Vec<_>>(), [&other]);
        assert_eq!(acl.revoked().collect::<Vec<_>>(), [&plain]);
    }
}

fn any_grants() -> impl Strategy<Value = Vec<Grant>> {
    let one = (proptest::option::of("[a-c]"), "[A-B]", any::<bool>()).prop_map(
        |(grantee, privilege, grantable)| Grant {
            grantable,
            ..grant(grantee.as_deref(), "o", &[&privilege])
        },
    );
    vec(one, 0..8)
}

proptest! {
    /// What a new object has, less what is revoked, and what is granted, is what the object has.
    #[test]
    fn granting_and_revoking_leads_there(initial in any_grants(), items in any_grants()) {
        let acl = Acl { on: String::new(), initial: initial.clone(), items: items.clone() };
        let revoked: HashSet<&Grant> = acl.revoked().collect();
        let mut has: BTreeSet<&Grant> =
            initial.iter().filter(|grant| !revoked.contains(grant)).collect();
        has.extend(acl.granted());
        prop_assert_eq!(has, items.iter().collect::<BTreeSet<_>>());
        prop_assert!(acl.granted().all(|grant| !initial.contains(grant)));
        prop_assert!(acl.revoked().all(|grant| !items.contains(grant)));
    }

    /// Texts are texts, whatever is in them, and numbers are whole.
    #[test]
    fn objects_of_any_words_come_back(
        id in any::<u32>(), name in ".*", identity in ".*", owner in proptest::option::of(".*"),
        statements in vec(".*", 0..3), depends_on in vec(any::<u32>(), 0..4),
        oids in vec(any::<u32>(), 0..4),
    ) {
        let object = Object {
            name,
            owner,
            statements,
            depends_on: depends_on.into_iter().map(ObjectId).collect(),
            detail: Detail::LargeObjects { oids },
            ..Object::new(ObjectId(id), ObjectKind::LargeObject, identity)
        };
        let text = serde_json::to_string(&object).expect("it is told");
        prop_assert_eq!(serde_json::from_str::<Object>(&text).expect("it is read"), object);
    }
}
