//! The jobs of an index or key that adopts those of its partitions.

use super::Builder;
use crate::archive::manifest::{Object, ObjectId};
use crate::restore::plan::builder::adopted::without_only;
use crate::restore::plan::cost::{self, Cost};
use crate::restore::plan::graph::JobId;
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::step::Step;

impl Builder<'_> {
    /// The steps that make an index or key, where it adopts its parts without `ONLY`.
    pub(super) fn adopting(&self, object: &Object, mut steps: Vec<Step>) -> Vec<Step> {
        let whole = without_only(object).filter(|_| self.gathered.attaches(object.id).is_some());
        if let Some((first, whole)) = object.statements.first().zip(whole)
            && let Some(step) = steps.iter_mut().find(|step| step.sql == *first)
        {
            step.sql = whole;
        }
        steps
    }

    /// The parts that an index or key adopts.
    pub(super) fn parts_of(&self, whole: ObjectId) -> Vec<ObjectId> {
        let attaches = self.gathered.attaches(whole).unwrap_or_default();
        attaches.iter().filter_map(|attach| self.objects.get(attach)?.of).collect()
    }

    /// What an index or key locks; `alone` is the mode where it adopts nothing.
    pub(super) fn locks_of_build(
        &self,
        object: &Object,
        table: ObjectId,
        alone: LockMode,
    ) -> Vec<(Lockable, LockMode)> {
        let (one, all) = (Lockable::Relation(table), self.graph.families.reach(table));
        if self.gathered.attaches(object.id).is_some() {
            // The server takes the parts' indexes for itself one by one, and a reader of two
            // partitions could come between.
            return vec![
                (all, LockMode::AccessExclusive),
                (Lockable::LockTable, LockMode::Exclusive),
            ];
        }
        vec![(if alone == LockMode::AccessExclusive { all } else { one }, alone)]
    }

    /// That of a partitioned table has no entries of its own.
    pub(super) fn cost_of_build(&self, object: &Object, table: ObjectId, alone: Cost) -> Cost {
        match self.graph.families.reach(table) {
            Lockable::Family(_) => {
                cost::CATALOG.times(self.gathered.attaches(object.id).map_or(1, <[ObjectId]>::len))
            }
            _ => alone,
        }
    }

    /// Notes which job makes an index or key, and with it the attachments of its parts.
    pub(super) fn note_build(&mut self, whole: ObjectId, job: JobId) {
        let attaches = self.gathered.attaches(whole).unwrap_or_default();
        self.made.extend(attaches.iter().chain([&whole]).map(|object| (*object, job)));
    }
}
