//! Parses, runs one command, prints the error, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    silverback::cli::run(std::env::args_os())
}
