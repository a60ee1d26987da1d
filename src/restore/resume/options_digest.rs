//! A digest of what decides which objects and rows a restore makes, to tell whether another would
//! make the same, and the same as it is typed. How it works (sessions, memory, what it drops
//! before, whether it goes on after another) is no part of it.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use crate::pg::marker::STAGE;
use crate::restore::options::{ForeignKeys, Options, Sections, Triggers};
use crate::select::{Pattern, Selection};
use crate::sql::ident;

/// The digest, in hexadecimal.
pub(in crate::restore) fn of(options: &Options) -> String {
    format!("{:016x}", xxh3_64(text(options).as_bytes()))
}

/// The options as they are typed, defaults left out.
pub(in crate::restore) fn words(options: &Options) -> Vec<String> {
    let mut words = Vec::new();
    for (option, patterns) in lists(options) {
        words.extend(patterns.iter().flat_map(|pattern| [option.to_owned(), pattern.to_string()]));
    }
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
        let mut patterns: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
        patterns.sort_unstable();
        let _ = writeln!(text, "{option} {patterns:?}");
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

fn sections(options: &Options) -> [(&'static str, bool); 3] {
    [
        ("pre-data", options.sections.pre_data),
        ("data", options.sections.data),
        ("post-data", options.sections.post_data),
    ]
}

fn switches(options: &Options) -> [(&'static str, bool); 14] {
    [
        ("-s", options.selection.schema_only),
        ("-a", options.selection.data_only),
        ("--no-publications", options.selection.no_publications),
        ("--no-subscriptions", options.selection.no_subscriptions),
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
