//! Ranges and multiranges of any type.

use super::reader::{Inner, Reader, Told};

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

pub(super) fn range(bound: Inner<'_>, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let flags = reader.byte()?;
    let has = |flag| flags & flag != 0;
    if has(EMPTY) {
        out.extend_from_slice(b"empty");
        return reader.end();
    }
    out.push(if has(LOWER_INCLUSIVE) { b'[' } else { b'(' });
    let mut text = Vec::new();
    if !has(LOWER_INFINITE) {
        write_bound(bound, &mut reader, &mut text, out)?;
    }
    out.push(b',');
    if !has(UPPER_INFINITE) {
        write_bound(bound, &mut reader, &mut text, out)?;
    }
    out.push(if has(UPPER_INCLUSIVE) { b']' } else { b')' });
    reader.end()
}

fn write_bound(
    bound: Inner<'_>,
    reader: &mut Reader<'_>,
    text: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Told {
    text.clear();
    bound(reader.field()?.ok_or("a bound of it is NULL")?, text)?;
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b'[' | b']' | b',');
    if !text.is_empty() && !text.iter().any(|byte| is_special(byte) || is_space(*byte)) {
        out.extend_from_slice(text);
        return Ok(());
    }
    out.push(b'"');
    for &byte in &*text {
        if matches!(byte, b'"' | b'\\') {
            out.push(byte);
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}

/// What C calls a space, as the server does.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// How many ranges, and each behind its length.
pub(super) fn multirange(bound: Inner<'_>, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let count = reader.count(4)?;
    out.push(b'{');
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        range(bound, reader.field()?.ok_or("a range of it is NULL")?, out)?;
    }
    out.push(b'}');
    reader.end()
}
