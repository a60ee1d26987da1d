//! Numbers in Kong's configuration files: Kong reads what looks like one as a Lua number and writes
//! it out again, so that `00123` becomes `123`.
//!
//! Knows LuaJIT's numbers and their text (`%.14g`); does not know which property one belongs to.

/// Digits that LuaJIT's `tostring` gives to a number.
const DIGITS: i32 = 14;

/// The text that Kong makes of a value; one that is no number stays as it is.
pub(super) fn normalize(text: &str) -> String {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')) {
        return text.to_owned();
    }
    if let Some(value) = parse(text) {
        return write(value);
    }
    // The reader of configuration files that Kong uses takes sizes as /proc shows them.
    let Some(bare) = text.strip_suffix(" kB") else { return text.to_owned() };
    let bare = bare.replace(" kB", "");
    parse(&bare).map_or(bare, write)
}

/// Reads a number as LuaJIT's `tonumber` does: decimal, `0x` with fraction and binary exponent,
/// `0b`, `inf` and `nan`.
fn parse(text: &str) -> Option<f64> {
    let text = text.trim_matches(is_space);
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let lower = digits.to_ascii_lowercase();
    let magnitude = if let Some(hex) = lower.strip_prefix("0x") {
        parse_hex(hex)?
    } else if let Some(binary) = lower.strip_prefix("0b") {
        f64::from(u32::from_str_radix(binary, 2).ok().filter(|_| !binary.starts_with('+'))?)
    } else {
        lower.parse().ok()?
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Hexadecimal digits with an optional fraction, and an optional power of two after `p`.
fn parse_hex(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once('p') {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let shift = i32::try_from(fraction.len()).ok()?.checked_mul(-4)?.checked_add(exponent)?;
    Some(value * 2_f64.powi(shift))
}

/// Writes a number as C's `%.14g` does.
fn write(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:.*e}", (DIGITS - 1) as usize);
    let (mantissa, exponent) = scientific.split_once('e').expect("it is written with an exponent");
    let exponent: i32 = exponent.parse().expect("an exponent is a small number");
    if (-4..DIGITS).contains(&exponent) {
        return without_zeros(&format!("{value:.*}", (DIGITS - 1 - exponent) as usize)).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// What C's `isspace` takes for a space.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(normalize(text), expect, "{text}");
    }

    #[test]
    fn numbers_are_written_anew() {
        check("00123", "123");
        check("1e5", "100000");
        check("1E5", "100000");
        check("+7", "7");
        check("-7.50", "-7.5");
        check("-0", "-0");
        check("5432 ", "5432");
        check("5.", "5");
        check("1e14", "1e+14");
        check("1e-5", "1e-05");
        check("0.0001", "0.0001");
        check("123456789012345", "1.2345678901234e+14");
        check("99999999999999", "99999999999999");
        check("12345678901234567890", "1.2345678901235e+19");
        check("1e400", "inf");
        check("0.1", "0.1");
        check("0x1F", "31");
        check("0x1.8p1", "3");
        check("0b101", "5");
        check("-inf", "-inf");
        check("100 kB", "100");
        check("12ab kB", "12ab");
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "",
            "secret",
            ".5",
            "12ab",
            "1e",
            "1_000",
            "--1",
            "+-1",
            "0x",
            "0xg",
            "0b2",
            "0b",
            "127.0.0.1",
            "10 20",
            "1,5",
            "-----BEGIN",
            "inf",
            "0b+1",
            "0x+1",
            "1e+",
        ] {
            check(text, text);
        }
    }
}
