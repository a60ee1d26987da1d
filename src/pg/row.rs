//! A row that a server sent, each of whose values is looked at before it is believed: a NULL, a cut value or another type is an error.
//! The driver's own `Row::get` panics at such, and so is named nowhere else (`clippy.toml`).

use std::error::Error as StdError;
use std::fmt::Display;
use std::sync::Arc;

use tokio_postgres::row::RowIndex;
use tokio_postgres::types::{FromSql, Type};

use crate::error::{Error, Kind, Result};

/// A row with what was being asked.
#[derive(Clone, Debug)]
pub struct Row {
    row: tokio_postgres::Row,
    doing: Arc<str>,
}

impl Row {
    pub(super) fn all(doing: &str, rows: Vec<tokio_postgres::Row>) -> Vec<Self> {
        let doing: Arc<str> = doing.into();
        rows.into_iter().map(|row| Self { row, doing: Arc::clone(&doing) }).collect()
    }

    /// Reads a column by its name or place; what may be NULL is read as an `Option`.
    pub fn get<'a, I: RowIndex + Display, T: FromSql<'a>>(&'a self, column: I) -> Result<T> {
        self.row.try_get(&column).map_err(|source| self.wrong(&column, source))
    }

    /// The columns that the server said it would send.
    pub(super) fn columns(&self) -> &[tokio_postgres::Column] {
        self.row.columns()
    }

    /// A value's bytes as they came.
    pub(super) fn bytes(&self, at: usize) -> &[u8] {
        self.row.try_get::<_, Option<Bytes>>(at).ok().flatten().map_or(&[], |bytes| bytes.0)
    }

    fn wrong(&self, column: &impl Display, source: tokio_postgres::Error) -> Error {
        let why = source.source().map_or_else(|| source.to_string(), ToString::to_string);
        Error::new(Kind::Server, &*self.doing, format!("the server sent a wrong value in column {column}: {why}"))
            .hint("check that the server is PostgreSQL; if it is, report this with its version")
            .with_source(source)
    }
}

/// A value as it came.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
