//! Everything that knows Kong.

pub mod choice;
pub mod conf;
mod ignored;
mod number;
pub mod property;
pub mod reader;
pub mod restore;
pub mod settings;
pub mod sources;
pub mod tables;
mod tls;
