//! The entries of a list in an archive: its objects, numbered from 1, then the rows of its tables.

use super::listed::wrong;
use super::selection::Selection;
use crate::archive::manifest::{Manifest, ObjectKind};
use crate::error::{Error, Kind, Result};

impl Selection {
    /// Finds the entries of the list in the archive, whose id is given; the schemas of the manifest
    /// have the archive's names yet.
    pub fn find_listed(&mut self, manifest: &Manifest, archive: &str) -> Result<()> {
        let Some(listed) = &mut self.listed else { return Ok(()) };
        if let Some(other) = listed.archive.as_ref().filter(|other| *other != archive) {
            let cause = format!("it is of archive {other}, and this one is {archive}");
            return Err(Error::new(Kind::Usage, format!("read the list {}", listed.file), cause)
                .hint("make a list of this archive with restore -l"));
        }
        let objects = manifest.objects.len();
        for (number, line) in &listed.numbers {
            let place = usize::try_from(*number).unwrap_or(usize::MAX).checked_sub(1);
            let object = place.and_then(|place| manifest.objects.get(place));
            let table = place
                .and_then(|place| place.checked_sub(objects))
                .and_then(|place| manifest.tables.get(place));
            if let Some(object) = object.filter(|object| object.kind != ObjectKind::Database) {
                listed.objects.insert(object.id);
            } else if let Some(table) = table {
                listed.rows.insert((table.schema.clone(), table.name.clone()));
            } else {
                let cause = format!("the archive has no entry {number}");
                return Err(wrong(&listed.file, *line, cause)
                    .hint("make a list of this archive with restore -l"));
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
