//! Everything that knows Kong.

pub mod choice;
pub mod classes;
pub mod conf;
mod ignored;
pub mod info;
mod number;
pub mod property;
pub mod reader;
pub mod restore;
pub mod settings;
pub mod sources;
pub mod tables;
mod tls;
