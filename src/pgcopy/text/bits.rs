//! Bits, bytes and single bytes.

use std::io::Write as _;

use super::reader::{Reader, Told};

pub(super) fn boolean(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    out.push(if reader.byte()? == 0 { b'f' } else { b't' });
    reader.end()
}

/// `bit` and `varbit`.
pub(super) fn bits(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let count = usize::try_from(reader.i32()?).map_err(|_| "its length is negative")?;
    let bytes = reader.take(count.div_ceil(8))?;
    reader.end()?;
    out.extend((0..count).map(|at| b'0' + (bytes[at / 8] >> (7 - at % 8) & 1)));
    Ok(())
}

pub(super) fn bytea(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(b"\\x");
    let digit = |four: u8| DIGITS[usize::from(four)];
    out.extend(value.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
}

/// From this version of the server on, a `"char"` that is not ASCII is written in octal digits.
const OCTAL_SINCE: u32 = 150_000;

/// `"char"`, whose zero is the empty text.
pub(super) fn char(version: u32, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    match reader.byte()? {
        0 => {}
        byte if byte >= 0x80 && version >= OCTAL_SINCE => {
            let _ = write!(out, "\\{byte:03o}");
        }
        byte => out.push(byte),
    }
    reader.end()
}
