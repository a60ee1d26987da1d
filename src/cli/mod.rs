//! What the user typed, turned into what the program needs; one file a command.

pub mod connection;
