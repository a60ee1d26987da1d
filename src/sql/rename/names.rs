//! Which schemas get which other names, and how texts are read.

use std::collections::{BTreeMap, BTreeSet};

use super::words;
use crate::error::{Error, Kind, Result};

/// Which schemas get which other names. By default none does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    names: BTreeMap<String, String>,
    /// By old name of a schema: what in it keeps that name.
    kept: BTreeMap<String, BTreeSet<String>>,
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
        Ok(Self::of(names))
    }

    /// From pairs of old and new names, unquoted.
    pub fn of(names: BTreeMap<String, String>) -> Self {
        Self { names, ..Self::default() }
    }

    /// The same, but for objects of these names in one of the schemas, which stay where they are:
    /// an extension's members, operators too.
    #[must_use]
    pub fn keeping(mut self, schema: &str, names: BTreeSet<String>) -> Self {
        self.kept.insert(schema.to_owned(), names);
        self
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

impl Renames {
    /// Whether what has this name in a schema stays where it is.
    pub(super) fn keeps(&self, schema: &str, name: &str) -> bool {
        self.kept.get(schema).is_some_and(|names| names.contains(name))
    }

    /// Whether bodies and `search_path`s keep the old names.
    pub fn keep_bodies(&self) -> bool {
        self.bodies == Bodies::Kept
    }
}

fn is_servers(schema: &str) -> bool {
    schema.starts_with("pg_") || schema == "information_schema"
}
