use super::address::{Address, FIRST_NORMAL_OID, class, own};
use super::clauses::Clauses;
use super::*;
use crate::archive::manifest::ObjectKind as K;

fn at(n: u32) -> Address {
    Address::new(class::CLASS, FIRST_NORMAL_OID + n)
}

#[test]
fn sections_of_kinds() {
    for (expect, kinds) in [
        (
            Section::PreData,
            &[
                K::Schema,
                K::Extension,
                K::Type,
                K::Function,
                K::Table,
                K::TableAttach,
                K::View,
                K::MaterializedView,
                K::Sequence,
                K::SequenceOwner,
                K::Default,
                K::Check,
                K::ForeignServer,
                K::UserMapping,
            ][..],
        ),
        (Section::Data, &[K::SequenceValue, K::LargeObject]),
        (
            Section::PostData,
            &[
                K::Constraint,
                K::Index,
                K::IndexAttach,
                K::Statistics,
                K::Rule,
                K::Trigger,
                K::ForeignKey,
                K::Policy,
                K::RowSecurity,
                K::Publication,
                K::PublicationTable,
                K::PublicationSchema,
                K::Subscription,
                K::DefaultAcl,
                K::EventTrigger,
                K::RefreshMaterializedView,
            ],
        ),
    ] {
        for &kind in kinds {
            assert_eq!(section(kind), expect, "{kind}");
            let draft = Draft::new(at(0), kind, None, "x", "X x".to_owned());
            assert_eq!(draft.section, expect, "{kind}");
        }
    }
}

#[test]
fn a_new_draft_is_dropped_by_what_it_is_named_by() {
    let draft = Draft::new(at(1), K::Table, Some("s"), "T t", "TABLE s.\"T t\"".to_owned());
    assert_eq!(draft.drop.as_deref(), Some("DROP TABLE s.\"T t\""));
    assert_eq!((draft.schema.as_deref(), draft.name.as_str()), (Some("s"), "T t"));
    assert_eq!(draft.address, at(1));
    assert!(draft.definition.statements(|_| true).is_empty());
    assert!(draft.owner.is_none() && draft.acl.is_none() && draft.host.is_none());
}

#[test]
fn what_is_on_an_extensions_object_goes_with_it() {
    let draft = || Draft::new(at(1), K::Trigger, Some("s"), "t", "TRIGGER t ON s.x".to_owned());
    let on = draft().on_extension(Some("e"));
    assert_eq!((on.extension.as_deref(), on.drop), (Some("e"), None));
    let own = draft().on_extension(None);
    assert_eq!((own.extension, own.drop.as_deref()), (None, Some("DROP TRIGGER t ON s.x")));
}

#[test]
fn makers_and_owners() {
    let draft = Draft::new(at(1), K::Table, None, "t", "TABLE t".to_owned())
        .made_by(vec!["A".to_owned(), "B".to_owned()])
        .owned_by("o".to_owned());
    assert_eq!(draft.definition.statements(|_| false), ["A", "B"]);
    assert_eq!(draft.owner.as_deref(), Some("o"));
}

/// Two columns, the second with a default; a check; and a statement that follows.
fn list() -> Definition {
    let item = |before: &str, clause: Option<(u32, &str)>, after: &str| Item {
        before: before.to_owned(),
        clause: clause.map(|(n, text)| (at(n), text.to_owned())),
        after: after.to_owned(),
    };
    Definition::List(Box::new(List {
        head: "CREATE TABLE t (".to_owned(),
        items: vec![
            item("a text", None, ""),
            item("b text", Some((1, " DEFAULT f()")), " NOT NULL"),
            item("", Some((2, "CHECK (g(b))")), ""),
        ],
        separator: ", ",
        tail: ") WITH (fillfactor = 70)".to_owned(),
        after: vec!["ALTER TABLE t REPLICA IDENTITY FULL".to_owned()],
    }))
}

