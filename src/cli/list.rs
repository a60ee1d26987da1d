//! `silverback list`.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use clap::Args;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::args::metrics::MetricsArgs;
use super::args::read::ReadArgs;
use super::command::Outcome;
use super::metrics::Figures;
use super::text::stdio;
use super::text::table;
use super::text::units::{self, printable};
use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Section};
use crate::archive::{Archive, InOrder, Passed};
use crate::error::Result;
use crate::sql::{ident, render};
use crate::storage::Source;

/// The version of the JSON; fields may be added within one version.
const SCHEMA_VERSION: u32 = 1;

/// Show what an archive holds
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// The archive; - is standard input
    #[arg(value_name = "ARCHIVE")]
    pub(super) archive: PathBuf,
    /// Print it as JSON
    #[arg(long, conflicts_with = "sql")]
    json: bool,
    /// Print the definitions as SQL, to be read
    #[arg(long)]
    sql: bool,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) metrics: MetricsArgs,
}

pub(super) fn run(args: &ListArgs) -> Result<Outcome> {
    let max_memory = args.read.max_memory.unwrap_or(0);
    let source = Source::open(&args.archive)?;
    let name = source.name().to_owned();
    match source {
        Source::File(file, _) => print(args, &Archive::open_within(file, &name, max_memory)?),
        Source::Stream(stream) => print(args, &described(stream, &name, max_memory)?),
    }
}

/// Reads an archive to its end, past its rows, for what describes it.
pub(super) fn described(stream: impl Read, name: &str, max_memory: u64) -> Result<Archive<()>> {
    match InOrder::open(stream, name, max_memory)?.finish(HashMap::new())? {
        Passed::Whole(whole) => Ok(whole.archive),
        Passed::Broken(error, _) => Err(error),
    }
}

fn print<R>(args: &ListArgs, archive: &Archive<R>) -> Result<Outcome> {
    // Written as it is made: what it amounts to is not held in memory.
    if args.json {
        stdio::print_json(&AsJson(archive))?;
    } else if args.sql {
        stdio::print_with(|out| as_sql(&archive.manifest, out))?;
    } else {
        stdio::print_with(|out| as_text(archive, out))?;
    }
    args.metrics.count(&figures(archive));
    Ok(Outcome::Done)
}

fn figures<R>(archive: &Archive<R>) -> Figures {
    let tables = &archive.index.tables;
    Figures {
        tables: Some(tables.len() as u64),
        rows: Some(tables.iter().map(|table| table.rows).sum()),
        raw_bytes: Some(tables.iter().map(|table| table.raw_bytes).sum()),
        file_bytes: Some(archive.footer.total_bytes),
    }
}

fn as_text<R>(archive: &Archive<R>, out: &mut dyn Write) -> io::Result<()> {
    let Manifest { source, objects, not_carried, statistics, .. } = &archive.manifest;
    let footer = &archive.footer;
    let mut line = |name: &str, value: &str| writeln!(out, "{name:<12}{}", printable(value));
    line(
        "archive",
        &format!(
            "{}, {}, {}",
            archive.name,
            units::bytes(footer.total_bytes),
            archive.header.archive
        ),
    )?;
    line("root", &footer.root.to_string())?;
    line("written by", &source.tool)?;
    line(
        "database",
        &format!("{} on PostgreSQL {}", ident::quote(&source.database), source.server_version),
    )?;
    let version = source
        .collation_version
        .as_deref()
        .map(|version| format!(" {version}"))
        .unwrap_or_default();
    let provider = match source.locale_provider.as_str() {
        "c" => "libc",
        "i" => "ICU",
        "b" => "builtin",
        other => other,
    };
    line(
        "encoding",
        &format!(
            "{}, collation {}, character type {} ({provider}{version})",
            source.encoding, source.collate, source.ctype
        ),
    )?;
    let lsn = source.snapshot_lsn.as_deref().map(|lsn| format!(", at {lsn}")).unwrap_or_default();
    line("snapshot", &format!("{}{lsn}", source.snapshot_time))?;
    if !statistics.is_empty() {
        line("statistics", &format!("of {}", units::plural(statistics.len() as u64, "object")))?;
    }
    writeln!(out)?;
    tables_as_text(archive, out)?;
    writeln!(out)?;
    objects_as_text(objects, out)?;
    if !not_carried.is_empty() {
        writeln!(out, "\nskipped")?;
    }
    for one in not_carried {
        writeln!(out, "{}", printable(&format!("{} {}: {}", one.kind, one.name, one.reason)))?;
    }
    Ok(())
}

fn tables_as_text<R>(archive: &Archive<R>, out: &mut dyn Write) -> io::Result<()> {
    let head = ["table", "rows", "raw", "stored", "ratio", "encoding"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let sizes = |rows: u64, raw: u64, stored: u64| {
        [units::count(rows), units::bytes(raw), units::bytes(stored), units::ratio(raw, stored)]
    };
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
    table::align(&rows, &[false, true, true, true, true, false], out)
}

fn objects_as_text(objects: &[Object], out: &mut dyn Write) -> io::Result<()> {
    let titles = Titles::of(objects);
    let mut rows = vec![["section", "kind", "name", "owner"].map(str::to_owned).to_vec()];
    for object in objects {
        let owner = object.owner.as_deref().map(ident::quote).unwrap_or_default();
        let cells =
            [word(object.section), object.kind.to_string(), titles.of_object(object), owner];
        rows.push(cells.iter().map(|cell| printable(cell).into_owned()).collect());
    }
    table::align(&rows, &[], out)
}

/// The objects by their numbers, to say of a part what it is a part of.
struct Titles<'a>(HashMap<ObjectId, &'a Object>);

