//! Everything that knows Kong.

pub mod property;
pub mod settings;
