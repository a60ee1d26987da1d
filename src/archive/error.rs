//! What is wrong with an archive, and what is wrong elsewhere.

use std::collections::TryReserveError;

use super::limits::ROWS_MEMORY_BYTES;
use crate::error::{Error, Kind};

/// There is too little memory, which says nothing of the archive.
pub(super) fn no_memory(doing: &str, error: &TryReserveError) -> Error {
    Error::new(Kind::Requirement, doing, error.to_string())
        .hint("give the program more memory, or fewer sessions (-j)")
}

/// What would take so many bytes of memory, which is more than is given unasked.
pub(super) fn too_large(doing: &str, cause: String, needed: u64) -> Error {
    let enough = mib(needed.max(ROWS_MEMORY_BYTES) + (1 << 20));
    Error::new(Kind::Requirement, doing, cause)
        .hint(format!("if the archive is to be trusted, read it with --max-memory {enough}MiB"))
}

pub(super) fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// What is not as the format says.
pub(super) fn damaged(doing: impl Into<String>, cause: impl Into<String>) -> Error {
    Error::new(Kind::Archive, doing, cause)
}
