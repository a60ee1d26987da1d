//! What dumps say of tables and of themselves.

use crate::archive::manifest::Table;
use crate::error::{Error, Kind};
use crate::sql::ident;

/// The name of a table for people and statements.
pub(super) fn qualified(table: &Table) -> String {
    ident::qualified(&table.schema, &table.name)
}

/// An internal promise between the modules did not hold.
pub(super) fn unexpected(doing: &str, cause: impl Into<String>) -> Error {
    Error::new(Kind::Unexpected, doing, cause)
}
