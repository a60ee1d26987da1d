//! From objects and chunks to a graph of jobs. Pure: knows no server and no session.
//!
//! Made before rows: one script. Then each table's rows, its index builds side by side, its keys from these indexes in one statement, its
//! statistics, its foreign keys and the rest, every object as soon as what it depends on stands. Privileges, comments and materialized
//! views wait for all of that, and the rows that declare the database usable wait for everything.

mod attach;
mod creator;
mod end;
mod extension_rows;
mod gather;
mod late;
mod post;
mod rows;
mod statistics;
mod trust;

use std::collections::{HashMap, HashSet};

use self::creator::Creator;
use self::gather::Gathered;
use self::late::Late;
use self::rows::Together;
use self::statistics::Known;
use super::cost;
use super::families::{Families, FamilyId, Lockable};
use super::graph::{Graph, Job, JobId, LoadMode, Stage, Step, Work};
pub use super::live_keys::LiveKey;
use super::locks::LockMode;
use super::{on_extensions, statements};
use crate::archive::manifest::{Object, ObjectId, ObjectKind, Section, Table, TableId};
use crate::archive::statistics::Statistics;
use crate::error::Result;
use crate::pg::ident;
use crate::pg::render;

/// A table that holds this much of all rows, and more than [`DOMINANT_BYTES`], is loaded by several sessions.
const DOMINANT_SHARE: u64 = 2;
const DOMINANT_BYTES: u64 = 64 << 20;
/// Fewer bytes than these are not worth a TRUNCATE, which makes new files for a table and removes the old ones.
const FROZEN_BYTES: u64 = 1 << 20;
/// A session needs a few chunks to be worth its while.
const PART_CHUNKS: usize = 4;

/// Which thirds of a restore are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sections {
    /// What rows need to be loaded.
    pub pre_data: bool,
    /// Rows, sequence values, large objects.
    pub data: bool,
    /// Keys, indexes, triggers and what else is made after the rows.
    pub post_data: bool,
}

impl Sections {
    /// All three.
    pub const ALL: Self = Self { pre_data: true, data: true, post_data: true };

    /// Whether a section is wanted.
    pub fn holds(self, section: Section) -> bool {
        match section {
            Section::PreData => self.pre_data,
            Section::Data => self.data,
            Section::PostData => self.post_data,
        }
    }
}

/// What is done about foreign keys, which the rows of a consistent dump keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForeignKeys {
    /// They are proved.
    #[default]
    Validate,
    /// They are left `NOT VALID`: kept for new rows, not proved for those that the archive brought.
    NotValid,
    /// They are made on the empty tables and do not look at the rows: an orphan in the source stays one.
    Trust,
}

/// One chunk of a table that is to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSize {
    /// Its place in the archive's index.
    pub chunk: usize,
    /// Its rows.
    pub rows: u64,
    /// Its bytes of COPY data.
    pub raw_bytes: u64,
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The objects wanted, in an order in which they can be created; one without statements stands already.
    pub objects: &'a [Object],
    /// The archive's tables.
    pub tables: &'a [Table],
    /// Each table's chunks; none where its rows are not wanted.
    pub chunks: &'a [Vec<ChunkSize>],
    /// Which tables' rows wait for everything else.
    pub last: fn(&Table) -> bool,
    /// Sessions.
    pub jobs: usize,
    /// Sections.
    pub sections: Sections,
    /// Whether materialized views are filled.
    pub refresh: bool,
    /// What to leave out of the statements.
    pub render: &'a render::Options,
    /// Whether statistics are gathered.
    pub analyze: bool,
    /// What is done about foreign keys.
    pub foreign_keys: ForeignKeys,
    /// The foreign keys that stand before the rows come.
    pub live_keys: &'a [LiveKey],
    /// Tables that stand already and are another role's: nothing but rows is brought to them.
    pub borrowed: &'a HashSet<TableId>,
    /// Whether the database is declared usable before all is done.
    pub ready: bool,
    /// How many locks the server's lock table has room for.
    pub lock_table: u64,
    /// Columns whose indexes must stand when the database is declared usable.
    pub searched: fn(&str) -> bool,
    /// The archive's statistics that are restored.
    pub statistics: &'a [Statistics],
    /// Whether the server takes extended ones.
    pub takes_extended: bool,
}

