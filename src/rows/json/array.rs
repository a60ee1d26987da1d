//! An array's text to a JSON array.

use super::scalar;

/// Writes an array, each element by its type. Bounds are not told.
pub(super) fn write(value: &str, element: &str, out: &mut Vec<u8>) {
    let braces = if value.starts_with('[') {
        value.split_once('=').map_or(value, |(_, braces)| braces)
    } else {
        value
    };
    let delimiter = if element == "box" { ';' } else { ',' };
    let mut chars = braces.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '{' => out.push(b'['),
            '}' => out.push(b']'),
            _ if next == delimiter => out.push(b','),
            '"' => {
                let mut text = String::new();
                while let Some(inner) = chars.next().filter(|inner| *inner != '"') {
                    text.extend(if inner == '\\' { chars.next() } else { Some(inner) });
                }
                scalar::write(&text, element, out);
            }
            _ => {
                let mut text = String::from(next);
                let is_end = |inner: char| inner == delimiter || inner == '}';
                while let Some(inner) = chars.next_if(|inner| !is_end(*inner)) {
                    text.push(inner);
                }
                if text == "NULL" {
                    out.extend_from_slice(b"null");
                } else {
                    scalar::write(&text, element, out);
                }
            }
        }
    }
}
