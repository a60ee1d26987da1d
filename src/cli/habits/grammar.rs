//! What the parser's refusal means, in words of our own: what is wrong, and what to type.
//!
//! Knows the options of every command, not what they do.

use std::error::Error as _;
use std::path::Path;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::needs;
use crate::error::{Error, Kind};

/// What was typed: the program, the command that it begins with, and all its words.
pub(super) struct Typed<'a> {
    pub(super) program: &'a Command,
    pub(super) command: &'a Command,
    /// `dump`, `kong info`, or nothing.
    pub(super) name: String,
    pub(super) words: Vec<&'a str>,
}

pub(super) const HELP: &str = "silverback --help, or silverback -?, prints the help";

/// Edits that lead from a word to the one that was meant.
const EDITS_MAX: usize = 2;
/// A word of fewer characters begins too many others.
const BEGINNING_MIN: usize = 4;

impl Typed<'_> {
    fn help(&self) -> String {
        match self.name.as_str() {
            "" => HELP.to_owned(),
            name => format!("silverback {name} --help tells what it takes"),
        }
    }
}

/// Puts a refusal into words.
pub(super) fn explain(error: &clap::Error, typed: &Typed<'_>) -> Error {
    let (doing, cause, hint) = match error.kind() {
        ErrorKind::MissingRequiredArgument => missing(error, typed),
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::InvalidValue => value(error, typed),
        ErrorKind::ValueValidation => return refused_value(error, typed),
        ErrorKind::UnknownArgument => unknown(&text(error, ContextKind::InvalidArg), typed),
        ErrorKind::InvalidSubcommand => {
            no_command(&text(error, ContextKind::InvalidSubcommand), typed)
        }
        ErrorKind::TooManyValues => {
            let option = option(&text(error, ContextKind::InvalidArg));
            let hint = format!("write {option} alone");
            (format!("read {option}"), "it takes no value".to_owned(), hint)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            (LINE.to_owned(), "there is no command".to_owned(), typed.help())
        }
        _ => {
            let text = error.render().to_string();
            let cause = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            (LINE.to_owned(), cause.to_owned(), typed.help())
        }
    };
    Error::new(Kind::Usage, doing, cause).hint(hint)
}

const LINE: &str = "read the command line";

fn missing(error: &clap::Error, typed: &Typed<'_>) -> (String, String, String) {
    let first = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(all)) => all.first().cloned().unwrap_or_default(),
        Some(ContextValue::String(one)) => one.clone(),
        _ => String::new(),
    };
    let needed = option(&first);
    let prior = error.get(ContextKind::PriorArg).map(ToString::to_string);
    let prior = prior.or_else(|| needs::typed(&typed.name, &needed, typed.words.iter().copied()));
    if let Some(option) = prior {
        let cause = format!("it goes with {needed}");
        let hint = format!("add {needed}, or leave {option} out");
        return (format!("read {option}"), cause, hint);
    }
    let (cause, hint) = match needed.as_str() {
        "--file" => (
            "no file is named for the archive".to_owned(),
            "write silverback dump -d DBNAME -f FILE; -f - is standard output".to_owned(),
        ),
        "ARCHIVE" if typed.name == "restore" => (
            "no archive is named".to_owned(),
            "write silverback restore -d DBNAME ARCHIVE".to_owned(),
        ),
        "ARCHIVE" => {
            ("no archive is named".to_owned(), format!("write silverback {} ARCHIVE", typed.name))
        }
        _ => (format!("{needed} is missing"), typed.help()),
    };
    (LINE.to_owned(), cause, hint)
}

fn conflict(error: &clap::Error) -> (String, String, String) {
    let one = option(&text(error, ContextKind::InvalidArg));
    let other = match error.get(ContextKind::PriorArg) {
        Some(ContextValue::Strings(all)) => all.first().cloned().unwrap_or_default(),
        Some(other) => other.to_string(),
        None => {
            let hint = format!("write {one} once");
            return (format!("read {one}"), "it is given more than once".to_owned(), hint);
        }
    };
    let other = option(&other);
    if one == other {
        let hint = format!("write {one} once");
        return (format!("read {one}"), "it is given more than once".to_owned(), hint);
    }
    if [one.as_str(), other.as_str()].contains(&"DBNAME") {
        let cause = "the database is named twice, with -d and without it".to_owned();
        let hint = "name it once; the archive's file goes after -f, each table after its own -t";
        return (LINE.to_owned(), cause, hint.to_owned());
    }
    (
        LINE.to_owned(),
        format!("{one} and {other} exclude each other"),
        "give one of them".to_owned(),
    )
}

/// An option without its value, or one with another than those that there are.
fn value(error: &clap::Error, typed: &Typed<'_>) -> (String, String, String) {
    let argument = text(error, ContextKind::InvalidArg);
    let (option, given) = (option(&argument), text(error, ContextKind::InvalidValue));
    let values = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !given.is_empty() => values.clone(),
        _ => Vec::new(),
    };
    if !values.is_empty() {
        let cause = format!("it is none of {}", values.join(", "));
        let or: Vec<String> = values.iter().map(|value| format!("{option}={value}")).collect();
        let hint = if option.starts_with('-') { or.join(" or ") } else { "one of these".into() };
        return (format!("read {option} {given}"), cause, format!("write {hint}"));
    }
    if typed.words.contains(&"") {
        return (format!("read {option}"), EMPTY.to_owned(), empty(&option));
    }
    let value = argument.split_once(' ').map_or("VALUE", |(_, value)| value);
    let hint = format!("write {option} {}", value.trim_matches(['<', '>', '[', ']']));
    (format!("read {option}"), "its value is missing".to_owned(), hint)
}

