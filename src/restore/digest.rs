//! A digest of what decides which objects and rows a restore makes, to tell whether another would make the same. How it works (sessions,
//! memory, what it drops before) is no part of it.

use std::fmt::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use super::Options;
use crate::pg::select::{Pattern, Selection};

/// The digest, in hexadecimal.
pub(super) fn of(options: &Options) -> String {
    format!("{:016x}", xxh3_64(text(options).as_bytes()))
}

fn text(options: &Options) -> String {
    let Selection { tables, exclude_tables, schemas, exclude_schemas, exclude_table_data, .. } = &options.selection;
    let lists =
        [("-t", tables), ("-T", exclude_tables), ("-n", schemas), ("-N", exclude_schemas), ("--exclude-table-data", exclude_table_data)];
    let mut text = String::new();
    for (option, patterns) in lists {
        let mut patterns: Vec<String> = patterns.iter().map(Pattern::to_string).collect();
        patterns.sort_unstable();
        let _ = writeln!(text, "{option} {patterns:?}");
    }
    let switches = [
        ("pre-data", options.sections.pre_data),
        ("data", options.sections.data),
        ("post-data", options.sections.post_data),
        ("-s", options.selection.schema_only),
        ("-a", options.selection.data_only),
        ("--no-publications", options.selection.no_publications),
        ("--no-subscriptions", options.selection.no_subscriptions),
        ("-O", options.no_owner),
        ("-x", options.no_privileges),
        ("--no-comments", options.no_comments),
        ("--no-security-labels", options.no_security_labels),
        ("--no-tablespaces", options.no_tablespaces),
        ("--no-analyze", options.no_analyze),
        ("--disable-triggers", options.disable_triggers),
        ("--fire-triggers", options.fire_triggers),
        ("--ready-early", options.ready_early),
        ("--statistics", options.selection.statistics),
    ];
    for (option, _) in switches.into_iter().filter(|(_, given)| *given) {
        let _ = writeln!(text, "{option}");
    }
    let _ = writeln!(text, "--fk {:?}\n--role {:?}", options.foreign_keys, options.role);
    text
}
