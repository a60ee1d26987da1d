//! Floating-point numbers in the fewest digits that read as the same number.
//!
//! Rust's digits are PostgreSQL's but in two cases. A decimal that lies exactly halfway to the next
//! number reads as this one if this one is even, and PostgreSQL does not rely on that: `1e23` is
//! `9.999999999999999e+22`. And where two decimals are equally near, PostgreSQL takes the even one.

use super::reader::{Reader, Told};

/// The exponents from which on numbers are written with one: 10 ^ 15 and 10 ^ 6.
const EXPONENT_F64: i32 = 15;
const EXPONENT_F32: i32 = 6;

pub(super) fn float4(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let number = f32::from_bits(reader.u32()?);
    reader.end()?;
    if let Some(positive) = unusual(f64::from(number), out) {
        let positive = positive as f32;
        let digits = shortest(
            Binary::of_f32(positive),
            &|precision| match precision {
                Some(precision) => format!("{positive:.precision$e}"),
                None => format!("{positive:e}"),
            },
            &|text| text.parse() == Ok(positive),
        );
        digits.write(EXPONENT_F32, out);
    }
    Ok(())
}

pub(super) fn float8(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    write(reader.f64()?, out);
    reader.end()
}

/// The text of a number.
pub(super) fn write(number: f64, out: &mut Vec<u8>) {
    if let Some(positive) = unusual(number, out) {
        let digits = shortest(
            Binary::of_f64(positive),
            &|precision| match precision {
                Some(precision) => format!("{positive:.precision$e}"),
                None => format!("{positive:e}"),
            },
            &|text| text.parse() == Ok(positive),
        );
        digits.write(EXPONENT_F64, out);
    }
}

