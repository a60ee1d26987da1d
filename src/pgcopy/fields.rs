//! Rows in COPY BINARY, read field by field, as a chunk of an archive holds them: without header,
//! with or without trailer.
//!
//! Does not know what a value means, nor how many fields a row ought to have.

use super::stream::BINARY_TRAILER;
use crate::error::{Error, Kind, Result};

/// The rows of `data`, each with its fields; NULL is none. After an error nothing follows.
pub fn fields(data: &[u8]) -> Fields<'_> {
    Fields { rest: data }
}

/// What is left to be read.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Vec<Option<&'a [u8]>>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.rest == BINARY_TRAILER {
            return None;
        }
        let row = row(&mut self.rest);
        if row.is_none() {
            self.rest = &[];
        }
        Some(row.ok_or_else(|| {
            Error::new(Kind::Archive, "read rows in COPY BINARY", "a row is cut short")
        }))
    }
}

fn row<'a>(rest: &mut &'a [u8]) -> Option<Vec<Option<&'a [u8]>>> {
    let count = u16::from_be_bytes(rest.split_off(..2)?.try_into().ok()?);
    let count = usize::from(count);
    // Each has a length at least: no row makes room for more than it has.
    let mut fields = Vec::with_capacity(count.min(rest.len() / 4));
    for _ in 0..count {
        let field = match i32::from_be_bytes(rest.split_off(..4)?.try_into().ok()?) {
            -1 => None,
            length => Some(rest.split_off(..usize::try_from(length).ok()?)?),
        };
        fields.push(field);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &[u8] = b"\0\x03\0\0\0\x02ab\xff\xff\xff\xff\0\0\0\0\0\0\0\x01\0\0\0\x01c";

    fn all(data: &[u8]) -> Result<Vec<Vec<Option<&[u8]>>>> {
        fields(data).collect()
    }

    #[test]
    fn fields_of_rows() {
        let expect: &[Vec<Option<&[u8]>>] =
            &[vec![Some(b"ab"), None, Some(b"")], vec![], vec![Some(b"c")]];
        assert_eq!(all(ROWS).expect("rows"), expect);
        assert_eq!(all(&[ROWS, &BINARY_TRAILER].concat()).expect("rows"), expect);
        assert!(all(b"").expect("no rows").is_empty());
    }

    #[test]
    fn what_is_cut_is_refused() {
        let ends = [0, 16, 18];
        for cut in (0..ROWS.len()).filter(|cut| !ends.contains(cut)) {
            all(&ROWS[..cut]).expect_err("cut");
        }
        all(b"\0\x01\xff\xff\xff\xfe").expect_err("a length below NULL's");
        all(b"\xff\xfe\0\0\0\0").expect_err("more fields than there are bytes");
        assert_eq!(fields(b"\0").count(), 1);
    }
}