const EMPTY: &str = "it is empty";

/// As a script's unset variable leaves it.
fn empty(option: &str) -> String {
    format!("give {option} a value: a variable of your script may not be set")
}

/// A value that is not taken, for the reason that its own parser gives.
fn refused_value(error: &clap::Error, typed: &Typed<'_>) -> Error {
    let option = option(&text(error, ContextKind::InvalidArg));
    let given = text(error, ContextKind::InvalidValue);
    if given.is_empty() {
        return Error::new(Kind::Usage, format!("read {option}"), EMPTY).hint(empty(&option));
    }
    let doing = format!("read {option} {given}");
    match error.source() {
        Some(source) => match source.downcast_ref::<Error>() {
            Some(own) => Error::new(Kind::Usage, doing, own.cause())
                .hint(own.hint_text().map_or_else(|| typed.help(), str::to_owned)),
            None => Error::new(Kind::Usage, doing, source.to_string()).hint(typed.help()),
        },
        None => Error::new(Kind::Usage, doing, "it is not taken").hint(typed.help()),
    }
}

/// A word that no option and no value is.
fn unknown(word: &str, typed: &Typed<'_>) -> (String, String, String) {
    let doing = format!("read {word}");
    if !word.starts_with('-') || word == "-" {
        let hint = match typed.name.as_str() {
            "dump" => "the archive's file goes after -f, and each table after its own -t",
            "restore" => "write silverback restore -d DBNAME ARCHIVE, with one archive",
            "list" | "kong info" => "name one archive at a time",
            "cat" => "the table goes after -t",
            _ => "the database goes after -d",
        };
        return (doing, "it is one word too many".to_owned(), hint.to_owned());
    }
    if typed.name.is_empty() {
        if let Some(long) = meant(word.trim_start_matches('-'), ["help", "version"].into_iter()) {
            return (doing, "there is no such option".to_owned(), format!("write --{long}"));
        }
        let hint = "begin with silverback dump, restore, verify, list or swap; --help tells more";
        return (doing, "a command comes before options".to_owned(), hint.to_owned());
    }
    if word.trim_start_matches('-').parse::<f64>().is_ok() {
        let cause = "it is taken for an option, and a number below zero is no value here";
        return (doing, cause.to_owned(), "write a number above zero".to_owned());
    }
    let others = typed.program.get_subcommands().filter(|other| takes(other, word));
    if let Some(other) = others.map(Command::get_name).next() {
        let cause = format!("that is an option of {other}");
        return (doing, cause, format!("leave it out, or see silverback {other} --help"));
    }
    let cause = "there is no such option".to_owned();
    let hint = match meant(word.trim_start_matches('-'), longs(typed.command)) {
        Some(long) if word.starts_with("--") => format!("write --{long}"),
        _ => typed.help(),
    };
    (doing, cause, hint)
}

/// A word where a command should be.
fn no_command(word: &str, typed: &Typed<'_>) -> (String, String, String) {
    let doing = format!("read {word}");
    let is_archive = Path::new(word).extension().is_some_and(|extension| extension == "sbk");
    if is_archive || Path::new(word).is_file() {
        let hint = format!("silverback list {word}, verify {word}, or restore -d DBNAME {word}");
        return (doing, "a command comes before the archive".to_owned(), hint);
    }
    let names = typed.command.get_subcommands().map(Command::get_name);
    let hint = match meant(&word.to_lowercase(), names) {
        Some(name) => format!("write silverback {} {name}", typed.name).replace("  ", " "),
        None => typed.help(),
    };
    (doing, "there is no such command".to_owned(), hint)
}

/// Of the names, the one that was meant by a word, if it is nearly the same or one begins with the
/// other.
fn meant<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |name: &str| strsim::damerau_levenshtein(word, name);
    let begins = |name: &str| {
        let shorter = name.len().min(word.len());
        shorter >= BEGINNING_MIN && (name.starts_with(word) || word.starts_with(name))
    };
    names
        .filter(|name| {
            let edits = distance(name);
            begins(name) || (edits <= EDITS_MAX && edits * 2 < name.len())
        })
        .min_by_key(|name| distance(name))
}

fn longs(command: &Command) -> impl Iterator<Item = &str> {
    command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .flat_map(|argument| argument.get_long_and_visible_aliases().unwrap_or_default())
}

fn takes(command: &Command, word: &str) -> bool {
    if let Some(long) = word.strip_prefix("--") {
        return longs(command).any(|other| other == long);
    }
    let short = word.chars().nth(1);
    let mut shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    short.is_some() && shown.any(|argument| argument.get_short() == short)
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    error.get(kind).map(ToString::to_string).unwrap_or_default()
}

/// `--jobs` of `--jobs <NUMBER>`, `ARCHIVE` of `[ARCHIVE]...`.
fn option(argument: &str) -> String {
    let word = argument.split([' ', '=']).next().unwrap_or_default();
    word.trim_end_matches('.').trim_matches(['<', '>', '[', ']']).to_owned()
}
