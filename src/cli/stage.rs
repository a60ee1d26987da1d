//! `silverback restore --stage`: what it refuses, and what it says at its end.

use serde_json::{Value, json};

use super::args::kong::KongArgs;
use super::args::selection::SelectionArgs;
use crate::error::{Error, Kind, Result};
use crate::pg::swap_state::SchemaPair;
use crate::progress::{Level, Progress};
use crate::sql::ident;
use crate::swap::stage::{Copy, Prepared};

/// What a signal leaves is not known here: it may have come before the first statement.
pub(super) const STOPPED: &str = "the live objects are untouched; a stage that had begun goes on \
    with --resume, or is dropped with silverback swap --drop-old; silverback swap --status tells \
    what is staged";

/// Refuses what makes no sense with it, with the way that does.
pub(super) fn check(selection: &SelectionArgs, kong: &KongArgs) -> Result<()> {
    let refuse = |option: &str, cause: &str, hint: &str| {
        Err(Error::new(Kind::Usage, format!("read {option}"), cause).hint(hint))
    };
    if selection.choose_tables() {
        return refuse(
            "-t",
            "single tables are not staged: what refers to them would stay with the live ones",
            "choose schemas (-n, -N), and leave tables out with -T",
        );
    }
    if selection.choose_named() {
        return refuse(
            "-I, -P or --trigger",
            "single objects are not staged",
            "choose schemas (-n, -N), and leave tables out with -T",
        );
    }
    if selection.choose_rows() {
        return refuse(
            "--exclude-table-data",
            "a table without its rows would become live",
            "leave the table out with -T: what is live stays then",
        );
    }
    if kong.bump_sync_version.is_some() {
        return refuse(
            "--bump-sync-version",
            "what is live when the copies are exchanged decides the version",
            "give it to silverback swap",
        );
    }
    Ok(())
}

/// What is to be done now.
pub(super) fn words(copy: &Copy) -> String {
    let place = match copy {
        Copy::Schemas(pairs) => {
            let names: Vec<String> = pairs.iter().map(|pair| ident::quote(&pair.away)).collect();
            let plural = if names.len() == 1 { "schema" } else { "schemas" };
            format!("stands in {plural} {}", names.join(", "))
        }
        Copy::Database(name) => format!("is database {}", ident::quote(name)),
    };
    format!(
        "the copy {place}, and nothing live was changed: silverback swap makes it live, silverback \
         swap --drop-old drops it"
    )
}

/// Why the copy stands in a database of its own.
pub(super) fn why(prepared: &Prepared, progress: &dyn Progress) {
    if let Some(why) = &prepared.why {
        let text = format!(
            "the copy is made in a database of its own (--by-database), for it could not be \
             exchanged in place: {why}"
        );
        progress.message(Level::Info, &text);
    }
}

/// Where the copy is, for machines.
pub(super) fn as_json(copy: &Copy) -> Value {
    let pair = |pair: &SchemaPair| json!({ "live": pair.live, "away": pair.away });
    match copy {
        Copy::Schemas(pairs) => pairs.iter().map(pair).collect(),
        Copy::Database(name) => json!({ "database": name }),
    }
}
