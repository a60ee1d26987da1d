//! `tsvector`.

use std::io::Write as _;

use super::reader::{Reader, Told};

/// The place of a word is in the low 14 bits, its weight in the two above.
const PLACE: u16 = 0x3FFF;

/// Words, each with its places and their weights.
pub(super) fn tsvector(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let count = reader.count(3)?;
    for at in 0..count {
        out.extend_from_slice(if at > 0 { b" '" } else { b"'" });
        for &byte in reader.string()? {
            if matches!(byte, b'\'' | b'\\') {
                out.push(byte);
            }
            out.push(byte);
        }
        out.push(b'\'');
        for at in 0..reader.u16()? {
            let place = reader.u16()?;
            let weight = ["", "C", "B", "A"][usize::from(place >> 14)];
            let before = if at > 0 { ',' } else { ':' };
            let _ = write!(out, "{before}{}{weight}", place & PLACE);
        }
    }
    reader.end()
}
