//! One format of rows: how a row is taken apart, and what is digested of it.

use crate::error::{Error, Kind, Result};
use crate::pgcopy::columns::NULL;
use crate::pgcopy::digest::Digest;

/// How rows travel.
pub(super) trait Format {
    /// Whether no row follows.
    fn is_end(rest: &[u8]) -> bool;

    /// Takes one row off `raw`, gives each field to `each` beside what there is of its column, and
    /// returns what follows the row.
    fn row<'a, C>(
        number: u64,
        columns: &mut [C],
        raw: &'a [u8],
        each: impl FnMut(&mut C, Value<'a>),
    ) -> Result<&'a [u8]>;

    /// Adds a field to what is digested of a row, unless that is the row itself.
    fn frame(frame: &mut Vec<u8>, value: Value<'_>);

    /// The digest of a row, of which all fields were framed.
    fn digest(row: &[u8], frame: &[u8]) -> Digest;
}

/// A field: the first `length` bytes of `from`, which goes on to the end of all rows; NULL if
/// `length` is [`NULL`].
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) from: &'a [u8],
    pub(super) length: u32,
}

impl<'a> Value<'a> {
    /// How many bytes it has, none if it is NULL.
    #[inline]
    pub(super) fn size(self) -> usize {
        if self.length == NULL { 0 } else { self.length as usize }
    }

    pub(super) fn bytes(self) -> Option<&'a [u8]> {
        (self.length != NULL).then(|| &self.from[..self.size()])
    }
}

#[cold]
pub(super) fn refuse(row: u64, cause: impl std::fmt::Display) -> Error {
    Error::new(
        Kind::Server,
        "split COPY data into columns",
        format!("row {row} of the piece {cause}"),
    )
}
