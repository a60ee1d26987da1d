//! Partitions become such while others of them are loaded already.
//!
//! The server looks at all partitions that a table has whenever another is attached to it, and lets
//! nobody else attach one meanwhile: for n partitions that is n² looks, one after the other. So
//! this is a chain of jobs beside the loads, each of which waits for its own partition only.

use std::collections::HashMap;

use super::Builder;
use crate::archive::manifest::{Object, ObjectId};
use crate::restore::plan::cost::{self, Cost};
use crate::restore::plan::graph::{Job, JobId, Stage, Work};
use crate::restore::plan::statements;
use crate::restore::step::Step;

/// Partitions that one job attaches, and that one transaction therefore locks.
const BATCH: usize = 100;
/// What a look at one partition costs the server.
const LOOK: Cost = Cost::of(5);

impl<'a> Builder<'a> {
    /// Makes the jobs. A default partition is attached after all others: these would lock it, and
    /// look at its rows.
    pub(super) fn attach_partitions(&mut self, attaches: Vec<&'a Object>) {
        let (last, first): (Vec<_>, Vec<_>) =
            attaches.into_iter().partition(|attach| is_default(attach));
        let ordered: Vec<&Object> = first.into_iter().chain(last).collect();
        let mut parents: HashMap<ObjectId, ObjectId> = HashMap::new();
        let mut before = self.pre;
        for (batch, number) in ordered.chunks(BATCH).zip(0..) {
            let steps: Vec<Step> = batch
                .iter()
                .flat_map(|attach| statements::create(attach, self.input.render))
                .collect();
            let cost =
                cost::CATALOG.times(steps.len()).and(LOOK.times(number * BATCH * batch.len()));
            let label = match batch {
                [one] => format!("attach {}", one.identity),
                [one, ..] => format!("attach {} and {} more", one.identity, batch.len() - 1),
                [] => continue,
            };
            let needs = before.into_iter().collect();
            let job = self.push(Job {
                stage: Stage::PreData,
                label,
                work: Work::Script(steps),
                needs,
                locks: Vec::new(),
                cost,
            });
            before = Some(job);
            for attach in batch {
                let Some(partition) = attach.of else { continue };
                self.made.extend([(attach.id, job), (partition, job)]);
                parents.extend(
                    attach
                        .depends_on
                        .iter()
                        .filter(|id| **id != partition)
                        .map(|parent| (partition, *parent)),
                );
                if let Some(family) = self.graph.families.of(partition) {
                    self.attached.insert(family, job);
                }
            }
        }
        // To attach a table that is partitioned itself locks all that is below it, and looks at the
        // rows.
        let partitions: Vec<ObjectId> = parents.keys().copied().collect();
        for partition in partitions {
            let last = self.last_attach(partition, &parents);
            self.made.extend(last.map(|job| (partition, job)));
        }
    }

    /// The last of the jobs that attach a table, or what it is a part of.
    fn last_attach(
        &self,
        partition: ObjectId,
        parents: &HashMap<ObjectId, ObjectId>,
    ) -> Option<JobId> {
        let mut last = self.made.get(&partition).copied();
        let mut table = partition;
        // No more steps than there are tables: an archive may say that two are partitions of each
        // other.
        for _ in 0..parents.len() {
            let Some(&parent) = parents.get(&table) else { break };
            table = parent;
            last = last.max(self.made.get(&table).copied());
        }
        last
    }
}

fn is_default(attach: &Object) -> bool {
    attach.statements.first().is_some_and(|statement| statement.ends_with(" DEFAULT"))
}
