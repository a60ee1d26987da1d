//! The footer: the last 144 bytes of an archive. A file without one is not an archive, however long
//! it is.
//!
//! ```text
//! 0 manifest | 16 index | 32 chunks | 40 rows | 48 raw_bytes | 56 total_bytes | 64 root | 96 archive
//! 112 keys_bytes | 120 signature_bytes | 128 reserved | 132 crc | 136 magic
//! ```
//!
//! Format 1 has 128 bytes, without those of keys and signature. Both are places kept for sections
//! between index and footer, of which there are none yet.

use bincode::{Decode, Encode};
use uuid::Uuid;

use super::codec;
use super::error::damaged;
use super::header::{Format, MAGIC};
use super::root::Root;
use crate::error::Result;

const DOING: &str = "read the footer";

/// Where everything is, and what it amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Where the manifest section begins.
    pub manifest_offset: u64,
    /// The manifest section's bytes, its prefix included.
    pub manifest_bytes: u64,
    /// Where the index section begins.
    pub index_offset: u64,
    /// The index section's bytes.
    pub index_bytes: u64,
    /// How many chunks there are.
    pub chunks: u64,
    /// The rows of all chunks.
    pub rows: u64,
    /// The raw bytes of all chunks.
    pub raw_bytes: u64,
    /// The archive's bytes, the footer included.
    pub total_bytes: u64,
    /// What the whole hashes to.
    pub root: Root,
    /// The archive's identity.
    pub archive: Uuid,
}

#[derive(Encode, Decode)]
struct Layout {
    manifest_offset: u64,
    manifest_bytes: u64,
    index_offset: u64,
    index_bytes: u64,
    chunks: u64,
    rows: u64,
    raw_bytes: u64,
    total_bytes: u64,
    root: [u8; 32],
    archive: [u8; 16],
    keys_bytes: u64,
    signature_bytes: u64,
    reserved: [u8; 4],
}

/// The bytes of `keys_bytes` and `signature_bytes`.
const SECTIONS: std::ops::Range<usize> = 112..128;

impl Footer {
    /// Its size on disk.
    pub(super) const BYTES: usize = 144;

    /// Its size on disk in this format.
    pub(super) fn bytes(format: Format) -> usize {
        match format {
            Format::One => Self::BYTES - SECTIONS.len(),
            Format::Two => Self::BYTES,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let Self {
            manifest_offset,
            manifest_bytes,
            index_offset,
            index_bytes,
            chunks,
            rows,
            raw_bytes,
            total_bytes,
            root,
            archive,
        } = *self;
        let layout = Layout {
            manifest_offset,
            manifest_bytes,
            index_offset,
            index_bytes,
            chunks,
            rows,
            raw_bytes,
            total_bytes,
            root: root.0,
            archive: archive.into_bytes(),
            keys_bytes: 0,
            signature_bytes: 0,
            reserved: [0; 4],
        };
        let mut out = Vec::with_capacity(Self::BYTES);
        codec::encode_into(&layout, &mut out);
        codec::seal(&mut out, 0);
        out.extend_from_slice(&MAGIC);
        out
    }

    /// Reads a footer of this format off the end of a file's last bytes; the more there are, the
    /// better garbage after the end is recognised.
    pub(super) fn decode(format: Format, tail: &[u8]) -> Result<Self> {
        let Some(start) = tail.len().checked_sub(Self::bytes(format)) else {
            return Err(cut_short());
        };
        let (sealed, magic) = tail[start..].split_at(Self::bytes(format) - MAGIC.len());
        let content = match (codec::unseal(sealed), magic == MAGIC) {
            (Ok(content), true) => content,
            (Ok(_), false) => return Err(damaged(DOING, "the end mark is damaged")),
            (Err(cause), true) => return Err(damaged(DOING, cause)),
            (Err(_), false) => return Err(bytes_after_end(format, tail).unwrap_or_else(cut_short)),
        };
        let layout: Layout = match format {
            Format::Two => codec::decode(content),
            Format::One => codec::decode(
                &[
                    &content[..SECTIONS.start],
                    &[0; SECTIONS.end - SECTIONS.start],
                    &content[SECTIONS.start..],
                ]
                .concat(),
            ),
        }
        .map_err(|cause| damaged(DOING, cause))?;
        if layout.reserved != [0; 4] {
            return Err(damaged(DOING, "reserved bytes are not zero"));
        }
        if layout.keys_bytes != 0 || layout.signature_bytes != 0 {
            return Err(damaged(DOING, "it speaks of sections that format 2 has not yet"));
        }
        let Layout {
            manifest_offset,
            manifest_bytes,
            index_offset,
            index_bytes,
            chunks,
            rows,
            raw_bytes,
            total_bytes,
            ..
        } = layout;
        let (root, archive) = (Root(layout.root), Uuid::from_bytes(layout.archive));
        Ok(Self {
            manifest_offset,
            manifest_bytes,
            index_offset,
            index_bytes,
            chunks,
            rows,
            raw_bytes,
            total_bytes,
            root,
            archive,
        })
    }
}

fn cut_short() -> crate::error::Error {
    damaged(DOING, "no footer: the archive is cut short, or the dump did not finish")
        .hint("dump again; a copy of a finished archive may be whole")
}

/// Looks for a footer before the end of the file.
fn bytes_after_end(format: Format, tail: &[u8]) -> Option<crate::error::Error> {
    let bytes = Footer::bytes(format);
    let ends = memchr::memmem::find_iter(tail, &MAGIC).map(|at| at + MAGIC.len());
    let whole =
        |end: usize| end >= bytes && codec::unseal(&tail[end - bytes..end - MAGIC.len()]).is_ok();
    let end = ends.filter(|&end| whole(end)).last()?;
    Some(damaged(DOING, format!("{} bytes follow the end of the archive", tail.len() - end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Footer {
        Footer {
            manifest_offset: 1,
            manifest_bytes: 2,
            index_offset: 3,
            index_bytes: 4,
            chunks: 5,
            rows: 6,
            raw_bytes: 7,
            total_bytes: 8,
            root: Root([9; 32]),
            archive: Uuid::from_u128(10),
        }
    }

    fn check(tail: &[u8], expect: &str) {
        let error = Footer::decode(Format::Two, tail).expect_err(expect).to_string();
        assert!(error.contains(expect), "{error}");
    }

    #[test]
    fn comes_back() {
        assert_eq!(sample().encode().len(), Footer::BYTES);
        let mut tail = vec![1; 9];
        tail.extend(sample().encode());
        assert_eq!(Footer::decode(Format::Two, &tail).expect("it was just written"), sample());
    }

    #[test]
    fn every_flip_cut_and_addition_is_found() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(&flipped, if bit < 136 * 8 { "checksum" } else { "end mark" });
        }
        for cut in 0..bytes.len() {
            check(&bytes[..cut], "cut short");
        }
        for more in 1..300 {
            check(&[&bytes[..], &vec![b'x'; more]].concat(), &format!("{more} bytes follow"));
        }
        let mut reserved = bytes[..132].to_vec();
        reserved[131] = 1;
        codec::seal(&mut reserved, 0);
        reserved.extend(MAGIC);
        check(&reserved, "reserved");
    }
}
