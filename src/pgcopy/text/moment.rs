//! Dates and times, in the style ISO and in UTC.

use std::io::Write as _;

use super::reader::{Reader, Told};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Days from 0000-03-01, with which the count of eras begins, to 2000-01-01, with which
/// PostgreSQL's does.
const EPOCH: i64 = 730_425;

pub(super) fn date(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let days = reader.i32()?;
    reader.end()?;
    match days {
        i32::MAX => out.extend_from_slice(b"infinity"),
        i32::MIN => out.extend_from_slice(b"-infinity"),
        days => {
            let is_bc = write_date(i64::from(days), out);
            out.extend_from_slice(if is_bc { b" BC" } else { b"" });
        }
    }
    Ok(())
}

pub(super) fn time(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    write_time(reader.i64()?, out)?;
    reader.end()
}

/// A time of day and the seconds west of Greenwich.
pub(super) fn timetz(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    write_time(reader.i64()?, out)?;
    let west = reader.i32()?;
    reader.end()?;
    let (sign, seconds) = (if west <= 0 { '+' } else { '-' }, west.unsigned_abs());
    let _ = write!(out, "{sign}{:02}", seconds / 3600);
    if !seconds.is_multiple_of(3600) {
        let _ = write!(out, ":{:02}", seconds / 60 % 60);
    }
    if !seconds.is_multiple_of(60) {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
    Ok(())
}

/// Microseconds from 2000-01-01; `zone` stands behind the time.
pub(super) fn timestamp(value: &[u8], zone: &str, out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let moment = reader.i64()?;
    reader.end()?;
    match moment {
        i64::MAX => out.extend_from_slice(b"infinity"),
        i64::MIN => out.extend_from_slice(b"-infinity"),
        moment => {
            let is_bc = write_date(moment.div_euclid(DAY), out);
            out.push(b' ');
            write_time(moment.rem_euclid(DAY), out)?;
            out.extend_from_slice(zone.as_bytes());
            out.extend_from_slice(if is_bc { b" BC" } else { b"" });
        }
    }
    Ok(())
}

/// Writes the date that is so many days after 2000-01-01; whether it is before Christ is said
/// behind everything else.
fn write_date(days: i64, out: &mut Vec<u8>) -> bool {
    const ERA: i64 = 146_097;
    let days = days + EPOCH;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // From March on, so that the day that is not in every year is the last one.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + next;
    let shown = if year > 0 { year } else { 1 - year };
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}");
    year <= 0
}

fn write_time(time: i64, out: &mut Vec<u8>) -> Told {
    let time = u64::try_from(time).map_err(|_| "its time is negative")?;
    let seconds = time / SECOND as u64;
    let _ = write!(out, "{:02}:{:02}:", seconds / 3600, seconds / 60 % 60);
    write_seconds(seconds % 60, time % SECOND as u64, out);
    Ok(())
}

/// Writes seconds and what is left of the last one, without the zeros at its end.
pub(super) fn write_seconds(seconds: u64, micros: u64, out: &mut Vec<u8>) {
    let _ = write!(out, "{seconds:02}");
    if micros > 0 {
        let _ = write!(out, ".{micros:06}");
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}
