//! Geometric shapes: numbers, and what stands around them.

use super::float;
use super::reader::{Reader, Told};

/// Writes numbers where the pattern has a `0`.
fn numbers(pattern: &str, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Told {
    for byte in pattern.bytes() {
        if byte == b'0' {
            float::write(reader.f64()?, out);
        } else {
            out.push(byte);
        }
    }
    Ok(())
}

pub(super) const POINT: &str = "(0,0)";
pub(super) const LINE: &str = "{0,0,0}";
pub(super) const LSEG: &str = "[(0,0),(0,0)]";
pub(super) const BOX: &str = "(0,0),(0,0)";
pub(super) const CIRCLE: &str = "<(0,0),0>";

/// A shape that has always as many numbers.
pub(super) fn shape(pattern: &str, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    numbers(pattern, &mut reader, out)?;
    reader.end()
}

/// Points, behind a byte that says whether the path is closed.
pub(super) fn path(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let around = if reader.byte()? == 0 { *b"[]" } else { *b"()" };
    points(around, reader, out)
}

pub(super) fn polygon(value: &[u8], out: &mut Vec<u8>) -> Told {
    points(*b"()", Reader::new(value), out)
}

fn points([open, close]: [u8; 2], mut reader: Reader<'_>, out: &mut Vec<u8>) -> Told {
    let count = reader.count(16)?;
    out.push(open);
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        numbers(POINT, &mut reader, out)?;
    }
    out.push(close);
    reader.end()
}
