//! What stands around the rows of a COPY BINARY stream.

use bytes::Bytes;

use crate::error::{Error, Kind, Result};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// NULL in COPY TEXT.
pub(super) const TEXT_NULL: &[u8] = b"\\N";

/// The line that ends a COPY TEXT file, and would end a COPY from a client too early.
pub(super) const TEXT_END: &[u8] = b"\\.\n";

/// The header of a COPY BINARY stream: the signature, no flags, no extension.
pub const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What ends a COPY BINARY stream: a field count of −1.
pub const BINARY_TRAILER: [u8; 2] = [0xff, 0xff];

/// Takes the header off the first message of a COPY BINARY stream; what follows is rows.
///
/// The server sends the header whole in its first message. Flags that change the rows (bits 16 to
/// 31) are refused, the others ignored, as PostgreSQL's manual asks.
pub fn strip_binary_header(mut first: Bytes) -> Result<Bytes> {
    let refuse =
        |cause: &str| Err(Error::new(Kind::Server, "read the header of COPY BINARY data", cause));
    let Some(rest) = first.strip_prefix(SIGNATURE) else {
        return refuse("the signature is missing");
    };
    let Some((flags, rest)) = rest.split_first_chunk::<4>() else {
        return refuse("it is cut short");
    };
    if u32::from_be_bytes(*flags) >> 16 != 0 {
        return refuse("it asks for a feature that is not known");
    }
    let Some((extension, rest)) = rest.split_first_chunk::<4>() else {
        return refuse("it is cut short");
    };
    let extension = u32::from_be_bytes(*extension) as usize;
    if rest.len() < extension {
        return refuse("its extension is cut short");
    }
    let rows = first.len() - rest.len() + extension;
    Ok(first.split_off(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_comes_off() {
        let mut first = BINARY_HEADER.to_vec();
        assert!(strip_binary_header(Bytes::copy_from_slice(&first)).expect("a header").is_empty());
        first.extend(b"rows");
        assert_eq!(strip_binary_header(Bytes::copy_from_slice(&first)).expect("a header"), "rows");
        first[18] = 3;
        assert_eq!(strip_binary_header(Bytes::copy_from_slice(&first)).expect("a header"), "s");
        first[14] = 1;
        assert_eq!(strip_binary_header(Bytes::copy_from_slice(&first)).expect("a header"), "s");
        for cut in 0..19 {
            strip_binary_header(Bytes::copy_from_slice(&first[..cut])).expect_err("cut");
        }
        first[12] = 1;
        strip_binary_header(Bytes::from(first)).expect_err("critical flag");
    }
}
