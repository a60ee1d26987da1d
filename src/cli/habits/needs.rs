//! Options that mean nothing without another one.
//!
//! The parser lets such an option pass where the other is excluded by a third; it would be ignored
//! in silence then.

use clap::ArgMatches;
use clap::parser::ValueSource;

/// A command, one of its options, and the option that it goes with.
pub(super) const NEEDS: &[(&str, &str, &str)] = &[
    ("restore", "json", "status"),
    ("restore", "in_place", "stage"),
    ("restore", "by_database", "stage"),
    ("restore", "if_exists", "clean"),
    ("restore", "ready_file", "ready_early"),
    ("swap", "json", "status"),
    ("swap", "yes", "back"),
];

/// An option that is typed without the one that it goes with, and that one.
pub(in crate::cli) fn unmet(matches: &ArgMatches) -> Option<(String, String)> {
    let (name, matches) = matches.subcommand()?;
    let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    NEEDS
        .iter()
        .find(|(command, option, needed)| *command == name && typed(option) && !typed(needed))
        .map(|(_, option, needed)| (long(option), long(needed)))
}

/// Of the options that go with `needed`, the one that is typed.
pub(super) fn typed<'a>(
    command: &str,
    needed: &str,
    mut words: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let needing = NEEDS.iter().filter(|(of, _, other)| *of == command && long(other) == needed);
    let options: Vec<String> = needing.map(|(_, option, _)| long(option)).collect();
    words.find_map(|word| {
        let word = word.split('=').next().unwrap_or(word);
        options.iter().find(|option| *option == word).cloned()
    })
}

fn long(id: &str) -> String {
    format!("--{}", id.replace('_', "-"))
}
