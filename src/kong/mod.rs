//! Everything that knows Kong.

pub mod choice;
pub mod classes;
pub mod closing;
mod conf;
pub mod guards;
pub mod hold;
mod ignored;
pub mod info;
mod number;
mod property;
pub mod reader;
pub mod restore;
pub mod rights;
mod settings;
pub mod sources;
pub mod sync_version;
mod tables;
mod tls;
