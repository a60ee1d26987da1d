//! Intervals, in the style postgres.

use std::io::Write as _;

use super::moment::write_seconds;
use super::reader::{Reader, Told};

const SECOND: u64 = 1_000_000;

/// From this version of the server on, the largest and the smallest interval are infinite.
const INFINITE_SINCE: u32 = 170_000;

pub(super) fn interval(version: u32, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let (micros, days, months) = (reader.i64()?, reader.i32()?, reader.i32()?);
    reader.end()?;
    if version >= INFINITE_SINCE {
        if (micros, days, months) == (i64::MAX, i32::MAX, i32::MAX) {
            out.extend_from_slice(b"infinity");
            return Ok(());
        }
        if (micros, days, months) == (i64::MIN, i32::MIN, i32::MIN) {
            out.extend_from_slice(b"-infinity");
            return Ok(());
        }
    }
    let (mut is_first, mut after_negative) = (true, false);
    for (number, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if number == 0 {
            continue;
        }
        let space = if is_first { "" } else { " " };
        let sign = if after_negative && number > 0 { "+" } else { "" };
        let plural = if number == 1 { "" } else { "s" };
        let _ = write!(out, "{space}{sign}{number} {unit}{plural}");
        (is_first, after_negative) = (false, number < 0);
    }
    if is_first || micros != 0 {
        let sign = match (micros < 0, after_negative) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        };
        let seconds = micros.unsigned_abs() / SECOND;
        let space = if is_first { "" } else { " " };
        let _ = write!(out, "{space}{sign}{:02}:{:02}:", seconds / 3600, seconds / 60 % 60);
        write_seconds(seconds % 60, micros.unsigned_abs() % SECOND, out);
    }
    Ok(())
}