/// Makes the graph. Fails where objects need each other in a circle.
pub fn build(input: Input<'_>) -> Result<Graph> {
    let families = Families::new(input.objects);
    let objects = input.objects.iter().map(|object| (object.id, object)).collect();
    let attachments = attachments(input.objects);
    let mut builder = Builder {
        input,
        gathered: Gathered::new(&input, &objects, &attachments),
        objects,
        table_ids: (0..).map(TableId).zip(input.tables).map(|(id, table)| (table.object, id)).collect(),
        family_rows: rows::by_family(&input, &families),
        together: Together::default(),
        attachments,
        graph: Graph { families, ..Graph::default() },
        pre: None,
        attached: HashMap::new(),
        made: HashMap::new(),
        loads: HashMap::new(),
        last_loads: Vec::new(),
        waits: Vec::new(),
        without_job: HashMap::new(),
        late: Late::new(&input),
        known: Known::new(&input),
    };
    builder.pre_data();
    builder.data();
    builder.trusted_keys();
    let analyzed = builder.post_data();
    builder.resolve();
    builder.extension_rows();
    builder.privileges();
    builder.refreshes(&analyzed);
    builder.last_rows();
    builder.ready();
    builder.finish();
    builder.graph.order()?;
    Ok(builder.graph)
}

struct Builder<'a> {
    input: Input<'a>,
    objects: HashMap<ObjectId, &'a Object>,
    table_ids: HashMap<ObjectId, TableId>,
    /// The rows that come into each family.
    family_rows: HashMap<FamilyId, u64>,
    /// The jobs that stand for many.
    together: Together,
    /// What attaches partitions' indexes and keys to that of the partitioned table, by the latter.
    attachments: HashMap<ObjectId, Vec<&'a Object>>,
    /// The indexes and keys that adopt those of their partitions by themselves.
    gathered: Gathered,
    graph: Graph,
    /// The script that makes everything before the rows.
    pre: Option<JobId>,
    /// The job after which a family has all its partitions, where this run attaches them.
    attached: HashMap<FamilyId, JobId>,
    /// The job after which an object stands.
    made: HashMap<ObjectId, JobId>,
    /// The jobs that bring a table's rows.
    loads: HashMap<ObjectId, Vec<JobId>>,
    /// Those of them that wait for everything else.
    last_loads: Vec<(ObjectId, JobId)>,
    /// Which objects a job waits for; turned into needs once every object's job is known.
    waits: Vec<(JobId, Vec<ObjectId>)>,
    /// What is made along with something else, such as a partition's trigger, with what it waits for: who waits for it, waits for that.
    without_job: HashMap<ObjectId, Vec<ObjectId>>,
    /// What is done while the database is in use already.
    late: Late<'a>,
    /// The statistics that the archive has.
    known: Known,
}

