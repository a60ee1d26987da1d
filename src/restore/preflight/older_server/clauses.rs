//! The clauses: since when each is known, and what a statement is without it.

use super::words::{change_option, find, without_option};
use crate::archive::manifest::ObjectKind;

/// A clause.
pub(super) struct Clause {
    /// The first version that knows it.
    pub(super) since: u32,
    /// Its words.
    pub(super) words: &'static str,
    /// What is left of a statement without it; none where the statement has no such clause.
    pub(super) without: fn(ObjectKind, &str) -> Option<Left>,
}

/// What is left of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// A statement that means the same to a server which does not know the clause.
    Same(String),
    /// A statement that says less; empty where it says nothing else.
    Less(String),
    /// No object: without the clause it would show more than it did, or nothing at all.
    Nothing,
}

pub(super) const CLAUSES: &[Clause] = &[
    Clause {
        since: 130_000,
        words: "publish_via_partition_root",
        without: |kind, sql| publication_option(kind, sql, "publish_via_partition_root"),
    },
    Clause {
        since: 130_000,
        words: "deduplicate_items",
        without: |kind, sql| parameter(kind, sql, "deduplicate_items"),
    },
    Clause {
        since: 130_000,
        words: "autovacuum_vacuum_insert_threshold",
        without: |kind, sql| parameter(kind, sql, "autovacuum_vacuum_insert_threshold"),
    },
    Clause {
        since: 130_000,
        words: "autovacuum_vacuum_insert_scale_factor",
        without: |kind, sql| parameter(kind, sql, "autovacuum_vacuum_insert_scale_factor"),
    },
    Clause { since: 140_000, words: "SET COMPRESSION", without: compression },
    Clause { since: 140_000, words: "MULTIRANGE_TYPE_NAME", without: multirange },
    Clause { since: 140_000, words: "SUBSCRIPT", without: subscript },
    Clause { since: 140_000, words: "vacuum_index_cleanup = auto", without: index_cleanup },
    Clause {
        since: 140_000,
        words: "binary",
        without: |kind, sql| subscription_option(kind, sql, "binary"),
    },
    Clause { since: 140_000, words: "streaming", without: streaming },
    Clause { since: 150_000, words: "UNLOGGED", without: unlogged_sequence },
    Clause {
        since: 150_000,
        words: "two_phase",
        without: |kind, sql| subscription_option(kind, sql, "two_phase"),
    },
    Clause {
        since: 150_000,
        words: "disable_on_error",
        without: |kind, sql| subscription_option(kind, sql, "disable_on_error"),
    },
    Clause { since: 150_000, words: "a list of columns or WHERE", without: published_part },
    Clause {
        since: 150_000,
        words: "TABLES IN SCHEMA",
        without: |kind, _| (kind == ObjectKind::PublicationSchema).then_some(Left::Nothing),
    },
    Clause { since: 160_000, words: "streaming = parallel", without: parallel },
    Clause { since: 160_000, words: "origin", without: origin },
    Clause {
        since: 160_000,
        words: "password_required",
        without: |kind, sql| subscription_option(kind, sql, "password_required"),
    },
    Clause { since: 160_000, words: "run_as_owner", without: run_as_owner },
    Clause { since: 170_000, words: "USING", without: method_of_partitioned },
    Clause {
        since: 170_000,
        words: "failover",
        without: |kind, sql| subscription_option(kind, sql, "failover"),
    },
    Clause {
        since: 180_000,
        words: "publish_generated_columns",
        without: |kind, sql| publication_option(kind, sql, "publish_generated_columns"),
    },
    Clause {
        since: 180_000,
        words: "autovacuum_vacuum_max_threshold",
        without: |kind, sql| parameter(kind, sql, "autovacuum_vacuum_max_threshold"),
    },
    Clause {
        since: 180_000,
        words: "vacuum_max_eager_freeze_failure_rate",
        without: |kind, sql| parameter(kind, sql, "vacuum_max_eager_freeze_failure_rate"),
    },
    Clause {
        since: 190_000,
        words: "autovacuum_parallel_workers",
        without: |kind, sql| parameter(kind, sql, "autovacuum_parallel_workers"),
    },
    Clause {
        since: 190_000,
        words: "log_autoanalyze_min_duration",
        without: |kind, sql| parameter(kind, sql, "log_autoanalyze_min_duration"),
    },
    Clause { since: 190_000, words: "CONNECTION", without: wrapper_connection },
    Clause { since: 190_000, words: "EXCEPT", without: published_except },
    Clause { since: 190_000, words: "ALL SEQUENCES", without: published_sequences },
    Clause { since: 190_000, words: "SERVER", without: subscription_server },
    Clause {
        since: 190_000,
        words: "retain_dead_tuples",
        without: |kind, sql| subscription_option(kind, sql, "retain_dead_tuples"),
    },
    Clause {
        since: 190_000,
        words: "max_retention_duration",
        without: |kind, sql| subscription_option(kind, sql, "max_retention_duration"),
    },
    Clause {
        since: 190_000,
        words: "wal_receiver_timeout",
        without: |kind, sql| subscription_option(kind, sql, "wal_receiver_timeout"),
    },
];

