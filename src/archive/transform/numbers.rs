//! Decimal numbers as PostgreSQL sends `numeric`, all of the same scale: whole numbers of a fixed
//! width, as planes.
//!
//! ```text
//! value   digits | weight | sign | scale | digits of base 10000      big-endian, 2 bytes each
//! −23.50  2 | 0 | 4000h | 2 | 23 5000
//! number  −2350       in units of 10^−scale
//! zigzag   4699       0, −1, 1, −2, … are 0, 1, 2, 3, …
//! block   width | scale | planes of the big-endian zigzags
//! ```
//!
//! Only values of which these numbers make the same bytes again: no digit that is 0 at either end,
//! nothing behind the scale, none of `NaN` and `Infinity`. The lengths follow from the numbers.

/// The bytes before the planes.
const HEAD_BYTES: usize = 2;
/// The bytes of a value before its digits.
const FIXED_BYTES: usize = 8;
const NEGATIVE: u16 = 0x4000;
const BASE: u64 = 10_000;
/// The most digits of base 10000 that a number has: it fits into 64 bits, its zigzag too.
const GROUPS_MAX: usize = 4;
/// The most decimal digits behind the point: those of three digits of base 10000.
const SCALE_MAX: u16 = 12;
/// The length that stands for NULL.
const NULL: u8 = 255;

/// A scale, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    digits: u16,
    /// The digits of base 10000 behind the point.
    groups: i32,
    /// The units of the last of these in a unit of the number.
    unit: u64,
}

impl Scale {
    fn new(digits: u16) -> Option<Self> {
        if digits > SCALE_MAX {
            return None;
        }
        let groups = digits.div_ceil(4);
        let unit = 10_u64.pow(u32::from(groups * 4 - digits));
        Some(Self { digits, groups: i32::from(groups), unit })
    }

    /// The scale of a value, if it may be a number.
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        Self::new(pair(value, 6)?)
    }

    /// The zigzag of a value of this scale, if it gives the same bytes again.
    #[inline]
    pub(super) fn zigzag(self, value: &[u8]) -> Option<u64> {
        let (fixed, digits) = value.split_first_chunk::<FIXED_BYTES>()?;
        let [count, weight, sign, scale] =
            [0, 2, 4, 6].map(|at| u16::from_be_bytes([fixed[at], fixed[at + 1]]));
        if scale != self.digits || digits.len() != 2 * usize::from(count) {
            return None;
        }
        let (digits, _) = digits.as_chunks::<2>();
        let (Some(first), Some(last)) = (digits.first(), digits.last()) else {
            return (weight == 0 && sign == 0).then_some(0);
        };
        let top = i32::from(weight as i16) + self.groups;
        let low = top + 1 - digits.len() as i32;
        if !(0..GROUPS_MAX as i32).contains(&top) || low < 0 || *first == [0; 2] || *last == [0; 2]
        {
            return None;
        }
        let mut sum = 0;
        for digit in digits {
            let digit = u64::from(u16::from_be_bytes(*digit));
            if digit >= BASE {
                return None;
            }
            sum = sum * BASE + digit;
        }
        sum *= POWERS[low as usize];
        match sign {
            _ if !sum.is_multiple_of(self.unit) => None,
            0 => Some(sum / self.unit * 2),
            NEGATIVE => Some(sum / self.unit * 2 - 1),
            _ => None,
        }
    }

    /// Writes the value that has this zigzag, and gives its length.
    ///
    /// # Errors
    /// Numbers that are larger than those of [`zigzag`](Self::zigzag).
    #[inline]
    fn value(self, zigzag: u64, to: &mut [u8; VALUE_BYTES_MAX]) -> Result<usize, String> {
        // Half of an odd zigzag is one below the number's size.
        let size = (zigzag >> 1) + (zigzag & 1);
        let sum = size.checked_mul(self.unit).filter(|sum| *sum < BASE.pow(GROUPS_MAX as u32));
        let mut sum = sum.ok_or("a number is too large")?;
        let sign = if zigzag & 1 == 1 { NEGATIVE } else { 0 };
        to[4..6].copy_from_slice(&sign.to_be_bytes());
        to[6..8].copy_from_slice(&self.digits.to_be_bytes());
        if sum == 0 {
            to[..4].fill(0);
            return Ok(FIXED_BYTES);
        }
        let mut low = 0;
        while sum.is_multiple_of(BASE) {
            sum /= BASE;
            low += 1;
        }
        let count = 1 + POWERS[1..].iter().filter(|power| sum >= **power).count();
        for at in (0..count).rev() {
            let digit = (sum % BASE) as u16;
            to[FIXED_BYTES + 2 * at..][..2].copy_from_slice(&digit.to_be_bytes());
            sum /= BASE;
        }
        let weight = (low + count as i32 - 1 - self.groups) as i16;
        to[..2].copy_from_slice(&(count as u16).to_be_bytes());
        to[2..4].copy_from_slice(&weight.to_be_bytes());
        Ok(FIXED_BYTES + 2 * count)
    }
}

