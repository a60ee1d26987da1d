//! A database with one of everything: scripts for a superuser, a file per group of kinds.
//!
//! Lines between `-- if 14` and `-- end` are for servers from 14 on, and so are those below `--
//! since 14`, up to the next such line.

/// Enums, domains, composites, ranges, base types, shells.
pub const TYPES: &str = include_str!("types.sql");
/// Functions, procedures, aggregates, languages, casts, transforms.
pub const ROUTINES: &str = include_str!("routines.sql");
/// Operators, their families and classes, access methods.
pub const OPERATORS: &str = include_str!("operators.sql");
/// Collations, conversions, text search.
pub const SEARCH: &str = include_str!("search.sql");
/// Views, rules, and objects that need each other in a circle.
pub const CYCLES: &str = include_str!("cycles.sql");
/// A column of every built-in type, and of user types, with rows.
pub const VALUES: &str = include_str!("values.sql");

/// Objects of which nothing is said that need not be.
pub const PLAIN: &str = include_str!("plain.sql");

/// The script without the lines that are for newer servers.
pub fn for_version(script: &str, version: u32) -> String {
    let (mut is_wanted, mut since) = (true, 0);
    let mut text = String::with_capacity(script.len());
    for line in script.lines() {
        if let Some(least) = line.trim_start().strip_prefix("-- if ") {
            is_wanted = least.trim().parse().is_ok_and(|least: u32| version >= least);
        } else if line.trim() == "-- end" {
            is_wanted = true;
        } else if let Some(least) = line.strip_prefix("-- since ") {
            since = least.trim().parse().unwrap_or(u32::MAX);
        } else if is_wanted && version >= since {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