/// A storage parameter, of a table and of its TOAST table.
fn parameter(kind: ObjectKind, sql: &str, name: &str) -> Option<Left> {
    use ObjectKind::{Constraint, Index, MaterializedView, Table};
    if !matches!(kind, Table | MaterializedView | Index | Constraint) {
        return None;
    }
    let own = without_option(sql, name);
    let toast = without_option(own.as_deref().unwrap_or(sql), &format!("toast.{name}"));
    toast.or(own).map(Left::Less)
}

/// A server that does not know it only warns.
fn subscript(kind: ObjectKind, sql: &str) -> Option<Left> {
    let start = (kind == ObjectKind::Type).then(|| find(sql, "\n    SUBSCRIPT = "))??;
    let end = start + 1 + find(&sql[start + 1..], "\n")?;
    Some(Left::Less(format!("{}{}", &sql[..start], &sql[end..])))
}

/// It was on or off once; left out, it is on.
fn index_cleanup(kind: ObjectKind, sql: &str) -> Option<Left> {
    let auto = |sql: &str, name: &str| {
        change_option(sql, name, |value| (value != "auto").then(|| value.to_owned()))
    };
    let own = auto(sql, "vacuum_index_cleanup");
    let toast = auto(own.as_deref().unwrap_or(sql), "toast.vacuum_index_cleanup");
    (matches!(kind, ObjectKind::Table | ObjectKind::MaterializedView))
        .then(|| toast.or(own))?
        .map(Left::Less)
}

fn subscription_option(kind: ObjectKind, sql: &str, name: &str) -> Option<Left> {
    (kind == ObjectKind::Subscription).then(|| without_option(sql, name))?.map(Left::Less)
}

fn publication_option(kind: ObjectKind, sql: &str, name: &str) -> Option<Left> {
    (kind == ObjectKind::Publication).then(|| without_option(sql, name))?.map(Left::Less)
}

/// A server that does not know it lets the owner apply the changes.
fn run_as_owner(kind: ObjectKind, sql: &str) -> Option<Left> {
    let is_on = find(sql, "run_as_owner = true").is_some();
    subscription_option(kind, sql, "run_as_owner").map(|left| match left {
        Left::Less(sql) if is_on => Left::Same(sql),
        left => left,
    })
}

/// What knows no streaming does none.
fn streaming(kind: ObjectKind, sql: &str) -> Option<Left> {
    let is_off = find(sql, "streaming = off").is_some();
    subscription_option(kind, sql, "streaming").map(|left| match left {
        Left::Less(sql) if is_off => Left::Same(sql),
        left => left,
    })
}

fn parallel(kind: ObjectKind, sql: &str) -> Option<Left> {
    let on = |value: &str| Some(if value == "parallel" { "on" } else { value }.to_owned());
    (kind == ObjectKind::Subscription).then(|| change_option(sql, "streaming", on))?.map(Left::Less)
}

