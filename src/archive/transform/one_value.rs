//! One value that all rows have: it is stored once.
//!
//! ```text
//! values  a a a a a a
//! block   a
//! ```

/// Whether all values of `width` bytes are the same.
pub(super) fn is_all_of(width: usize, values: &[u8]) -> bool {
    // Each is the same as the next.
    values.len() >= width && values[width..] == values[..values.len() - width]
}

/// Fills `values`, which has room for it once at least, with the one value.
pub(super) fn undo(value: &[u8], values: &mut [u8]) {
    values[..value.len()].copy_from_slice(value);
    let mut filled = value.len();
    while filled < values.len() {
        let more = filled.min(values.len() - filled);
        values.copy_within(..more, filled);
        filled += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_comes_back_and_two_are_not_one() {
        for width in [1, 3, 84] {
            let value: Vec<u8> = (0..width as u8).collect();
            let mut values = value.repeat(100);
            assert!(is_all_of(width, &values));
            let mut out = vec![9; values.len()];
            undo(&value, &mut out);
            assert_eq!(out, values);
            for at in [0, values.len() / 2, values.len() - 1] {
                values[at] ^= 1;
                assert!(!is_all_of(width, &values));
                values[at] ^= 1;
            }
        }
        assert!(!is_all_of(2, b"x"));
    }
}
