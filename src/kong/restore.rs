//! What of Kong's tables decides how a restore is done.

use super::sources::Value;
use super::tables::{SCHEMA_META, makes_function, makes_table};
use crate::profile::{Home, Profile};

/// What is known of Kong's databases.
pub fn profile() -> Profile {
    Profile {
        loads_last,
        is_searched,
        is_fleeting,
        may_start: "Kong may start now",
        name: "Kong",
        known_by: Some(SCHEMA_META),
        makes_table,
        makes_function,
    }
}

/// Where `pg_schema` lets Kong look for its tables.
pub fn home(pg_schema: &Value) -> Home {
    let Value { text, source, .. } = pg_schema;
    Home {
        schema: text.clone(),
        said_by: format!("pg_schema = {text} (from {source})"),
        setting: "pg_schema",
    }
}

/// Whether a table's rows must come when everything else stands: Kong takes a database with a
/// filled `schema_meta` for complete.
fn loads_last(table_name: &str) -> bool {
    table_name == SCHEMA_META
}

/// Whether rows are looked up by a column from the first moment on: Kong's triggers delete what has
/// expired with every insert, and an index spares them a scan of the whole table.
fn is_searched(column: &str) -> bool {
    matches!(column, "ttl" | "expire_at")
}

/// Whether it is Kong's table of locks.
fn is_fleeting(table_name: &str, columns: &[String]) -> bool {
    table_name == "locks" && makes_table(table_name, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_migrations_ledger() {
        assert!(loads_last("schema_meta"));
        assert!(!loads_last("routes"));
    }

    #[test]
    fn only_the_locks_end_by_themselves() {
        let columns = ["key", "owner", "ttl"].map(str::to_owned);
        assert!(is_fleeting("locks", &columns));
        assert!(!is_fleeting("locks", &columns[..2]) && !is_fleeting("tags", &columns));
    }

    #[test]
    fn expiry_is_searched() {
        assert!(is_searched("ttl") && is_searched("expire_at") && !is_searched("tags"));
    }
}
