//! One row: the text of each value.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::value::FromText;
use crate::archive::manifest::Column;
use crate::error::{Error, Kind, Result};

/// One row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    pub(super) columns: Arc<[Column]>,
    /// What the server calls the encoding of the texts.
    pub(super) encoding: Arc<str>,
    /// All values one after the other.
    pub(super) text: Vec<u8>,
    /// Where each stands; NULL is none.
    pub(super) places: Vec<Option<Range<usize>>>,
}

impl Row {
    /// The value of a column by its name, as `T` reads it: `&str` or `String` is the server's text,
    /// numbers, `bool` and `Vec<u8>` (of `bytea`) are read from it; NULL is for an [`Option`] only.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a column that there is not, for NULL, for a text that is no `T`, and for
    /// one that is not UTF-8.
    pub fn get<'a, T: FromText<'a>>(&'a self, column: &str) -> Result<T> {
        let refuse = |cause| Error::new(Kind::Usage, format!("read column {column}"), cause);
        let Some(at) = self.columns.iter().position(|one| one.name == column) else {
            let names: Vec<&str> = self.columns.iter().map(|one| one.name.as_str()).collect();
            return Err(refuse(format!("the table has the columns {}", names.join(", "))));
        };
        let value =
            self.value(at).map(|value| self.str(value).ok_or_else(|| refuse(self.not_utf8())));
        let value = value.transpose()?;
        T::from_text(value).ok_or_else(|| {
            let is = if value.is_none() { "NULL" } else { "a value" };
            let (type_name, wanted) = (&self.columns[at].type_name, std::any::type_name::<T>());
            refuse(format!("it is {is} of type {type_name}, and no {wanted} can be read from it"))
        })
    }

    /// The values in the order of the columns; what is not UTF-8 has signs in its place that say so.
    pub fn values(&self) -> impl Iterator<Item = (&Column, Option<Cow<'_, str>>)> {
        self.bytes().map(|(column, value)| {
            let text = |value| match self.str(value) {
                Some(text) => Cow::Borrowed(text),
                None => String::from_utf8_lossy(value),
            };
            (column, value.map(text))
        })
    }

    /// The values' texts as bytes, in the encoding of the source.
    pub fn bytes(&self) -> impl Iterator<Item = (&Column, Option<&[u8]>)> {
        self.columns.iter().enumerate().map(|(at, column)| (column, self.value(at)))
    }

    fn value(&self, at: usize) -> Option<&[u8]> {
        self.places.get(at)?.clone().map(|place| &self.text[place])
    }

    /// A value as text, unless it is in another encoding; ASCII is the same in all.
    pub(super) fn str<'a>(&self, value: &'a [u8]) -> Option<&'a str> {
        let is_utf8 = matches!(&*self.encoding, "UTF8" | "SQL_ASCII") || value.is_ascii();
        std::str::from_utf8(value).ok().filter(|_| is_utf8)
    }

    pub(super) fn not_utf8(&self) -> String {
        format!("it is not UTF-8: the encoding of the source is {}", self.encoding)
    }
}
