//! Everything that knows Kong.

pub mod property;
pub mod restore;
pub mod settings;
pub mod tables;
