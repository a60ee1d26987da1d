//! What of the archive is asked for: its objects, and the chunks of its tables.
//!
//! Pure: the target is not looked at.

use std::collections::BTreeSet;

use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Section, Table};
use crate::error::Result;
use crate::restore::options::{Options, Sections};
use crate::restore::plan::input::ChunkSize;
use crate::restore::provision::Room;
use crate::restore::target::domains::Domains;
use crate::select::{FoundIn, NOTHING_SELECTED, Selected, Withheld};
use crate::storage::FileArchive;

/// The objects that are asked for.
pub(in crate::restore) struct Chosen {
    /// All but the database itself.
    pub(in crate::restore) selected: Selected,
    /// The database itself, if the archive describes it.
    pub(in crate::restore) database: Option<Object>,
    /// The statistics that would tell what is not restored.
    pub(in crate::restore) withheld: Withheld,
    /// Every schema of the archive.
    pub(in crate::restore) schemas: BTreeSet<String>,
    /// The archive's domains, chosen or not.
    pub(in crate::restore) domains: Domains,
}

impl Chosen {
    /// Chooses. The last plan takes the archive's objects: they may be many, and two lists of them
    /// would be held for as long as the restore takes.
    pub(in crate::restore) fn of(
        options: &Options,
        archive: &mut FileArchive,
        room: Room,
    ) -> Result<Self> {
        let manifest = &mut archive.manifest;
        options.selection.check_matched(
            &manifest.objects,
            &manifest.source.database,
            FoundIn::Archive,
        )?;
        let schemas = manifest.objects.iter().filter_map(schema_of).map(str::to_owned).collect();
        let domains = Domains::of(&manifest.objects);
        let withheld = if options.selection.statistics {
            options.selection.withheld(&manifest.objects)
        } else {
            Withheld::default()
        };
        let is_looked_again = options.disconnect_others && options.held.keeper().is_none();
        let objects = if room.is_last() && !is_looked_again {
            std::mem::take(&mut manifest.objects)
        } else {
            manifest.objects.clone()
        };
        let mut selected = options.selection.apply(objects);
        let database = take_database(&mut selected.objects);
        Ok(Self { selected, database, withheld, schemas, domains })
    }
}

/// What of an archive has no definitions, because it was dumped with `-a` or `--section`: then its
/// tables are names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacks {
    /// What rows need.
    pub(super) pre_data: bool,
    /// What comes after them.
    pub(super) post_data: bool,
}

/// Looks what it lacks; nothing where it has no tables at all.
pub(super) fn lacks(manifest: &Manifest) -> Lacks {
    let is_bare_table = |object: &Object| {
        matches!(object.kind, ObjectKind::Table | ObjectKind::ForeignTable)
            && object.statements.is_empty()
    };
    let defines = |section: Section| {
        manifest.objects.iter().any(|object| {
            object.section == section
                && !object.statements.is_empty()
                && !matches!(
                    object.kind,
                    ObjectKind::Database | ObjectKind::RefreshMaterializedView
                )
        })
    };
    if !manifest.objects.iter().any(is_bare_table) || defines(Section::PreData) {
        return Lacks::default();
    }
    Lacks { pre_data: true, post_data: !defines(Section::PostData) }
}

/// The database itself is no object like the others.
fn take_database(objects: &mut Vec<Object>) -> Option<Object> {
    let (databases, others): (Vec<_>, Vec<_>) =
        std::mem::take(objects).into_iter().partition(|object| object.kind == ObjectKind::Database);
    *objects = others;
    databases.into_iter().next()
}

fn schema_of(object: &Object) -> Option<&str> {
    if object.kind == ObjectKind::Schema { Some(&object.name) } else { object.schema.as_deref() }
}

/// The schemas in which this run makes something, or fills it.
pub(in crate::restore) fn filled(
    objects: &[Object],
    manifest: &Manifest,
    chunks: &[Vec<ChunkSize>],
) -> Vec<String> {
    let loaded = manifest
        .tables
        .iter()
        .zip(chunks)
        .filter(|(_, chunks)| !chunks.is_empty())
        .map(|(table, _)| table.schema.as_str());
    let schemas: BTreeSet<&str> = objects.iter().filter_map(schema_of).chain(loaded).collect();
    schemas.into_iter().map(str::to_owned).collect()
}

/// Which tables' rows are wanted.
pub(in crate::restore) fn rows_of(
    options: &Options,
    archive: &FileArchive,
    selected: &Selected,
) -> Vec<bool> {
    let kept = selected.ids();
    let wanted = |table: &Table| kept.contains(&table.object) && options.selection.rows_of(table);
    archive.manifest.tables.iter().map(wanted).collect()
}

/// Says that nothing is left to be restored where choices are made, which are then wrong; an
/// archive may hold nothing.
pub(in crate::restore) fn nothing(
    options: &Options,
    sections: Sections,
    objects: &[Object],
    rows_of: &[bool],
) -> Option<String> {
    let is_made = |object: &Object| sections.holds(object.section) && !object.statements.is_empty();
    let is_chosen = !options.selection.is_everything() || options.sections != Sections::ALL;
    let has_rows = sections.data && rows_of.contains(&true);
    if !is_chosen || has_rows || objects.iter().any(is_made) {
        return None;
    }
    // An archive without any tables' rows has no list of them either.
    let rows_alone = sections.data && !sections.pre_data && !sections.post_data;
    Some(if rows_alone && rows_of.is_empty() {
        "nothing is restored: the archive holds no rows".to_owned()
    } else if options.selection.schema_only && options.sections.pre_data && !sections.pre_data {
        "nothing is restored: the archive holds rows and no definitions".to_owned()
    } else {
        NOTHING_SELECTED.to_owned()
    })
}

/// The tables that are made, and whose rows are left out.
pub(in crate::restore) fn emptied<'a>(
    objects: &'a [Object],
    manifest: &Manifest,
    rows_of: &[bool],
) -> impl Iterator<Item = &'a Object> {
    let loaded = manifest.tables.iter().zip(rows_of).filter(|(_, wanted)| **wanted);
    let loaded: BTreeSet<ObjectId> = loaded.map(|(table, _)| table.object).collect();
    let is_made =
        |object: &&Object| object.kind == ObjectKind::Table && !object.statements.is_empty();
    objects.iter().filter(is_made).filter(move |object| !loaded.contains(&object.id))
}

/// Whether the plan fills materialized views. Section by section, views stand as they are only once
/// what comes after the rows is made.
pub(in crate::restore) fn refreshes(options: &Options, sections: Sections) -> bool {
    if options.sections == Sections::ALL {
        sections.data
    } else {
        sections.post_data && (sections.data || !sections.pre_data)
    }
}

/// Each table's chunks; none where its rows are not wanted.
pub(in crate::restore) fn chunks(archive: &FileArchive, wanted: &[bool]) -> Vec<Vec<ChunkSize>> {
    let mut chunks = vec![Vec::new(); wanted.len()];
    for (chunk, entry) in archive.index.chunks.iter().enumerate() {
        let table = entry.table.0 as usize;
        if wanted[table] && entry.rows > 0 {
            chunks[table].push(ChunkSize { chunk, rows: entry.rows, raw_bytes: entry.raw_bytes });
        }
    }
    chunks
}

#[cfg(test)]
mod tests;
