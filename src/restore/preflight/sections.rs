//! Which sections a restore makes of those that were asked for.

use crate::error::{Error, Kind, Result};
use crate::restore::options::{ForeignKeys, Options, Sections};

/// Refuses sections that cannot be made alone: rows that are trusted and rows that are waited for
/// come with their tables and keys.
pub(in crate::restore) fn check_sections(options: &Options, sections: Sections) -> Result<()> {
    let option = match options.foreign_keys {
        _ if options.ready.is_early() => "--ready-early",
        ForeignKeys::Trust => "--fk trust",
        _ => return Ok(()),
    };
    if sections == Sections::ALL {
        return Ok(());
    }
    let cause = format!("{option} needs definitions, rows and keys in one run");
    Err(Error::new(Kind::Usage, "plan the restore", cause)
        .hint(format!("leave out {option}, or -a, -s and --section")))
}

#[cfg(test)]
mod tests;
