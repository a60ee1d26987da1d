//! Looks, before a dump or a restore, whether it is about a Kong database and what would make that
//! dangerous. One file for each.

mod archive;
pub(super) mod dump;
pub(super) mod hold;
pub(super) mod restore;
pub(super) mod swap;
