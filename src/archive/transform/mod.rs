//! What is done to a column before it is compressed, and undone after it is decompressed. No byte
//! of a value is lost, whatever the values are.
//!
//! ```text
//! Column ─► apply ─► Prepared ─► compressed      decompressed ─► Packed ─► undo ─► Column
//! ```
//!
//! What is done is chosen by a look at some of the values. Knows neither types nor codecs.

mod alphabet;
mod dictionary;
mod differences;
mod hash;
mod numbers;
mod one_value;
mod planes;
mod sample;
#[cfg(test)]
mod tests;

use std::ops::Range;

use alphabet::Alphabet;
use numbers::Scale;
use sample::{Returning, Sample};

use crate::pgcopy::{Column, Form};

/// The transform byte of a column's descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    /// The values as they are.
    None = 0,
    /// Their byte planes.
    Planes = 1,
    /// The planes of their differences.
    Differences = 2,
    /// The one value that all rows have.
    OneValue = 3,
    /// Each value once, and codes in the place of lengths.
    Dictionary = 4,
    /// Decimal numbers as planes of whole ones.
    Numbers = 5,
    /// Text of few different bytes as codes of a few bits.
    Alphabet = 6,
}

impl Transform {
    const ALL: [Self; 7] = [
        Self::None,
        Self::Planes,
        Self::Differences,
        Self::OneValue,
        Self::Dictionary,
        Self::Numbers,
        Self::Alphabet,
    ];

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Whether its block has as many bytes as the values.
    pub(super) fn keeps_size(self) -> bool {
        matches!(self, Self::None | Self::Planes | Self::Differences)
    }

    /// Whether its block is stored as it is: what is left is noise.
    pub(super) fn is_never_compressed(self) -> bool {
        self == Self::Alphabet
    }

    /// Whether the lengths are not those of the values: they are made anew, one byte for each row.
    pub(super) fn makes_lengths(self) -> bool {
        matches!(self, Self::Dictionary | Self::Numbers)
    }

    /// Checks that a block of `block_bytes` can have been made of values of `data_raw` bytes; only
    /// the block itself can tell more.
    ///
    /// # Errors
    /// A clause of its own.
    pub(super) fn check(self, form: Form, block_bytes: u32, data_raw: u32) -> Result<(), String> {
        let is_whole = |width: usize| (data_raw as usize).is_multiple_of(width);
        let fits = match (self, width(form)) {
            (Self::Planes, Some(width)) => planes::WIDTHS.contains(&width) && is_whole(width),
            (Self::Differences, Some(width)) => {
                differences::WIDTHS.contains(&width) && is_whole(width)
            }
            (Self::OneValue, Some(width)) => width > 0 && data_raw > 0 && is_whole(width),
            (Self::Dictionary, None) => form == Form::U8,
            (Self::None, _) | (Self::Numbers, Some(_)) => true,
            (Self::Alphabet, _) => {
                form != Form::Null && block_bytes as usize >= alphabet::BLOCK_BYTES_MIN
            }
            _ => false,
        };
        if fits && block_bytes <= data_raw {
            Ok(())
        } else {
            Err(format!("transform {} does not make such blocks", self as u8))
        }
    }
}

/// What the form says of every value: its bytes, or with [`Transform::Numbers`] those of the block.
fn width(form: Form) -> Option<usize> {
    match form {
        Form::Fixed(width) | Form::FixedOrNull(width) => Some(width as usize),
        Form::Null | Form::U8 | Form::U16 | Form::U32 => None,
    }
}

/// A column as its blocks hold it before they are compressed.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub transform: Transform,
    pub form: Form,
    pub lengths: &'a [u8],
    pub data: &'a [u8],
    /// Whether compressing the data is likely to be in vain: random UUIDs.
    pub is_noise: bool,
}

impl<'a> Prepared<'a> {
    /// Nothing is done.
    pub(super) fn as_it_is(column: &'a Column) -> Self {
        let Column { form, lengths, data } = column;
        Self { transform: Transform::None, form: *form, lengths, data, is_noise: false }
    }
}

/// A column of fewer bytes is left as it is: there is little to gain, and small tables are many.
const SMALL_BYTES: usize = 256;
/// What a transform must leave of a column, or less, to be worth it.
const WORTH: f32 = 0.9;
/// What a dictionary must leave of what cheaper transforms would.
const WORTH_A_DICTIONARY: f32 = 0.95;
/// How many values of a sample may differ, if all are likely to go into a dictionary.
const DISTINCT_MAX: usize = 200;

