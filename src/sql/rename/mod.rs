//! Other names for schemas: SQL text is rewritten by its tokens, and what cannot be rewritten for
//! sure is refused.
//!
//! The dump renders every name qualified, so a schema's name stands before a point. Where a query
//! may have given a table or a column the same name, and where a function's body in another language
//! than SQL or a text names the schema, nobody can be sure.

mod body;
mod names;
mod parts;
mod rewrite;
mod tokens;
mod words;

use std::borrow::Cow;

pub use self::names::{Bodies, Reading, Renames};
pub use self::parts::{base_type, parts_of_type};
pub use self::tokens::NAME_TYPES;

impl Renames {
    /// Rewrites a text.
    ///
    /// # Errors
    /// Why it cannot be rewritten for sure.
    pub fn rewrite<'a>(&self, sql: &'a str, reading: Reading) -> Result<Cow<'a, str>, String> {
        rewrite::rewrite(self, sql, reading)
    }

    /// The schema, by its old name, that a function keeps naming in its body or its `search_path`,
    /// if it does: what it does reads there.
    pub fn kept_by<'a>(&'a self, function: &str) -> Option<&'a str> {
        if self.keep_bodies() { rewrite::kept_by(self, function) } else { None }
    }
}

#[cfg(test)]
mod tests;
