//! Lists of `NAME = value`, as `CREATE TYPE`, `CREATE AGGREGATE` and their like take them. Knows no
//! catalog.

use std::fmt::Display;

/// The items between the brackets, in order.
#[derive(Debug, Default)]
pub(in crate::pg::catalog) struct Clauses(Vec<String>);

impl Clauses {
    /// Adds `NAME = value`.
    pub(in crate::pg::catalog) fn set(&mut self, name: &str, value: impl Display) {
        self.0.push(format!("{name} = {value}"));
    }

    /// Adds `NAME = value` where there is a value.
    pub(in crate::pg::catalog) fn set_some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Adds words that stand for themselves.
    pub(in crate::pg::catalog) fn word(&mut self, words: impl Into<String>) {
        self.0.push(words.into());
    }

    pub(in crate::pg::catalog) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Joins the items without brackets, a line each.
    pub(in crate::pg::catalog) fn lines(&self) -> String {
        self.0.join(",\n    ")
    }

    /// ` ( … )`, a line each.
    pub(in crate::pg::catalog) fn bracketed(&self) -> String {
        if self.is_empty() { " ()".to_owned() } else { format!(" (\n    {}\n)", self.lines()) }
    }
}
