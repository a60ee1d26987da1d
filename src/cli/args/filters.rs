//! What filter files mean: each entry is as good as an option.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::filter::{self, Entry};
use crate::error::{Error, Kind, Result};
use crate::select::{Pattern, Selection, Signature, TriggerName};

/// More is no list of patterns.
const FILE_BYTES_MAX: u64 = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// For which command a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum For {
    Dump,
    Restore,
}

/// Adds what the files say.
pub(in crate::cli) fn add(files: &[PathBuf], of: For, selection: &mut Selection) -> Result<()> {
    for file in files {
        let name = file.display().to_string();
        let text = read("the filter file", file)?;
        for entry in filter::parse(&name, &text)? {
            let line = entry.line;
            add_entry(entry, &format!("{name}, line {line}"), of, selection)
                .map_err(|error| error.within(filter::place(&name, line)))?;
        }
    }
    Ok(())
}

/// Reads a file of text, or standard input for `-`; `what` names it in an error.
pub(in crate::cli) fn read(what: &str, path: &Path) -> Result<String> {
    let doing = || format!("read {what} {}", path.display());
    let failed = |source: std::io::Error| {
        Error::new(Kind::File, doing(), source.to_string()).with_source(source)
    };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    }
    .map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let cause = format!("it is longer than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(Error::new(Kind::Usage, doing(), cause));
    }
    // Some editors begin a file so.
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        Error::new(Kind::Usage, doing(), format!("line {line} is not valid UTF-8"))
    })
}

fn add_entry(entry: Entry, place: &str, of: For, selection: &mut Selection) -> Result<()> {
    let Entry { include, of: what, pattern, .. } = entry;
    let text = pattern.as_str();
    let table = || Pattern::table(text).map(|pattern| pattern.read_at(place));
    let schema = || Pattern::schema(text).map(|pattern| pattern.read_at(place));
    let extension = || Pattern::extension(text).map(|pattern| pattern.read_at(place));
    let Selection { tables, exclude_tables, schemas, exclude_schemas, .. } = selection;
    let (dumps, restores) = (of == For::Dump, of == For::Restore);
    match (include, what) {
        (true, "table") => tables.push(table()?),
        (true, "table_and_children") => tables.push(table()?.and_children()),
        (false, "table") => exclude_tables.push(table()?),
        (false, "table_and_children") => {
            exclude_tables.push(table()?.and_children());
        }
        (true, "schema") => schemas.push(schema()?),
        (false, "schema") => exclude_schemas.push(schema()?),
        (false, "table_data") => selection.exclude_table_data.push(table()?),
        (false, "table_data_and_children") => {
            selection.exclude_table_data.push(table()?.and_children());
        }
        (true, "extension") if dumps => selection.extensions.push(extension()?),
        (false, "extension") if dumps => {
            selection.exclude_extensions.push(extension()?);
        }
        (true, "function") if restores => {
            selection.named.functions.push(Signature::parse(text)?.read_at(place));
        }
        (true, "index") if restores => selection.named.indexes.push(table()?),
        (true, "trigger") if restores => {
            selection.named.triggers.push(TriggerName::parse(text)?.read_at(place));
        }
        (include, what) => return Err(refused(include, what, of)),
    }
    Ok(())
}

fn refused(include: bool, what: &str, of: For) -> Error {
    let command = if include { "include" } else { "exclude" };
    let program = if of == For::Dump { "dump" } else { "restore" };
    let cause = match what {
        "foreign_data" => "the rows of foreign tables are not dumped".to_owned(),
        "database" => "an archive holds one database".to_owned(),
        _ => format!("{command} {what} is nothing that a {program} takes"),
    };
    let hint = match (what, of) {
        ("foreign_data", _) => "dump them where they are stored",
        ("database", _) => "name the database with -d",
        ("table_data" | "table_data_and_children", _) => "take the table, or exclude its data",
        ("extension", For::Restore) => "choose extensions with restore -L, or when dumping",
        ("function" | "index" | "trigger", For::Dump) => "dump its table, or its schema",
        ("function" | "index" | "trigger", For::Restore) => "leave it out with restore -L",
        _ => "leave the line out",
    };
    Error::new(Kind::Usage, format!("read {command} {what}"), cause).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_command_takes() {
        let check = |line: &str, of: For, expect: Option<&str>| {
            let entry = filter::parse("f", line).unwrap().remove(0);
            let added = add_entry(entry, "f, line 1", of, &mut Selection::default());
            let told = added.err().map(|error| error.to_string());
            assert_eq!(told.is_none(), expect.is_none(), "{line}: {told:?}");
            let told = told.unwrap_or_default();
            assert!(told.contains(expect.unwrap_or_default()), "{line}: {told}");
        };
        for of in [For::Dump, For::Restore] {
            for what in ["table", "table_and_children", "schema"] {
                check(&format!("include {what} x"), of, None);
                check(&format!("exclude {what} x"), of, None);
            }
            check("exclude table_data x", of, None);
            check("exclude table_data_and_children x", of, None);
            check("include table_data x", of, Some("nothing that"));
            check("include foreign_data x", of, Some("foreign tables"));
            check("exclude foreign_data x", of, Some("foreign tables"));
            check("exclude database x", of, Some("one database"));
        }
        let only = |line: &str, of: For, other: For| {
            check(line, of, None);
            check(line, other, Some("nothing that a"));
        };
        only("include extension x", For::Dump, For::Restore);
        only("exclude extension x", For::Dump, For::Restore);
        only("include function x()", For::Restore, For::Dump);
        only("include index x", For::Restore, For::Dump);
        only("include trigger x", For::Restore, For::Dump);
        check("exclude index x", For::Restore, Some("nothing that a restore takes"));
        check("include function x", For::Restore, Some("brackets"));
        check("include table a.b.c.d", For::Dump, Some("three parts"));
    }
}
