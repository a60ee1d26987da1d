//! What is wrong with a command line, and what to type instead: above all for fingers that know
//! `pg_dump`, `pg_restore`, `psql` and the like.

mod grammar;
mod habit;
pub(super) mod needs;
mod peers;

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use self::grammar::{HELP, Typed};
use self::habit::Habit;
use crate::error::{Error, Kind};

const HABITS: &[Habit] = &[
    Habit {
        commands: &["dump"],
        words: &["-c", "--clean", "-C", "--create", "--if-exists", "--disable-triggers"],
        cause: "that is an option of restore",
        hint: "leave it out, and give it to silverback restore: the archive holds what it needs",
    },
    Habit {
        commands: &["dump"],
        words: &[
            "--inserts",
            "--column-inserts",
            "--attribute-inserts",
            "--rows-per-insert",
            "--on-conflict-do-nothing",
        ],
        cause: "an archive holds rows, not statements",
        hint: "leave it out; pg_dump writes INSERTs",
    },
    Habit {
        commands: &["dump"],
        words: &["-E", "--encoding"],
        cause: "rows are dumped in the database's own encoding",
        hint: "leave it out",
    },
    Habit {
        commands: &["dump"],
        words: &["-I", "--index", "--function", "--trigger"],
        cause: "that is an option of restore",
        hint: "dump the table, and give it to silverback restore",
    },
    Habit {
        commands: &["restore"],
        words: &["-b", "--large-objects", "-B", "--no-large-objects", "--no-unlogged-table-data"],
        cause: "that is an option of dump",
        hint: "leave it out, or choose with restore -l and -L",
    },
    Habit {
        commands: &["restore"],
        words: &["-1", "--single-transaction"],
        cause: "a restore works in several sessions, which cannot share a transaction",
        hint: "leave it out; --resume goes on where a restore was stopped",
    },
    Habit {
        commands: &["verify", "list"],
        words: &["-f", "--file"],
        cause: "the archive is named without it",
        hint: "leave -f out and name the archive alone",
    },
    Habit {
        commands: &["list"],
        words: &["-l", "--list"],
        cause: "list does that already",
        hint: "leave it out",
    },
    Habit {
        commands: &["verify", "list", "cat"],
        words: &["-d", "--dbname", "-h", "--host", "-p", "--port", "-U", "--username"],
        cause: "an archive is read without a server",
        hint: "leave it out",
    },
    Habit {
        commands: &["dump", "restore", "kong", "kong info", "unlock", "swap"],
        words: &["--host"],
        cause: "-h is the host, and none follows",
        hint: "name one; the help is --help or -?",
    },
    Habit {
        commands: &[""],
        words: &["-h"],
        cause: "-h is the host, an option of commands",
        hint: HELP,
    },
    Habit {
        commands: &[""],
        words: &["version", "-v"],
        cause: "there is no such command or option",
        hint: "silverback --version tells the version",
    },
    Habit {
        commands: &[""],
        words: &["backup", "export", "save"],
        cause: "there is no such command",
        hint: "silverback dump writes a database into an archive",
    },
    Habit {
        commands: &[""],
        words: &["roles", "users"],
        cause: "there is no such command",
        hint: "silverback globals writes roles and tablespaces, silverback dump a database",
    },
    Habit {
        commands: &[""],
        words: &["import", "load"],
        cause: "there is no such command",
        hint: "silverback restore brings an archive into a database",
    },
    Habit {
        commands: &[""],
        words: &["check", "test"],
        cause: "there is no such command",
        hint: "silverback verify checks that archives are intact",
    },
    Habit {
        commands: &[""],
        words: &["ls", "show", "describe", "get", "inspect"],
        cause: "there is no such command",
        hint: "silverback list shows what an archive holds",
    },
];

/// Says of what the parser refused what is wrong and what to type. `program` is the whole of what
/// may be typed.
pub(super) fn explain(error: &clap::Error, words: &[OsString], program: &Command) -> Error {
    let typed = typed(program, words);
    if let Some((word, habit)) = habit(error, &typed) {
        return Error::new(Kind::Usage, format!("read {word}"), habit.cause).hint(habit.hint);
    }
    if holds_address(error) {
        // Not repeated: it may hold a password.
        let cause = "a database's address stands where none is expected";
        return Error::new(Kind::Usage, "read the command line", cause)
            .hint("name the database once, with -d");
    }
    grammar::explain(error, &typed)
}

/// What was typed, by the commands that the words begin with.
fn typed<'a>(program: &'a Command, words: &'a [OsString]) -> Typed<'a> {
    let words: Vec<&str> = words.iter().skip(1).filter_map(|word| word.to_str()).collect();
    let command = words.first().and_then(|word| program.find_subcommand(word));
    let within = command.and_then(|command| command.find_subcommand(words.get(1)?));
    let names = command.into_iter().chain(within).map(Command::get_name);
    let name = names.collect::<Vec<_>>().join(" ");
    Typed { program, command: within.or(command).unwrap_or(program), name, words }
}

/// The word that is not taken.
fn refused(error: &clap::Error) -> Option<&str> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => context(ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => context(ContextKind::InvalidSubcommand),
        ErrorKind::TooManyValues => context(ContextKind::InvalidArg)?.split(' ').next(),
        // No value: what is named is the option with what it takes.
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue)?.is_empty() => {
            context(ContextKind::InvalidArg)?.split(' ').next()
        }
        _ => None,
    }
}

fn holds_address(error: &clap::Error) -> bool {
    refused(error).is_some_and(|word| word.contains("://") || word.contains("password="))
}

/// The word that is not taken, and what is known about it.
fn habit(error: &clap::Error, typed: &Typed<'_>) -> Option<(String, &'static Habit)> {
    if let Some(word) = password(error, typed) {
        return Some((word.to_owned(), &peers::PASSWORDS));
    }
    let word = refused(error)?;
    let habit = (HABITS.iter().chain(peers::PEERS)).find(|habit| {
        habit.commands.contains(&typed.name.as_str()) && habit.words.contains(&word)
    })?;
    Some((word.to_owned(), habit))
}

/// The option after which a password was typed: nothing of it may be repeated.
fn password<'a>(error: &clap::Error, typed: &Typed<'a>) -> Option<&'a str> {
    let of_value = [
        ErrorKind::UnknownArgument,
        ErrorKind::ArgumentConflict,
        ErrorKind::TooManyValues,
        ErrorKind::InvalidValue,
    ];
    if !of_value.contains(&error.kind())
        || !peers::PASSWORDS.commands.contains(&typed.name.as_str())
    {
        return None;
    }
    let is_option = |word: &str| peers::PASSWORDS.words.contains(&word);
    let with_value = typed.words.iter().filter_map(|word| word.split_once('='));
    let mut with_value = with_value.map(|(option, _)| option).filter(|option| is_option(option));
    let mut before_value =
        typed.words.windows(2).filter(|pair| is_option(pair[0]) && !pair[1].starts_with('-'));
    with_value.next().or_else(|| before_value.next().map(|pair| pair[0]))
}

#[cfg(test)]
mod tests;
