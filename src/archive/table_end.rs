//! The record that follows a table's last chunk: with it, a reader in order knows that it has the
//! whole table, and what that amounts to.
//!
//! ```text
//! 0 magic | 8 archive | 24 table | 28 reserved | 32 chunks | 40 rows | 48 raw_bytes | 56 stored_bytes | 64 digest | 80 crc
//! ```
//!
//! The table's entry in the index says the same and where this is.

use bincode::{Decode, Encode};
use uuid::Uuid;

use super::codec;
use super::error::damaged;
use super::manifest::TableId;
use crate::error::Result;
use crate::pgcopy::Digest;

pub(super) const MAGIC: [u8; 8] = *b"SBKTBEND";

/// What a table's chunks amount to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableTotals {
    /// How many chunks it has.
    pub chunks: u64,
    /// How many rows.
    pub rows: u64,
    /// Their bytes as COPY sent them.
    pub raw_bytes: u64,
    /// Their bytes in the file, the chunks' headers included.
    pub stored_bytes: u64,
    /// The sum of their digests.
    pub digest: Digest,
}

/// A table that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TableEnd {
    pub archive: Uuid,
    pub table: TableId,
    pub totals: TableTotals,
}

#[derive(Encode, Decode)]
struct Layout {
    magic: [u8; 8],
    archive: [u8; 16],
    table: u32,
    reserved: u32,
    chunks: u64,
    rows: u64,
    raw_bytes: u64,
    stored_bytes: u64,
    digest: u128,
}

impl TableEnd {
    /// Its size on disk.
    pub(super) const BYTES: usize = 84;

    pub(super) fn encode(&self) -> Vec<u8> {
        let TableTotals { chunks, rows, raw_bytes, stored_bytes, digest } = self.totals;
        let layout = Layout {
            magic: MAGIC,
            archive: self.archive.into_bytes(),
            table: self.table.0,
            reserved: 0,
            chunks,
            rows,
            raw_bytes,
            stored_bytes,
            digest: digest.0,
        };
        let mut out = Vec::with_capacity(Self::BYTES);
        codec::encode_into(&layout, &mut out);
        codec::seal(&mut out, 0);
        out
    }

    /// Reads a record that fills `bytes`.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self> {
        let refuse = |cause: String| damaged("read a table's end", cause);
        if !bytes.starts_with(&MAGIC) {
            return Err(refuse("there is none here".into()));
        }
        let layout: Layout = codec::unseal(bytes).and_then(codec::decode).map_err(refuse)?;
        if layout.reserved != 0 {
            return Err(refuse("reserved bytes are not zero".into()));
        }
        let Layout { chunks, rows, raw_bytes, stored_bytes, .. } = layout;
        let totals =
            TableTotals { chunks, rows, raw_bytes, stored_bytes, digest: Digest(layout.digest) };
        Ok(Self { archive: Uuid::from_bytes(layout.archive), table: TableId(layout.table), totals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TableEnd {
        let totals =
            TableTotals { chunks: 1, rows: 2, raw_bytes: 3, stored_bytes: 4, digest: Digest(5) };
        TableEnd { archive: Uuid::from_u128(6), table: TableId(7), totals }
    }

    #[test]
    fn comes_back() {
        assert_eq!(sample().encode().len(), TableEnd::BYTES);
        assert_eq!(TableEnd::decode(&sample().encode()).expect("it was just written"), sample());
    }

    #[test]
    fn every_flip_and_cut_is_found() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            TableEnd::decode(&flipped).expect_err("flipped");
        }
        for cut in 0..bytes.len() {
            TableEnd::decode(&bytes[..cut]).expect_err("cut");
        }
        let mut reserved = bytes[..80].to_vec();
        reserved[28] = 1;
        codec::seal(&mut reserved, 0);
        let error = TableEnd::decode(&reserved).expect_err("reserved");
        assert!(error.to_string().contains("reserved"), "{error}");
    }
}
