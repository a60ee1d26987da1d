//! The escapes of COPY TEXT.

/// What stands behind a backslash for a byte.
const ESCAPES: [(u8, u8); 7] = [
    (b'\\', b'\\'),
    (b'\t', b't'),
    (b'\n', b'n'),
    (b'\r', b'r'),
    (0x08, b'b'),
    (0x0b, b'v'),
    (0x0c, b'f'),
];

/// Writes a value as a field of COPY TEXT.
pub fn escape(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        match ESCAPES.iter().find(|(plain, _)| *plain == byte) {
            Some((_, letter)) => out.extend([b'\\', *letter]),
            None => out.push(byte),
        }
    }
}

/// Writes the value of a field of COPY TEXT that is not NULL.
pub fn unescape(field: &[u8], out: &mut Vec<u8>) {
    let mut bytes = field.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&letter) = bytes.next() else { return };
        let plain = ESCAPES.iter().find(|(_, known)| *known == letter);
        out.push(plain.map_or(letter, |(plain, _)| *plain));
    }
}
