//! Options that README and docs name: ours are in the definitions of the command line, and those of
//! PostgreSQL's tools are all answered.

use std::collections::BTreeSet;
use std::process::Command;

use clap::CommandFactory;
use regex::Regex;

use super::pages;

/// The page that answers each option of PostgreSQL's tools.
const PAGE: &str = include_str!("../../../docs/from-pg_dump.md");

/// Options of programs that the pages call beside Silverback.
const OF_OTHERS: &[&str] = &["--path", "--globals-only", "--release", "--inserts", "--rows"];

/// Every option of every command of ours, short and long.
fn ours() -> BTreeSet<String> {
    fn add(command: &clap::Command, all: &mut BTreeSet<String>) {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            all.extend(argument.get_short().map(|short| format!("-{short}")));
            let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
            all.extend(longs.into_iter().map(|long| format!("--{long}")));
        }
        command.get_subcommands().for_each(|command| add(command, all));
    }
    let mut all: BTreeSet<String> =
        ["-V", "--version", "--help", "-?"].map(str::to_owned).into_iter().collect();
    add(&silverback::cli::Cli::command(), &mut all);
    all
}

/// The options in a text: at the beginning of a word.
fn options(text: &str) -> Vec<String> {
    let option =
        Regex::new(r"(?:^|[\s`(\[,/])(--[a-z][a-z-]*|-[A-Za-z?0-9])(?:[\s`=)\],/:;\[.…]|$)")
            .expect("the pattern is well-formed");
    let mut found = Vec::new();
    let mut at = 0;
    // What ends one may begin the next.
    while let Some(captures) = option.captures_at(text, at) {
        let name = captures.get(1).expect("the group is there");
        found.push(name.as_str().to_owned());
        at = name.end();
    }
    found
}

/// The spans of code of a text that call nothing but Silverback.
fn spans(text: &str) -> Vec<&str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans
        .filter(|span| {
            let word = span.split_whitespace().next().unwrap_or_default();
            let commands = ["silverback", "dump", "restore", "verify", "list", "swap", "unlock"];
            word.starts_with('-') || commands.contains(&word) || word == "kong"
        })
        .collect()
}

#[test]
fn every_option_that_is_named_exists() {
    let ours = ours();
    for (path, text) in pages() {
        // Its left columns are of others; the right one is looked at below.
        if path.ends_with("from-pg_dump.md") {
            continue;
        }
        let prose: String = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
        for span in prose.lines().flat_map(spans) {
            for option in options(span) {
                let known = ours.contains(&option) || OF_OTHERS.contains(&option.as_str());
                assert!(known, "{}: {option} in `{span}`", path.display());
            }
        }
    }
}

/// The rows of the tables that answer the options of one of PostgreSQL's tools.
fn rows(tool: &str) -> Vec<(Vec<String>, &'static str)> {
    let (_, section) = PAGE.split_once(&format!("## {tool}\n")).expect("the section is there");
    let lines = section.lines().take_while(|line| !line.starts_with("## "));
    let rows = lines.filter(|line| line.starts_with("| `-"));
    rows.map(|line| {
        let (theirs, answer) = line[2..].split_once(" | ").expect("two columns");
        (options(theirs), answer)
    })
    .collect()
}

/// The options of a tool, as its help lists them.
fn theirs(tool: &str) -> BTreeSet<String> {
    let help = if tool == "pg_dumpall" {
        // It is not among the tools that are fetched; this is the help of 18 and 19.
        include_str!("pg_dumpall.txt").to_owned()
    } else {
        let mut command = Command::new(testkit::client_tool(tool));
        let output = command.arg("--help").output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let listed = help.lines().filter(|line| line.trim_start().starts_with('-'));
    listed
        .flat_map(|line| options(line.trim_start().split("  ").next().unwrap_or_default()))
        .collect()
}

#[test]
fn every_option_of_postgresqls_tools_is_answered() {
    let ours = ours();
    for tool in ["pg_dump", "pg_restore", "pg_dumpall"] {
        let rows = rows(tool);
        let answered: BTreeSet<String> =
            rows.iter().flat_map(|(theirs, _)| theirs.clone()).collect();
        for (theirs, answer) in &rows {
            for option in answer.split('`').skip(1).step_by(2).flat_map(options) {
                let known = ours.contains(&option) || OF_OTHERS.contains(&option.as_str());
                assert!(known, "{tool} {theirs:?}: {option} in {answer}");
            }
        }
        let missing: Vec<_> = theirs(tool).difference(&answered).cloned().collect();
        assert!(missing.is_empty(), "{tool}: {missing:?}");
    }
}
