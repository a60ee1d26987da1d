//! Everything that knows Kong.

pub mod choice;
pub mod classes;
pub mod closing;
pub mod conf;
pub mod guards;
pub mod hold;
mod ignored;
pub mod info;
mod number;
pub mod property;
pub mod reader;
pub mod restore;
pub mod rights;
pub mod settings;
pub mod sources;
pub mod sync_version;
pub mod tables;
mod tls;
