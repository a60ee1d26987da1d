//! Rows stored by column: for each column its values one after the other, and their lengths in the
//! smallest form that fits.

use bytes::Bytes;

/// The length that stands for NULL, in [`Form::U32`] as everywhere. No value is that long.
pub(super) const NULL: u32 = u32::MAX;

/// Whole rows, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// How many values (NULLs counted) each column has.
    pub rows: u64,
    /// In the order of the rows' fields.
    pub columns: Vec<Column>,
}

/// One column's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What `lengths` are.
    pub form: Form,
    /// How `data` is cut, and which rows are NULL.
    pub lengths: Bytes,
    /// The values that are not NULL, one after the other.
    pub data: Bytes,
}

/// How a column's lengths are stored. All integers little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every value is NULL: nothing is stored.
    Null,
    /// No value is NULL and all have this many bytes: nothing more is stored.
    Fixed(u32),
    /// All that are not NULL have this many bytes; bit `row % 8` of byte `row / 8` is set where
    /// there is a value.
    FixedOrNull(u32),
    /// One byte a row; 255 is NULL.
    U8,
    /// Two bytes a row; 65535 is NULL.
    U16,
    /// Four bytes a row; 2^32 − 1 is NULL.
    U32,
}

/// What a column amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// How many of its values are NULL.
    pub nulls: u64,
    /// The lengths' sum.
    pub bytes: u64,
}

impl Form {
    /// The bytes that the lengths of so many rows take.
    pub fn lengths_bytes(self, rows: u64) -> u64 {
        match self {
            Self::Null | Self::Fixed(_) => 0,
            Self::FixedOrNull(_) => rows.div_ceil(8),
            Self::U8 => rows,
            Self::U16 => rows.saturating_mul(2),
            Self::U32 => rows.saturating_mul(4),
        }
    }
}

impl Column {
    /// The length of the value of `row`, or [`NULL`]; the lengths' size is
    /// [`checked`](Self::extent).
    #[expect(clippy::inline_always, reason = "it is called for every value that is joined")]
    #[inline(always)]
    pub(super) fn length(&self, row: usize) -> u32 {
        let block = &self.lengths;
        match self.form {
            Form::Null => NULL,
            Form::Fixed(length) => length,
            Form::FixedOrNull(length) => {
                if block[row / 8] >> (row % 8) & 1 == 1 {
                    length
                } else {
                    NULL
                }
            }
            Form::U8 => from_u8(block[row]),
            Form::U16 => from_u16([block[row * 2], block[row * 2 + 1]]),
            Form::U32 => u32::from_le_bytes([
                block[row * 4],
                block[row * 4 + 1],
                block[row * 4 + 2],
                block[row * 4 + 3],
            ]),
        }
    }

    /// The values of so many rows, NULL as none. There are lengths for all of them; if the data end
    /// before, so do the values.
    pub fn values(&self, rows: u64) -> impl Iterator<Item = Option<&[u8]>> {
        let mut rest = &self.data[..];
        (0..rows as usize).map_while(move |row| match self.length(row) {
            NULL => Some(None),
            length => rest.split_off(..length as usize).map(Some),
        })
    }

    /// Checks that there is one length for each of `rows` and nothing more, and adds them up.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence about the column.
    pub(super) fn extent(&self, rows: u64) -> Result<Extent, &'static str> {
        if self.lengths.len() as u64 != self.form.lengths_bytes(rows) {
            return Err("its lengths are not one for each row");
        }
        let block = &self.lengths[..];
        Ok(match self.form {
            Form::Null => Extent { nulls: rows, bytes: 0 },
            Form::Fixed(length) => {
                Extent { nulls: 0, bytes: rows.saturating_mul(u64::from(length)) }
            }
            Form::FixedOrNull(length) => {
                if !rows.is_multiple_of(8)
                    && block.last().is_some_and(|last| last >> (rows % 8) != 0)
                {
                    return Err("its bitmap has bits for rows that do not exist");
                }
                let values: u64 = block.iter().map(|byte| u64::from(byte.count_ones())).sum();
                Extent { nulls: rows - values, bytes: values.saturating_mul(u64::from(length)) }
            }
            Form::U8 => sum(block.iter().map(|&byte| from_u8(byte))),
            Form::U16 => sum(block.as_chunks().0.iter().map(|pair| from_u16(*pair))),
            Form::U32 => sum(block.as_chunks().0.iter().map(|quad| u32::from_le_bytes(*quad))),
        })
    }
}

fn sum(lengths: impl Iterator<Item = u32>) -> Extent {
    let mut extent = Extent::default();
    for length in lengths {
        let null = length == NULL;
        extent.nulls += u64::from(null);
        extent.bytes += if null { 0 } else { u64::from(length) };
    }
    extent
}

#[inline]
fn from_u8(byte: u8) -> u32 {
    if byte == u8::MAX { NULL } else { u32::from(byte) }
}

#[inline]
fn from_u16(pair: [u8; 2]) -> u32 {
    match u16::from_le_bytes(pair) {
        u16::MAX => NULL,
        length => u32::from(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(form: Form, lengths: &'static [u8]) -> Column {
        Column { form, lengths: Bytes::from_static(lengths), data: Bytes::new() }
    }

    #[test]
    fn lengths_are_read_in_every_form() {
        let check = |form, lengths, expect: &[u32]| {
            let column = column(form, lengths);
            let found: Vec<u32> = (0..expect.len()).map(|row| column.length(row)).collect();
            assert_eq!(found, expect);
            let sum = |lengths: &[u32]| {
                lengths
                    .iter()
                    .filter(|length| **length != NULL)
                    .map(|&length| u64::from(length))
                    .sum()
            };
            let extent = column.extent(expect.len() as u64).expect("one length for each row");
            assert_eq!(
                (extent.nulls, extent.bytes),
                (expect.iter().filter(|length| **length == NULL).count() as u64, sum(expect))
            );
        };
        check(Form::Null, b"", &[NULL, NULL]);
        check(Form::Fixed(7), b"", &[7, 7, 7]);
        check(Form::FixedOrNull(3), &[0x82, 1], &[NULL, 3, NULL, NULL, NULL, NULL, NULL, 3, 3]);
        check(Form::U8, &[1, 255, 254], &[1, NULL, 254]);
        check(Form::U16, &[255, 255, 0, 0, 254, 255], &[NULL, 0, 65534]);
        check(Form::U32, &[255, 255, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0], &[65535, NULL, 0]);
    }

    #[test]
    fn wrong_blocks_are_refused() {
        column(Form::U8, &[1]).extent(2).expect_err("too short");
        column(Form::U16, &[1, 0, 1]).extent(1).expect_err("too long");
        column(Form::U32, &[]).extent(1).expect_err("empty");
        column(Form::FixedOrNull(1), &[0b100]).extent(2).expect_err("bit beyond the rows");
        column(Form::FixedOrNull(1), &[0]).extent(9).expect_err("too short");
        column(Form::Null, &[0]).extent(1).expect_err("nothing is stored for it");
    }
}
