//! Fixed-layout structures to bytes and back: little-endian, every integer at its full width, no
//! padding.
//!
//! `bincode` (its `legacy` configuration) is called here alone, for structures of this directory;
//! `format-spec/` writes the bytes out, so it can be replaced without a reader noticing.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian, legacy};
use bincode::{Decode, Encode};

/// More bytes than any structure has; nothing read allocates beyond it.
const STRUCTURE_BYTES_MAX: usize = 256;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<STRUCTURE_BYTES_MAX>> =
    legacy().with_limit::<STRUCTURE_BYTES_MAX>();

/// Appends a structure.
pub(super) fn encode_into<T: Encode>(value: &T, out: &mut Vec<u8>) {
    let bytes = bincode::encode_to_vec(value, CONFIG)
        .expect("a structure of integers and arrays can always be written");
    out.extend_from_slice(&bytes);
}

/// Reads a structure that fills `bytes`.
///
/// # Errors
/// What is wrong, as a clause of its own.
pub(super) fn decode<T: Decode<()>>(bytes: &[u8]) -> Result<T, String> {
    let (value, used) = bincode::decode_from_slice(bytes, CONFIG)
        .map_err(|error| format!("it does not decode: {error}"))?;
    if used != bytes.len() {
        return Err(format!("it has {} bytes, expected {used}", bytes.len()));
    }
    Ok(value)
}

/// Appends the CRC32 of what `out` holds from `start` on.
pub(super) fn seal(out: &mut Vec<u8>, start: usize) {
    let crc = crc32fast::hash(&out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
}

/// Checks the CRC32 that [`seal`] appended, and gives what stands before it.
///
/// # Errors
/// What is wrong, as a clause of its own.
pub(super) fn unseal(bytes: &[u8]) -> Result<&[u8], String> {
    let Some((content, crc)) = bytes.split_last_chunk::<4>() else {
        return Err("it is cut short".to_owned());
    };
    let (stored, found) = (u32::from_le_bytes(*crc), crc32fast::hash(content));
    if stored != found {
        return Err(format!(
            "its checksum does not match (stored {stored:08x}, computed {found:08x})"
        ));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Sample {
        array: [u8; 3],
        half: u16,
        word: u32,
        long: u64,
        digest: u128,
    }

    #[test]
    fn bytes_are_little_endian_and_nothing_is_left_over() {
        let sample = Sample {
            array: [1, 2, 3],
            half: 0x0504,
            word: 0x0908_0706,
            long: 10,
            digest: 11 << 120,
        };
        let mut bytes = Vec::new();
        encode_into(&sample, &mut bytes);
        let mut expect = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0, 0];
        expect.extend([0; 15]);
        expect.push(11);
        assert_eq!(bytes, expect);
        assert_eq!(decode::<Sample>(&bytes).as_ref(), Ok(&sample));
        decode::<Sample>(&bytes[1..]).expect_err("too short");
        bytes.push(0);
        decode::<Sample>(&bytes).expect_err("too long");
    }

    #[test]
    fn a_seal_holds() {
        let mut bytes = b"xabc".to_vec();
        seal(&mut bytes, 1);
        assert_eq!(unseal(&bytes[1..]), Ok(&b"abc"[..]));
        unseal(&bytes).expect_err("one byte more");
        unseal(&bytes[..3]).expect_err("too short");
    }
}
