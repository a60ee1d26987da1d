//! When extensions' rows come: after those that they refer to. Some extensions act on what is made
//! (TimescaleDB repeats an index of a hypertable for each of its chunks) or do by themselves what
//! their rows tell them (pg_cron): such should find everything made. Others are asked when an index
//! is built (a projection that a user added to PostGIS).

use std::collections::HashMap;

use super::Builder;
use crate::archive::manifest::ObjectKind;
use crate::restore::plan::graph::{JobId, Stage, Work};

impl Builder<'_> {
    /// Tables of extensions have their foreign keys from the start.
    pub(super) fn order_by_extensions(&mut self) {
        let tables = self.input.tables;
        let mut jobs: HashMap<(&str, &str), Vec<JobId>> = HashMap::new();
        for id in self.graph.ids() {
            if let Work::Load { table, .. } = &self.graph.jobs[id.index()].work {
                let table = &tables[table.0 as usize];
                jobs.entry((&table.schema, &table.name)).or_default().push(id);
            }
        }
        for table in tables {
            let before = table
                .after
                .iter()
                .filter_map(|name| jobs.get(&(name.schema.as_str(), name.name.as_str())))
                .flatten();
            let before: Vec<JobId> = before.copied().collect();
            for job in jobs.get(&(table.schema.as_str(), table.name.as_str())).into_iter().flatten()
            {
                self.graph.jobs[job.index()].needs.extend(&before);
            }
        }
    }

    /// Lets the rows of each extension that no key or index waits for wait for all that does not
    /// wait for them.
    pub(super) fn extension_rows(&mut self) {
        let extensions =
            self.input.objects.iter().filter(|object| object.kind == ObjectKind::Extension);
        let loads: Vec<Vec<JobId>> =
            extensions.filter_map(|extension| self.loads.get(&extension.id)).cloned().collect();
        for loads in loads {
            let after = self.after(&loads);
            let made = |job: &JobId| {
                matches!(self.graph.jobs[job.index()].stage, Stage::Keys | Stage::Indexes)
            };
            if self.graph.ids().any(|job| after[job.index()] && made(&job)) {
                continue;
            }
            let waits_for = |job: &JobId| {
                made(job)
                    || matches!(
                        self.graph.jobs[job.index()].stage,
                        Stage::ForeignKeys | Stage::Rest
                    )
            };
            let before: Vec<JobId> =
                self.graph.ids().filter(|job| !after[job.index()] && waits_for(job)).collect();
            let before =
                self.together(Stage::Rest, "all that extensions' rows wait for".to_owned(), before);
            for load in loads {
                let needs = &mut self.graph.jobs[load.index()].needs;
                needs.extend(&before);
                needs.sort_unstable();
                needs.dedup();
            }
        }
    }

    /// Which jobs cannot begin before extensions' rows or the like, these jobs, are done; these are
    /// among them.
    pub(super) fn after(&self, jobs: &[JobId]) -> Vec<bool> {
        let dependents = self.graph.dependents();
        let mut after = vec![false; self.graph.jobs.len()];
        let mut open = jobs.to_vec();
        while let Some(job) = open.pop() {
            if !std::mem::replace(&mut after[job.index()], true) {
                open.extend(&dependents[job.index()]);
            }
        }
        after
    }
}
