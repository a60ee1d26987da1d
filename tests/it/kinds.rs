//! docs say of every kind of object that `pg_dump` knows whether it is carried or refused.

/// The kinds of `pg_dump` 18 (`DumpableObjectType`, and what hangs on its entries), each with words
/// of the table's row about it. Left out are `DUMMY_TYPE`, a table's own row type, and the two
/// boundaries, which are no objects.
const KINDS: &[(&str, &str)] = &[
    ("DATABASE", "| database |"),
    ("NAMESPACE", "| schema |"),
    ("EXTENSION", "| extension |"),
    ("TYPE", "| type: enum, composite, domain, range and multirange, base"),
    ("SHELL_TYPE", "shell |"),
    ("FUNC", "| function, procedure"),
    ("AGG", "aggregate"),
    ("OPERATOR", "| operator,"),
    ("ACCESS_METHOD", "access method"),
    ("OPCLASS", "operator class"),
    ("OPFAMILY", "operator family"),
    ("COLLATION", "| collation,"),
    ("CONVERSION", "conversion"),
    ("TABLE", "| table: plain"),
    ("TABLE (sequence)", "| sequence, its owner"),
    ("TABLE (view)", "| view, materialised view |"),
    ("TABLE_ATTACH", "partitioned, inherited"),
    ("ATTRDEF", "column defaults"),
    ("INDEX", "| index,"),
    ("INDEX_ATTACH", "attached index"),
    ("STATSEXT", "| extended statistics"),
    ("RULE", "| rule,"),
    ("TRIGGER", "rule, trigger,"),
    ("CONSTRAINT", "| constraint: primary key"),
    ("FK_CONSTRAINT", "foreign key |"),
    ("PROCLANG", "procedural language"),
    ("CAST", "cast,"),
    ("TABLE_DATA", "| table rows |"),
    ("SEQUENCE_SET", "its value |"),
    ("TSPARSER", "| text search parser"),
    ("TSDICT", "dictionary"),
    ("TSTEMPLATE", "template,"),
    ("TSCONFIG", "configuration |"),
    ("FDW", "| foreign data wrapper"),
    ("FOREIGN_SERVER", "server, user mapping |"),
    ("DEFAULT_ACL", "| default privileges |"),
    ("TRANSFORM", "transform"),
    ("LARGE_OBJECT, LARGE_OBJECT_DATA", "| large object |"),
    ("REL_STATS", "| planner statistics (rows and columns"),
    ("EVENT_TRIGGER", "event trigger |"),
    ("REFRESH_MATVIEW", "materialised views are filled again"),
    ("POLICY", "row security and policy |"),
    ("PUBLICATION", "| publication,"),
    ("PUBLICATION_REL, PUBLICATION_TABLE_IN_SCHEMA", "with tables and schemas |"),
    ("SUBSCRIPTION, SUBSCRIPTION_REL", "| subscription |"),
    // What pg_dump leaves to pg_dumpall.
    ("roles, tablespaces", "| role, role membership, tablespace"),
];

#[test]
fn every_kind_is_carried_or_refused() {
    let text = include_str!("../../docs/what-is-dumped.md");
    let rows: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    for row in &rows {
        let answer = row.split(" | ").nth(1).unwrap_or_default();
        assert!(
            answer.starts_with("yes") || answer.starts_with("**refused**"),
            "neither carried nor refused: {row}"
        );
    }
    for (kind, words) in KINDS {
        assert_eq!(
            rows.iter().filter(|row| row.contains(words)).count(),
            1,
            "{kind} has one row of the table, with {words:?}"
        );
    }
    for words in ["owner", "privileges", "comments", "security labels"] {
        assert!(
            text.split("| kind |").next().is_some_and(|before| before.contains(words)),
            "{words}"
        );
    }
}
