//! Which schemas get which other names, and how texts are read.

use std::collections::BTreeMap;

use super::words;
use crate::error::{Error, Kind, Result};

/// Which schemas get which other names. By default none does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    names: BTreeMap<String, String>,
    pub(super) bodies: Bodies,
}

/// What becomes of function bodies, and of the `search_path` that functions set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// One that names the schema is refused; the `search_path` is rewritten.
    #[default]
    Refused,
    /// They keep the old name: the schema will have it again.
    Kept,
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Names, or a statement in which no query stands.
    Plain,
    /// A statement with a query in it, which may give names of its own.
    Query,
    /// `CREATE FUNCTION` and its like: a body may follow, as a text or as statements.
    Function,
}

impl Renames {
    /// From `OLD=NEW`, each an identifier as SQL reads it: folded to lower case unless it stands in
    /// double quotes.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what is no such pair, a schema of the server's own, a name that is given
    /// twice, on either side.
    pub fn parse(pairs: &[String]) -> Result<Self> {
        let mut names = BTreeMap::new();
        for pair in pairs {
            let refuse = |cause: String| {
                Error::new(Kind::Usage, format!("read --rename-schema {pair}"), cause)
                    .hint("write OLD=NEW, such as public=other")
            };
            let (old, new) =
                words::pair(pair).ok_or_else(|| refuse("it is not OLD=NEW".to_owned()))?;
            if let Some(own) = [&old, &new].into_iter().find(|name| is_servers(name)) {
                return Err(refuse(format!("schema {own} is the server's own")));
            }
            if names.values().any(|other| *other == new) {
                return Err(refuse(format!("two schemas would be called {new}")));
            }
            if names.insert(old.clone(), new).is_some() {
                return Err(refuse(format!("schema {old} is named twice")));
            }
        }
        Ok(Self { names, bodies: Bodies::default() })
    }

    /// The same, with another rule for function bodies.
    #[must_use]
    pub fn with_bodies(self, bodies: Bodies) -> Self {
        Self { bodies, ..self }
    }

    /// Whether nothing is renamed.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The pairs, old and new, unquoted.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|(old, new)| (old.as_str(), new.as_str()))
    }

    /// The new name of a schema, if it gets one.
    pub fn new_name(&self, schema: &str) -> Option<&str> {
        self.names.get(schema).map(String::as_str)
    }
}

fn is_servers(schema: &str) -> bool {
    schema.starts_with("pg_") || schema == "information_schema"
}
