//! What is wrong with an archive, and what is wrong elsewhere.

use std::collections::TryReserveError;

use crate::error::{Error, Kind};

/// There is too little memory, which says nothing of the archive.
pub(super) fn no_memory(doing: &str, error: &TryReserveError) -> Error {
    Error::new(Kind::Requirement, doing, error.to_string())
        .hint("give the program more memory, or fewer sessions (-j)")
}

/// What is not as the format says.
pub(super) fn damaged(doing: impl Into<String>, cause: impl Into<String>) -> Error {
    Error::new(Kind::Archive, doing, cause)
}
