//! Which rows make a database a Kong database that may be started on.

/// Whether a table's rows must come when everything else stands: Kong takes a database with a filled `schema_meta` for complete.
pub fn loads_last(table_name: &str) -> bool {
    table_name == "schema_meta"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_migrations_ledger() {
        assert!(loads_last("schema_meta"));
        assert!(!loads_last("routes"));
    }
}
