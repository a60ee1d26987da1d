//! Foreign keys that are trusted: made while the child is empty, which is instant, so that its rows
//! need no proof.
//!
//! They are made in a statement of their own and not in the transaction of the load, which would
//! lock the parent until the last row.

use std::collections::HashMap;

use super::Builder;
use super::post_data::waits;
use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind};
use crate::restore::options::ForeignKeys;
use crate::restore::plan::graph::{Job, Stage, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::plan::{cost, statements};

impl Builder<'_> {
    /// Gives each table that is to be loaded those foreign keys that can stand before its rows: the
    /// parent's rows and key come first. Of keys in a circle the last is proved as usual, and so
    /// are those of a table to itself and of partitioned tables.
    pub(super) fn trusted_keys(&mut self) {
        if self.input.foreign_keys != ForeignKeys::Trust {
            return;
        }
        let mut parents: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        for object in self.input.objects {
            if let Some((child, parent)) = self.may_trust(object)
                && !reaches(&parents, parent, child)
            {
                parents.entry(child).or_default().push(parent);
                self.trust(object, child, parent);
            }
        }
    }

    fn may_trust(&self, object: &Object) -> Option<(ObjectId, ObjectId)> {
        let Detail::ForeignKey { references, add_not_valid: Some(_), validate: Some(_), .. } =
            &object.detail
        else {
            return None;
        };
        let (child, parent) = (object.of?, *references);
        let is_simple = |table: ObjectId| {
            let made = self.objects.get(&table).is_some_and(|table| {
                table.kind == ObjectKind::Table && !table.statements.is_empty()
            });
            made && !self.is_last(table) && self.graph.families.of(table).is_none()
        };
        let is_loaded = self.loads.contains_key(&child);
        (child != parent && is_loaded && is_simple(child) && is_simple(parent))
            .then_some((child, parent))
    }

    fn trust(&mut self, object: &Object, child: ObjectId, parent: ObjectId) {
        let add = self.push(Job {
            stage: Stage::ForeignKeys,
            label: format!("add {}", object.identity),
            work: Work::Statements(statements::create(object, self.input.render)),
            needs: Vec::new(),
            locks: [child, parent]
                .map(|table| (Lockable::Relation(table), LockMode::ShareRowExclusive))
                .to_vec(),
            cost: cost::CATALOG,
        });
        let mut needed = waits(object, Some(parent));
        needed.retain(|id| *id != child);
        self.waits.push((add, needed));
        self.made.insert(object.id, add);
        for load in self.loads.get(&child).into_iter().flatten() {
            let load = &mut self.graph.jobs[load.index()];
            load.needs.push(add);
            if let Work::Load { trusted, .. } = &mut load.work {
                *trusted = true;
            }
        }
    }
}

/// Whether the load of a table waits for that of another, be it by way of others: a trusted key
/// between them would close a circle.
fn reaches(parents: &HashMap<ObjectId, Vec<ObjectId>>, from: ObjectId, to: ObjectId) -> bool {
    let mut open = vec![from];
    let mut seen = vec![from];
    while let Some(table) = open.pop() {
        if table == to {
            return true;
        }
        for &parent in parents.get(&table).into_iter().flatten() {
            if !seen.contains(&parent) {
                seen.push(parent);
                open.push(parent);
            }
        }
    }
    false
}
