//! Spreads values over a small table, as cheaply as can be: what is looked up has few values.

/// Of longer values the middle counts, too.
const LONG_BYTES: usize = 32;

/// A number that tells values apart by their length, beginning, middle and end. Values that differ
/// elsewhere give the same: whoever looks them up has few of them, or stops.
#[inline]
pub(super) fn hash(value: &[u8]) -> usize {
    let ends = match (value.first_chunk::<8>(), value.last_chunk::<8>()) {
        (Some(head), Some(tail)) => {
            let ends = u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(32);
            // Long texts, such as certificates, often begin and end alike.
            match value[value.len() / 2..].first_chunk::<8>() {
                Some(middle) if value.len() > LONG_BYTES => {
                    ends ^ u64::from_le_bytes(*middle).rotate_left(16)
                }
                _ => ends,
            }
        }
        _ => value.iter().fold(0, |bytes, &byte| bytes << 8 | u64::from(byte)),
    };
    ((ends ^ value.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}
