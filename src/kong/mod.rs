//! Everything that knows Kong.

pub mod restore;
