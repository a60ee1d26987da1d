use std::collections::HashSet;

use clap::CommandFactory;

use super::*;
use crate::cli::{Cli, read};

fn explained(line: &str) -> Error {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    explain(&read(&words).expect_err(line), &words, &Cli::command())
}

#[test]
fn every_habit_is_answered() {
    for habit in HABITS.iter().chain(peers::PEERS) {
        for (command, word) in
            habit.commands.iter().flat_map(|c| habit.words.iter().map(move |w| (c, w)))
        {
            let line = format!("silverback {command} {word}").replace("  ", " ");
            let error = explained(&line);
            assert_eq!(
                (error.cause(), error.hint_text()),
                (habit.cause, Some(habit.hint)),
                "{line}"
            );
            assert!(habit.hint.len() < 100, "{line}");
        }
    }
    assert_eq!(explained("silverback dump -h -f x").cause(), "-h is the host, and none follows");
}

#[test]
fn a_word_is_answered_once() {
    let mut seen = HashSet::new();
    for habit in HABITS.iter().chain(peers::PEERS) {
        for command in habit.commands {
            for word in habit.words {
                assert!(seen.insert((command, word)), "{command} {word}");
            }
        }
    }
}

#[test]
fn nothing_is_bare() {
    let check = |line: &str, cause: &str, hint: &str| {
        let error = explained(&format!("silverback {line}"));
        let told = error.hint_text().unwrap_or_default();
        assert!(error.cause().contains(cause) && told.contains(hint), "{line}: {error} {told}");
        assert!(!told.contains("-- -"), "{line}: {told}");
    };
    check("dump", "no file is named", "silverback dump -d DBNAME -f FILE");
    check("dump -f x --no-owners", "no such option", "write --no-owner");
    check("dump -f x --exclude-tables=a", "no such option", "write --exclude-table");
    check("dump -f x --ignore", "tables are left out with -T", "-T TABLE");
    check("dump -f x --no-such-thing", "no such option", "silverback dump --help");
    check("verify a -Z", "that is an option of dump", "silverback dump --help");
    check("restore x -j abc", "a number from 1 to 256", "silverback restore --help");
    check("dump -f x -j 0", "a number from 1 to 256", "silverback dump --help");
    check("restore x --fk off", "none of validate, not-valid, trust", "--fk=validate or");
    check("restore x -j 2 -j 3", "more than once", "write --jobs once");
    check("dump -f x -j", "its value is missing", "write --jobs NUMBER");
    check("restore x --if-exists", "it goes with --clean", "add --clean");
    check("restore x --json", "it goes with --status", "add --status");
    check("restore x --in-place -c", "it goes with --stage", "add --stage");
    check("dump -f x -t a.b.c.d", "more than three parts", "schema.table");
    check("dump -f x -s -a", "--schema-only and --data-only exclude each other", "one of them");
    check("dump shop other -f x", "one word too many", "goes after -f");
    check("kong info a b", "one word too many", "one archive");
    check("restore a.sbk b.sbk", "one word too many", "-d DBNAME ARCHIVE");
    check("undump", "there is no such command", "silverback --help");
    check("restroe", "there is no such command", "write silverback restore");
    check("a.sbk", "a command comes before", "restore -d DBNAME a.sbk");
    check("kong infos", "there is no such command", "write silverback kong info");
    check("--nothing", "a command comes before options", "silverback dump");
    check("kong", "there is no command", "silverback kong --help");
}

#[test]
fn no_password_is_repeated() {
    for line in [
        "dump shop postgres://u:hunter2@h/x -f y",
        "restore a.sbk postgres://u:hunter2@h/x",
        "restore a.sbk password=hunter2",
        "postgres://u:hunter2@h/x",
    ] {
        let error = explained(&format!("silverback {line}"));
        assert!(!format!("{error:?}").contains("hunter2"), "{line}: {error}");
        assert_eq!(error.hint_text(), Some("name the database once, with -d"), "{line}");
    }
    for line in [
        "dump --password=hunter2 -d shop -f y",
        "dump --password hunter2 -d shop -f y",
        "restore a.sbk --password hunter2",
        "restore a.sbk --passwd=hunter2",
        "kong info a.sbk --password hunter2",
    ] {
        let error = explained(&format!("silverback {line}"));
        assert!(!format!("{error:?}").contains("hunter2"), "{line}: {error}");
        assert_eq!(error.hint_text(), Some(peers::PASSWORDS.hint), "{line}");
    }
}

#[test]
fn what_goes_with_another_is_named_as_it_is() {
    let program = Cli::command();
    for (command, option, needed) in needs::NEEDS {
        let command = program.find_subcommand(command).expect("a command");
        let has = |id: &str| command.get_arguments().any(|argument| argument.get_id() == id);
        assert!(has(option) && has(needed), "{option} {needed}");
    }
}
