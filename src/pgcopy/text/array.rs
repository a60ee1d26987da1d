//! Arrays of any type.

use std::io::Write as _;

use super::range::is_space;
use super::reader::{Inner, Reader, Told};

/// The server's own limit.
const DIMENSIONS_MAX: usize = 6;

/// How many dimensions, whether there are NULLs, the element's type; the length and the lower bound
/// of each dimension; the elements.
pub(super) fn array(element: Inner<'_>, delimiter: u8, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let dimensions = usize::try_from(reader.i32()?).ok().filter(|count| *count <= DIMENSIONS_MAX);
    let dimensions = dimensions.ok_or("it has too many dimensions")?;
    let (_nulls, _element_type) = (reader.i32()?, reader.u32()?);
    let mut bounds = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        let (length, lower) = (reader.i32()?, reader.i32()?);
        bounds.push((usize::try_from(length).map_err(|_| "a length in it is negative")?, lower));
    }
    if dimensions == 0 || bounds.iter().any(|(length, _)| *length == 0) {
        out.extend_from_slice(b"{}");
        return reader.end();
    }
    // How many elements stand between the braces of each dimension, the outermost first.
    let mut within = vec![1_usize; dimensions];
    let mut count = 1_usize;
    for at in (0..dimensions).rev() {
        count = count.checked_mul(bounds[at].0).ok_or("it counts more than it holds")?;
        within[at] = count;
    }
    if count > reader.left() / 4 {
        return Err("it counts more than it holds");
    }
    write_bounds(&bounds, out);
    let mut text = Vec::new();
    for at in 0..count {
        if at > 0 {
            out.push(delimiter);
        }
        out.extend(within.iter().filter(|within| at % **within == 0).map(|_| b'{'));
        match reader.field()? {
            None => out.extend_from_slice(b"NULL"),
            Some(field) => {
                text.clear();
                element(field, &mut text)?;
                write_element(&text, delimiter, out);
            }
        }
        out.extend(within.iter().filter(|within| (at + 1) % **within == 0).map(|_| b'}'));
    }
    reader.end()
}

/// Where a dimension does not begin with 1, all are told.
fn write_bounds(bounds: &[(usize, i32)], out: &mut Vec<u8>) {
    if bounds.iter().all(|(_, lower)| *lower == 1) {
        return;
    }
    for (length, lower) in bounds {
        let upper = i64::from(*lower) + *length as i64 - 1;
        let _ = write!(out, "[{lower}:{upper}]");
    }
    out.push(b'=');
}

fn write_element(text: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    let is_special = |byte: u8| {
        matches!(byte, b'"' | b'\\' | b'{' | b'}') || byte == delimiter || is_space(byte)
    };
    let is_plain = !text.is_empty()
        && !text.eq_ignore_ascii_case(b"NULL")
        && !text.iter().any(|byte| is_special(*byte));
    if is_plain {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for &byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