/// Does to a column what is likely to make it smaller, or nothing. What is made lies in `scratch`,
/// whose content does not matter; nothing is made for which it is too small.
pub(super) fn apply<'a>(column: &'a Column, rows: u64, scratch: &'a mut [u8]) -> Prepared<'a> {
    let as_it_is = Prepared::as_it_is(column);
    if column.data.len() < SMALL_BYTES {
        return as_it_is;
    }
    let Some(sample) = Sample::take(column, rows) else {
        return text(column, rows, as_it_is, scratch);
    };
    let Returning { distinct, bits } = sample.returning();
    let width = width(column.form);
    if let Some(width) = width.filter(|_| distinct == 1)
        && one_value::is_all_of(width, &column.data)
    {
        let data = &column.data[..width];
        return Prepared { transform: Transform::OneValue, data, ..as_it_is };
    }
    let (best, best_bits) = match width {
        Some(1) => return as_it_is,
        Some(width) if planes::WIDTHS.contains(&width) => {
            let choice = choose(&sample, width, distinct);
            if choice.is_noise {
                return Prepared { is_noise: true, ..as_it_is };
            }
            (choice.transform, choice.bits)
        }
        _ => (Transform::None, f32::MAX),
    };
    if distinct <= DISTINCT_MAX
        && bits < WORTH_A_DICTIONARY * best_bits
        && let Some(made) = dictionary(column, rows, scratch)
    {
        return made.of(scratch);
    }
    if best == Transform::None
        && let Some(scale) = scale(&sample)
        && let Some(made) = numbers(column, rows, scale, scratch)
    {
        return made.of(scratch);
    }
    if best == Transform::None {
        return text(column, rows, as_it_is, scratch);
    }
    let (Some(width), Some(planes)) = (width, scratch.get_mut(..column.data.len())) else {
        return as_it_is;
    };
    match best {
        Transform::Planes => planes::apply(width, &column.data, planes),
        Transform::Differences => differences::apply(width, &column.data, planes),
        _ => return as_it_is,
    }
    Prepared { transform: best, data: planes, ..as_it_is }
}

/// Shorter values are left to the compressor, a row having so many bytes of them on average: of keys
/// of 32 characters, looking and packing take as long as compressing.
const LONG_BYTES: usize = 48;

/// Values as text of few letters, if they are that.
fn text<'a>(
    column: &'a Column,
    rows: u64,
    as_it_is: Prepared<'a>,
    scratch: &'a mut [u8],
) -> Prepared<'a> {
    if column.data.len() < LONG_BYTES * rows as usize {
        return as_it_is;
    }
    let made =
        Alphabet::of(&column.data).and_then(|alphabet| alphabet.apply(&column.data, scratch));
    match made {
        Some(bytes) => Prepared {
            transform: Transform::Alphabet,
            data: &scratch[..bytes],
            is_noise: true,
            ..as_it_is
        },
        None => as_it_is,
    }
}

/// What to do with values of one width.
struct Choice {
    transform: Transform,
    /// What each value will take.
    bits: f32,
    is_noise: bool,
}

fn choose(sample: &Sample<'_>, width: usize, distinct: usize) -> Choice {
    let (of_planes, by_byte) = sample.bits_of_bytes(width);
    let as_it_is = sample.bits_as_it_is(width, by_byte, distinct);
    let (mut transform, mut bits) = (Transform::Planes, of_planes);
    if differences::WIDTHS.contains(&width) {
        let of_differences = sample.bits_of_differences(width);
        if of_differences < bits {
            (transform, bits) = (Transform::Differences, of_differences);
        }
    }
    if bits < WORTH * as_it_is {
        return Choice { transform, bits, is_noise: false };
    }
    let is_noise = distinct >= NOISE_VALUES
        && distinct == sample.values.len()
        && by_byte > NOISE_SHARE * (8 * width) as f32;
    Choice { transform: Transform::None, bits: as_it_is, is_noise }
}

/// So many values without one that returns are noise if their bytes take this share of what bytes
/// by chance would.
const NOISE_VALUES: usize = 256;
const NOISE_SHARE: f32 = 0.975;

