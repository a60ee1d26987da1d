use super::*;
use crate::pg::catalog::draft::address::class;

#[test]
fn a_column_is_named_within_its_relation() {
    for (words, column, expect) in [
        ("TABLE s.t", None, "TABLE s.t"),
        ("TABLE s.t", Some("c"), "COLUMN s.t.c"),
        ("TABLE s.\"T t\"", Some("C \"c"), "COLUMN s.\"T t\".\"C \"\"c\""),
        ("VIEW s.v", Some("group"), "COLUMN s.v.\"group\""),
        ("MATERIALIZED VIEW s.m", Some("c"), "COLUMN s.m.c"),
        ("FOREIGN TABLE s.f", Some("c"), "COLUMN s.f.c"),
        ("TYPE s.y", Some("c"), "COLUMN s.y.c"),
        ("INDEX s.i", Some("c"), "COLUMN s.i.c"),
        ("SEQUENCE s.q", Some("last_value"), "COLUMN s.q.last_value"),
        ("FUNCTION s.f()", None, "FUNCTION s.f()"),
    ] {
        assert_eq!(column_or_whole(words, column), expect);
    }
}

/// What is said of a schema when its comments are these.
fn said(kind: ObjectKind, name: &str, comments: &[&str]) -> Vec<String> {
    let address = Address::new(class::NAMESPACE, 2200);
    let mut draft = Draft::new(address, kind, None, name, format!("SCHEMA {name}"));
    let comment = |text: &&str| Comment { on: "SCHEMA x".to_owned(), text: (*text).to_owned() };
    draft.comments = comments.iter().map(comment).collect();
    let mut drafts = [draft];
    compare_public(&mut drafts);
    let [draft] = drafts;
    draft.comments.into_iter().map(|comment| comment.text).collect()
}

#[test]
fn of_public_only_what_differs_from_a_new_one_is_said() {
    use ObjectKind::{Schema, Table};
    for (kind, name, comments, expect) in [
        (Schema, "public", &[PUBLIC][..], &[][..]),
        (Schema, "public", &[], &[""]),
        (Schema, "public", &["ours"], &["ours"]),
        (Schema, "kong", &[PUBLIC], &[PUBLIC]),
        (Schema, "kong", &[], &[]),
        (Table, "public", &[], &[]),
    ] {
        assert_eq!(said(kind, name, comments), expect, "{kind} {name} {comments:?}");
    }
}
