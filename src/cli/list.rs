//! `silverback list`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::output::{self, LogFormat};
use super::units::{self, printable};
use super::{Outcome, table};
use crate::archive::Archive;
use crate::archive::manifest::{Manifest, Object, ObjectKind, Section};
use crate::error::Result;
use crate::pg::{ident, render};

/// The version of the JSON; fields may be added within one version.
const SCHEMA_VERSION: u32 = 1;

/// Show what an archive holds
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// The archive
    #[arg(value_name = "ARCHIVE")]
    archive: PathBuf,
    /// Print it as JSON
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    /// Print the definitions as SQL, to be read
    #[arg(long)]
    sql: bool,
    /// Write errors as text or as one JSON object a line
    #[arg(long, value_name = "text|json", value_enum, default_value_t, hide_possible_values = true)]
    pub(super) log_format: LogFormat,
}

pub(super) fn run(args: &ListArgs) -> Result<Outcome> {
    let archive = Archive::<File>::open_path(&args.archive)?;
    let text = if args.json {
        format!("{:#}\n", as_json(&archive))
    } else if args.sql {
        let sql = as_sql(&archive.manifest);
        // A terminal obeys control characters, wherever they come from.
        if std::io::stdout().is_terminal() { units::printable_text(&sql) } else { sql }
    } else {
        as_text(&archive)
    };
    output::print(&text)?;
    Ok(Outcome::Done)
}

fn as_text<R>(archive: &Archive<R>) -> String {
    let Manifest { source, objects, not_carried, statistics, .. } = &archive.manifest;
    let footer = &archive.footer;
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<12}{}", printable(value));
    };
    line("archive", &format!("{}, {}, {}", archive.name, units::bytes(footer.total_bytes), archive.header.archive));
    line("root", &footer.root.to_string());
    line("written by", &source.tool);
    line("database", &format!("{} on PostgreSQL {}", ident::quote(&source.database), source.server_version));
    let version = source.collation_version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let provider = match source.locale_provider.as_str() {
        "c" => "libc",
        "i" => "ICU",
        "b" => "builtin",
        other => other,
    };
    line("encoding", &format!("{}, collation {}, character type {} ({provider}{version})", source.encoding, source.collate, source.ctype));
    let lsn = source.snapshot_lsn.as_deref().map(|lsn| format!(", at {lsn}")).unwrap_or_default();
    line("snapshot", &format!("{}{lsn}", source.snapshot_time));
    if !statistics.is_empty() {
        line("statistics", &format!("of {}", units::plural(statistics.len() as u64, "object")));
    }
    let _ = write!(text, "\n{}\n{}", tables_as_text(archive), objects_as_text(objects));
    if !not_carried.is_empty() {
        text.push_str("\nnot carried\n");
    }
    for one in not_carried {
        let _ = writeln!(text, "{}", printable(&format!("{} {}: {}", one.kind, one.name, one.reason)));
    }
    text
}