/// The scale of all values of a sample, if all may be numbers.
fn scale(sample: &Sample<'_>) -> Option<Scale> {
    let scale = Scale::of(sample.values.first()?)?;
    sample.values.iter().all(|value| scale.zigzag(value).is_some()).then_some(scale)
}

/// What was made in the scratch buffer, and where.
struct Made {
    transform: Transform,
    form: Form,
    lengths: Range<usize>,
    data: Range<usize>,
}

impl Made {
    fn of(self, scratch: &[u8]) -> Prepared<'_> {
        let Self { transform, form, lengths, data } = self;
        let (lengths, data) = (&scratch[lengths], &scratch[data]);
        Prepared { transform, form, lengths, data, is_noise: false }
    }
}

fn dictionary(column: &Column, rows: u64, scratch: &mut [u8]) -> Option<Made> {
    let rows = rows as usize;
    let (codes, block) = scratch.split_at_mut_checked(rows)?;
    let bytes = dictionary::apply(column, codes, block)?;
    // What it saves is worth a look into it for every row.
    (2 * bytes <= column.data.len()).then_some(Made {
        transform: Transform::Dictionary,
        form: Form::U8,
        lengths: 0..rows,
        data: rows..rows + bytes,
    })
}

fn numbers(column: &Column, rows: u64, scale: Scale, scratch: &mut [u8]) -> Option<Made> {
    let (bits, rest) =
        scratch.split_at_mut_checked(Form::FixedOrNull(0).lengths_bytes(rows) as usize)?;
    let (zigzags, block) = rest.split_at_mut_checked(8 * rows as usize)?;
    let values = column.values(rows).flatten();
    let bytes = numbers::apply(scale, values, zigzags, block)?;
    if bytes > column.data.len() {
        return None;
    }
    let start = bits.len() + zigzags.len();
    bits.fill(0);
    let mut nulls = false;
    for (row, value) in column.values(rows).enumerate() {
        bits[row / 8] |= u8::from(value.is_some()) << (row % 8);
        nulls |= value.is_none();
    }
    let block_bytes = bytes as u32;
    let (form, lengths) = if nulls {
        (Form::FixedOrNull(block_bytes), 0..bits.len())
    } else {
        (Form::Fixed(block_bytes), 0..0)
    };
    Some(Made { transform: Transform::Numbers, form, lengths, data: start..start + bytes })
}

/// A column as its blocks hold it after they are decompressed, their sizes checked.
pub(super) struct Packed<'a> {
    pub transform: Transform,
    pub form: Form,
    pub rows: u64,
    pub lengths: &'a [u8],
    pub data: &'a [u8],
}

/// Writes the values into `data`, which has room for just them, and what lengths the transform
/// makes anew into `lengths`, one byte for each row. Gives the form of the lengths.
///
/// # Errors
/// A clause of its own.
pub(super) fn undo(
    packed: &Packed<'_>,
    lengths: &mut [u8],
    data: &mut [u8],
) -> Result<Form, String> {
    let &Packed { transform, form, rows, lengths: packed_lengths, data: block } = packed;
    let width = width(form).unwrap_or_default();
    match transform {
        Transform::None => data.copy_from_slice(block),
        Transform::Planes => planes::undo(width, block, data),
        Transform::Differences => differences::undo(width, block, data),
        Transform::OneValue => one_value::undo(block, data),
        Transform::Alphabet => alphabet::undo(block, data)?,
        Transform::Dictionary => dictionary::undo(packed_lengths, block, lengths, data)?,
        Transform::Numbers => {
            let is_set = |row: usize| {
                packed_lengths.get(row / 8).is_none_or(|byte| byte >> (row % 8) & 1 == 1)
            };
            check_bits(packed_lengths, rows)?;
            numbers::undo(block, (0..rows as usize).map(is_set), lengths, data)?;
        }
    }
    Ok(if transform.makes_lengths() { Form::U8 } else { form })
}

/// Checks that there are no bits beyond the last row.
fn check_bits(bits: &[u8], rows: u64) -> Result<(), String> {
    match bits.last() {
        Some(last) if !rows.is_multiple_of(8) && last >> (rows % 8) != 0 => {
            Err("a bitmap has bits for rows that do not exist".into())
        }
        _ => Ok(()),
    }
}