impl Builder<'_> {
    fn push(&mut self, job: Job) -> JobId {
        let id = JobId(self.graph.jobs.len() as u32);
        self.graph.jobs.push(job);
        id
    }

    fn pre_data(&mut self) {
        if !self.input.sections.pre_data {
            return;
        }
        let all = self.input.objects.iter().filter(|object| object.section == Section::PreData && !is_late(object.kind));
        let (doubtful, before): (Vec<&Object>, Vec<&Object>) = all.partition(|object| object.extension.is_some());
        let (attaches, before): (Vec<&Object>, Vec<&Object>) =
            before.into_iter().partition(|object| object.kind == ObjectKind::TableAttach);
        let creators = creator::creators(&self.input);
        let may_create = |object: &Object| creators.iter().filter(|creator| creator.schema == object.name).map(Creator::allow).collect();
        let allowed = |object: &Object| if object.kind == ObjectKind::Schema { may_create(object) } else { Vec::new() };
        let steps: Vec<Step> =
            before.into_iter().flat_map(|object| [statements::create(object, self.input.render), allowed(object)].concat()).collect();
        if !steps.is_empty() {
            let label = format!("make what rows need ({} statements)", steps.len());
            let cost = cost::CATALOG.times(steps.len());
            let work = Work::Script(steps);
            self.pre = Some(self.push(Job { stage: Stage::PreData, label, work, needs: Vec::new(), locks: Vec::new(), cost }));
        }
        // Members of operator families: only keys and indexes ask for them.
        let cost = cost::CATALOG.times(doubtful.len());
        if let Some(work) = on_extensions::work(doubtful, self.input.render) {
            let (label, needs) = ("make what extensions have not made".to_owned(), self.pre.into_iter().collect());
            self.pre = Some(self.push(Job { stage: Stage::PreData, label, work, needs, locks: Vec::new(), cost }));
        }
        self.attach_partitions(attaches);
    }

    fn data(&mut self) {
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
        let is_value = |object: &&Object| object.section == Section::Data && object.kind != ObjectKind::LargeObject;
        let values = self.input.objects.iter().filter(is_value);
        let steps: Vec<Step> = values.flat_map(|object| statements::create(object, self.input.render)).collect();
        if !steps.is_empty() {
            let cost = cost::CATALOG.times(steps.len().div_ceil(10));
            let label = format!("set sequence values ({} statements)", steps.len());
            let needs = self.pre.into_iter().collect();
            self.push(Job { stage: Stage::Data, label, work: Work::Script(steps), needs, locks: Vec::new(), cost });
        }
    }

    /// Makes the large objects, empty, for their bytes to come.
    fn large_objects(&mut self) {
        let made: Vec<&Object> = self.input.objects.iter().filter(|object| object.kind == ObjectKind::LargeObject).collect();
        let steps: Vec<Step> = made.iter().flat_map(|object| statements::create(object, self.input.render)).collect();
        if steps.is_empty() {
            return;
        }
        let label = format!("make large objects ({} statements)", steps.len());
        let cost = cost::CATALOG.times(steps.len());
        let needs = self.pre.into_iter().collect();
        let job = self.push(Job { stage: Stage::Data, label, work: Work::Script(steps), needs, locks: Vec::new(), cost });
        self.made.extend(made.iter().map(|object| (object.id, job)));
    }

    fn load(&mut self, id: TableId, table: &Table, total_bytes: u64) {
        let chunks = &self.input.chunks[id.0 as usize];
        if chunks.is_empty() {
            return;
        }
        let bytes: u64 = chunks.iter().map(|chunk| chunk.raw_bytes).sum();
        let is_made = |object: &Object| object.kind == ObjectKind::Table && !object.statements.is_empty();
        let is_extension = self.objects.get(&table.object).is_some_and(|object| object.kind == ObjectKind::Extension);
        let made_here = self.input.sections.pre_data && self.objects.get(&table.object).is_some_and(|object| is_made(object));
        let dominant = bytes > DOMINANT_BYTES && bytes > total_bytes / DOMINANT_SHARE;
        let parts =
            if (made_here || table.is_large_objects()) && dominant { self.input.jobs.min(chunks.len() / PART_CHUNKS).max(1) } else { 1 };
        let mode = match (made_here, parts) {
            _ if table.is_large_objects() => LoadMode::LargeObjects,
            (true, 1) if table.root.is_none() && bytes >= FROZEN_BYTES => LoadMode::Freeze,
            (true, _) => LoadMode::Shared,
            (false, _) if is_extension => LoadMode::Extension,
            (false, _) if self.input.sections.pre_data || self.input.borrowed.contains(&id) => LoadMode::Shared,
            (false, _) => LoadMode::Existing,
        };
        let lock = match mode {
            LoadMode::Freeze => LockMode::AccessExclusive,
            LoadMode::Shared | LoadMode::Extension | LoadMode::LargeObjects => LockMode::RowExclusive,
            LoadMode::Existing => LockMode::ShareRowExclusive,
        };
        // What goes through the partitioned table may come to lie in any partition.
        let whole = self.graph.families.of(table.object).filter(|_| table.root.is_some());
        let locks = vec![(whole.map_or(Lockable::Relation(table.object), Lockable::Family), lock)];
        let attached = whole.map_or_else(|| self.made.get(&table.object), |family| self.attached.get(&family)).copied();
        let name = ident::qualified(&table.schema, &table.name);
        let last = (self.input.last)(table);
        for (number, part) in chunks.chunks(chunks.len().div_ceil(parts)).enumerate() {
            let rows = part.iter().map(|chunk| chunk.rows).sum();
            let raw_bytes = part.iter().map(|chunk| chunk.raw_bytes).sum();
            let job = self.push(Job {
                stage: if last { Stage::Last } else { Stage::Data },
                label: if parts == 1 { format!("load {name}") } else { format!("load {name}, part {} of {parts}", number + 1) },
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

    /// Where tables were there before, their foreign keys may be too: parents load first, and a key's check locks rows of the parent.
    fn order_by_foreign_keys(&mut self) {
        for LiveKey { child, parent } in self.input.live_keys {
            let parents = self.loads.get(parent).cloned().unwrap_or_default();
            for job in self.loads.get(child).cloned().unwrap_or_default() {
                let job = &mut self.graph.jobs[job.index()];
                job.needs.extend(parents.iter().filter(|parent| !job.needs.contains(parent)).copied().collect::<Vec<_>>());
                job.locks.push((Lockable::Relation(*parent), LockMode::RowShare));
            }
        }
    }

    /// Turns the objects that jobs wait for into the jobs that make them.
    fn resolve(&mut self) {
        for (job, mut objects) in std::mem::take(&mut self.waits) {
            let mut needs = self.graph.jobs[job.index()].needs.clone();
            needs.extend(self.pre);
            let (mut next, mut followed) = (0, HashSet::new());
            while let Some(object) = objects.get(next).copied() {
                next += 1;
                needs.extend(self.stands(object));
                if let Some(further) = self.without_job.get(&object).filter(|_| followed.insert(object)) {
                    objects.extend(further);
                }
            }
            needs.retain(|need| *need != job);
            needs.sort_unstable();
            needs.dedup();
            self.graph.jobs[job.index()].needs = needs;
        }
    }

    fn name_of(&self, table: ObjectId) -> String {
        self.objects.get(&table).map_or_else(String::new, |object| statements::qualified(object))
    }

    fn is_last(&self, table: ObjectId) -> bool {
        self.last_loads.iter().any(|(last, _)| *last == table)
    }

    fn is_relation(&self, id: ObjectId) -> bool {
        self.objects
            .get(&id)
            .is_some_and(|object| matches!(object.kind, ObjectKind::Table | ObjectKind::MaterializedView | ObjectKind::ForeignTable))
    }
}

fn attachments(objects: &[Object]) -> HashMap<ObjectId, Vec<&Object>> {
    let mut attachments: HashMap<ObjectId, Vec<&Object>> = HashMap::new();
    for attach in objects.iter().filter(|object| object.kind == ObjectKind::IndexAttach) {
        for end in attach.depends_on.iter().filter(|end| Some(**end) != attach.of) {
            attachments.entry(*end).or_default().push(attach);
        }
    }
    attachments
}

/// What has a place of its own at the end.
fn is_late(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::DefaultAcl | ObjectKind::EventTrigger | ObjectKind::RefreshMaterializedView)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod partition_tests;
