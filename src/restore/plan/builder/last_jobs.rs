//! The end of a restore: privileges and comments, materialized views, the rows that declare the
//! database usable, event triggers.

use std::collections::HashMap;

use super::Builder;
use super::create_grants::{Creator, creators};
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::restore::plan::graph::{Job, JobId, Stage, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::plan::{cost, on_extensions, statements};
use crate::restore::step::Step;

impl Builder<'_> {
    /// Privileges come last, because an owner may have revoked his own, and default privileges
    /// after them, because they would change whatever is made later.
    pub(super) fn privileges(&mut self) {
        let wanted = |object: &&&Object| {
            self.input.sections.holds(object.section)
                && object.kind != ObjectKind::EventTrigger
                && !self.late.holds(object.id)
        };
        let (on_extensions, all): (Vec<&Object>, Vec<&Object>) = self
            .input
            .objects
            .iter()
            .filter(|object| wanted(&object))
            .partition(|object| object.extension.is_some());
        let (defaults, others): (Vec<&Object>, Vec<&Object>) =
            all.into_iter().partition(|object| object.kind == ObjectKind::DefaultAcl);
        // What is made on an extension's object was described when it was made.
        self.privileges_on_extensions(
            on_extensions.into_iter().filter(|object| object.statements.is_empty()).collect(),
        );
        let mut steps: Vec<Step> = creators(&self.input).iter().map(Creator::forbid).collect();
        steps.extend(
            others.iter().flat_map(|object| statements::describe(object, self.input.render)),
        );
        if !self.input.render.no_privileges {
            steps.extend(
                defaults.iter().flat_map(|object| statements::create(object, self.input.render)),
            );
            steps.extend(
                defaults.iter().flat_map(|object| statements::describe(object, self.input.render)),
            );
        }
        if steps.is_empty() {
            return;
        }
        let needs = self.all_but_last_rows();
        let label = format!("set privileges and comments ({} statements)", steps.len());
        let cost = cost::CATALOG.times(steps.len());
        self.push(Job {
            stage: Stage::Privileges,
            label,
            work: Work::Script(steps),
            needs,
            locks: Vec::new(),
            cost,
        });
    }

    /// Privileges of extensions' members: who knows whether this extension makes them here.
    fn privileges_on_extensions(&mut self, objects: Vec<&Object>) {
        let cost = cost::CATALOG.times(objects.len());
        let label = format!("set the privileges of extensions' objects ({})", objects.len());
        let Some(work) = on_extensions::work(objects, self.input.render) else { return };
        let needs = self.all_but_last_rows();
        self.push(Job { stage: Stage::Privileges, label, work, needs, locks: Vec::new(), cost });
    }

    /// Materialized views are filled with the privileges in place, because they read with their
    /// owner's.
    pub(super) fn refreshes(&mut self, analyzed: &HashMap<ObjectId, JobId>) {
        if !self.input.refresh {
            return;
        }
        let is_filled = |object: &&Object| {
            object.kind == ObjectKind::RefreshMaterializedView && !object.statements.is_empty()
        };
        let views: Vec<&Object> = self.input.objects.iter().filter(is_filled).collect();
        if views.is_empty() {
            return;
        }
        let needs = self.all_but_last_rows();
        let needs =
            self.together(Stage::Refresh, "all that materialized views may read".to_owned(), needs);
        for object in views {
            let steps = statements::create(object, self.input.render);
            let locks = object
                .of
                .into_iter()
                .map(|view| (Lockable::Relation(view), LockMode::AccessExclusive))
                .collect();
            let mut needs = needs.clone();
            needs.extend(
                object
                    .depends_on
                    .iter()
                    .chain(&object.of)
                    .filter_map(|one| self.made.get(one).or_else(|| analyzed.get(one))),
            );
            needs.sort_unstable();
            needs.dedup();
            let label = format!("refresh {}", object.identity);
            let job = Job {
                stage: Stage::Refresh,
                label,
                work: Work::Statements(steps),
                needs,
                locks,
                cost: cost::refresh(),
            };
            let job = self.push(job);
            self.made.insert(object.id, job);
            if let Some(statistics) = object.of.and_then(|view| self.statistics_job(view)) {
                self.push(Job { needs: vec![job], ..statistics });
            }
        }
    }

    /// What the caller wants done to the rows.
    pub(super) fn afterwards(&mut self) {
        let steps = self.input.afterwards;
        let Some(first) = steps.first().filter(|_| self.input.sections.data) else { return };
        let needs = self.all_but_last_rows();
        self.push(Job {
            stage: Stage::Data,
            label: first.doing.clone(),
            work: Work::Script(steps.to_vec()),
            needs,
            locks: Vec::new(),
            cost: cost::CATALOG.times(steps.len()),
        });
    }

    /// The rows that declare the database usable come when nothing else is left but what itself
    /// waits for them.
    pub(super) fn last_rows(&mut self) {
        if self.last_loads.is_empty() {
            return;
        }
        let loads = self.last_loads.clone();
        let dependents = self.graph.dependents();
        let after = self.after(&loads.iter().map(|(_, job)| *job).collect::<Vec<_>>());
        let before = |job: &JobId| !after[job.index()];
        let sinks: Vec<JobId> = self
            .graph
            .ids()
            .filter(before)
            .filter(|job| !dependents[job.index()].iter().any(before))
            .collect();
        for (_, job) in &loads {
            self.graph.jobs[job.index()].needs.clone_from(&sinks);
        }
        for (table, job) in loads {
            if let Some(analyze) = self.analyze_job(table) {
                let analyze = self.push(analyze);
                self.graph.jobs[analyze.index()].needs = vec![job];
            }
        }
    }

    pub(super) fn finish(&mut self) {
        if self.input.sections.post_data {
            for object in
                self.input.objects.iter().filter(|object| object.kind == ObjectKind::EventTrigger)
            {
                self.graph.finish.extend(statements::create(object, self.input.render));
                self.graph.finish.extend(statements::describe(object, self.input.render));
            }
        }
    }

    /// The jobs that no other needs but the last rows, these left out unless something waits for
    /// them.
    pub(super) fn all_but_last_rows(&self) -> Vec<JobId> {
        let last = |job: &JobId| self.last_loads.iter().any(|(_, load)| load == job);
        let dependents = self.graph.dependents();
        let is_end = |job: &JobId| !last(job) && dependents[job.index()].iter().all(last);
        self.graph.ids().filter(is_end).collect()
    }
}