/// Without it, changes that came from elsewhere would come too, and perhaps go round in a circle.
fn origin(kind: ObjectKind, sql: &str) -> Option<Left> {
    (kind == ObjectKind::Subscription)
        .then(|| without_option(sql, "origin"))?
        .map(|_| Left::Nothing)
}

/// Nothing else says where it connects to.
fn subscription_server(kind: ObjectKind, sql: &str) -> Option<Left> {
    (kind == ObjectKind::Subscription
        && find(sql, " CONNECTION ").is_none()
        && find(sql, " SERVER ").is_some())
    .then_some(Left::Nothing)
}

fn published_except(kind: ObjectKind, sql: &str) -> Option<Left> {
    (kind == ObjectKind::Publication && find(sql, " FOR ALL TABLES EXCEPT (").is_some())
        .then_some(Left::Nothing)
}

fn published_sequences(kind: ObjectKind, sql: &str) -> Option<Left> {
    if kind != ObjectKind::Publication {
        return None;
    }
    if let Some(at) = find(sql, ", ALL SEQUENCES") {
        return Some(Left::Less(format!("{}{}", &sql[..at], &sql[at + ", ALL SEQUENCES".len()..])));
    }
    find(sql, " FOR ALL SEQUENCES").map(|_| Left::Nothing)
}

/// A table of which only some columns or rows are published.
fn published_part(kind: ObjectKind, sql: &str) -> Option<Left> {
    (kind == ObjectKind::PublicationTable && find(sql, " (").is_some()).then_some(Left::Nothing)
}

/// The function that makes a connection string of a foreign server, the last clause but the
/// options.
fn wrapper_connection(kind: ObjectKind, sql: &str) -> Option<Left> {
    let at = (kind == ObjectKind::ForeignDataWrapper).then(|| find(sql, " CONNECTION "))??;
    let options = find(sql, " OPTIONS (").map_or("", |at| &sql[at..]);
    Some(Left::Less(format!("{}{options}", &sql[..at])))
}

/// How a column's long values are compressed.
fn compression(kind: ObjectKind, sql: &str) -> Option<Left> {
    let is_it = sql.starts_with("ALTER ")
        && [" SET COMPRESSION pglz", " SET COMPRESSION lz4"].iter().any(|end| sql.ends_with(end));
    let left = || Left::Less(String::new());
    (is_it
        && matches!(
            kind,
            ObjectKind::Table | ObjectKind::MaterializedView | ObjectKind::ForeignTable
        ))
    .then(left)
}

fn multirange(kind: ObjectKind, sql: &str) -> Option<Left> {
    if kind != ObjectKind::Type || !sql.contains(" AS RANGE (\n") {
        return None;
    }
    let (before, rest) = sql.split_once(",\n    multirange_type_name = ")?;
    let end = rest.find(",\n    ").or_else(|| rest.rfind("\n)"))?;
    Some(Left::Less(format!("{before}{}", &rest[end..])))
}

/// Tables could be unlogged long before sequences could.
fn unlogged_sequence(kind: ObjectKind, sql: &str) -> Option<Left> {
    if kind != ObjectKind::Sequence {
        return None;
    }
    if sql.starts_with("ALTER SEQUENCE ")
        && (sql.ends_with(" SET UNLOGGED") || sql.ends_with(" SET LOGGED"))
    {
        return Some(Left::Less(String::new()));
    }
    sql.strip_prefix("CREATE UNLOGGED SEQUENCE ")
        .map(|rest| Left::Less(format!("CREATE SEQUENCE {rest}")))
}

/// The access method that later partitions begin with: each partition names its own.
fn method_of_partitioned(kind: ObjectKind, sql: &str) -> Option<Left> {
    let (before, method) = sql.rsplit_once("\nUSING ")?;
    (kind == ObjectKind::Table && before.contains("\nPARTITION BY ") && !method.contains('\n'))
        .then(|| Left::Less(before.to_owned()))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
