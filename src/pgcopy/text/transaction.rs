//! What the server counts itself by: places of rows, of the write-ahead log, and snapshots.

use std::io::Write as _;

use super::reader::{Reader, Told};

/// Block and row.
pub(super) fn tid(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let _ = write!(out, "({},{})", reader.u32()?, reader.u16()?);
    reader.end()
}

/// From this version of the server on, the second half has all its digits.
const PADDED_SINCE: u32 = 190_000;

pub(super) fn lsn(version: u32, value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let (high, low) = (reader.u32()?, reader.u32()?);
    let digits = if version >= PADDED_SINCE { 8 } else { 1 };
    let _ = write!(out, "{high:X}/{low:0digits$X}");
    reader.end()
}

/// `pg_snapshot` and `txid_snapshot`: the first transaction that is at work, the first that is not
/// yet, and which between them are.
pub(super) fn snapshot(value: &[u8], out: &mut Vec<u8>) -> Told {
    let mut reader = Reader::new(value);
    let count = usize::try_from(reader.i32()?).map_err(|_| "it counts more than it holds")?;
    let _ = write!(out, "{}:{}:", reader.u64()?, reader.u64()?);
    if count > reader.left() / 8 {
        return Err("it counts more than it holds");
    }
    for at in 0..count {
        let _ = write!(out, "{}{}", if at > 0 { "," } else { "" }, reader.u64()?);
    }
    reader.end()
}
