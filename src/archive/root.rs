//! The root: one hash that stands for a whole archive.

use std::fmt;

/// BLAKE3 over header, manifest section and index section. Written in hexadecimal.
///
/// The index holds the BLAKE3 of every chunk's header and these that of their blocks, so two
/// archives with one root hold the same rows. (In format 1 every chunk's header stands between
/// manifest and index instead.) It is unsigned: it shows what was exchanged or left out, and does
/// not stop a forger, who computes a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Root(pub [u8; 32]);

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root({self})")
    }
}

impl From<blake3::Hash> for Root {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash.into())
    }
}
