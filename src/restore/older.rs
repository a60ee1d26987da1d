//! Clauses that an older target does not know and that hold no rows: left out, and named. Without them the object is made, and what it holds
//! is kept; with them it would fail, and all that needs it.
//!
//! Does not know clauses that say what rows may be or who may see them: a statement with one of those fails.

use super::build::Sections;
use crate::archive::manifest::{NotCarried, Object, ObjectKind};

/// A clause.
struct Clause {
    /// The first version that knows it.
    since: u32,
    /// Its words.
    words: &'static str,
    /// A statement without it, empty where it says nothing else; none where the statement has no such clause.
    without: fn(ObjectKind, &str) -> Option<String>,
}

const CLAUSES: &[Clause] = &[
    Clause { since: 140_000, words: "SET COMPRESSION", without: compression },
    Clause { since: 140_000, words: "MULTIRANGE_TYPE_NAME", without: multirange },
    Clause { since: 150_000, words: "UNLOGGED", without: unlogged_sequence },
    Clause { since: 170_000, words: "USING", without: method_of_partitioned },
];

/// Takes the clauses away that a target of this version does not know, and tells which.
pub(super) fn leave_clauses(objects: &mut [Object], sections: Sections, version_num: u32) -> Vec<NotCarried> {
    let mut left_out = Vec::new();
    for clause in CLAUSES.iter().filter(|clause| version_num < clause.since) {
        for object in objects.iter_mut().filter(|object| sections.holds(object.section)) {
            let mut found = false;
            for sql in &mut object.statements {
                if let Some(without) = (clause.without)(object.kind, sql) {
                    (*sql, found) = (without, true);
                }
            }
            object.statements.retain(|sql| !sql.is_empty());
            if found {
                let name = format!("{} of {}", clause.words, object.identity);
                let reason = format!("PostgreSQL {} does not know it", version_num / 10_000);
                left_out.push(NotCarried { kind: "clause".to_owned(), name, reason });
            }
        }
    }
    left_out
}

/// How a column's long values are compressed.
fn compression(kind: ObjectKind, sql: &str) -> Option<String> {
    let is_it = sql.starts_with("ALTER ") && [" SET COMPRESSION pglz", " SET COMPRESSION lz4"].iter().any(|end| sql.ends_with(end));
    (is_it && matches!(kind, ObjectKind::Table | ObjectKind::MaterializedView | ObjectKind::ForeignTable)).then(String::new)
}

fn multirange(kind: ObjectKind, sql: &str) -> Option<String> {
    if kind != ObjectKind::Type || !sql.contains(" AS RANGE (\n") {
        return None;
    }
    let (before, rest) = sql.split_once(",\n    multirange_type_name = ")?;
    let end = rest.find(",\n    ").or_else(|| rest.rfind("\n)"))?;
    Some(format!("{before}{}", &rest[end..]))
}

/// Tables could be unlogged long before sequences could.
fn unlogged_sequence(kind: ObjectKind, sql: &str) -> Option<String> {
    if kind != ObjectKind::Sequence {
        return None;
    }
    if sql.starts_with("ALTER SEQUENCE ") && (sql.ends_with(" SET UNLOGGED") || sql.ends_with(" SET LOGGED")) {
        return Some(String::new());
    }
    sql.strip_prefix("CREATE UNLOGGED SEQUENCE ").map(|rest| format!("CREATE SEQUENCE {rest}"))
}

/// The access method that later partitions begin with: each partition names its own.
fn method_of_partitioned(kind: ObjectKind, sql: &str) -> Option<String> {
    let (before, method) = sql.rsplit_once("\nUSING ")?;
    (kind == ObjectKind::Table && before.contains("\nPARTITION BY ") && !method.contains('\n')).then(|| before.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_reads_well_without_the_clause() {
        let check = |without: fn(ObjectKind, &str) -> Option<String>, kind, sql: &str, expect: Option<&str>| {
            assert_eq!(without(kind, sql).as_deref(), expect, "{sql}");
        };
        let range = "CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = s.m,\n    subtype_diff = s.d\n)";
        check(multirange, ObjectKind::Type, range, Some("CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    subtype_diff = s.d\n)"));
        let range = "CREATE TYPE s.r AS RANGE (\n    subtype = integer,\n    multirange_type_name = s.m\n)";
        check(multirange, ObjectKind::Type, range, Some("CREATE TYPE s.r AS RANGE (\n    subtype = integer\n)"));
        check(multirange, ObjectKind::Type, "CREATE TYPE s.e AS ENUM ()", None);
        check(unlogged_sequence, ObjectKind::Sequence, "CREATE UNLOGGED SEQUENCE s.q", Some("CREATE SEQUENCE s.q"));
        check(unlogged_sequence, ObjectKind::Sequence, "ALTER SEQUENCE s.q SET UNLOGGED", Some(""));
        check(unlogged_sequence, ObjectKind::Table, "CREATE UNLOGGED TABLE s.t ()", None);
        let root = "CREATE TABLE s.t (\n    a integer\n)\nPARTITION BY LIST (a)";
        check(method_of_partitioned, ObjectKind::Table, &format!("{root}\nUSING heap"), Some(root));
        check(method_of_partitioned, ObjectKind::Table, "CREATE TABLE s.t (\n    a integer\n)\nUSING other", None);
        let column = "ALTER TABLE ONLY s.t ALTER COLUMN a";
        check(compression, ObjectKind::Table, &format!("{column} SET COMPRESSION lz4"), Some(""));
        check(compression, ObjectKind::Table, &format!("{column} SET DEFAULT ' SET COMPRESSION lz4'"), None);
    }
}
