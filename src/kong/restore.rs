//! Which rows make a database a Kong database that may be started on.

/// Whether a table's rows must come when everything else stands: Kong takes a database with a filled `schema_meta` for complete.
pub fn loads_last(table_name: &str) -> bool {
    table_name == "schema_meta"
}

/// Whether rows are looked up by a column from the first moment on: Kong's triggers delete what has expired with every insert, and an index
/// spares them a scan of the whole table.
pub fn is_searched(column: &str) -> bool {
    matches!(column, "ttl" | "expire_at")
}

/// What is said when the database may be used.
pub fn may_start(is_kong: bool) -> &'static str {
    if is_kong { "Kong may start now" } else { "the database may be used now" }
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
    fn expiry_is_searched() {
        assert!(is_searched("ttl") && is_searched("expire_at") && !is_searched("tags"));
    }
}
