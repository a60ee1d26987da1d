//! After which jobs something stands: an object, a table's rows, its statistics, the attached parts
//! of an index; and where many jobs are waited for by many, a job without work between them, so
//! that what each needs does not grow with the square of their number.

use std::collections::{HashMap, HashSet};

use super::Builder;
use crate::archive::manifest::{Object, ObjectId};
use crate::restore::plan::builder::together::rows;
use crate::restore::plan::cost::Cost;
use crate::restore::plan::graph::{Job, JobId, Stage, Work};
use crate::restore::plan::partition_trees::FamilyId;

/// So many jobs may be waited for one by one.
const FEW: usize = 3;

impl<'a> Builder<'a> {
    /// The jobs after which an object stands; for a table, those that bring its rows.
    pub(super) fn stands(&mut self, object: ObjectId) -> Vec<JobId> {
        let rows = self.rows_stand(object);
        rows.into_iter().chain(self.made.get(&object).copied()).collect()
    }

    /// The jobs that bring a table's rows, be they those of its partitions, which are attached
    /// then.
    pub(super) fn rows_stand(&mut self, table: ObjectId) -> Vec<JobId> {
        let Some(family) = self.spread_over(table) else {
            return self.loads.get(&table).cloned().unwrap_or_default();
        };
        if let Some(known) = self.together.rows.get(&family) {
            return known.clone();
        }
        let members = self.graph.families.members(family);
        let loads = members.iter().filter_map(|member| self.loads.get(member)).flatten();
        let loads = loads.chain(self.attached.get(&family)).copied().collect();
        let jobs = self.together(
            Stage::Data,
            format!("all rows of {}", self.name_of_family(family)),
            loads,
        );
        self.together.rows.insert(family, jobs.clone());
        jobs
    }

    /// The jobs that bring all rows there are.
    pub(super) fn all_rows_stand(&mut self) -> Vec<JobId> {
        if self.together.rows_of_all.is_none() {
            let mut loads: Vec<JobId> = self.loads.values().flatten().copied().collect();
            loads.sort_unstable();
            self.together.rows_of_all =
                Some(self.together(Stage::Data, "all rows".to_owned(), loads));
        }
        self.together.rows_of_all.clone().unwrap_or_default()
    }

    /// The jobs after which the statistics of a table, and of its partitions, stand.
    pub(super) fn statistics_stand(
        &mut self,
        table: ObjectId,
        analyzed: &HashMap<ObjectId, JobId>,
    ) -> Vec<JobId> {
        let Some(family) = self.spread_over(table) else {
            return analyzed.get(&table).copied().into_iter().collect();
        };
        if let Some(known) = self.together.statistics.get(&family) {
            return known.clone();
        }
        let jobs = self
            .graph
            .families
            .members(family)
            .iter()
            .filter_map(|member| analyzed.get(member))
            .copied()
            .collect();
        let jobs = self.together(
            Stage::Analyze,
            format!("all statistics of {}", self.name_of_family(family)),
            jobs,
        );
        self.together.statistics.insert(family, jobs.clone());
        jobs
    }

    /// The job after which a partitioned table's key or index stands: those of its partitions are
    /// attached to it, level by level.
    pub(super) fn parts_attached(&mut self, key: &'a Object) -> Option<JobId> {
        if let Some(known) = self.together.keys.get(&key.id) {
            return *known;
        }
        // One that adopts its parts holds as soon as it stands.
        if self.gathered.attaches(key.id).is_some() {
            return None;
        }
        let mut attaches: Vec<ObjectId> = Vec::new();
        let (mut open, mut seen) = (vec![key.id], HashSet::from([key.id]));
        while let Some(above) = open.pop() {
            for attach in self.attachments.get(&above).into_iter().flatten() {
                attaches.push(attach.id);
                open.extend(attach.of.filter(|part| seen.insert(*part)));
            }
        }
        let job = (!attaches.is_empty()).then(|| {
            let job = self.push(milestone(
                Stage::Keys,
                format!("all parts of {}", key.identity),
                Vec::new(),
            ));
            self.waits.push((job, attaches));
            job
        });
        self.together.keys.insert(key.id, job);
        job
    }

    /// These jobs, or one that stands for them.
    pub(super) fn together(&mut self, stage: Stage, label: String, jobs: Vec<JobId>) -> Vec<JobId> {
        if jobs.len() <= FEW { jobs } else { vec![self.push(milestone(stage, label, jobs))] }
    }

    /// How many rows come into a table, and into its partitions.
    pub(super) fn rows_of(&self, table: ObjectId) -> u64 {
        match self.spread_over(table) {
            Some(family) => self.family_rows.get(&family).copied().unwrap_or_default(),
            None => {
                self.table_ids.get(&table).map_or(0, |id| rows(&self.input.chunks[id.0 as usize]))
            }
        }
    }

    /// The family whose tables the rows of one table may lie in; none where they lie in itself.
    fn spread_over(&self, table: ObjectId) -> Option<FamilyId> {
        let holds_its_own = self
            .table_ids
            .get(&table)
            .is_some_and(|id| self.input.tables[id.0 as usize].root.is_none());
        self.graph.families.of(table).filter(|_| !holds_its_own)
    }

    fn name_of_family(&self, family: FamilyId) -> String {
        self.graph.families.root(family).map_or_else(String::new, |root| self.name_of(root))
    }
}

/// A job without work.
fn milestone(stage: Stage, label: String, needs: Vec<JobId>) -> Job {
    Job {
        stage,
        label,
        work: Work::Statements(Vec::new()),
        needs,
        locks: Vec::new(),
        cost: Cost::of(0),
    }
}
