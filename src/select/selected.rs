//! The value that comes of a selection: a manifest's objects that are kept, what is left of one
//! that is only named, what was left out.

use std::collections::HashSet;

use super::kinds::{carries_data, is_relation};
use super::needs::{self, Applied};
use super::sections::Sections;
use super::selection::Selection;
use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind, Section, Table};

/// What a selection leaves of a list of objects.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The objects kept, in their old order and with their old numbers; what they depend on is kept
    /// too, or is expected to stand already.
    pub objects: Vec<Object>,
    /// What was selected and cannot be made, because it needs what was not selected.
    pub left_out: Vec<NotCarried>,
    /// The objects that were not selected, and are kept because others need them.
    pub brought_along: HashSet<ObjectId>,
    /// What the objects kept need and is not among them: relations that chosen views read,
    /// extensions that are left out.
    pub left_to_target: Vec<Object>,
}

impl Selected {
    /// Lets the rows of partitions that are not attached go to the partitions themselves.
    pub fn cut_roots(&self, tables: &mut [Table]) {
        needs::cut_roots(&self.objects, tables);
    }

    /// The numbers of the objects kept.
    pub fn ids(&self) -> HashSet<ObjectId> {
        self.objects.iter().map(|object| object.id).collect()
    }

    /// Leaves of these objects those of the sections that are wanted. Without the definitions, what
    /// holds rows or is added to stays as a bare name, as with `-a`.
    pub fn keep_sections(&mut self, sections: Sections) {
        if sections == Sections::ALL {
            return;
        }
        self.objects.retain_mut(|object| {
            let is_wanted = object.kind == ObjectKind::Database || sections.holds(object.section);
            if is_wanted {
                return true;
            }
            strip(object);
            // Nothing is added to a table that comes later, nor is anything loaded into it.
            object.section == Section::PreData
                && (sections.data || sections.post_data)
                && (is_relation(object.kind)
                    || matches!(object.kind, ObjectKind::TableAttach | ObjectKind::Extension))
        });
        needs::drop_dangling(&mut self.objects);
    }
}

impl Selection {
    /// Keeps what is selected and what that needs. The database itself is no part of any choice,
    /// and stays. A relation that is not selected is never brought along for another's sake: what
    /// needs it is left out and named. Types, functions, extensions and sequences are.
    ///
    /// With `-a`, tables, sequences and extensions stay as bare names, without statements, owner or
    /// privileges, so that rows and values know where they belong, and what attaches partitions,
    /// whose locks reach each other.
    pub fn apply(&self, objects: Vec<Object>) -> Selected {
        if self.is_everything() {
            return Selected {
                objects,
                left_out: Vec::new(),
                brought_along: HashSet::new(),
                left_to_target: Vec::new(),
            };
        }
        let (databases, mut objects): (Vec<Object>, Vec<Object>) =
            objects.into_iter().partition(|object| object.kind == ObjectKind::Database);
        objects.retain(|object| !self.is_unwanted(object.kind));
        let Applied { mut objects, left_out, brought_along, expected, left_to_target } =
            if self.all_objects() {
                Applied { objects, ..Applied::default() }
            } else {
                needs::apply(self, objects)
            };
        let stands =
            |object: &&mut Object| expected.contains(&object.id) || self.excludes_extension(object);
        objects.iter_mut().filter(stands).for_each(strip);
        let mut objects: Vec<Object> =
            objects.into_iter().filter(|object| self.wants_kind(object)).collect();
        if self.data_only {
            objects.iter_mut().filter(|object| !carries_data(object)).for_each(strip);
        }
        needs::drop_dangling(&mut objects);
        let objects = databases.into_iter().chain(objects).collect();
        Selected { objects, left_out, brought_along, left_to_target }
    }
}

/// Leaves of a selected object its name and takes what would make or change it.
fn strip(object: &mut Object) {
    object.statements.clear();
    object.comments.clear();
    object.security_labels.clear();
    object.roles.clear();
    object.owner = None;
    object.acl = None;
    object.tablespace = None;
    object.drop = None;
}
