//! Differences to the value before, as planes: what counts up, or stays near what it was, leaves
//! little but zeroes.
//!
//! ```text
//! values       100 101 103 102            big-endian numbers of 2, 4 or 8 bytes
//! differences  100   1   2  −1            modulo 2^bits; the first is to 0
//! zigzag       200   2   4   1            0, −1, 1, −2, … are 0, 1, 2, 3, …
//! planes       0 0 0 0 | … | 200 2 4 1    of the big-endian zigzags
//! ```

use std::array::from_fn;

/// The bytes that a value may have.
pub(super) const WIDTHS: [usize; 3] = [2, 4, 8];

/// Writes the planes of the differences of values of `width` bytes into `planes`, which has as many
/// bytes as they.
pub(super) fn apply(width: usize, values: &[u8], planes: &mut [u8]) {
    match width {
        2 => apply_to::<2>(values, planes),
        4 => apply_to::<4>(values, planes),
        _ => apply_to::<8>(values, planes),
    }
}

fn apply_to<const WIDTH: usize>(values: &[u8], planes: &mut [u8]) {
    let (values, _) = values.as_chunks::<WIDTH>();
    let mut rest = &mut planes[..values.len() * WIDTH];
    let planes: [&mut [u8]; WIDTH] =
        from_fn(|_| rest.split_off_mut(..values.len()).expect("a plane for each byte"));
    let mut before = [0; WIDTH];
    for (row, value) in values.iter().enumerate() {
        let difference = difference(before, *value);
        before = *value;
        for at in 0..WIDTH {
            planes[at][row] = difference[at];
        }
    }
}

/// How a value differs from the one before it.
pub(super) fn difference<const WIDTH: usize>(
    before: [u8; WIDTH],
    value: [u8; WIDTH],
) -> [u8; WIDTH] {
    let bits = 8 * WIDTH as u32;
    // In the upper bits, so that sign and carry are the machine's own.
    let raised = (number(value).wrapping_sub(number(before)) << (64 - bits)) as i64;
    bytes(((raised << 1 ^ raised >> 63) as u64) >> (64 - bits))
}

/// The inverse of [`apply`]; a last value that is not whole is left as it was.
pub(super) fn undo(width: usize, planes: &[u8], values: &mut [u8]) {
    match width {
        2 => undo_to::<2>(planes, values),
        4 => undo_to::<4>(planes, values),
        _ => undo_to::<8>(planes, values),
    }
}

fn undo_to<const WIDTH: usize>(planes: &[u8], values: &mut [u8]) {
    let (values, _) = values.as_chunks_mut::<WIDTH>();
    let count = values.len();
    let planes: [&[u8]; WIDTH] = from_fn(|at| &planes[at * count..][..count]);
    let mut before = 0;
    for (row, value) in values.iter_mut().enumerate() {
        let zigzag = number::<WIDTH>(from_fn(|at| planes[at][row]));
        before = (zigzag >> 1 ^ (zigzag & 1).wrapping_neg()).wrapping_add(before);
        *value = bytes(before);
    }
}

fn number<const WIDTH: usize>(value: [u8; WIDTH]) -> u64 {
    let mut bytes = [0; 8];
    bytes[8 - WIDTH..].copy_from_slice(&value);
    u64::from_be_bytes(bytes)
}

fn bytes<const WIDTH: usize>(number: u64) -> [u8; WIDTH] {
    *number.to_be_bytes().last_chunk().expect("a width is at most 8")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    #[test]
    fn differences_are_small_on_both_sides_of_nothing() {
        let values = [100_u16, 101, 103, 102, 102].map(u16::to_be_bytes).concat();
        let mut planes = [7; 10];
        apply(2, &values, &mut planes);
        assert_eq!(planes, [0, 0, 0, 0, 0, 200, 2, 4, 1, 0]);
        let ends = [i64::MIN, i64::MAX, 0, -1, i64::MIN].map(i64::to_be_bytes).concat();
        let (mut planes, mut values) = ([0; 40], [0; 40]);
        apply(8, &ends, &mut planes);
        undo(8, &planes, &mut values);
        assert_eq!(values[..], ends);
    }

    proptest! {
        #[test]
        fn differences_come_back(width in select(&WIDTHS), mut bytes in vec(any::<u8>(), 0..2000)) {
            bytes.truncate(bytes.len() / width * width);
            let (mut planes, mut values) = (vec![1; bytes.len()], vec![2; bytes.len()]);
            apply(width, &bytes, &mut planes);
            undo(width, &planes, &mut values);
            prop_assert_eq!(values, bytes);
        }
    }
}
