//! Whole numbers, and `numeric`.

use std::io::Write as _;

use super::reader::{Reader, Told, text};

/// The size of a whole number, and whether it has a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    I16,
    I32,
    I64,
    U32,
    U64,
}

pub(super) fn integer(width: Width, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let number = match width {
        Width::I16 => i128::from(reader.i16()?),
        Width::I32 => i128::from(reader.i32()?),
        Width::I64 => i128::from(reader.i64()?),
        Width::U32 => i128::from(reader.u32()?),
        Width::U64 => i128::from(reader.u64()?),
    };
    let _ = write!(out, "{number}");
    reader.end()
}

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// The most digits after the point; more bits are none of the scale's.
const SCALE_MAX: u16 = 0x3FFF;

/// Groups of four decimal digits; the first stands for `10000 ^ weight`. What is shown after the
/// point is the scale's business, so at most 16,383 digits; before it the weight's, 131,072.
pub(super) fn numeric(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let (count, weight) = (reader.u16()?, i32::from(reader.i16()?));
    let (sign, scale) = (reader.u16()?, reader.u16()?);
    if scale > SCALE_MAX {
        return Err("its scale is too large");
    }
    let groups = reader.take(usize::from(count) * 2)?;
    reader.end()?;
    let groups: Vec<u16> =
        groups.as_chunks().0.iter().map(|group| u16::from_be_bytes(*group)).collect();
    if groups.iter().any(|group| *group > 9999) {
        return Err("a group of its digits is above 9999");
    }
    match sign {
        0 => {}
        NEGATIVE => out.push(b'-'),
        NAN => return text(b"NaN", out),
        INFINITY => return text(b"Infinity", out),
        NEGATIVE_INFINITY => return text(b"-Infinity", out),
        _ => return Err("its sign is none"),
    }
    let group = |at: i32| {
        let place = usize::try_from(at).ok().and_then(|at| groups.get(at));
        place.copied().unwrap_or(0)
    };
    let _ = write!(out, "{}", if weight < 0 { 0 } else { group(0) });
    for at in 1..=weight {
        let _ = write!(out, "{:04}", group(at));
    }
    if scale == 0 {
        return Ok(());
    }
    out.push(b'.');
    let end = out.len() + usize::from(scale);
    let mut at = weight + 1;
    while out.len() < end {
        let _ = write!(out, "{:04}", group(at));
        at += 1;
    }
    out.truncate(end);
    Ok(())
}
