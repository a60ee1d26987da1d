//! What a restore would do, as a value that can be printed: findings, then every job with its
//! statements.

pub(super) mod builder;
pub(super) mod comparison;
pub(super) mod cost;
pub(super) mod graph;
pub(super) mod input;
pub(super) mod load_sql;
pub(super) mod locks;
pub(super) mod on_extensions;
pub(super) mod partition_trees;
pub(super) mod statements;
pub(super) mod wanted_statistics;

use std::collections::HashMap;
use std::fmt;

use self::graph::{Graph, Job, Work};
use self::load_sql::Load;
use self::partition_trees::Lockable;
use super::finding::Finding;
use super::mark::{Extent, Mark};
use super::resume::ledger::Ledger;
use super::step::Step;
use crate::archive::manifest::{NotCarried, Object, ObjectId, Table, TableId};
use crate::archive::statistics::Statistics;
use crate::sql::ident;

/// The plan of a restore.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What keeps it from beginning.
    pub findings: Vec<Finding>,
    /// What may surprise.
    pub warnings: Vec<String>,
    /// What is only to be known.
    pub notes: Vec<String>,
    /// What was selected and cannot be made.
    pub left_out: Vec<NotCarried>,
    /// The statements that make the database, or room in it.
    pub first: Vec<Step>,
    /// The statements before the first job.
    pub begin: Vec<Step>,
    /// The schema of a marker that stands already and goes on standing, unquoted.
    pub known: Option<String>,
    /// Where an earlier run is gone on with: how much of how much it has done.
    pub resumed: Option<(usize, usize)>,
    /// The statements that report the database ready.
    pub usable: Vec<Step>,
    /// The statements that take the marker away.
    pub unmark: Vec<Step>,
    /// What marks the target meanwhile.
    pub mark: Option<Mark>,
    /// Where it is written what is done.
    pub ledger: Option<Ledger>,
    /// What is made, as far as it matters where it is left undone.
    pub extent: Extent,
    /// The jobs and the end.
    pub graph: Graph,
    /// How many tables' rows are wanted, those that have none too.
    pub tables_wanted: u64,
    /// Those of them that the archive holds no rows of.
    pub without_rows: Vec<TableId>,
    /// What the server is told of the rows, for its planner.
    pub statistics: Vec<Statistics>,
    /// The archive's tables, for the loads' names.
    pub tables: Vec<Table>,
    /// The objects, for the locks' names.
    pub objects: Vec<Object>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "problem: {finding}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for one in &self.left_out {
            writeln!(f, "left out: {} {}: {}", one.kind, one.name, one.reason)?;
        }
        writeln!(f, "{} jobs:", self.graph.jobs.len())?;
        for (stage, count) in self.graph.stages() {
            writeln!(f, "  {stage:<24}{count:>6}")?;
        }
        writeln!(f)?;
        if !self.first.is_empty() {
            writeln!(f, "-- before anything else")?;
            script(f, &self.first)?;
            writeln!(f)?;
        }
        script(f, &self.begin)?;
        // A circle was refused when the graph was built.
        let names: HashMap<ObjectId, &str> =
            self.objects.iter().map(|object| (object.id, object.identity.as_str())).collect();
        for id in self.graph.order().map_err(|_| fmt::Error)? {
            let job = &self.graph.jobs[id.index()];
            self.job(f, id.0, job, &names)?;
        }
        writeln!(f, "\n-- at the end, in one transaction")?;
        script(f, &self.unmark)?;
        script(f, &self.graph.finish)
    }
}

impl Plan {
    fn job(
        &self,
        f: &mut fmt::Formatter<'_>,
        number: u32,
        job: &Job,
        names: &HashMap<ObjectId, &str>,
    ) -> fmt::Result {
        write!(f, "\n-- job {number} ({}): {}", job.stage, job.label)?;
        if !job.needs.is_empty() {
            let needs: Vec<String> = job.needs.iter().map(|need| need.0.to_string()).collect();
            write!(f, "; needs {}", needs.join(", "))?;
        }
        for (on, mode) in &job.locks {
            let name =
                |id: Option<ObjectId>| id.and_then(|id| names.get(&id)).copied().unwrap_or("?");
            match on {
                Lockable::Relation(id) => write!(f, "; locks {} {mode}", name(Some(*id)))?,
                Lockable::Family(family) => write!(
                    f,
                    "; locks {} and its partitions {mode}",
                    name(self.graph.families.root(*family))
                )?,
                Lockable::LockTable => write!(f, "; fills the lock table")?,
            }
        }
        writeln!(f)?;
        match &job.work {
            Work::Statements(steps) | Work::Script(steps) => script(f, steps),
            Work::Concurrently(index) => script(f, std::slice::from_ref(&index.create)),
            Work::Statistics { taken, gather } => {
                let columns: usize =
                    taken.iter().map(|(place, _)| self.statistics[*place].columns.len()).sum();
                writeln!(f, "-- statistics of {} objects, {columns} columns", taken.len())?;
                gather.iter().try_for_each(|step| {
                    writeln!(f, "-- {}, if the server does not take them", step.sql)
                })
            }
            Work::Compare(all) => all.iter().try_for_each(|one| writeln!(f, "{};", one.copy)),
            Work::Ready => script(f, &self.usable),
            Work::OnExtensions(all) => all.iter().try_for_each(|one| {
                if one.unless_standing {
                    writeln!(
                        f,
                        "-- unless extension {} has made it",
                        ident::quote(&one.extension)
                    )?;
                }
                script(f, &one.steps)
            }),
            Work::Load { table, chunks, rows, raw_bytes, mode, trusted } => {
                let described = &self.tables[table.0 as usize];
                let (before, copy, after) = Load {
                    id: *table,
                    table: described,
                    chunks,
                    mode: *mode,
                    triggers: &[],
                    trusted: *trusted,
                    note: None,
                }
                .statements();
                for sql in before.iter().chain([&copy]).chain(&after) {
                    writeln!(f, "{sql};")?;
                }
                let noun = if chunks.len() == 1 { "chunk" } else { "chunks" };
                writeln!(f, "-- {rows} rows, {raw_bytes} bytes, {} {noun}", chunks.len())
            }
        }
    }
}

fn script(f: &mut fmt::Formatter<'_>, steps: &[Step]) -> fmt::Result {
    steps.iter().try_for_each(|step| writeln!(f, "{};", step.sql))
}
