//! A dictionary: each of few values once, and for each row which of them it has.
//!
//! ```text
//! rows     red  green  NULL  red  red
//! lengths  0    1      255   0    0          a code for each row in the place of its length
//! block    2 | 3 5 | red green               how many values, their lengths, the values
//! ```
//!
//! At most 255 values of at most 254 bytes, so that codes and lengths have one byte.

use super::hash::hash;
use crate::pgcopy::Column;

/// The most values that a dictionary has.
const VALUES_MAX: usize = 255;
/// The longest value.
const VALUE_BYTES_MAX: usize = 254;
/// The code of NULL, and as a length that of NULL, too.
const NULL: u8 = 255;

/// A table of the codes by their values' hashes, a quarter full at most.
const SLOTS: usize = 1024;
/// The code of no value.
const FREE: u8 = 255;

/// Writes a code for each row into `codes`, then the block. Gives the block's bytes; nothing if
/// there are too many values, or too little room.
pub(super) fn apply(column: &Column, codes: &mut [u8], block: &mut [u8]) -> Option<usize> {
    let (rows, mut slots) = (codes.len(), [FREE; SLOTS]);
    let mut values: Vec<&[u8]> = Vec::with_capacity(VALUES_MAX);
    let (mut before, mut code): (&[u8], u8) = (&[], FREE);
    for (to, value) in codes.iter_mut().zip(column.values(rows as u64)) {
        let Some(value) = value else {
            *to = NULL;
            continue;
        };
        if value != before || code == FREE {
            let mut slot = hash(value) % SLOTS;
            while slots[slot] != FREE && values[usize::from(slots[slot])] != value {
                slot = (slot + 1) % SLOTS;
            }
            if slots[slot] == FREE {
                if values.len() == VALUES_MAX || value.len() > VALUE_BYTES_MAX {
                    return None;
                }
                slots[slot] = values.len() as u8;
                values.push(value);
            }
            (before, code) = (value, slots[slot]);
        }
        *to = code;
    }
    write(&values, block)
}

fn write(values: &[&[u8]], block: &mut [u8]) -> Option<usize> {
    let (count, rest) = block.split_first_mut()?;
    *count = values.len() as u8;
    let (lengths, rest) = rest.split_at_mut_checked(values.len())?;
    let mut end = 0;
    for (value, length) in values.iter().zip(lengths) {
        *length = value.len() as u8;
        rest.get_mut(end..end + value.len())?.copy_from_slice(value);
        end += value.len();
    }
    Some(1 + values.len() + end)
}

/// Writes the lengths and the values of the rows that have these codes.
///
/// # Errors
/// A dictionary that is cut short or goes on behind its last value, codes that it has not, values
/// that do not fill `data`.
pub(super) fn undo(
    codes: &[u8],
    block: &[u8],
    lengths: &mut [u8],
    data: &mut [u8],
) -> Result<(), String> {
    let dictionary = Dictionary::read(block).ok_or("a dictionary is not as long as its values")?;
    if codes.iter().any(|&code| code != NULL && code >= dictionary.count) {
        return Err("a code is not one of the dictionary".into());
    }
    let of = &dictionary.lengths;
    let bytes: u64 = codes
        .iter()
        .filter(|code| **code != NULL)
        .map(|&code| u64::from(of[usize::from(code)]))
        .sum();
    if bytes != data.len() as u64 {
        return Err(format!("a dictionary makes {bytes} bytes, expected {}", data.len()));
    }
    let mut rest = data;
    for (&code, length) in codes.iter().zip(lengths) {
        *length = of[usize::from(code)];
        if code == NULL {
            continue;
        }
        let size = usize::from(*length);
        let from = &block[dictionary.starts[usize::from(code)]..];
        // Copies of a constant size are many times cheaper; what is too much is written over.
        match (rest.first_chunk_mut::<SHORT_BYTES>(), from.first_chunk::<SHORT_BYTES>()) {
            (Some(to), Some(from)) if size <= SHORT_BYTES => *to = *from,
            _ => rest[..size].copy_from_slice(&from[..size]),
        }
        rest = &mut rest[size..];
    }
    Ok(())
}

const SHORT_BYTES: usize = 32;

