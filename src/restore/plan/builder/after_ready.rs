//! What may be done while the database is in use: indexes that only make queries faster, and the
//! proofs of foreign keys.
//!
//! Does not know which columns must be found fast from the start, but for those of foreign keys.

use std::collections::BTreeMap;

use super::Builder;
use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind};
use crate::restore::plan::cost::{self, Cost};
use crate::restore::plan::graph::{ConcurrentIndex, Job, JobId, Stage, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::plan::statements;
use crate::restore::step::Step;

impl<'a> Builder<'a> {
    /// Lets an index be built while the database is in use, if nobody needs it before: it forbids
    /// nothing, no trigger and no cascade looks rows up by it, and it can be built beside writers.
    pub(super) fn build_later(&mut self, object: &'a Object, table: ObjectId, cost: Cost) -> bool {
        let may_wait = self.input.ready
            && self.rows_of(table) > 0
            && !self.is_last(table)
            && self.may_wait(object, table);
        if may_wait {
            self.late.put_off.insert(object.id);
            self.late.indexes.push((object, table, cost));
        }
        may_wait
    }

    fn may_wait(&self, object: &Object, table: ObjectId) -> bool {
        let Detail::Index { unique, columns, partitioned, .. } = &object.detail else {
            return false;
        };
        let forbids = *unique || *partitioned || self.late.needed.contains(&object.id);
        let own_tablespace = object.tablespace.is_some() && !self.input.render.no_tablespaces;
        let [statement] = object.statements.as_slice() else { return false };
        let is_table =
            self.objects.get(&table).is_some_and(|table| table.kind == ObjectKind::Table);
        let first = columns.first().and_then(Option::as_deref);
        let is_searched = columns.iter().flatten().any(|column| (self.input.searched)(column))
            || first.is_some_and(|column| self.late.referring.contains(&(table, column)));
        is_table && !forbids && !own_tablespace && !is_searched && concurrently(statement).is_some()
    }

    /// Adds the job that validates a foreign key: before the database may be used, or while it is
    /// in use.
    pub(super) fn prove(&mut self, job: Job) {
        if self.input.ready {
            self.late.proofs.push(job);
        } else {
            self.push(job);
        }
    }

    /// The job that reports the database ready once all else is done; what may be done while it is
    /// in use follows.
    pub(super) fn ready(&mut self) {
        if !self.input.ready {
            return;
        }
        let (label, needs) = ("mark the target as usable".to_owned(), self.graph.sinks());
        let ready = self.push(Job {
            stage: Stage::Ready,
            label,
            work: Work::Ready,
            needs,
            locks: Vec::new(),
            cost: cost::CATALOG,
        });
        let late = std::mem::take(&mut self.late);
        for proof in late.proofs {
            self.push(Job { stage: Stage::Finish, needs: vec![ready], ..proof });
        }
        let mut again: BTreeMap<ObjectId, Vec<JobId>> = BTreeMap::new();
        for (object, table, cost) in late.indexes {
            let Some(job) = self.concurrent_index(object, table, cost, ready) else { continue };
            let Detail::Index { columns, .. } = &object.detail else { continue };
            if columns.contains(&None) || self.known.holds(table) {
                again.entry(table).or_default().push(job);
            }
        }
        // Statistics of an expression are gathered once it has its index; those of the archive say
        // of the index what it was.
        for (table, needs) in again {
            if let Some(analyze) = self.analyze_job(table) {
                self.push(Job { stage: Stage::Finish, needs, ..analyze });
            }
        }
    }

    fn concurrent_index(
        &mut self,
        object: &Object,
        table: ObjectId,
        cost: Cost,
        ready: JobId,
    ) -> Option<JobId> {
        let create = Step::new(
            format!("build {}", object.identity),
            concurrently(object.statements.first()?)?,
        )
        .making(object.id);
        let label = create.doing.clone();
        let index =
            ConcurrentIndex { schema: object.schema.clone()?, name: object.name.clone(), create };
        let locks = vec![(Lockable::Relation(table), LockMode::ShareUpdateExclusive)];
        let work = Work::Concurrently(index);
        // The table is read twice.
        let cost = Cost { micros: cost.micros + cost.micros / 2, ..cost };
        let job =
            self.push(Job { stage: Stage::Finish, label, work, needs: vec![ready], locks, cost });
        let steps = statements::describe(object, self.input.render);
        if !steps.is_empty() {
            let label = format!("comment on {}", object.identity);
            let work = Work::Statements(steps);
            self.push(Job {
                stage: Stage::Finish,
                label,
                work,
                needs: vec![job],
                locks: Vec::new(),
                cost: cost::CATALOG,
            });
        }
        Some(job)
    }
}

/// The statement that builds the same index beside writers.
fn concurrently(statement: &str) -> Option<String> {
    statement.strip_prefix("CREATE INDEX ").map(|rest| format!("CREATE INDEX CONCURRENTLY {rest}"))
}
