//! What is put off until the database is in use.

use std::collections::HashSet;

use crate::archive::manifest::{Detail, Object, ObjectId};
use crate::restore::plan::cost::Cost;
use crate::restore::plan::graph::Job;
use crate::restore::plan::input::Input;

/// What is put off.
#[derive(Debug, Default)]
pub(super) struct Late<'a> {
    /// The objects that others need.
    pub(super) needed: HashSet<ObjectId>,
    /// The columns of foreign keys, by table: a cascade looks rows up by them.
    pub(super) referring: HashSet<(ObjectId, &'a str)>,
    /// The indexes that are put off.
    pub(super) put_off: HashSet<ObjectId>,
    /// The same, with their tables and costs.
    pub(super) indexes: Vec<(&'a Object, ObjectId, Cost)>,
    /// Proofs of foreign keys.
    pub(super) proofs: Vec<Job>,
}

impl<'a> Late<'a> {
    /// Nothing is put off unless the database is to be used early.
    pub(super) fn new(input: &Input<'a>) -> Self {
        if !input.ready {
            return Self::default();
        }
        let needed = input.objects.iter().flat_map(|object| &object.depends_on).copied().collect();
        let referring = input.objects.iter().filter_map(|object| match &object.detail {
            Detail::ForeignKey { columns, .. } => {
                object.of.map(|table| columns.iter().map(move |column| (table, column.as_str())))
            }
            _ => None,
        });
        Self { needed, referring: referring.flatten().collect(), ..Self::default() }
    }

    /// Whether an index is put off.
    pub(super) fn holds(&self, id: ObjectId) -> bool {
        self.put_off.contains(&id)
    }
}