/// Where the values of a dictionary are in its block; of codes that it has not, and of NULL, the
/// length is that of NULL.
struct Dictionary {
    count: u8,
    lengths: [u8; 256],
    starts: [usize; 256],
}

impl Dictionary {
    fn read(block: &[u8]) -> Option<Self> {
        let (&count, rest) = block.split_first()?;
        let of = rest.get(..usize::from(count))?;
        let (mut lengths, mut starts) = ([NULL; 256], [0; 256]);
        let mut start = 1 + of.len();
        for (code, &length) in of.iter().enumerate() {
            (lengths[code], starts[code]) = (length, start);
            start += usize::from(length);
        }
        (start == block.len() && !of.contains(&NULL)).then_some(Self { count, lengths, starts })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::pgcopy::Form;

    /// A column of so long values; 255 is NULL.
    fn column(lengths: Vec<u8>, mut byte: impl FnMut(usize) -> u8) -> Column {
        let values = lengths.iter().filter(|length| **length != NULL).enumerate();
        let data: Vec<u8> =
            values.flat_map(|(at, &length)| vec![byte(at); usize::from(length)]).collect();
        Column { form: Form::U8, lengths: lengths.into(), data: data.into() }
    }

    fn check(column: &Column) -> bool {
        let rows = column.lengths.len();
        let (mut codes, mut block) = (vec![7; rows], vec![7; column.data.len() + 600]);
        let Some(bytes) = apply(column, &mut codes, &mut block) else { return false };
        let (mut lengths, mut data) = (vec![9; rows], vec![9; column.data.len()]);
        undo(&codes, &block[..bytes], &mut lengths, &mut data).expect("it was just made");
        assert_eq!((&lengths[..], &data[..]), (&column.lengths[..], &column.data[..]));
        true
    }

    #[test]
    fn as_many_values_as_there_are_codes() {
        let of = |count: usize| {
            let values = (0..3 * count).flat_map(|at| ((at % count) as u16).to_be_bytes());
            let data: Vec<u8> = values.collect();
            Column { form: Form::Fixed(2), lengths: Bytes::new(), data: data.into() }
        };
        for (count, fits) in [(1, true), (254, true), (255, true), (256, false)] {
            let column = of(count);
            let mut codes = vec![0; 3 * count];
            assert_eq!(apply(&column, &mut codes, &mut [0; 1000]).is_some(), fits, "{count}");
        }
        let long = |length| column(vec![length; 3], |_| 1);
        assert!(check(&long(254)));
        let long =
            Column { form: Form::Fixed(255), lengths: Bytes::new(), data: vec![0; 3 * 255].into() };
        assert_eq!(apply(&long, &mut [0; 3], &mut [0; 1000]), None);
        assert_eq!(apply(&column(vec![9; 3], |_| 1), &mut [0; 3], &mut [0; 10]), None);
    }

    #[test]
    fn what_is_no_dictionary_is_refused() {
        let refuse = |codes: &[u8], block: &[u8], bytes: usize, expect: &str| {
            let error = undo(codes, block, &mut vec![0; codes.len()], &mut vec![0; bytes])
                .expect_err(expect);
            assert!(error.contains(expect), "{error}");
        };
        refuse(b"\0", b"", 0, "not as long");
        refuse(b"\0", b"\x01", 0, "not as long");
        refuse(b"\0", b"\x01\x02a", 2, "not as long");
        refuse(b"\0", b"\x01\x01ab", 1, "not as long");
        refuse(b"\0", &[&[1, 255][..], &[0; 255]].concat(), 255, "not as long");
        refuse(b"\x01", b"\x01\x01a", 1, "not one of");
        refuse(b"\0\0", b"\x01\x01a", 1, "makes 2 bytes");
        refuse(b"\0", b"\x01\x01a", 2, "makes 1 bytes");
    }

    proptest! {
        #[test]
        fn few_values_come_back(
            lengths in vec(prop_oneof![0..4_u8, Just(NULL), 30..36_u8], 0..600), byte in 0..9_u8,
        ) {
            prop_assert!(check(&column(lengths, |at| (at % (1 + usize::from(byte))) as u8)));
        }
    }
}
