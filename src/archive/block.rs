//! Blocks: bytes compressed on their own, or stored as they are when that does not pay.
//!
//! Contexts are kept by thread, because making one costs as much as compressing a small block.

use std::cell::RefCell;
use std::collections::TryReserveError;
use std::io::Cursor;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{self, WriteBuf};

use super::error::{damaged, mib, no_memory, too_large};
use super::limits::WINDOW_LOG_MAX;
use crate::error::Error;

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Everything is stored as it is.
    None,
    /// zstd at this level, where it pays.
    Zstd(i32),
}

/// What was done to one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockCodec {
    /// Stored as it is.
    None = 0,
    /// One zstd frame.
    Zstd = 1,
}

impl BlockCodec {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Blocks of fewer bytes are stored: a frame's own bytes would eat what is gained.
const SMALL_BYTES: usize = 64;

thread_local! {
    static COMPRESSORS: RefCell<Vec<(i32, Compressor<'static>)>> = const { RefCell::new(Vec::new()) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Appends a block to `out`, compressed if that saves at least a thirty-second of it. Whatever goes
/// wrong, the block as it is will do.
pub(super) fn compress(codec: Codec, raw: &[u8], out: &mut Vec<u8>) -> BlockCodec {
    let start = out.len();
    if let Codec::Zstd(level) = codec
        && raw.len() >= SMALL_BYTES
        && !(raw.len() >= NOISE_BYTES && is_noise(level, raw, out))
    {
        let mut stored = zstd(level, raw, out);
        if level >= SLOW_LEVEL
            && let Some(slow) = stored
            && let Some(fast) = zstd(FAST_LEVEL, raw, out)
        {
            if fast < slow {
                out.drain(start..start + slow);
                stored = Some(fast);
            } else {
                out.truncate(start + slow);
            }
        }
        if stored.is_some_and(|stored| pays(stored, raw)) {
            return BlockCodec::Zstd;
        }
        out.truncate(start);
    }
    out.extend_from_slice(raw);
    BlockCodec::None
}

/// From this level on zstd takes matches that are longer to write than what they stand for, as they
/// are many in byte planes; the fast level takes none of those, and little time beside.
const SLOW_LEVEL: i32 = 5;
const FAST_LEVEL: i32 = 1;

/// Blocks of at least so many bytes are looked at before they are compressed.
const NOISE_BYTES: usize = 64 << 10;

/// The part of a block that stands for all of it when it is tried.
const SAMPLE_BYTES: usize = 32 << 10;

/// Recognises random UUIDs and what is compressed already, at a hundredth of what compressing them
/// in vain would cost.
///
/// Two looks: do single bytes vary as if by chance, and if so, does a piece from the middle not
/// shrink (values that return)?
///
/// `out` comes back as it was.
fn is_noise(level: i32, raw: &[u8], out: &mut Vec<u8>) -> bool {
    if order0_bits(raw) <= 7.6 {
        return false;
    }
    let start = out.len();
    let middle = &raw[(raw.len() - SAMPLE_BYTES) / 2..][..SAMPLE_BYTES];
    let stored = zstd(level, middle, out);
    out.truncate(start);
    !stored.is_some_and(|stored| pays(stored, middle))
}

/// The entropy of single bytes, in bits, over 4 KiB taken from all over the block.
fn order0_bits(raw: &[u8]) -> f32 {
    const PIECES: usize = 16;
    const PIECE_BYTES: usize = 256;
    let mut counts = [0_u16; 256];
    for piece in 0..PIECES {
        let at = (raw.len() - PIECE_BYTES) / (PIECES - 1) * piece;
        raw[at..at + PIECE_BYTES].iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    }
    let share = |&count: &u16| f32::from(count) / (PIECES * PIECE_BYTES) as f32;
    counts.iter().map(share).filter(|share| *share > 0.0).map(|share| -share * share.log2()).sum()
}

/// Whether what compression saves is worth the time to decompress it.
fn pays(stored: usize, raw: &[u8]) -> bool {
    stored <= raw.len() - raw.len() / 32
}

/// Appends the block as a zstd frame, and tells its bytes; nothing if it fails.
fn zstd(level: i32, raw: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let start = out.len();
    // A frame that needs more than that does not pay.
    out.try_reserve(raw.len()).ok()?;
    let made = COMPRESSORS.with_borrow_mut(|all| {
        if !all.iter().any(|(has, _)| *has == level) {
            all.push((level, Compressor::new(level).ok()?));
        }
        let (_, compressor) = all.iter_mut().find(|(has, _)| *has == level)?;
        let mut end = Cursor::new(&mut *out);
        end.set_position(start as u64);
        compressor.compress_to_buffer(raw, &mut end).ok()
    });
    if made.is_none() {
        out.truncate(start);
    }
    made
}

/// A block as it is stored.
pub(super) struct Block {
    pub codec: BlockCodec,
    pub stored: Bytes,
    /// The bytes it had; the caller has capped their sum.
    pub raw_bytes: u64,
}

impl Block {
    /// The memory that it takes once it is not compressed any more.
    pub(super) fn opened_bytes(&self) -> u64 {
        if self.codec == BlockCodec::None { 0 } else { self.raw_bytes }
    }
}

/// Why the bytes of a block cannot be had.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// They are not what they should be, as a clause of its own.
    Damaged(String),
    /// There is no room for them: that says nothing of the archive.
    NoMemory(TryReserveError),
    /// They would take more memory than they may: so many bytes, of so many.
    TooLarge(u64, u64),
}

impl From<String> for Unreadable {
    fn from(cause: String) -> Self {
        Self::Damaged(cause)
    }
}

impl From<TryReserveError> for Unreadable {
    fn from(error: TryReserveError) -> Self {
        Self::NoMemory(error)
    }
}

impl Unreadable {
    /// As an error of whoever was doing that.
    pub(super) fn into_error(self, doing: &str) -> Error {
        match self {
            Self::Damaged(cause) => damaged(doing, cause),
            Self::NoMemory(error) => no_memory(doing, &error),
            Self::TooLarge(needed, memory) => {
                let cause = format!(
                    "it would take {} MiB of memory, {} MiB are usual for rows",
                    mib(needed),
                    mib(memory)
                );
                too_large(doing, cause, needed)
            }
        }
    }
}

/// The block as it was, in fresh memory unless it is stored so.
///
/// # Errors
/// Nothing is allocated for a block before its own header agrees.
pub(super) fn decompress_alone(block: Block) -> Result<Bytes, Unreadable> {
    check(&block)?;
    if block.codec == BlockCodec::None {
        return Ok(block.stored);
    }
    let mut out = Vec::new();
    out.try_reserve_exact(block.raw_bytes as usize)?;
    let found = unzstd(&block.stored, &mut out)?;
    check_bytes(found, block.raw_bytes)?;
    Ok(out.into())
}

/// Checks what can be told before anything is decompressed.
pub(super) fn check(block: &Block) -> Result<(), String> {
    match block.codec {
        BlockCodec::None if block.stored.len() as u64 == block.raw_bytes => Ok(()),
        BlockCodec::None => {
            Err(format!("a block has {} bytes, expected {}", block.stored.len(), block.raw_bytes))
        }
        BlockCodec::Zstd => check_frame(&block.stored, block.raw_bytes),
    }
}

/// What a block holds that was [`check`]ed, in the beginning of `scratch`, which has room for it,
/// unless it is stored so.
pub(super) fn open<'a>(block: &'a Block, scratch: &'a mut [u8]) -> Result<&'a [u8], String> {
    match block.codec {
        BlockCodec::None => Ok(&block.stored),
        BlockCodec::Zstd => {
            let out = &mut scratch[..block.raw_bytes as usize];
            check_bytes(unzstd(&block.stored, out)?, block.raw_bytes)?;
            Ok(out)
        }
    }
}

fn unzstd(stored: &[u8], out: &mut (impl WriteBuf + ?Sized)) -> Result<usize, String> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Some(Decompressor::new().map_err(|error| error.to_string())?);
        }
        slot.as_mut()
            .expect("it was just put there")
            .decompress_to_buffer(stored, out)
            .map_err(|error| format!("a block does not decompress: {error}"))
    })
}

