//! The jobs that give the server the statistics that the archive holds. A table of which something
//! is missing is analyzed instead.

use std::collections::HashMap;

use super::Builder;
use crate::archive::manifest::{ObjectId, ObjectKind};
use crate::pg::statistics::Name;
use crate::restore::plan::cost;
use crate::restore::plan::graph::{Job, JobId, Stage, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::step::Step;
use crate::sql::ident;

/// Extended statistics by their relation.
pub(super) type Extended = HashMap<ObjectId, Vec<ObjectId>>;

impl Builder<'_> {
    /// The job that restores a relation's statistics, unless it is better analyzed. What has rows
    /// here and had none when it was looked at last, and what may hold statistics that the role did
    /// not see, is.
    pub(super) fn statistics_job(&self, relation: ObjectId) -> Option<Job> {
        let known = self.known.by_relation.get(&relation)?;
        let gather = self.gather(relation);
        let own = known.iter().find(|(object, ..)| *object == relation);
        let has_columns =
            own.is_some_and(|(_, place, _)| !self.input.statistics[*place].columns.is_empty());
        if gather.is_some() && (self.known.incomplete.contains(&relation) || !has_columns) {
            return None;
        }
        let stands = |object: &ObjectId| !self.late.holds(*object);
        let taken: Vec<(usize, Name)> = known
            .iter()
            .filter(|(object, ..)| stands(object))
            .map(|(_, place, name)| (*place, name.clone()))
            .collect();
        let calls: usize =
            taken.iter().map(|(place, _)| 1 + self.input.statistics[*place].columns.len()).sum();
        Some(Job {
            stage: Stage::Analyze,
            label: format!("restore the statistics of {}", self.name_of(relation)),
            work: Work::Statistics { taken, gather },
            needs: Vec::new(),
            locks: vec![(Lockable::Relation(relation), LockMode::ShareUpdateExclusive)],
            cost: cost::CATALOG.times(calls.div_ceil(10)),
        })
    }

    /// The job after which the planner knows a table's rows: by the archive's statistics, or by a
    /// look at the rows.
    pub(super) fn analyze_job(&self, table: ObjectId) -> Option<Job> {
        if let Some(job) = self.statistics_job(table) {
            return Some(job);
        }
        let step = self.gather(table)?;
        let id = self.table_ids.get(&table)?.0 as usize;
        let (described, chunks) = (&self.input.tables[id], &self.input.chunks[id]);
        let bytes = chunks.iter().map(|chunk| chunk.raw_bytes).sum();
        Some(Job {
            stage: Stage::Analyze,
            label: step.doing.clone(),
            work: Work::Statements(vec![step]),
            needs: Vec::new(),
            locks: vec![(Lockable::Relation(table), LockMode::ShareUpdateExclusive)],
            cost: cost::analyze(bytes, described.columns.len()),
        })
    }

    /// What gathers a table's statistics, if it was given rows.
    fn gather(&self, table: ObjectId) -> Option<Step> {
        let id = self
            .table_ids
            .get(&table)
            .filter(|_| self.input.analyze && self.loads.contains_key(&table))?;
        let described =
            Some(&self.input.tables[id.0 as usize]).filter(|table| !table.is_large_objects())?;
        let name = ident::qualified(&described.schema, &described.name);
        Some(Step::new(format!("analyze {name}"), format!("ANALYZE {name}")).of(table))
    }

    /// Statistics of what has no rows of its own in the archive: partitioned tables, foreign
    /// tables.
    pub(super) fn other_statistics(
        &mut self,
        built: &HashMap<ObjectId, Vec<JobId>>,
        extended: &Extended,
    ) {
        for object in self.input.objects {
            let is_other = object.kind != ObjectKind::MaterializedView
                && !self.table_ids.contains_key(&object.id);
            let Some(mut job) = self.statistics_job(object.id).filter(|_| is_other) else {
                continue;
            };
            job.needs = built.get(&object.id).cloned().unwrap_or_default();
            let job = self.push(job);
            self.waits.push((job, vec![object.id]));
            self.await_extended(job, object.id, extended);
        }
    }

    /// The extended statistics of each relation.
    pub(super) fn extended(&self) -> Extended {
        let mut extended = Extended::new();
        for object in
            self.input.objects.iter().filter(|object| object.kind == ObjectKind::Statistics)
        {
            extended.entry(object.of.unwrap_or(object.id)).or_default().push(object.id);
        }
        extended
    }

    /// Extended statistics are gathered, or taken, once they are declared.
    pub(super) fn await_extended(&mut self, job: JobId, relation: ObjectId, extended: &Extended) {
        if let Some(objects) = extended.get(&relation) {
            self.waits.push((job, objects.clone()));
        }
    }
}
