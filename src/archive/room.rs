//! Memory that a thread uses again for its next chunk: its first use costs more than filling it,
//! and what is not given back to the allocator cannot be cut up by it.

use std::cell::Cell;
use std::collections::TryReserveError;
use std::thread::LocalKey;

use bytes::Bytes;

use crate::pgcopy::LARGE_ROW_BYTES;

/// What suffices for a usual chunk, and is kept. Pages that are not reached cost nothing.
const KEPT_BYTES: usize = LARGE_ROW_BYTES + LARGE_ROW_BYTES / 8;

/// What is asked for to learn whether there is memory, and given back untouched. The C library
/// takes allocations up to the size of the last one that was given back from a heap, where zeroes
/// are written, but never goes by one of more than 32 MiB (glibc, `M_MMAP_THRESHOLD`).
const PROBE_BYTES: usize = 33 << 20;

type Room = LocalKey<Cell<Vec<u8>>>;

thread_local! {
    /// Where a chunk's columns are.
    pub(super) static COLUMNS: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Where a column is while it is transformed, or not yet transformed back.
    pub(super) static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Where a chunk is as it was read.
    pub(super) static STORED: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Takes the room, of any content.
pub(super) fn take(room: &'static Room) -> Result<Vec<u8>, TryReserveError> {
    let mut taken = room.take();
    if taken.capacity() != KEPT_BYTES {
        // Zeroes from the system are there when they are touched; those that are written are there
        // at once.
        Vec::<u8>::new().try_reserve_exact(PROBE_BYTES)?;
        taken = vec![0; KEPT_BYTES];
    }
    Ok(taken)
}

/// Whether so many bytes fit.
pub(super) fn fits(bytes: u64) -> bool {
    bytes <= KEPT_BYTES as u64
}

/// The same, of so many bytes at least: fresh memory if they do not fit.
pub(super) fn take_for(room: &'static Room, bytes: u64) -> Result<Vec<u8>, TryReserveError> {
    let size = bytes as usize;
    if !fits(bytes) {
        Vec::<u8>::new().try_reserve_exact(size)?;
        return Ok(vec![0; size]);
    }
    let mut taken = take(room)?;
    taken.resize(size.max(taken.len()), 0);
    Ok(taken)
}

/// Puts the room back that nobody can hold a slice of.
pub(super) fn put_back(room: &'static Room, taken: Vec<u8>) {
    if taken.capacity() == KEPT_BYTES {
        room.set(taken);
    }
}

/// Puts the room back for the next chunk, unless somebody holds a slice of it.
pub(super) fn keep(room: &'static Room, taken: Bytes) {
    if let Ok(taken) = taken.try_into_mut() {
        put_back(room, taken.into());
    }
}