fn tables_as_text<R>(archive: &Archive<R>) -> String {
    let head = ["table", "rows", "raw", "stored", "ratio", "encoding"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let sizes = |rows: u64, raw: u64, stored: u64| [units::count(rows), units::bytes(raw), units::bytes(stored), units::ratio(raw, stored)];
    let mut sum = (0_u64, 0_u64, 0_u64);
    for (table, totals) in archive.manifest.tables.iter().zip(&archive.index.tables) {
        let mut row = vec![printable(&ident::qualified(&table.schema, &table.name)).into_owned()];
        row.extend(sizes(totals.rows, totals.raw_bytes, totals.stored_bytes));
        row.push(word(table.encoding));
        rows.push(row);
        sum = (sum.0 + totals.rows, sum.1 + totals.raw_bytes, sum.2 + totals.stored_bytes);
    }
    let mut last = vec![units::plural(archive.manifest.tables.len() as u64, "table")];
    last.extend(sizes(sum.0, sum.1, sum.2));
    rows.push(last);
    table::align(&rows, &[false, true, true, true, true, false])
}

fn objects_as_text(objects: &[Object]) -> String {
    let mut rows = vec![["section", "kind", "name", "owner"].map(str::to_owned).to_vec()];
    for object in objects {
        let owner = object.owner.as_deref().map(ident::quote).unwrap_or_default();
        let cells = [word(object.section), object.kind.to_string(), title(objects, object), owner];
        rows.push(cells.iter().map(|cell| printable(cell).into_owned()).collect());
    }
    table::align(&rows, &[])
}

/// `public.routes`, `routes_pkey on public.routes`.
fn title(objects: &[Object], object: &Object) -> String {
    let qualified = |object: &Object| match &object.schema {
        // Functions and operators carry their argument types, which are no part of an identifier.
        Some(schema) if object.name.contains('(') => format!("{}.{}", ident::quote(schema), object.name),
        Some(schema) => ident::qualified(schema, &object.name),
        None => ident::quote(&object.name),
    };
    // Objects normally stand at the place after their number: the database itself comes first.
    let parent =
        |id| objects.get(id as usize + 1).filter(|object| object.id.0 == id).or_else(|| objects.iter().find(|object| object.id.0 == id));
    match object.of.and_then(|of| parent(of.0)) {
        Some(parent) => format!("{} on {}", ident::quote(&object.name), qualified(parent)),
        None => qualified(object),
    }
}

fn as_json<R>(archive: &Archive<R>) -> Value {
    let Manifest { source, objects, tables, not_carried, statistics } = &archive.manifest;
    let footer = &archive.footer;
    let tables = tables.iter().zip(&archive.index.tables).map(|(table, totals)| {
        json!({
            "name": ident::qualified(&table.schema, &table.name),
            "schema": table.schema,
            "table": table.name,
            "rows": totals.rows,
            "raw_bytes": totals.raw_bytes,
            "stored_bytes": totals.stored_bytes,
            "chunks": totals.chunks,
            "digest": totals.digest,
            "encoding": table.encoding,
            "columns": table.columns,
        })
    });
    let objects = objects.iter().map(|object| {
        json!({
            "id": object.id,
            "kind": object.kind,
            "schema": object.schema,
            "name": object.name,
            "identity": object.identity,
            "owner": object.owner,
            "section": object.section,
        })
    });
    json!({
        "schema_version": SCHEMA_VERSION,
        "archive": archive.name,
        "id": archive.header.archive.to_string(),
        "format": archive.header.version,
        "root": footer.root.to_string(),
        "source": source,
        "tables": tables.collect::<Vec<_>>(),
        "objects": objects.collect::<Vec<_>>(),
        "not_carried": not_carried,
        "statistics": statistics.len(),
        "totals": {
            "tables": archive.index.tables.len(),
            "chunks": footer.chunks,
            "rows": footer.rows,
            "raw_bytes": footer.raw_bytes,
            "stored_bytes": archive.index.tables.iter().map(|totals| totals.stored_bytes).sum::<u64>(),
            "file_bytes": footer.total_bytes,
        },
    })
}

/// The definitions in the order in which a restore makes them.
fn as_sql(manifest: &Manifest) -> String {
    let source = &manifest.source;
    let mut sql = format!(
        "-- {} on PostgreSQL {}, {}\n-- To be read. What brings an archive back is silverback restore.\n",
        printable(&ident::quote(&source.database)),
        printable(&source.server_version),
        printable(&source.snapshot_time)
    );
    for database in manifest.objects.iter().filter(|object| object.kind == ObjectKind::Database) {
        sql.push_str("\n-- With restore --create only:\n");
        for line in render::statements(database, &render::Options::default()).iter().flat_map(|statement| statement.lines()) {
            let _ = writeln!(sql, "-- {line}");
        }
    }
    for section in [Section::PreData, Section::Data, Section::PostData] {
        for object in manifest.objects.iter().filter(|object| object.section == section && object.kind != ObjectKind::Database) {
            let statements = render::statements(object, &render::Options::default());
            if statements.is_empty() {
                continue;
            }
            let title = title(&manifest.objects, object);
            let _ = write!(sql, "\n-- {}: {}\n", object.kind, printable(&title));
            for statement in statements {
                // A comment in the last line must not swallow the semicolon.
                let break_line = statement.lines().last().is_some_and(|line| line.contains("--"));
                let _ = writeln!(sql, "{statement}{};", if break_line { "\n" } else { "" });
            }
        }
    }
    for one in &manifest.not_carried {
        let _ = write!(sql, "\n-- not carried: {}\n", printable(&format!("{} {}: {}", one.kind, one.name, one.reason)));
    }
    sql
}

/// The word that JSON has for it.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Codec;
    use crate::verify::testing;

    fn archive() -> Archive<Vec<u8>> {
        Archive::open(testing::archive(2, Codec::None), "kong.sbk").unwrap()
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(as_text(&archive()));
    }

    #[test]
    fn sql() {
        let mut manifest = testing::manifest();
        manifest.objects[0].name = "ser\n-- vices\nDROP TABLE x".to_owned();
        manifest.objects[1].statements = vec!["SELECT 1 -- one".to_owned()];
        insta::assert_snapshot!(as_sql(&manifest));
    }

    #[test]
    fn json() {
        let value = as_json(&archive());
        assert_eq!(value["tables"][1]["rows"], 200);
        assert_eq!(value["tables"][1]["digest"].as_str().map(str::len), Some(32));
        assert_eq!(value["objects"][0]["kind"], "table");
        assert_eq!(value["not_carried"][0]["name"], "audit");
        assert_eq!(value["totals"]["chunks"], 2);
    }
}
