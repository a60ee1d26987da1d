//! `silverback completion` and `silverback man`: what a shell and a reader of manuals want to know.
//!
//! Both are made of the same definitions as the help.

use std::io;
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::command::Outcome;
use super::text::stdio;
use crate::error::{Error, Result};

/// Print completions for a shell
#[derive(Args, Debug)]
pub(super) struct CompletionArgs {
    /// The shell: bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    shell: Shell,
}

/// Print the man page, or write the man pages of all commands into a directory
#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// Write all man pages into this directory
    #[arg(value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// Prints what makes a shell complete the words of `program`.
pub(super) fn complete(args: &CompletionArgs, mut program: Command) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, NAME, &mut script);
    print(&script)
}

/// Prints or writes man pages of `program`.
pub(super) fn manual(args: &ManArgs, program: Command) -> Result<Outcome> {
    if let Some(directory) = &args.directory {
        clap_mangen::generate_to(program, directory).map_err(|error| {
            let missing = error.kind() == io::ErrorKind::NotFound;
            let error = Error::file(format!("write to {}", directory.display()), error);
            if missing { error.hint("create the directory first") } else { error }
        })?;
        return Ok(Outcome::Done);
    }
    let mut page = Vec::new();
    Man::new(program)
        .render(&mut page)
        .map_err(|error| Error::file("render the man page", error))?;
    print(&page)
}

const NAME: &str = "silverback";

fn print(text: &[u8]) -> Result<Outcome> {
    stdio::print(&String::from_utf8_lossy(text))?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_command_has_its_page_and_is_completed() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let args = ManArgs { directory: Some(directory.path().to_owned()) };
        manual(&args, Cli::command()).expect("written");
        let page = |name: &str| {
            std::fs::read_to_string(directory.path().join(format!("{name}.1"))).expect("a page")
        };
        let mut script = Vec::new();
        clap_complete::generate(Shell::Bash, &mut Cli::command(), NAME, &mut script);
        let script = String::from_utf8(script).expect("UTF-8");
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let text = page(&format!("silverback-{name}"));
            let longs = command.get_arguments().filter(|argument| !argument.is_hide_set());
            for long in longs.filter_map(clap::Arg::get_long) {
                assert!(text.contains(&long.replace('-', "\\-")), "{name} --{long}");
                assert!(script.contains(&format!("--{long}")), "{name} --{long}");
            }
        }
        assert!(page("silverback").contains("no session could be opened"));
        assert!(page("silverback-kong-info").contains("workspaces") || script.contains("info"));
        let missing = ManArgs { directory: Some(directory.path().join("none")) };
        let error = manual(&missing, Cli::command()).expect_err("no such directory");
        assert_eq!(error.hint_text(), Some("create the directory first"));
    }
}
