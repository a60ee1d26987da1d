//! Which NOT NULL a table's definition says, and in which words: older servers keep it with the
//! column, newer ones (18) as a constraint that has a name and may be inherited.

use super::Table;
use super::columns::{Column, NotNull};
use super::parts::not_valid_not_null;
use crate::pg::catalog::draft::{Draft, Item};
use crate::sql::ident;

impl Table<'_> {
    /// The words after a printed column that may not be NULL by a declaration of its own.
    pub(super) fn column_not_null(&self, column: &Column) -> String {
        match &column.not_null_constraint {
            Some(constraint)
                if constraint.is_valid
                    && (self.relation.is_partition() || self.declares(column, constraint)) =>
            {
                let no_inherit = if constraint.is_inheritable { "" } else { " NO INHERIT" };
                let chosen = format!("{}_{}_not_null", self.relation.name, column.name);
                if chosen == constraint.name && !constraint.is_ambiguous {
                    format!(" NOT NULL{no_inherit}")
                } else {
                    format!(" CONSTRAINT {} NOT NULL{no_inherit}", ident::quote(&constraint.name))
                }
            }
            None if column.not_null
                && (self.relation.is_partition()
                    || self.inherits_later()
                    || !self.inherits_not_null(column)) =>
            {
                " NOT NULL".to_owned()
            }
            _ => String::new(),
        }
    }

    /// A NOT NULL that the table adds to a column it only inherits, where the server keeps such as
    /// constraints (18).
    pub(super) fn table_not_null(&self, column: &Column) -> Option<Item> {
        let constraint = column
            .not_null_constraint
            .as_ref()
            .filter(|constraint| constraint.is_valid && self.declares(column, constraint))?;
        if self.prints(column) {
            return None;
        }
        let no_inherit = if constraint.is_inheritable { "" } else { " NO INHERIT" };
        let before = format!(
            "CONSTRAINT {} NOT NULL {}{no_inherit}",
            ident::quote(&constraint.name),
            ident::quote(&column.name)
        );
        Some(Item { before, ..Item::default() })
    }

    /// Whether the NOT NULL is this table's to say: its own, or proven here while no parent's is,
    /// which will come from there unproven.
    fn declares(&self, column: &Column, constraint: &NotNull) -> bool {
        let mut of_parents = self
            .inherited(column)
            .filter_map(|parent| parent.not_null_constraint.as_ref())
            .peekable();
        constraint.is_local
            || of_parents.peek().is_some() && of_parents.all(|parent| !parent.is_valid)
    }

    pub(super) fn inherits_not_null(&self, column: &Column) -> bool {
        self.inherited(column).any(|parents| parents.not_null)
    }

    pub(super) fn not_valid_not_nulls(&self) -> Vec<Draft> {
        let constraints = self.columns.iter().filter_map(|column| {
            column.not_null_constraint.as_ref().map(|constraint| (column, constraint))
        });
        let later = constraints.filter(|(_, constraint)| constraint.is_added_later());
        later
            .map(|(column, constraint)| not_valid_not_null(self.relation, column, constraint))
            .collect()
    }

    /// What a NOT NULL is called, unless it comes with the parent's and so loses the name.
    pub(super) fn not_null_words(&self, column: &Column, constraint: &NotNull) -> Option<String> {
        let mut of_parents =
            self.inherited(column).filter_map(|parent| parent.not_null_constraint.as_ref());
        let is_made_here = constraint.is_valid || constraint.is_local;
        let is_named_so = is_made_here || of_parents.any(|parent| parent.name == constraint.name);
        is_named_so.then(|| {
            format!(
                "CONSTRAINT {} ON {}",
                ident::quote(&constraint.name),
                self.relation.qualified()
            )
        })
    }
}