impl<'a> Titles<'a> {
    fn of(objects: &'a [Object]) -> Self {
        Self(objects.iter().map(|object| (object.id, object)).collect())
    }

    /// `public.routes`, `routes_pkey on public.routes`.
    fn of_object(&self, object: &Object) -> String {
        let qualified = |object: &Object| match &object.schema {
            // Functions and operators carry their argument types, which are no part of an
            // identifier.
            Some(schema) if object.name.contains('(') => {
                format!("{}.{}", ident::quote(schema), object.name)
            }
            Some(schema) => ident::qualified(schema, &object.name),
            None => ident::quote(&object.name),
        };
        match object.of.and_then(|of| self.0.get(&of)) {
            Some(parent) => format!("{} on {}", ident::quote(&object.name), qualified(parent)),
            None => qualified(object),
        }
    }
}

/// The archive as JSON, one table and one object at a time.
struct AsJson<'a, R>(&'a Archive<R>);

impl<R> Serialize for AsJson<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Manifest { source, objects, tables, not_carried, statistics } = &self.0.manifest;
        let footer = &self.0.footer;
        let tables = tables.iter().zip(&self.0.index.tables).map(|(table, totals)| {
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
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema_version", &SCHEMA_VERSION)?;
        map.serialize_entry("archive", &self.0.name)?;
        map.serialize_entry("id", &self.0.header.archive.to_string())?;
        map.serialize_entry("format", &self.0.header.version)?;
        map.serialize_entry("root", &footer.root.to_string())?;
        map.serialize_entry("source", source)?;
        map.serialize_entry("tables", &Each(tables))?;
        map.serialize_entry("objects", &Each(objects))?;
        map.serialize_entry("not_carried", not_carried)?;
        map.serialize_entry("statistics", &statistics.len())?;
        let totals = json!({
            "tables": self.0.index.tables.len(),
            "chunks": footer.chunks,
            "rows": footer.rows,
            "raw_bytes": footer.raw_bytes,
            "stored_bytes": self.0.index.tables.iter().map(|totals| totals.stored_bytes).sum::<u64>(),
            "file_bytes": footer.total_bytes,
        });
        map.serialize_entry("totals", &totals)?;
        map.end()
    }
}

/// A list whose elements are made when they are written.
struct Each<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for Each<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// The definitions in the order in which a restore makes them.
fn as_sql(manifest: &Manifest, out: &mut dyn Write) -> io::Result<()> {
    let source = &manifest.source;
    let titles = Titles::of(&manifest.objects);
    writeln!(
        out,
        "-- {} on PostgreSQL {}, {}\n-- To be read. What brings an archive back is silverback \
         restore.",
        printable(&ident::quote(&source.database)),
        printable(&source.server_version),
        printable(&source.snapshot_time)
    )?;
    for database in manifest.objects.iter().filter(|object| object.kind == ObjectKind::Database) {
        writeln!(out, "\n-- With restore --create only:")?;
        for statement in render::statements(database, &render::Options::default()) {
            statement.lines().try_for_each(|line| writeln!(out, "-- {line}"))?;
        }
    }
    for section in [Section::PreData, Section::Data, Section::PostData] {
        for object in manifest
            .objects
            .iter()
            .filter(|object| object.section == section && object.kind != ObjectKind::Database)
        {
            let options = render::Options::default();
            let mut statements = render::statements(object, &options).peekable();
            if statements.peek().is_none() {
                continue;
            }
            writeln!(out, "\n-- {}: {}", object.kind, printable(&titles.of_object(object)))?;
            if let Some(extension) =
                object.extension.as_ref().filter(|_| !object.statements.is_empty())
            {
                writeln!(
                    out,
                    "-- Made unless extension {} has made it.",
                    printable(&ident::quote(extension))
                )?;
            }
            for statement in statements {
                // A comment in the last line must not swallow the semicolon.
                let break_line = statement.lines().last().is_some_and(|line| line.contains("--"));
                writeln!(out, "{statement}{};", if break_line { "\n" } else { "" })?;
            }
        }
    }
    for one in &manifest.not_carried {
        writeln!(
            out,
            "\n-- skipped: {}",
            printable(&format!("{} {}: {}", one.kind, one.name, one.reason))
        )?;
    }
    Ok(())
}

/// The word that JSON has for it.
fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Codec;
    use crate::verify::testing;

    fn archive() -> Archive<Vec<u8>> {
        Archive::open(testing::archive(2, Codec::None), "kong.sbk").unwrap()
    }

    fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory takes all");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(written(|out| as_text(&archive(), out)));
    }

    #[test]
    fn sql() {
        let mut manifest = testing::manifest();
        manifest.objects[0].name = "ser\n-- vices\nDROP TABLE x".to_owned();
        manifest.objects[1].statements = vec!["SELECT 1 -- one".to_owned()];
        insta::assert_snapshot!(written(|out| as_sql(&manifest, out)));
    }

    #[test]
    fn json() {
        let value = serde_json::to_value(AsJson(&archive())).expect("JSON");
        assert_eq!(value["tables"][1]["rows"], 200);
        assert_eq!(value["tables"][1]["digest"].as_str().map(str::len), Some(32));
        assert_eq!(value["objects"][0]["kind"], "table");
        assert_eq!(value["not_carried"][0]["name"], "audit");
        assert_eq!(value["totals"]["chunks"], 2);
    }
}