/// Writes what has no digits, and the sign; gives what is left to be written.
fn unusual(number: f64, out: &mut Vec<u8>) -> Option<f64> {
    if number.is_nan() {
        out.extend_from_slice(b"NaN");
        return None;
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    if number.is_infinite() {
        out.extend_from_slice(b"Infinity");
        return None;
    }
    if number == 0.0 {
        out.push(b'0');
        return None;
    }
    Some(number.abs())
}

/// `mantissa * 2 ^ exponent`.
#[derive(Clone, Copy)]
struct Binary {
    mantissa: u64,
    exponent: i32,
    /// Whether the next smaller number is only half as far away as the next larger.
    is_lowest: bool,
}

impl Binary {
    fn of_f64(number: f64) -> Self {
        let bits = number.to_bits();
        Self::of(bits & ((1 << 52) - 1), (bits >> 52) as i32, 52, 1075)
    }

    fn of_f32(number: f32) -> Self {
        let bits = number.to_bits();
        Self::of(u64::from(bits & ((1 << 23) - 1)), (bits >> 23) as i32, 23, 150)
    }

    fn of(fraction: u64, exponent: i32, width: u32, bias: i32) -> Self {
        if exponent == 0 {
            return Self { mantissa: fraction, exponent: 1 - bias, is_lowest: false };
        }
        Self {
            mantissa: fraction | 1 << width,
            exponent: exponent - bias,
            is_lowest: fraction == 0 && exponent > 1,
        }
    }

    /// The decimal of as many digits that is exactly as near to this number as another one.
    fn equally_near(self, decimal: Decimal) -> Option<Decimal> {
        let twos = self.mantissa.trailing_zeros();
        let is_between = |digits| {
            Decimal { digits, exponent: decimal.exponent - 1 }
                .equals(self.mantissa >> twos, self.exponent + twos as i32)
        };
        let digits = decimal.digits;
        if is_between(10 * digits + 5) {
            Some(Decimal { digits: digits + 1, ..decimal })
        } else if is_between((10 * digits).saturating_sub(5)) {
            Some(Decimal { digits: digits - 1, ..decimal })
        } else {
            None
        }
    }

    /// Whether a decimal lies exactly between this number and one of its neighbours.
    fn is_halfway(self, decimal: Decimal) -> bool {
        let Self { mantissa, exponent, is_lowest } = self;
        let below = if is_lowest {
            (4 * mantissa - 1, exponent - 2)
        } else {
            (2 * mantissa - 1, exponent - 1)
        };
        decimal.equals(2 * mantissa + 1, exponent - 1) || decimal.equals(below.0, below.1)
    }
}

/// `digits * 10 ^ exponent`.
#[derive(Clone, Copy)]
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// Reads what `{:e}` has written.
    fn parse(text: &str) -> Self {
        let (number, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        Self {
            digits: format!("{whole}{fraction}").parse().unwrap_or(0),
            exponent: exponent - fraction.len() as i32,
        }
    }

    /// Whether it is `odd * 2 ^ exponent`: both sides are compared by what is left of them without
    /// their powers of two.
    fn equals(self, odd: u64, exponent: i32) -> bool {
        let twos = self.digits.trailing_zeros() as i32;
        let fives = |exponent: i32| 5_u128.checked_pow(exponent.max(0).unsigned_abs());
        let times =
            |number: u64, fives: Option<u128>| u128::from(number).checked_mul(fives.unwrap_or(0));
        let left = times(self.digits.unbounded_shr(twos as u32), fives(self.exponent));
        let right = times(odd, fives(-self.exponent));
        twos + self.exponent == exponent
            && left.is_some_and(|left| left != 0 && Some(left) == right)
    }

    /// The text of a number with this many digits, or with an exponent from there on.
    fn write(mut self, exponent_min: i32, out: &mut Vec<u8>) {
        while self.digits.is_multiple_of(10) && self.digits != 0 {
            self.digits /= 10;
            self.exponent += 1;
        }
        let digits = self.digits.to_string();
        let count = digits.len() as i32;
        // Of the first digit.
        let exponent = self.exponent + count - 1;
        let zeros = |count: i32| std::iter::repeat_n(b'0', count.max(0) as usize);
        if exponent < -4 || exponent >= exponent_min {
            let (first, rest) = digits.split_at(1);
            out.extend_from_slice(first.as_bytes());
            if !rest.is_empty() {
                out.push(b'.');
                out.extend_from_slice(rest.as_bytes());
            }
            let sign = if exponent < 0 { '-' } else { '+' };
            out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
        } else if exponent < 0 {
            out.extend_from_slice(b"0.");
            out.extend(zeros(-exponent - 1));
            out.extend_from_slice(digits.as_bytes());
        } else if self.exponent >= 0 {
            out.extend_from_slice(digits.as_bytes());
            out.extend(zeros(self.exponent));
        } else {
            let (whole, fraction) = digits.split_at((exponent + 1) as usize);
            out.extend_from_slice(whole.as_bytes());
            out.push(b'.');
            out.extend_from_slice(fraction.as_bytes());
        }
    }
}

/// More digits than this no number needs.
const DIGITS_MAX: usize = 17;

/// The fewest digits that read as the number and are not halfway to another one. `print` gives the
/// digits of the number, the fewest or so many after the point; `reads` tells whether a text reads
/// as the number.
fn shortest(
    number: Binary,
    print: &dyn Fn(Option<usize>) -> String,
    reads: &dyn Fn(&str) -> bool,
) -> Decimal {
    let is_right = |decimal: Decimal| {
        let Decimal { digits, exponent } = decimal;
        reads(&format!("{digits}e{exponent}")) && !number.is_halfway(decimal)
    };
    let decimal = Decimal::parse(&print(None));
    if number.mantissa % 2 == 1 || !number.is_halfway(decimal) {
        let even = number.equally_near(decimal).filter(|_| decimal.digits % 2 == 1);
        return even.filter(|even| is_right(*even)).unwrap_or(decimal);
    }
    let first = decimal.digits.checked_ilog10().map_or(1, |log| log as usize + 1);
    for digits in first..=DIGITS_MAX {
        let Decimal { digits, exponent } = Decimal::parse(&print(Some(digits - 1)));
        // Towards smaller numbers the way may be half as long: then one that is farther is nearer.
        for digits in [digits, digits + 1, digits.saturating_sub(1)] {
            let decimal = Decimal { digits, exponent };
            if is_right(decimal) {
                return decimal;
            }
        }
    }
    decimal
}
