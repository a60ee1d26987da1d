//! Byte planes: the first byte of every value, then the second of every value, and so on.
//!
//! ```text
//! values  a0 a1 a2 a3 | b0 b1 b2 b3 | c0 c1 c2 c3
//! planes  a0 b0 c0 | a1 b1 c1 | a2 b2 c2 | a3 b3 c3
//! ```
//!
//! Bytes that are alike in all values come to stand side by side: the upper ones of numbers and
//! time stamps, the words in `Clerk#000000951`.

use std::array::from_fn;
use std::ops::RangeInclusive;

/// The bytes that a value may have.
pub(super) const WIDTHS: RangeInclusive<usize> = 2..=32;

/// Calls a function for a width that is known where it is compiled, which is several times faster.
macro_rules! of_width {
    ($width:expr, $of:ident, $from:expr, $to:expr, $($known:literal)*) => {
        match $width {
            $($known => $of::<$known>($from, $to),)*
            _ => any::$of($width, $from, $to),
        }
    };
}

/// Writes the planes of values of `width` bytes into `planes`, which has as many bytes as they.
pub(super) fn apply(width: usize, values: &[u8], planes: &mut [u8]) {
    of_width!(width, apply_to, values, planes, 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

fn apply_to<const WIDTH: usize>(values: &[u8], planes: &mut [u8]) {
    let (values, _) = values.as_chunks::<WIDTH>();
    for (at, plane) in planes.chunks_exact_mut(values.len().max(1)).enumerate() {
        for (to, value) in plane.iter_mut().zip(values) {
            *to = value[at % WIDTH];
        }
    }
}

/// The inverse of [`apply`]; a last value that is not whole is left as it was.
pub(super) fn undo(width: usize, planes: &[u8], values: &mut [u8]) {
    of_width!(width, undo_to, planes, values, 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

fn undo_to<const WIDTH: usize>(planes: &[u8], values: &mut [u8]) {
    let (values, _) = values.as_chunks_mut::<WIDTH>();
    let count = values.len();
    let planes: [&[u8]; WIDTH] = from_fn(|at| &planes[at * count..][..count]);
    for (row, value) in values.iter_mut().enumerate() {
        *value = from_fn(|at| planes[at][row]);
    }
}

/// The same for any width.
mod any {
    pub(super) fn apply_to(width: usize, values: &[u8], planes: &mut [u8]) {
        let count = values.len() / width;
        for (at, plane) in planes.chunks_exact_mut(count.max(1)).enumerate() {
            for (to, value) in plane.iter_mut().zip(values.chunks_exact(width)) {
                *to = value[at];
            }
        }
    }

    pub(super) fn undo_to(width: usize, planes: &[u8], values: &mut [u8]) {
        let count = values.len() / width;
        for (at, plane) in planes.chunks_exact(count.max(1)).enumerate() {
            for (value, from) in values.chunks_exact_mut(width).zip(plane) {
                value[at] = *from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_of_one_place_stand_side_by_side() {
        let mut planes = [0; 12];
        apply(4, b"a0b0a1b1a2b2", &mut planes);
        assert_eq!(&planes, b"aaa012bbb012");
    }

    proptest! {
        #[test]
        fn planes_come_back(width in WIDTHS, mut bytes in vec(any::<u8>(), 0..2000)) {
            bytes.truncate(bytes.len() / width * width);
            let (mut planes, mut values) = (vec![1; bytes.len()], vec![2; bytes.len()]);
            apply(width, &bytes, &mut planes);
            undo(width, &planes, &mut values);
            prop_assert_eq!(values, bytes);
        }
    }
}
