//! `silverback restore -l`: what would be restored, as a list that `-L` takes.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use super::command::Outcome;
use super::list;
use super::text::stdio;
use super::text::units::printable;
use crate::archive::Archive;
use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Section};
use crate::error::Result;
use crate::select::{ARCHIVE, FoundIn, Sections, Selection};
use crate::sql::ident;
use crate::storage::Source;

/// Prints the list of an archive.
pub(super) fn print(
    path: &Path,
    selection: Selection,
    sections: Sections,
    max_memory: Option<u64>,
) -> Result<Outcome> {
    let max_memory = max_memory.unwrap_or(0);
    let source = Source::open(path)?;
    let name = source.name().to_owned();
    match source {
        Source::File(file, _) => {
            print_of(&Archive::open_within(file, &name, max_memory)?, selection, sections)
        }
        Source::Stream(stream) => {
            print_of(&list::described(stream, &name, max_memory)?, selection, sections)
        }
    }
}

fn print_of<R>(
    archive: &Archive<R>,
    mut selection: Selection,
    sections: Sections,
) -> Result<Outcome> {
    let manifest = &archive.manifest;
    let id = archive.header.archive.to_string();
    selection.find(&manifest.objects, &manifest.tables);
    selection.find_listed(manifest, &id, sections)?;
    selection.check_matched(&manifest.objects, &manifest.source.database, FoundIn::Archive)?;
    let entries = entries(manifest, &selection, sections);
    stdio::print_with(|out| write(manifest, &id, &entries, out))?;
    Ok(Outcome::Done)
}

/// The lines, in the order in which objects are made.
fn entries(manifest: &Manifest, selection: &Selection, sections: Sections) -> Vec<String> {
    let selected = selection.apply(manifest.objects.clone()).objects;
    // What is only named is made by nobody.
    let kept: HashMap<ObjectId, bool> =
        selected.iter().map(|object| (object.id, !object.is_bare())).collect();
    let by_id: HashMap<ObjectId, &Object> =
        manifest.objects.iter().map(|object| (object.id, object)).collect();
    let mut entries = Vec::new();
    for section in [Section::PreData, Section::Data, Section::PostData] {
        if !sections.holds(section) {
            continue;
        }
        if section == Section::Data {
            for (table, number) in manifest.tables.iter().zip(manifest.objects.len() + 1..) {
                if !table.is_large_objects()
                    && kept.contains_key(&table.object)
                    && selection.rows_of(table)
                {
                    let owner = by_id.get(&table.object).and_then(|object| object.owner.as_deref());
                    entries.push(line(
                        number,
                        "TABLE DATA",
                        Some(&table.schema),
                        &table.name,
                        owner,
                    ));
                }
            }
        }
        for (object, number) in manifest.objects.iter().zip(1..) {
            let is_made = kept.get(&object.id).copied().unwrap_or_default();
            if object.section != section || !is_made || object.kind == ObjectKind::Database {
                continue;
            }
            let of = object.of.and_then(|of| by_id.get(&of)).filter(|_| is_called_by_table(object));
            let name = of.map_or_else(
                || object.name.clone(),
                |table| format!("{} {}", table.name, object.name),
            );
            let schema =
                object.schema.as_deref().or_else(|| of.and_then(|table| table.schema.as_deref()));
            let kind = match object.kind {
                ObjectKind::Schema | ObjectKind::DefaultAcl => words(object),
                // It is somebody else's, such as an extension's.
                _ if object.statements.is_empty() => "ACL".to_owned(),
                _ => words(object),
            };
            entries.push(line(number, &kind, schema, &name, object.owner.as_deref()));
        }
    }
    entries
}

fn line(
    number: usize,
    kind: &str,
    schema: Option<&str>,
    name: &str,
    owner: Option<&str>,
) -> String {
    let (schema, owner) = (schema.unwrap_or("-"), owner.unwrap_or("-"));
    printable(&format!("{number}; {kind} {schema} {name} {owner}")).into_owned()
}

/// What `pg_restore -l` calls by its table's name and its own.
fn is_called_by_table(object: &Object) -> bool {
    use ObjectKind as K;
    matches!(
        object.kind,
        K::Constraint | K::Check | K::ForeignKey | K::Default | K::Trigger | K::Rule | K::Policy
    )
}

/// The kind, as `pg_restore -l` calls it.
fn words(object: &Object) -> String {
    match object.kind {
        ObjectKind::Function if object.identity.starts_with("PROCEDURE ") => "PROCEDURE".to_owned(),
        ObjectKind::ForeignKey => "FK CONSTRAINT".to_owned(),
        ObjectKind::Check => "CHECK CONSTRAINT".to_owned(),
        ObjectKind::SequenceOwner => "SEQUENCE OWNED BY".to_owned(),
        ObjectKind::SequenceValue => "SEQUENCE SET".to_owned(),
        ObjectKind::RefreshMaterializedView => "MATERIALIZED VIEW DATA".to_owned(),
        kind => kind.to_string().to_uppercase(),
    }
}

fn write(manifest: &Manifest, id: &str, entries: &[String], out: &mut dyn Write) -> io::Result<()> {
    let source = &manifest.source;
    let database = ident::quote(&source.database);
    writeln!(out, ";\n; {ARCHIVE}{id}")?;
    writeln!(
        out,
        "; database {}, PostgreSQL {}, {}",
        printable(&database),
        printable(&source.server_version),
        printable(&source.snapshot_time)
    )?;
    writeln!(out, "; Delete lines, or put a semicolon before them, and give the file to -L.\n;")?;
    entries.iter().try_for_each(|entry| writeln!(out, "{entry}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Codec;
    use crate::verify::testing;

    #[test]
    fn list() {
        let archive = Archive::open(testing::archive(2, Codec::None), "kong.sbk").unwrap();
        let manifest = &archive.manifest;
        let entries = entries(manifest, &Selection::default(), Sections::ALL);
        let mut out = Vec::new();
        write(manifest, "ID", &entries, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
