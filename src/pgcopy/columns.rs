//! Rows stored by column: for each column its values one after the other, and their lengths in the smallest form that fits.

use bytes::Bytes;

/// The length that stands for NULL while columns are built, and in [`Lengths::U32`]. No value is that long.
pub const NULL: u32 = u32::MAX;

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
    /// How `data` is cut, and which rows are NULL.
    pub lengths: Lengths,
    /// The values that are not NULL, one after the other.
    pub data: Bytes,
}

/// Where values begin and end. All integers little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lengths {
    /// Every value is NULL: nothing is stored.
    Null,
    /// No value is NULL and all have this many bytes: nothing more is stored.
    Fixed(u32),
    /// All that are not NULL have this many bytes; bit `row % 8` of byte `row / 8` is set where there is a value.
    FixedOrNull(u32, Bytes),
    /// One byte a row; 255 is NULL.
    U8(Bytes),
    /// Two bytes a row; 65535 is NULL.
    U16(Bytes),
    /// Four bytes a row; 2^32 − 1 is NULL.
    U32(Bytes),
}

/// What a column amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// How many of its values are NULL.
    pub nulls: u64,
    /// The lengths' sum.
    pub bytes: u64,
}

impl Lengths {
    /// The bytes that are stored, empty for the forms that need none.
    pub fn block(&self) -> Bytes {
        match self {
            Self::Null | Self::Fixed(_) => Bytes::new(),
            Self::FixedOrNull(_, block) | Self::U8(block) | Self::U16(block) | Self::U32(block) => block.clone(),
        }
    }

    /// Chooses the smallest form for the lengths of all rows, [`NULL`] among them.
    pub(super) fn from_mixed(lengths: &[u32]) -> Self {
        let (mut least, mut most, mut nulls) = (NULL, 0, 0_usize);
        for &length in lengths {
            least = least.min(length);
            most = most.max(if length == NULL { 0 } else { length });
            nulls += usize::from(length == NULL);
        }
        if nulls == lengths.len() {
            Self::Null
        } else if least == most && nulls == 0 {
            Self::Fixed(most)
        } else if least == most {
            let bits = lengths.chunks(8).map(|byte| byte.iter().rev().fold(0, |bits, &length| bits << 1 | u8::from(length != NULL)));
            Self::FixedOrNull(most, bits.collect::<Vec<u8>>().into())
        } else if most < 0xff {
            Self::U8(lengths.iter().map(|&length| length as u8).collect::<Vec<u8>>().into())
        } else if most < 0xffff {
            Self::U16(lengths.iter().flat_map(|&length| (length as u16).to_le_bytes()).collect::<Vec<u8>>().into())
        } else {
            Self::U32(lengths.iter().flat_map(|&length| length.to_le_bytes()).collect::<Vec<u8>>().into())
        }
    }

    /// Checks that the block has one entry for each of `rows` and nothing more, and adds it up.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence about the column.
    pub(super) fn extent(&self, rows: u64) -> Result<Extent, &'static str> {
        const WRONG_SIZE: &str = "its lengths are not one for each row";
        let sized = |block: &Bytes, width: u64| if block.len() as u64 == rows.saturating_mul(width) { Ok(()) } else { Err(WRONG_SIZE) };
        match self {
            Self::Null => Ok(Extent { nulls: rows, bytes: 0 }),
            Self::Fixed(length) => Ok(Extent { nulls: 0, bytes: rows.saturating_mul(u64::from(*length)) }),
            Self::FixedOrNull(length, block) => {
                if block.len() as u64 != rows.div_ceil(8) {
                    return Err(WRONG_SIZE);
                }
                if !rows.is_multiple_of(8) && block.last().is_some_and(|last| last >> (rows % 8) != 0) {
                    return Err("its bitmap has bits for rows that do not exist");
                }
                let values: u64 = block.iter().map(|byte| u64::from(byte.count_ones())).sum();
                Ok(Extent { nulls: rows - values, bytes: values.saturating_mul(u64::from(*length)) })
            }
            Self::U8(block) => sized(block, 1).map(|()| sum(block.iter().map(|&byte| if byte == 0xff { NULL } else { u32::from(byte) }))),
            Self::U16(block) => sized(block, 2).map(|()| sum(pairs(block))),
            Self::U32(block) => sized(block, 4).map(|()| sum(quads(block))),
        }
    }
}

/// The lengths of a [`Lengths::U16`] block.
pub(super) fn pairs(block: &[u8]) -> impl Iterator<Item = u32> {
    block.chunks_exact(2).map(|pair| match u16::from_le_bytes([pair[0], pair[1]]) {
        u16::MAX => NULL,
        length => u32::from(length),
    })
}

/// The lengths of a [`Lengths::U32`] block.
pub(super) fn quads(block: &[u8]) -> impl Iterator<Item = u32> {
    block.chunks_exact(4).map(|quad| u32::from_le_bytes([quad[0], quad[1], quad[2], quad[3]]))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lengths: &[u32], expect: &Lengths, nulls: u64, bytes: u64) {
        let found = Lengths::from_mixed(lengths);
        assert_eq!(&found, expect);
        assert_eq!(found.extent(lengths.len() as u64), Ok(Extent { nulls, bytes }));
    }

    #[test]
    fn the_smallest_form_is_chosen() {
        check(&[NULL, NULL], &Lengths::Null, 2, 0);
        check(&[16, 16], &Lengths::Fixed(16), 0, 32);
        check(&[0], &Lengths::Fixed(0), 0, 0);
        check(&[16, NULL, 16], &Lengths::FixedOrNull(16, Bytes::from_static(&[0b101])), 1, 32);
        check(&[NULL, 3, NULL, NULL, NULL, NULL, NULL, 3, 3], &Lengths::FixedOrNull(3, Bytes::from_static(&[0x82, 1])), 6, 9);
        check(&[1, NULL, 254], &Lengths::U8(Bytes::from_static(&[1, 255, 254])), 1, 255);
        check(&[0, 255], &Lengths::U16(Bytes::from_static(&[0, 0, 255, 0])), 0, 255);
        check(&[NULL, 0, 65534], &Lengths::U16(Bytes::from_static(&[255, 255, 0, 0, 254, 255])), 1, 65534);
        check(&[65535, NULL, 0], &Lengths::U32(Bytes::from_static(&[255, 255, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0])), 1, 65535);
    }

    #[test]
    fn wrong_blocks_are_refused() {
        Lengths::U8(Bytes::from_static(&[1])).extent(2).expect_err("too short");
        Lengths::U16(Bytes::from_static(&[1, 0, 1])).extent(1).expect_err("too long");
        Lengths::U32(Bytes::new()).extent(1).expect_err("empty");
        Lengths::FixedOrNull(1, Bytes::from_static(&[0b100])).extent(2).expect_err("bit beyond the rows");
        Lengths::FixedOrNull(1, Bytes::from_static(&[0])).extent(9).expect_err("too short");
    }
}
