//! The jobs of a foreign key: it is added, and then validated, where that is two steps.

use std::collections::HashMap;

use super::Builder;
use super::post_data::waits;
use crate::archive::manifest::{Detail, Object, ObjectId};
use crate::restore::options::ForeignKeys;
use crate::restore::plan::cost;
use crate::restore::plan::graph::{Job, JobId, Stage, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::statements::{self, is_built};
use crate::restore::step::Step;
use crate::sql::ident;

impl Builder<'_> {
    pub(super) fn foreign_key(&mut self, object: &Object, analyzed: &HashMap<ObjectId, JobId>) {
        let Detail::ForeignKey { references, add_not_valid, validate, .. } = &object.detail else {
            return;
        };
        let Some(child) = object.of else { return };
        let (child_rows, parent_rows) = (self.rows_of(child), self.rows_of(*references));
        let reached = [child, *references].map(|table| self.graph.families.reach(table));
        let mut locks = reached.map(|on| (on, LockMode::ShareRowExclusive)).to_vec();
        locks.dedup();
        let statistics =
            [child, *references].map(|table| self.statistics_stand(table, analyzed)).concat();
        // A proof by an empty table is instant: one statement does both.
        let two_steps = add_not_valid.as_ref().zip(validate.as_ref()).filter(|_| child_rows > 0);
        let steps = match two_steps {
            Some((add, _)) => {
                vec![Step::new(format!("add {}", object.identity), add).making(object.id)]
            }
            None => statements::create(object, self.input.render),
        };
        let (needs, cost) = if two_steps.is_some() || child_rows == 0 {
            (Vec::new(), cost::CATALOG)
        } else {
            (statistics.clone(), cost::validate(child_rows, parent_rows))
        };
        let label = format!("add {}", object.identity);
        let add = self.push(Job {
            stage: Stage::ForeignKeys,
            label,
            work: Work::Statements(steps),
            needs,
            locks,
            cost,
        });
        let needed = waits(object, Some(*references));
        let keys: Vec<&Object> = needed
            .iter()
            .filter_map(|id| self.objects.get(id))
            .copied()
            .filter(|key| is_built(key))
            .collect();
        let attached: Vec<JobId> =
            keys.into_iter().filter_map(|key| self.parts_attached(key)).collect();
        self.graph.jobs[add.index()].needs.extend(attached);
        self.waits.push((add, needed));
        self.made.insert(object.id, add);
        self.note_look(add, [child, *references]);
        if let Some((_, validate)) = two_steps {
            if self.input.foreign_keys == ForeignKeys::NotValid {
                self.graph.unproved.push(format!(
                    "{} on {}",
                    ident::quote(&object.name),
                    self.name_of(child)
                ));
                return;
            }
            let step = Step::new(format!("validate {}", object.identity), validate).of(object.id);
            let needs = std::iter::once(add).chain(statistics).collect();
            let locks = reached
                .into_iter()
                .zip([LockMode::ShareUpdateExclusive, LockMode::RowShare])
                .collect();
            let cost = cost::validate(child_rows, parent_rows);
            let job = Job {
                stage: Stage::ForeignKeys,
                label: step.doing.clone(),
                work: Work::Statements(vec![step]),
                needs,
                locks,
                cost,
            };
            if [child, *references].iter().any(|table| self.looks.contains_key(table)) {
                let proof = self.push(job);
                self.note_look(proof, [child, *references]);
            } else {
                self.prove(job);
            }
        }
    }

    /// Notes a job that looks at the rows of these tables.
    fn note_look(&mut self, job: JobId, tables: [ObjectId; 2]) {
        for table in tables {
            if let Some(looks) = self.looks.get_mut(&table) {
                looks.push(job);
            }
        }
    }
}
