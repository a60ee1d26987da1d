//! The entries of a list in an archive: its objects, numbered from 1, then the rows of its tables.

use super::kinds::carries_data;
use super::listed::wrong;
use super::sections::Sections;
use super::selection::Selection;
use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Table};
use crate::error::{Error, Kind, Result};
use crate::sql::ident;

impl Selection {
    /// Finds the entries of the list in the archive, whose id is given; the schemas of the manifest
    /// have the archive's names yet. What has no line in any list, because nothing is done for it, is
    /// listed always, and what is of another section than `sections` is expected to stand.
    pub fn find_listed(
        &mut self,
        manifest: &Manifest,
        archive: &str,
        sections: Sections,
    ) -> Result<()> {
        let makes_tables = sections.pre_data && !self.data_only;
        let is_due = |object: &Object| {
            if self.data_only {
                carries_data(object) && sections.data
            } else {
                sections.holds(object.section)
            }
        };
        let unlisted = |object: &&Object| object.is_bare() || !is_due(object);
        let unlisted: Vec<ObjectId> =
            manifest.objects.iter().filter(unlisted).map(|object| object.id).collect();
        let Some(listed) = &mut self.listed else { return Ok(()) };
        if let Some(other) = listed.archive.as_ref().filter(|other| *other != archive) {
            let cause = format!("it is of archive {other}, and this one is {archive}");
            return Err(Error::new(Kind::Usage, format!("read the list {}", listed.file), cause)
                .hint("make a list of this archive with restore -l"));
        }
        listed.objects.extend(unlisted);
        let objects = manifest.objects.len();
        for (number, line, words) in &listed.numbers {
            let place = usize::try_from(*number).unwrap_or(usize::MAX).checked_sub(1);
            let object = place.and_then(|place| manifest.objects.get(place));
            let table = place
                .and_then(|place| place.checked_sub(objects))
                .and_then(|place| manifest.tables.get(place));
            let name = object.map(|object| &object.name).or(table.map(|table| &table.name));
            if name.is_some_and(|name| is_other(words, name)) {
                let cause = format!("entry {number} of the archive is another: {words}");
                return Err(wrong(&listed.file, *line, cause)
                    .hint("make a list of this archive with restore -l"));
            }
            if let Some(object) = object.filter(|object| object.kind != ObjectKind::Database) {
                listed.objects.insert(object.id);
                listed.asked.insert(object.id);
            } else if let Some(table) = table {
                listed.rows.insert((table.schema.clone(), table.name.clone()));
            } else {
                let cause = format!("the archive has no entry {number}");
                return Err(wrong(&listed.file, *line, cause)
                    .hint("make a list of this archive with restore -l"));
            }
        }
        if makes_tables {
            let rows_alone = |table: &&Table| {
                listed.holds_rows(&table.schema, &table.name) && !listed.holds(table.object)
            };
            if let Some(table) = manifest.tables.iter().find(rows_alone) {
                let name = ident::qualified(&table.schema, &table.name);
                let cause = format!("it has the rows of {name}, and not the table");
                return Err(Error::new(
                    Kind::Usage,
                    format!("read the list {}", listed.file),
                    cause,
                )
                .hint("keep both lines, or add -a to load rows into tables that stand"));
            }
        }
        // Their bytes lie together.
        let mut large_objects = manifest
            .objects
            .iter()
            .filter(|object| object.kind == ObjectKind::LargeObject)
            .map(|object| listed.objects.contains(&object.id));
        if let Some(first) = large_objects.next()
            && large_objects.any(|is_listed| is_listed != first)
        {
            let cause = "it has some of the large objects, which are restored together";
            return Err(Error::new(Kind::Usage, format!("read the list {}", listed.file), cause)
                .hint("keep all lines of large objects, or none"));
        }
        Ok(())
    }
}

/// Whether the words of a line speak of something else than what has this name. A name with what
/// is not printed as it is tells nothing.
fn is_other(words: &str, name: &str) -> bool {
    let is_plain = name.chars().all(|char| char == ' ' || char.is_ascii_graphic());
    !words.is_empty() && is_plain && !words.contains(name)
}