#[test]
fn lists_hold_the_clauses_that_are_made_there() {
    for (inline, expect) in [
        (
            &[1, 2][..],
            "CREATE TABLE t (a text, b text DEFAULT f() NOT NULL, CHECK (g(b))) WITH (fillfactor = \
             70)",
        ),
        (&[1], "CREATE TABLE t (a text, b text DEFAULT f() NOT NULL) WITH (fillfactor = 70)"),
        (&[2], "CREATE TABLE t (a text, b text NOT NULL, CHECK (g(b))) WITH (fillfactor = 70)"),
        (&[], "CREATE TABLE t (a text, b text NOT NULL) WITH (fillfactor = 70)"),
    ] {
        let is_inline = |address| inline.iter().any(|&n| at(n) == address);
        let statements = list().statements(is_inline);
        assert_eq!(statements, [expect, "ALTER TABLE t REPLICA IDENTITY FULL"], "{inline:?}");
    }
}

#[test]
fn an_empty_list_has_no_separators() {
    let empty = Definition::List(Box::new(List {
        head: "CREATE TABLE t (".to_owned(),
        items: vec![Item { clause: Some((at(1), "CHECK (true)".to_owned())), ..Item::default() }],
        separator: ", ",
        tail: ")".to_owned(),
        after: Vec::new(),
    }));
    assert_eq!(empty.statements(|_| false), ["CREATE TABLE t ()"]);
    assert_eq!(empty.statements(|_| true), ["CREATE TABLE t (CHECK (true))"]);
}

#[test]
fn one_of_two_ways() {
    let either = Definition::Either(Box::new(Either {
        clause: at(1),
        whole: vec!["CREATE VIEW v AS SELECT 1".to_owned()],
        provisional: vec!["CREATE VIEW v AS SELECT NULL".to_owned(), "x".to_owned()],
    }));
    assert_eq!(either.statements(|address| address == at(1)), ["CREATE VIEW v AS SELECT 1"]);
    assert_eq!(
        either.statements(|address| address == at(2)),
        ["CREATE VIEW v AS SELECT NULL", "x"]
    );
}

#[test]
fn clauses_come_in_order_and_only_where_there_is_a_value() {
    let mut clauses = Clauses::default();
    assert!(clauses.is_empty());
    assert_eq!((clauses.bracketed().as_str(), clauses.lines().as_str()), (" ()", ""));
    clauses.set("INPUT", "s.f");
    clauses.set_some("OUTPUT", None::<&str>);
    clauses.set_some("LIKE", Some(7));
    clauses.word("PASSEDBYVALUE");
    assert!(!clauses.is_empty());
    assert_eq!(clauses.lines(), "INPUT = s.f,\n    LIKE = 7,\n    PASSEDBYVALUE");
    assert_eq!(clauses.bracketed(), " (\n    INPUT = s.f,\n    LIKE = 7,\n    PASSEDBYVALUE\n)");
    let mut one = Clauses::default();
    one.word("x");
    assert_eq!(one.bracketed(), " (\n    x\n)");
}

#[test]
fn rows_are_of_catalogs_and_not_of_our_own_making() {
    for (class, expect) in [
        (class::CLASS, true),
        (class::DEFAULT_ACL, true),
        (class::PUBLICATION_NAMESPACE, true),
        (class::TYPE, true),
        (own::SEQUENCE_OWNER, false),
        (own::SEQUENCE_VALUE, false),
        (own::TABLE_ATTACH, false),
        (own::INDEX_ATTACH, false),
        (own::ROW_SECURITY, false),
        (own::REFRESH, false),
        (own::LARGE_OBJECTS, false),
        (own::FORCED, false),
        (own::FAMILY_ADDITIONS, false),
        (own::SHELL_TYPE, false),
        (own::MISSING_DEFAULT, false),
        (own::MISSING_DEFAULT + 1600, false),
        (own::PRIVILEGES + class::CLASS, false),
    ] {
        assert_eq!(Address::new(class, 16384).is_row(), expect, "{class}");
    }
}

#[test]
fn addresses_differ_by_class_and_by_row() {
    assert_ne!(Address::new(class::CLASS, 1), Address::new(class::TYPE, 1));
    assert_ne!(at(1), at(2));
    assert!(Address::new(1, 9) < Address::new(2, 1) && Address::new(2, 1) < Address::new(2, 2));
}