const POWERS: [u64; GROUPS_MAX] = [1, BASE, BASE.pow(2), BASE.pow(3)];
const VALUE_BYTES_MAX: usize = FIXED_BYTES + 2 * GROUPS_MAX;

fn pair(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Writes the block of the values of a scale into `block`, `zigzags` being room for 8 bytes of
/// each. Gives the block's bytes; nothing if one is not such a number, or there is too little room.
pub(super) fn apply<'a>(
    scale: Scale,
    values: impl Iterator<Item = &'a [u8]>,
    zigzags: &mut [u8],
    block: &mut [u8],
) -> Option<usize> {
    let (slots, _) = zigzags.as_chunks_mut::<8>();
    let (mut count, mut all) = (0, 0);
    for value in values {
        let zigzag = scale.zigzag(value)?;
        *slots.get_mut(count)? = zigzag.to_be_bytes();
        count += 1;
        all |= zigzag;
    }
    let slots = &slots[..count];
    let width = match all {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    let bytes = HEAD_BYTES + count * width;
    let (head, planes) = block.get_mut(..bytes)?.split_first_chunk_mut::<HEAD_BYTES>()?;
    *head = [width as u8, scale.digits as u8];
    for (at, plane) in planes.chunks_exact_mut(count.max(1)).enumerate() {
        for (to, zigzag) in plane.iter_mut().zip(slots) {
            *to = zigzag[8 - width + at];
        }
    }
    Some(bytes)
}

/// Writes the lengths of all rows and the values of those that are not NULL. `has_value` tells of
/// each row whether it has one.
///
/// # Errors
/// A block that is not one of so many values, numbers that are too large, values that do not fill
/// `data`.
pub(super) fn undo(
    block: &[u8],
    has_value: impl Iterator<Item = bool>,
    lengths: &mut [u8],
    data: &mut [u8],
) -> Result<(), String> {
    let (&[width, digits], planes) =
        block.split_first_chunk::<HEAD_BYTES>().ok_or("a block of numbers is cut short")?;
    let scale = Scale::new(digits.into()).ok_or("a block of numbers has too large a scale")?;
    if !matches!(width, 1 | 2 | 4 | 8) {
        return Err(format!("a block of numbers has a width of {width} bytes"));
    }
    let width = usize::from(width);
    let count = planes.len() / width;
    let (mut value, mut number, mut end) = ([0; VALUE_BYTES_MAX], 0, 0);
    for (length, has_value) in lengths.iter_mut().zip(has_value) {
        if !has_value {
            *length = NULL;
            continue;
        }
        if number == count {
            return Err("a block of numbers has too few of them".into());
        }
        let zigzag =
            (0..width).fold(0, |bytes, at| bytes << 8 | u64::from(planes[at * count + number]));
        number += 1;
        let size = scale.value(zigzag, &mut value)?;
        *length = size as u8;
        match data.get_mut(end..) {
            Some(to) if to.len() >= VALUE_BYTES_MAX => {
                to[..VALUE_BYTES_MAX].copy_from_slice(&value);
            }
            Some(to) if to.len() >= size => to[..size].copy_from_slice(&value[..size]),
            _ => return Err("numbers make more bytes than there are".into()),
        }
        end += size;
    }
    if number * width != planes.len() || end != data.len() {
        return Err(format!(
            "{number} numbers of {width} bytes make {end} bytes, expected {} of {}",
            data.len(),
            planes.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// As PostgreSQL sends it.
    fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Vec<u8> {
        [digits.len() as u16, weight as u16, sign, scale]
            .iter()
            .chain(digits)
            .flat_map(|part| part.to_be_bytes())
            .collect()
    }

    fn scale(digits: u16) -> Scale {
        Scale::new(digits).expect("a small scale")
    }

    fn check(value: &[u8], zigzag: Option<u64>) {
        let scale = Scale::of(value);
        assert_eq!(scale.and_then(|scale| scale.zigzag(value)), zigzag, "{value:?}");
        if let (Some(scale), Some(zigzag)) = (scale, zigzag) {
            let mut found = [9; VALUE_BYTES_MAX];
            let size = scale.value(zigzag, &mut found).expect("not too large");
            assert_eq!(&found[..size], value);
        }
    }

    #[test]
    fn what_is_a_number_comes_back() {
        check(&numeric(0, 0, 0, &[]), Some(0));
        check(&numeric(0, 0, 2, &[]), Some(0));
        check(&numeric(0, 0, 0, &[1]), Some(2));
        check(&numeric(0, NEGATIVE, 2, &[23, 5000]), Some(4699));
        check(&numeric(1, 0, 2, &[1, 2345, 6700]), Some(2_469_134));
        check(&numeric(1, 0, 2, &[1]), Some(2_000_000));
        check(&numeric(-1, 0, 2, &[100]), Some(2));
        check(&numeric(-2, 0, 6, &[100]), Some(2));
        check(&numeric(-3, NEGATIVE, 12, &[1]), Some(1));
        check(&numeric(3, 0, 0, &[9999, 9999, 9999, 9999]), Some(2 * (BASE.pow(4) - 1)));
        check(&numeric(0, 0, 12, &[9999, 9999, 9999, 9999]), Some(2 * (BASE.pow(4) - 1)));
    }

    #[test]
    fn what_would_not_come_back_is_left() {
        check(b"", None);
        check(&numeric(0, 0, 0, &[1])[..9], None);
        check(&numeric(0, 0xc000, 0, &[]), None);
        check(&numeric(0, NEGATIVE, 2, &[]), None);
        check(&numeric(1, 0, 2, &[]), None);
        check(&numeric(0, 0, 2, &[0]), None);
        check(&numeric(0, 0, 2, &[0, 1000]), None);
        check(&numeric(0, 0, 2, &[1, 0]), None);
        check(&numeric(0, 0, 2, &[1, 2345]), None);
        check(&numeric(0, 0, 2, &[1, 2300, 1]), None);
        check(&numeric(0, 0, 2, &[10_000]), None);
        check(&numeric(0, 1, 2, &[1]), None);
        check(&numeric(4, 0, 0, &[1]), None);
        check(&numeric(3, 0, 2, &[1]), None);
        check(&numeric(-2, 0, 2, &[1]), None);
        check(&numeric(i16::MIN, 0, 2, &[1]), None);
        check(&numeric(i16::MAX, 0, 2, &[1]), None);
        check(&numeric(0, 0, 13, &[1]), None);
        check(&numeric(0, 0, u16::MAX, &[1]), None);
        assert_eq!(scale(2).zigzag(&numeric(0, 0, 3, &[1])), None);
    }

    /// Values of one scale there and back; NULL is none.
    fn round_trip(scale: Scale, rows: &[Option<Vec<u8>>]) -> bool {
        let values = || rows.iter().flatten().map(Vec::as_slice);
        let (mut zigzags, mut block) = (vec![7; 8 * rows.len()], vec![7; 2 + 8 * rows.len()]);
        let Some(bytes) = apply(scale, values(), &mut zigzags, &mut block) else { return false };
        let data = values().collect::<Vec<_>>().concat();
        let (mut lengths, mut found) = (vec![9; rows.len()], vec![9; data.len()]);
        undo(&block[..bytes], rows.iter().map(Option::is_some), &mut lengths, &mut found)
            .expect("it was just made");
        let length = |row: &Option<Vec<u8>>| row.as_ref().map_or(NULL, |value| value.len() as u8);
        assert_eq!(lengths, rows.iter().map(length).collect::<Vec<_>>());
        assert_eq!(found, data);
        true
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let refuse = |block: &[u8], rows: usize, bytes: usize, expect: &str| {
            let error =
                undo(block, (0..rows).map(|_| true), &mut vec![0; rows], &mut vec![0; bytes])
                    .expect_err(expect);
            assert!(error.contains(expect), "{error}");
        };
        refuse(b"\x01", 1, 8, "cut short");
        refuse(b"\x01\x0d\0", 1, 8, "too large a scale");
        refuse(b"\x03\0\0\0\0", 1, 8, "a width of 3");
        refuse(b"\0\0", 1, 8, "a width of 0");
        refuse(b"\x01\0\0", 2, 16, "too few");
        refuse(b"\x01\0\0\0", 1, 8, "expected 8 of 2");
        refuse(b"\x02\0\0\0\0", 1, 8, "expected 8 of 3");
        refuse(b"\x01\0\0", 1, 9, "expected 9 of 1");
        refuse(b"\x01\0\x02", 1, 8, "more bytes");
        refuse(&[&[8, 0][..], &[0xff; 8]].concat(), 1, 8, "too large");
        refuse(&[&[8, 12][..], &[0xff; 8]].concat(), 1, 8, "too large");
    }

    proptest! {
        #[test]
        fn numbers_come_back(
            digits in 0..=SCALE_MAX,
            rows in vec(prop_oneof![Just(None), (0..2 * BASE.pow(4)).prop_map(Some), (0..300_u64).prop_map(Some)], 0..200),
        ) {
            let scale = scale(digits);
            let value = |zigzag: u64| {
                let mut value = [0; VALUE_BYTES_MAX];
                let size = scale.value(zigzag % (2 * BASE.pow(4) / scale.unit - 1), &mut value);
                value[..size.expect("not too large")].to_vec()
            };
            let rows: Vec<_> = rows.into_iter().map(|row| row.map(value)).collect();
            prop_assert!(round_trip(scale, &rows));
        }

        #[test]
        fn any_bytes_come_back_or_are_left(
            digits in 0..4_u16, parts in vec((0..6_u16, -3..5_i16, 0..3_u16, vec(0..10_002_u16, 0..5)), 1..9),
        ) {
            let value = |(_, weight, sign, digits): (u16, i16, u16, Vec<u16>)| {
                Some(numeric(weight, sign * NEGATIVE, 2, &digits))
            };
            round_trip(scale(digits), &parts.into_iter().map(value).collect::<Vec<_>>());
        }
    }
}
