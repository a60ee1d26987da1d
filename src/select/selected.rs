//! The value that comes of a selection: a manifest's objects that are kept, what is left of one
//! that is only named, what was left out.

use std::collections::HashSet;

use super::kinds::carries_data;
use super::needs;
use super::selection::Selection;
use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind, Table};

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
            return Selected { objects, left_out: Vec::new(), brought_along: HashSet::new() };
        }
        let (databases, mut objects): (Vec<Object>, Vec<Object>) =
            objects.into_iter().partition(|object| object.kind == ObjectKind::Database);
        objects.retain(|object| !self.is_unwanted(object.kind));
        let (objects, left_out, brought_along) = if self.all_objects() {
            (objects, Vec::new(), HashSet::new())
        } else {
            needs::apply(self, objects)
        };
        let mut objects: Vec<Object> =
            objects.into_iter().filter(|object| self.wants_kind(object)).collect();
        if self.data_only {
            objects.iter_mut().filter(|object| !carries_data(object)).for_each(strip);
        }
        needs::drop_dangling(&mut objects);
        let objects = databases.into_iter().chain(objects).collect();
        Selected { objects, left_out, brought_along }
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
