//! The jobs that bring rows, sequence values and large objects.

use super::Builder;
use crate::archive::manifest::{Object, ObjectKind, Section, Table, TableId};
use crate::restore::live::LiveKey;
use crate::restore::plan::graph::{Job, LoadMode, Stage, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::Lockable;
use crate::restore::plan::{cost, statements};
use crate::restore::step::Step;
use crate::sql::ident;

/// A table that holds this much of all rows, and more than [`DOMINANT_BYTES`], is loaded by several
/// sessions.
const DOMINANT_SHARE: u64 = 2;
const DOMINANT_BYTES: u64 = 64 << 20;
/// Fewer bytes than these are not worth a TRUNCATE, which makes new files for a table and removes
/// the old ones.
const FROZEN_BYTES: u64 = 1 << 20;
/// A session needs a few chunks to be worth its while.
const PART_CHUNKS: usize = 4;

impl Builder<'_> {
    pub(super) fn data(&mut self) {
        if !self.input.sections.data {
            return;
        }
        let total: u64 = self.input.chunks.iter().flatten().map(|chunk| chunk.raw_bytes).sum();
        self.large_objects();
        for (id, table) in (0..).map(TableId).zip(self.input.tables) {
            self.load(id, table, total);
        }
        self.order_by_foreign_keys();
        self.order_by_extensions();
        let is_value = |object: &&Object| {
            object.section == Section::Data && object.kind != ObjectKind::LargeObject
        };
        let values = self.input.objects.iter().filter(is_value);
        let steps: Vec<Step> =
            values.flat_map(|object| statements::create(object, self.input.render)).collect();
        if !steps.is_empty() {
            let cost = cost::CATALOG.times(steps.len().div_ceil(10));
            let label = format!("set sequence values ({} statements)", steps.len());
            let needs = self.pre.into_iter().collect();
            self.push(Job {
                stage: Stage::Data,
                label,
                work: Work::Script(steps),
                needs,
                locks: Vec::new(),
                cost,
            });
        }
    }

    /// Makes the large objects, empty, for their bytes to come.
    fn large_objects(&mut self) {
        let made: Vec<&Object> = self
            .input
            .objects
            .iter()
            .filter(|object| object.kind == ObjectKind::LargeObject)
            .collect();
        let steps: Vec<Step> =
            made.iter().flat_map(|object| statements::create(object, self.input.render)).collect();
        if steps.is_empty() {
            return;
        }
        let label = format!("make large objects ({} statements)", steps.len());
        let cost = cost::CATALOG.times(steps.len());
        let needs = self.pre.into_iter().collect();
        let job = self.push(Job {
            stage: Stage::Data,
            label,
            work: Work::Script(steps),
            needs,
            locks: Vec::new(),
            cost,
        });
        self.made.extend(made.iter().map(|object| (object.id, job)));
    }

    fn load(&mut self, id: TableId, table: &Table, total_bytes: u64) {
        let chunks = &self.input.chunks[id.0 as usize];
        if chunks.is_empty() {
            return;
        }
        let bytes: u64 = chunks.iter().map(|chunk| chunk.raw_bytes).sum();
        let is_made =
            |object: &Object| object.kind == ObjectKind::Table && !object.statements.is_empty();
        let is_extension = self
            .objects
            .get(&table.object)
            .is_some_and(|object| object.kind == ObjectKind::Extension);
        let made_here = self.input.sections.pre_data
            && self.objects.get(&table.object).is_some_and(|object| is_made(object));
        let dominant = bytes > DOMINANT_BYTES && bytes > total_bytes / DOMINANT_SHARE;
        let parts = if (made_here || table.is_large_objects()) && dominant {
            self.input.jobs.min(chunks.len() / PART_CHUNKS).max(1)
        } else {
            1
        };
        let mode = match (made_here, parts) {
            _ if table.is_large_objects() => LoadMode::LargeObjects,
            (true, 1) if table.root.is_none() && bytes >= FROZEN_BYTES => LoadMode::Freeze,
            (true, _) => LoadMode::Shared,
            (false, _) if is_extension => LoadMode::Extension,
            (false, _) if self.input.sections.pre_data || self.input.borrowed.contains(&id) => {
                LoadMode::Shared
            }
            (false, _) => LoadMode::Existing,
        };
        let lock = match mode {
            LoadMode::Freeze => LockMode::AccessExclusive,
            LoadMode::Shared | LoadMode::Extension | LoadMode::LargeObjects => {
                LockMode::RowExclusive
            }
            LoadMode::Existing => LockMode::ShareRowExclusive,
        };
        // What goes through the partitioned table may come to lie in any partition.
        let whole = self.graph.families.of(table.object).filter(|_| table.root.is_some());
        let locks = vec![(whole.map_or(Lockable::Relation(table.object), Lockable::Family), lock)];
        let attached = whole
            .map_or_else(|| self.made.get(&table.object), |family| self.attached.get(&family))
            .copied();
        let name = ident::qualified(&table.schema, &table.name);
        let last = (self.input.last)(&table.name);
        for (number, part) in chunks.chunks(chunks.len().div_ceil(parts)).enumerate() {
            let rows = part.iter().map(|chunk| chunk.rows).sum();
            let raw_bytes = part.iter().map(|chunk| chunk.raw_bytes).sum();
            let job = self.push(Job {
                stage: if last { Stage::Last } else { Stage::Data },
                label: if parts == 1 {
                    format!("load {name}")
                } else {
                    format!("load {name}, part {} of {parts}", number + 1)
                },
                work: Work::Load {
                    table: id,
                    chunks: part.iter().map(|chunk| chunk.chunk).collect(),
                    rows,
                    raw_bytes,
                    mode,
                    trusted: false,
                },
                needs: self.pre.into_iter().chain(attached).collect(),
                locks: locks.clone(),
                cost: cost::load(raw_bytes, rows),
            });
            self.loads.entry(table.object).or_default().push(job);
            if last {
                self.last_loads.push((table.object, job));
            }
        }
    }

    /// Where tables were there before, their foreign keys may be too: parents load first, and a
    /// key's check locks rows of the parent.
    fn order_by_foreign_keys(&mut self) {
        for LiveKey { child, parent } in self.input.live_keys {
            let parents = self.loads.get(parent).cloned().unwrap_or_default();
            for job in self.loads.get(child).cloned().unwrap_or_default() {
                let job = &mut self.graph.jobs[job.index()];
                job.needs.extend(
                    parents
                        .iter()
                        .filter(|parent| !job.needs.contains(parent))
                        .copied()
                        .collect::<Vec<_>>(),
                );
                job.locks.push((Lockable::Relation(*parent), LockMode::RowShare));
            }
        }
    }
}
