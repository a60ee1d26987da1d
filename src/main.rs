//! Parses, runs one command, prints the error, exits.

fn main() {}
