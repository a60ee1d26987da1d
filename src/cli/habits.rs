//! What is wrong with a command line, and what to type instead: above all for fingers that know
//! `pg_dump`, `pg_restore`, `psql` and the like.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::{Error, Kind};

/// A word that other programs take, and what there is to say about it.
struct Habit {
    /// The commands that it is typed with; an empty one is none at all.
    commands: &'static [&'static str],
    words: &'static [&'static str],
    cause: &'static str,
    hint: &'static str,
}

const HABITS: &[Habit] = &[
    Habit {
        commands: &["dump"],
        words: &[
            "-c",
            "--clean",
            "-C",
            "--create",
            "--if-exists",
            "--disable-triggers",
            "--section",
        ],
        cause: "that is an option of restore",
        hint: "leave it out, and give it to silverback restore: the archive holds what it needs",
    },
    Habit {
        commands: &["dump"],
        words: &["-B", "--no-large-objects", "--no-blobs"],
        cause: "large objects are dumped with the database",
        hint: "leave it out; -s dumps no rows and no large objects' bytes, -t and -n choose",
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
        commands: &["restore"],
        words: &["-l", "--list"],
        cause: "that is a command of its own",
        hint: "silverback list ARCHIVE shows what an archive holds",
    },
    Habit {
        commands: &["restore"],
        words: &["-L", "--use-list"],
        cause: "a restore takes no list",
        hint: "choose with -t, -T, -n, -N or --section",
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
        commands: &["dump", "restore", "kong", "unlock", "swap"],
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

const HELP: &str = "silverback --help, or silverback -?, prints the help";

/// Says of what the parser refused what is wrong and what to type.
pub(super) fn explain(error: &clap::Error, words: &[OsString]) -> Error {
    let command = command(words);
    if let Some((word, habit)) = habit(error, command) {
        return Error::new(Kind::Usage, format!("read {word}"), habit.cause).hint(habit.hint);
    }
    if refused(error).is_some_and(|word| word.contains("://") || word.contains("password=")) {
        // Not repeated: it may hold a password.
        let cause = "a database's address stands where none is expected";
        return Error::new(Kind::Usage, "read the command line", cause)
            .hint("name the database once, with -d");
    }
    let help = match command {
        "" => HELP.to_owned(),
        command => format!("silverback {command} --help tells what it takes"),
    };
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::new(Kind::Usage, "read the command line", "there is no command").hint(help);
    }
    let text = error.render().to_string();
    let mut lines = text.lines();
    let cause: Vec<&str> =
        lines.by_ref().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let cause = cause.join(" ");
    let cause = cause.trim_start_matches("error: ");
    // Of the parser's tips, one is wrong more often than not: that the word be a value.
    let mut tips = lines.filter_map(|line| line.trim().strip_prefix("tip: "));
    let hint = tips.find(|tip| !tip.contains("'-- ")).map_or(help, str::to_owned);
    Error::new(Kind::Usage, "read the command line", cause).hint(hint)
}

/// The command that is typed, or nothing.
fn command(words: &[OsString]) -> &str {
    const COMMANDS: [&str; 10] = [
        "dump", "restore", "unlock", "verify", "list", "cat", "swap", "kong", "completion", "man",
    ];
    let first = words.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    COMMANDS.into_iter().find(|command| *command == first).unwrap_or_default()
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
        // No value: what is named is the option with what it takes.
        ErrorKind::InvalidValue if context(ContextKind::InvalidValue)?.is_empty() => {
            context(ContextKind::InvalidArg)?.split(' ').next()
        }
        _ => None,
    }
}

/// The word that is not taken, and what is known about it.
fn habit(error: &clap::Error, command: &str) -> Option<(String, &'static Habit)> {
    let word = refused(error)?;
    let habit = HABITS
        .iter()
        .find(|habit| habit.commands.contains(&command) && habit.words.contains(&word))?;
    Some((word.to_owned(), habit))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::{Cli, read};

    fn explained(line: &str) -> Error {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        explain(&read(&words).expect_err(line), &words)
    }

    #[test]
    fn every_habit_is_answered() {
        for habit in HABITS {
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
        assert_eq!(
            explained("silverback dump -h -f x").cause(),
            "-h is the host, and none follows"
        );
    }

    #[test]
    fn nothing_is_bare() {
        let check = |line: &str, cause: &str, hint: &str| {
            let error = explained(&format!("silverback {line}"));
            let told = error.hint_text().unwrap_or_default();
            assert!(error.cause().contains(cause) && told.contains(hint), "{line}: {error} {told}");
            assert!(!told.contains("-- -"), "{line}: {told}");
        };
        check("dump", "--file <FILE>", "silverback dump --help");
        check("dump -f x --no-owners", "'--no-owners'", "'--no-owner'");
        check("verify a -Z", "'-Z'", "silverback verify --help");
        check("restore x -j abc", "a number from 1 to 256", "silverback restore --help");
        check("dump -f x -j 0", "a number from 1 to 256", "silverback dump --help");
        check("undump", "'undump'", "");
        check("--nothing", "'--nothing'", "silverback --help");
        check("kong", "", "");
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
    }

    #[test]
    fn every_command_is_known() {
        for known in Cli::command().get_subcommands() {
            let words = [OsString::from("silverback"), known.get_name().into()];
            assert_eq!(command(&words), known.get_name());
        }
    }
}
