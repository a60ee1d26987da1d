//! The jobs of what rows need: one script, then what extensions have not made, then partitions.

use super::Builder;
use super::create_grants::{self, Creator};
use crate::archive::manifest::{Object, ObjectKind, Section};
use crate::restore::plan::graph::{Job, Stage, Work};
use crate::restore::plan::input::is_late;
use crate::restore::plan::{cost, on_extensions, statements};
use crate::restore::step::Step;

impl Builder<'_> {
    pub(super) fn pre_data(&mut self) {
        if !self.input.sections.pre_data {
            return;
        }
        let all = self
            .input
            .objects
            .iter()
            .filter(|object| object.section == Section::PreData && !is_late(object.kind));
        let (doubtful, before): (Vec<&Object>, Vec<&Object>) =
            all.partition(|object| object.extension.is_some());
        let (attaches, before): (Vec<&Object>, Vec<&Object>) =
            before.into_iter().partition(|object| object.kind == ObjectKind::TableAttach);
        let creators = create_grants::creators(&self.input);
        let may_create = |object: &Object| {
            creators
                .iter()
                .filter(|creator| creator.schema == object.name)
                .map(Creator::allow)
                .collect()
        };
        let allowed = |object: &Object| {
            if object.kind == ObjectKind::Schema { may_create(object) } else { Vec::new() }
        };
        let steps: Vec<Step> = before
            .into_iter()
            .flat_map(|object| {
                [statements::create(object, self.input.render), allowed(object)].concat()
            })
            .collect();
        if !steps.is_empty() {
            let label = format!("create pre-data objects ({} statements)", steps.len());
            let cost = cost::CATALOG.times(steps.len());
            let work = Work::Script(steps);
            self.pre = Some(self.push(Job {
                stage: Stage::PreData,
                label,
                work,
                needs: Vec::new(),
                locks: Vec::new(),
                cost,
            }));
        }
        // Members of operator families: only keys and indexes ask for them.
        let cost = cost::CATALOG.times(doubtful.len());
        if let Some(work) = on_extensions::work(doubtful, self.input.render) {
            let (label, needs) =
                ("make what extensions have not made".to_owned(), self.pre.into_iter().collect());
            self.pre = Some(self.push(Job {
                stage: Stage::PreData,
                label,
                work,
                needs,
                locks: Vec::new(),
                cost,
            }));
        }
        self.attach_partitions(attaches);
    }
}
