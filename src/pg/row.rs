//! A row that a server sent, each of whose values is looked at before it is believed: a NULL, a cut
//! value or another type is an error. The driver's own `Row::get` panics at such, and so is named
//! nowhere else (`clippy.toml`).

use std::error::Error as StdError;
use std::fmt::Display;
use std::sync::Arc;

use tokio_postgres::row::RowIndex;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::error::{self, Error, Result};

/// A row with what was being asked.
#[derive(Clone, Debug)]
pub struct Row {
    row: tokio_postgres::Row,
    doing: Arc<str>,
}

impl Row {
    pub(super) fn all(doing: &str, rows: Vec<tokio_postgres::Row>) -> Result<Vec<Self>> {
        let doing: Arc<str> = doing.into();
        let checked = |row: tokio_postgres::Row| {
            let row = Self { row, doing: Arc::clone(&doing) };
            row.check_arrays().map(|()| row)
        };
        rows.into_iter().map(checked).collect()
    }

    /// The driver makes room for as many elements as an array says that it has.
    fn check_arrays(&self) -> Result<()> {
        for (at, column) in self.columns().iter().enumerate() {
            let is_array = matches!(column.type_().kind(), Kind::Array(_));
            if is_array && !self.bytes(at).is_none_or(holds_its_elements) {
                return Err(self
                    .wrong(&column.name(), "an array says that it has more elements than it has"));
            }
        }
        Ok(())
    }

    /// Reads a column by its name or place; what may be NULL is read as an `Option`.
    pub fn get<'a, I: RowIndex + Display, T: FromSql<'a>>(&'a self, column: I) -> Result<T> {
        self.row.try_get(&column).map_err(|source| {
            let why = source.source().map_or_else(|| source.to_string(), ToString::to_string);
            self.wrong(&column, &why).with_source(source)
        })
    }

    /// The columns that the server said it would send.
    pub(super) fn columns(&self) -> &[tokio_postgres::Column] {
        self.row.columns()
    }

    /// A value's bytes as they came.
    pub(super) fn bytes(&self, at: usize) -> Option<&[u8]> {
        self.row.try_get::<_, Option<Bytes>>(at).ok().flatten().map(|bytes| bytes.0)
    }

    fn wrong(&self, column: &impl Display, why: &str) -> Error {
        let cause = format!("the server sent a wrong value in column {column}: {why}");
        Error::new(error::Kind::Server, &*self.doing, cause)
            .hint("check that the server is PostgreSQL; if it is, report this with its version")
    }
}

/// An array: how many dimensions, two more words, and of each dimension its length and lower bound;
/// an element takes four bytes at least.
fn holds_its_elements(array: &[u8]) -> bool {
    let word = |at: usize| {
        array.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes)
    };
    let Some(dimensions @ 0..=6) = word(0) else { return false };
    let lengths = (0..dimensions as usize).map(|dimension| word(12 + 8 * dimension));
    let elements = lengths
        .map(|length| u64::try_from(length?).ok())
        .try_fold(1_u64, |all, length| all.checked_mul(length?));
    elements.is_some_and(|elements| dimensions == 0 || elements <= array.len() as u64 / 4)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_hold_what_they_say() {
        let array = |dimensions: &[i32], elements: usize| {
            let words = [dimensions.len() as i32, 0, 25]
                .into_iter()
                .chain(dimensions.iter().flat_map(|&length| [length, 1]));
            let mut bytes: Vec<u8> = words.flat_map(i32::to_be_bytes).collect();
            bytes.extend([0; 4].repeat(elements));
            bytes
        };
        for (dimensions, elements, holds) in [
            (&[][..], 0, true),
            (&[3], 3, true),
            (&[i32::MAX], 3, false),
            (&[-1], 0, false),
            (&[2, 2], 4, true),
            (&[i32::MAX, i32::MAX, i32::MAX], 4, false),
            (&[1; 7], 1, false),
        ] {
            assert_eq!(holds_its_elements(&array(dimensions, elements)), holds, "{dimensions:?}");
        }
        assert!(!holds_its_elements(b"abc"));
        assert!(!holds_its_elements(&array(&[1], 1)[..14]));
    }
}
