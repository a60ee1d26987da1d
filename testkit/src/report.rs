//! Two databases and the lists of their archives, side by side.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde_json::Value;

use crate::{Options, connect, print, usage};

/// Prints every table with its rows, its digest in the archives and its hash in the databases, and
/// whether source and copy agree.
pub(crate) fn compare(options: &Options) -> ExitCode {
    match sides(options) {
        Ok((left, right)) => report(&left, &right),
        Err(code) => code,
    }
}

/// One database: its tables by the server's own count and hash, and by what the list of its archive
/// says.
struct Side {
    live: BTreeMap<String, (u64, String)>,
    archived: BTreeMap<String, (u64, String)>,
}

fn sides(options: &Options) -> Result<(Side, Side), ExitCode> {
    let side = |url: &str, list: &str| -> Result<Side, ExitCode> {
        let client = connect(options, url)?;
        let text = options
            .get(list)
            .and_then(|path| std::fs::read_to_string(path).ok())
            .ok_or_else(|| usage(&format!("{list} FILE is missing")))?;
        let archived = archived(&text)
            .ok_or_else(|| usage(&format!("{list}: not the JSON of silverback list")))?;
        Ok(Side { live: testkit::digests_by(&client), archived })
    };
    Ok((side("--left", "--left-list")?, side("--right", "--right-list")?))
}

fn archived(text: &str) -> Option<BTreeMap<String, (u64, String)>> {
    let list: Value = serde_json::from_str(text).ok()?;
    let tables = list.get("tables")?.as_array()?.iter();
    tables
        .map(|table| {
            Some((
                table.get("name")?.as_str()?.to_owned(),
                (table.get("rows")?.as_u64()?, table.get("digest")?.as_str()?.to_owned()),
            ))
        })
        .collect()
}

fn report(left: &Side, right: &Side) -> ExitCode {
    let mut names: Vec<&String> = [left, right]
        .iter()
        .flat_map(|side| side.live.keys().chain(side.archived.keys()))
        .collect();
    names.sort();
    names.dedup();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
    print(&format!(
        "{:width$}  {:>9}  {:32}  {:>26}",
        "table", "rows", "digest in both archives", "hash in both databases"
    ));
    let (mut rows, mut wrong) = (0, 0);
    for name in &names {
        let all = [
            left.live.get(*name),
            right.live.get(*name),
            left.archived.get(*name),
            right.archived.get(*name),
        ];
        let [Some(live), Some(live_copy), Some(stored), Some(stored_copy)] = all else {
            wrong += 1;
            print(&format!(
                "{name:width$}  MISSING: database {}, copy {}, archive {}, archive of the copy {}",
                have(all[0]),
                have(all[1]),
                have(all[2]),
                have(all[3])
            ));
            continue;
        };
        let same = live == live_copy && stored == stored_copy && live.0 == stored.0;
        rows += live.0;
        if same {
            print(&format!("{name:width$}  {:>9}  {:32}  {:>26}", live.0, stored.1, live.1));
        } else {
            wrong += 1;
            print(&format!(
                "{name:width$}  DIFFERENT: databases {live:?} and {live_copy:?}, archives \
                 {stored:?} and {stored_copy:?}"
            ));
        }
    }
    print(&format!(
        "\n{} tables, {rows} rows: {}",
        names.len(),
        if wrong == 0 { "all equal".to_owned() } else { format!("{wrong} DIFFERENT") }
    ));
    if wrong == 0 && !names.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn have(side: Option<&(u64, String)>) -> &'static str {
    if side.is_some() { "has it" } else { "has it not" }
}
