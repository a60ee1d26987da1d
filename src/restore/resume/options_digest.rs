//! A digest of what decides which objects and rows a restore makes, to tell whether another would
//! make the same, and the same as it is typed. How it works (sessions, memory, what it drops
//! before, whether it goes on after another) is no part of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use crate::pg::marker::STAGE;
use crate::restore::options::{ForeignKeys, Options, Sections, Triggers};
use crate::select::{self, Pattern, Selection};
use crate::sql::ident;

/// The digest, in hexadecimal.
pub(in crate::restore) fn of(options: &Options) -> String {
    format!("{:016x}", xxh3_64(text(options).as_bytes()))
}

/// The options as they are typed, defaults left out.
pub(in crate::restore) fn words(options: &Options) -> Vec<String> {
    let mut words = Vec::new();
    for (option, patterns) in lists(options) {
        words.extend(
            patterns
                .iter()
                .flat_map(|pattern| [select::with_children(option, pattern), pattern.to_string()]),
        );
    }
    words.extend(single(options).into_iter().flat_map(|(option, name)| [option.to_owned(), name]));
    if let Some(staged) = &options.staged {
        // Its schemas are named by what is noted of it.
        words.push(STAGE.to_owned());
        words.extend(staged.database.as_ref().map(|_| "--by-database".to_owned()));
    } else {
        words.extend(options.rename.pairs().flat_map(|(old, new)| {
            let pair = format!("{}={}", ident::quote(old), ident::quote(new));
            ["--rename-schema".to_owned(), pair]
        }));
    }
    if options.sections != Sections::ALL {
        for (section, _) in sections(options).into_iter().filter(|(_, wanted)| *wanted) {
            words.extend(["--section", section].map(str::to_owned));
        }
    }
    words.extend(
        switches(options)
            .into_iter()
            .filter(|(_, given)| *given)
            .map(|(option, _)| option.to_owned()),
    );
    let foreign_keys = match options.foreign_keys {
        ForeignKeys::Validate => None,
        ForeignKeys::NotValid => Some("not-valid"),
        ForeignKeys::Trust => Some("trust"),
    };
    words.extend(foreign_keys.into_iter().flat_map(|word| ["--fk", word]).map(str::to_owned));
    words.extend(options.afterwards.iter().map(|afterwards| afterwards.option.clone()));
    words.extend(options.render.role.iter().flat_map(|role| ["--role".to_owned(), role.clone()]));
    words
}

fn text(options: &Options) -> String {
    let mut text = String::new();
    for (option, patterns) in lists(options) {
        for family in [false, true] {
            let meant = patterns.iter().filter(|pattern| pattern.takes_children() == family);
            let mut meant: Vec<&Pattern> = meant.collect();
            meant.sort_unstable_by_key(ToString::to_string);
            let option = meant
                .first()
                .map_or_else(|| option.to_owned(), |one| select::with_children(option, one));
            let patterns: Vec<String> = meant.into_iter().map(Pattern::to_string).collect();
            if !family || !patterns.is_empty() {
                let _ = writeln!(text, "{option} {patterns:?}");
            }
        }
    }
    // A list is what it has, wherever it is kept.
    let mut single = single(options);
    single.retain(|(option, _)| *option != "-L");
    single.sort_unstable();
    for (option, name) in single {
        let _ = writeln!(text, "{option} {name:?}");
    }
    if let Some(listed) = &options.selection.listed {
        let numbers: BTreeSet<u64> = listed.numbers.iter().map(|(number, ..)| *number).collect();
        let _ = writeln!(text, "-L {numbers:?}");
    }
    for (option, _) in
        sections(options).into_iter().chain(switches(options)).filter(|(_, given)| *given)
    {
        let _ = writeln!(text, "{option}");
    }
    if let Some(staged) = &options.staged {
        let way = if staged.database.is_some() { " --by-database" } else { "" };
        let _ = writeln!(text, "{STAGE}{way}");
    }
    for (old, new) in options.rename.pairs() {
        let _ = writeln!(text, "--rename-schema {old:?} {new:?}");
    }
    let _ = writeln!(text, "--fk {:?}\n--role {:?}", options.foreign_keys, options.render.role);
    if let Some(afterwards) = &options.afterwards {
        let _ = writeln!(text, "{}", afterwards.option);
    }
    text
}

fn lists(options: &Options) -> [(&'static str, &[Pattern]); 5] {
    let Selection { tables, exclude_tables, schemas, exclude_schemas, exclude_table_data, .. } =
        &options.selection;
    [
        ("-t", tables),
        ("-T", exclude_tables),
        ("-n", schemas),
        ("-N", exclude_schemas),
        ("--exclude-table-data", exclude_table_data),
    ]
}

/// The single objects that are asked for, and the list.
fn single(options: &Options) -> Vec<(&'static str, String)> {
    let Selection { named, listed, .. } = &options.selection;
    let indexes = named.indexes.iter().map(|one| ("-I", one.to_string()));
    let functions = named.functions.iter().map(|one| ("-P", one.to_string()));
    let triggers = named.triggers.iter().map(|one| ("--trigger", one.to_string()));
    let list = listed.iter().map(|list| ("-L", list.file.clone()));
    indexes.chain(functions).chain(triggers).chain(list).collect()
}

fn sections(options: &Options) -> [(&'static str, bool); 3] {
    [
        ("pre-data", options.sections.pre_data),
        ("data", options.sections.data),
        ("post-data", options.sections.post_data),
    ]
}

fn switches(options: &Options) -> [(&'static str, bool); 15] {
    [
        ("-s", options.selection.schema_only),
        ("-a", options.selection.data_only),
        ("--no-publications", options.selection.no_publications),
        ("--no-subscriptions", options.selection.no_subscriptions),
        ("--no-policies", options.selection.no_policies),
        ("-O", options.render.no_owner),
        ("-x", options.render.no_privileges),
        ("--no-comments", options.render.no_comments),
        ("--no-security-labels", options.render.no_security_labels),
        ("--no-tablespaces", options.render.no_tablespaces),
        ("--no-analyze", options.no_analyze),
        ("--disable-triggers", options.triggers == Triggers::DisableAll),
        ("--fire-triggers", options.triggers == Triggers::Fire),
        ("--ready-early", options.ready.is_early()),
        ("--statistics", options.selection.statistics),
    ]
}
