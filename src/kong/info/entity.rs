//! A table that was found, and what is known of it by its name.
//!
//! Does not know its rows.

use super::facts::Table;
use crate::kong::classes::{self, Class};

/// A table and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What its rows are.
    pub class: Class,
    /// Whether only Kong Enterprise has it.
    pub is_enterprise: bool,
    /// What was found.
    pub table: Table,
}

impl Entity {
    /// Looks it up.
    pub(super) fn of(table: Table) -> Self {
        let known = classes::known(&table.name);
        Self {
            class: known.map_or(Class::Unknown, |known| known.class),
            is_enterprise: known.is_some_and(|known| known.is_enterprise),
            table,
        }
    }
}