fn check_bytes(found: usize, expected: u64) -> Result<(), String> {
    if found as u64 == expected {
        Ok(())
    } else {
        Err(format!("a block decompresses to {found} bytes, expected {expected}"))
    }
}

/// Checks that the block is one frame, of the declared size, without dictionary, with a window that
/// any reader takes.
fn check_frame(stored: &[u8], raw_bytes: u64) -> Result<(), String> {
    if !stored.starts_with(&zstd_safe::MAGICNUMBER.to_le_bytes()) {
        return Err("a block is not a zstd frame".into());
    }
    match zstd_safe::get_frame_content_size(stored) {
        Ok(Some(declared)) if declared == raw_bytes => {}
        Ok(declared) => {
            return Err(format!("a zstd frame declares {declared:?} bytes, expected {raw_bytes}"));
        }
        Err(_) => return Err("a zstd frame's header is damaged".into()),
    }
    if zstd_safe::find_frame_compressed_size(stored) != Ok(stored.len()) {
        return Err("a block is not one whole zstd frame".into());
    }
    if zstd_safe::get_dict_id_from_frame(stored).is_some() {
        return Err("a zstd frame asks for a dictionary".into());
    }
    // RFC 8878, 3.1.1.1: without the single-segment flag a byte of window size follows the
    // descriptor.
    let single_segment = stored.get(4).is_some_and(|descriptor| descriptor >> 5 & 1 == 1);
    let window_log =
        stored.get(5).map_or(0, |window| 10 + u32::from(window >> 3) + u32::from(window & 7 != 0));
    if !single_segment && window_log > WINDOW_LOG_MAX {
        return Err(format!(
            "a zstd frame asks for a window of 2^{window_log} bytes, the limit is \
             2^{WINDOW_LOG_MAX}"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(bytes: usize) -> Vec<u8> {
        let mut out = vec![0; bytes];
        blake3::Hasher::new().finalize_xof().fill(&mut out);
        out
    }

    fn check(raw: Vec<u8>, expect: BlockCodec) {
        let raw = Bytes::from(raw);
        for level in [1, 3, 9, -5] {
            let mut stored = b"before".to_vec();
            let codec = compress(Codec::Zstd(level), &raw, &mut stored);
            assert_eq!((codec, &stored[..6]), (expect, &b"before"[..]));
            let stored = Bytes::from(stored).slice(6..);
            let block = Block { codec, stored, raw_bytes: raw.len() as u64 };
            let mut scratch = vec![7; raw.len() + 1];
            assert_eq!(open(&block, &mut scratch).expect("it was just compressed"), raw);
            assert_eq!(decompress_alone(block).expect("it was just compressed"), raw);
        }
        let mut stored = Vec::new();
        assert_eq!(compress(Codec::None, &raw, &mut stored), BlockCodec::None);
        assert_eq!(stored, raw);
    }

    #[test]
    fn random_uuids_are_stored_as_they_are() {
        let mut uuids = noise(1 << 20);
        for uuid in uuids.chunks_exact_mut(16) {
            uuid[6] = uuid[6] & 0x0f | 0x40;
            uuid[8] = uuid[8] & 0x3f | 0x80;
        }
        assert!(order0_bits(&uuids) > 7.6, "{}", order0_bits(&uuids));
        let mut out = vec![7];
        assert!(is_noise(1, &uuids, &mut out));
        assert_eq!(out, [7]);
        check(uuids, BlockCodec::None);
    }

    #[test]
    fn random_values_that_return_are_compressed() {
        let few = noise(160);
        let returning: Vec<u8> = noise(100_000)
            .iter()
            .flat_map(|byte| few[usize::from(byte % 10) * 16..][..16].to_vec())
            .collect();
        assert!(order0_bits(&noise(1 << 20)) > 7.9);
        check(returning, BlockCodec::Zstd);
        check(noise(20_000).repeat(10), BlockCodec::Zstd);
    }

    #[test]
    fn no_slow_level_is_larger_than_the_fast_one() {
        // Level 9 alone makes an eighth more of them than level 1.
        let digits: Vec<u8> = noise(1 << 20).iter().map(|byte| b'0' + byte % 10).collect();
        for raw in [digits, noise(20_000).repeat(10), b"abcdefgh".repeat(10_000)] {
            let bytes = |level| {
                let mut out = Vec::new();
                assert_eq!(compress(Codec::Zstd(level), &raw, &mut out), BlockCodec::Zstd);
                out.len()
            };
            for level in [5, 9, 19] {
                assert!(bytes(level) <= bytes(1), "level {level}");
            }
        }
    }

    #[test]
    fn blocks_of_every_size_come_back() {
        for bytes in [
            0,
            1,
            SMALL_BYTES - 1,
            SMALL_BYTES,
            NOISE_BYTES - 1,
            NOISE_BYTES,
            NOISE_BYTES + 1,
            1 << 20,
        ] {
            check(
                vec![b'a'; bytes],
                if bytes < SMALL_BYTES { BlockCodec::None } else { BlockCodec::Zstd },
            );
        }
        for bytes in [SMALL_BYTES, NOISE_BYTES, NOISE_BYTES + 1, 1 << 20] {
            check(noise(bytes), BlockCodec::None);
        }
    }
}
