//! From objects and chunks to a graph of jobs. Pure: knows no server and no session.
//!
//! Made before rows: one script. Then each table's rows, its index builds side by side, its keys
//! from these indexes in one statement, its statistics, its foreign keys and the rest, every object
//! as soon as what it depends on stands. Privileges, comments and materialized views wait for all
//! of that, and the rows that declare the database usable wait for everything.

mod adopt;
mod adopted;
mod after_ready;
mod attach_partitions;
mod compare;
mod create_grants;
mod data;
mod extension_rows;
mod foreign_keys;
mod known_statistics;
mod last_jobs;
mod post_data;
mod pre_data;
mod put_off;
mod rows;
mod statistics;
mod together;
mod trusted_keys;

use std::collections::{HashMap, HashSet};

use self::adopted::Gathered;
use self::known_statistics::Known;
use self::put_off::Late;
use self::together::Together;
use super::graph::{Graph, Job, JobId};
use super::partition_trees::{Families, FamilyId};
use super::statements;
use crate::archive::manifest::{Object, ObjectId, ObjectKind, TableId};
use crate::error::Result;
use crate::restore::plan::input::Input;

/// Makes the graph. Fails where objects need each other in a circle.
pub(in crate::restore) fn build(input: Input<'_>) -> Result<Graph> {
    let families = Families::new(input.objects);
    let objects = input.objects.iter().map(|object| (object.id, object)).collect();
    let attachments = attachments(input.objects);
    let mut builder = Builder {
        input,
        gathered: Gathered::new(&input, &objects, &attachments),
        objects,
        table_ids: (0..)
            .map(TableId)
            .zip(input.tables)
            .map(|(id, table)| (table.object, id))
            .collect(),
        family_rows: together::by_family(&input, &families),
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
        looks: HashMap::new(),
    };
    builder.pre_data();
    builder.data();
    builder.trusted_keys();
    let analyzed = builder.post_data();
    builder.resolve();
    builder.extension_rows();
    builder.privileges();
    builder.refreshes(&analyzed);
    builder.compare();
    builder.afterwards();
    builder.last_rows();
    builder.compare_last();
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
    /// What is made along with something else, such as a partition's trigger, with what it waits
    /// for: who waits for it, waits for that.
    without_job: HashMap<ObjectId, Vec<ObjectId>>,
    /// What is done while the database is in use already.
    late: Late<'a>,
    /// The statistics that the archive has.
    known: Known,
    /// The jobs that look at a table's rows for a foreign key, of tables whose row security its
    /// owner is subject to as well: such a look fails, then.
    looks: HashMap<ObjectId, Vec<JobId>>,
}

impl Builder<'_> {
    fn push(&mut self, job: Job) -> JobId {
        let id = JobId(self.graph.jobs.len() as u32);
        self.graph.jobs.push(job);
        id
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
                if let Some(further) =
                    self.without_job.get(&object).filter(|_| followed.insert(object))
                {
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
        self.objects.get(&id).is_some_and(|object| {
            matches!(
                object.kind,
                ObjectKind::Table | ObjectKind::MaterializedView | ObjectKind::ForeignTable
            )
        })
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

#[cfg(test)]
mod sample;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod partition_tests;
