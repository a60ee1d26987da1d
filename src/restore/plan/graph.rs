//! The plan of a restore: jobs, what each needs, which tables it locks and what it may cost; its
//! ranks, its digest, and what is left of it once the database is ready. A plain value that can be
//! printed.
//!
//! Does not know how a manifest becomes jobs, nor how they are run.

use std::collections::HashMap;
use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use super::comparison::Comparison;
use super::cost::Cost;
use super::locks::LockMode;
use super::partition_trees::{Families, Lockable};
use crate::archive::manifest::TableId;
use crate::error::{Error, Kind, Result};
use crate::pg::statistics::Name;
use crate::restore::step::OnExtension;
use crate::restore::step::Step;

/// A job's place in [`Graph::jobs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u32);

impl JobId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What sort of work a job is; reports add up by it. It orders nothing: jobs run as soon as what
/// they need stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Schemas, types, functions, tables.
    PreData,
    /// Rows and sequence values.
    Data,
    /// Primary keys and unique constraints.
    Keys,
    /// All other indexes.
    Indexes,
    /// Statistics for the planner.
    Analyze,
    /// Foreign keys, and proving them.
    ForeignKeys,
    /// Triggers, rules, policies and everything else after the rows.
    Rest,
    /// Privileges, comments, default privileges.
    Privileges,
    /// Materialized views.
    Refresh,
    /// The rows that declare the database usable.
    Last,
    /// Comparing what the target holds with the archive.
    Compare,
    /// The word that the database may be used.
    Ready,
    /// What is done while the database is in use.
    Finish,
}

impl Stage {
    /// A present-tense phrase for those who watch.
    pub fn doing(self) -> &'static str {
        match self {
            Self::PreData => "create schemas, types, functions and tables",
            Self::Data => "load rows, build keys and indexes of what is loaded",
            Self::Keys => "build keys",
            Self::Indexes => "build indexes",
            Self::Analyze => "gather statistics (ANALYZE)",
            Self::ForeignKeys => "validate foreign keys",
            Self::Rest => "create triggers, rules and policies",
            Self::Privileges => "set privileges and comments",
            Self::Refresh => "refresh materialized views",
            Self::Last => "load the rows that come last",
            Self::Compare => "compare rows with the archive",
            Self::Ready => "mark the database ready",
            Self::Finish => "build indexes and validate foreign keys while the database is in use",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PreData => "pre-data",
            Self::Data => "data",
            Self::Keys => "keys",
            Self::Indexes => "indexes",
            Self::Analyze => "analyze",
            Self::ForeignKeys => "foreign keys",
            Self::Rest => "triggers and the rest",
            Self::Privileges => "privileges and comments",
            Self::Refresh => "materialized views",
            Self::Last => "last rows",
            Self::Compare => "compare",
            Self::Ready => "ready",
            Self::Finish => "in use",
        })
    }
}

/// How a table's rows are brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadMode {
    /// One session owns a table that this run made: `TRUNCATE`, then `COPY … (FREEZE)`, in one
    /// transaction.
    Freeze,
    /// Several sessions share a table that this run made, or it is small: plain `COPY`.
    Shared,
    /// An extension made the table: plain `COPY`, whose rows add to what it brought, and its
    /// triggers may keep some of them out.
    Extension,
    /// The table was there before: its own triggers are switched off and on again within the
    /// transaction.
    Existing,
    /// The rows are bytes of large objects, written into these.
    LargeObjects,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    /// Statements: one runs on its own, several in one transaction.
    Statements(Vec<Step>),
    /// Many small statements, sent ahead of their answers and committed every so often.
    Script(Vec<Step>),
    /// Chunks of rows into one table.
    Load {
        /// Which table.
        table: TableId,
        /// Places in the archive's index.
        chunks: Vec<usize>,
        /// Rows in these chunks.
        rows: u64,
        /// Bytes of COPY data in these chunks.
        raw_bytes: u64,
        /// How.
        mode: LoadMode,
        /// Whether the table has its foreign keys already, which are not to look at these rows.
        trusted: bool,
    },
    /// Statistics for the planner, from the archive.
    Statistics {
        /// Places in the plan's list, and whose they are.
        taken: Vec<(usize, Name)>,
        /// What gathers them where the server does not take all.
        gather: Option<Step>,
    },
    /// An index that is built while others write to its table.
    Concurrently(ConcurrentIndex),
    /// What stands on extensions' objects, where the extension has not brought the same.
    OnExtensions(Vec<OnExtension>),
    /// Rows are read back and compared with the archive.
    Compare(Vec<Comparison>),
    /// The word that the database may be used, and a change of the mark.
    Ready,
}

/// An index for `CREATE INDEX CONCURRENTLY`, which leaves an invalid one behind when it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConcurrentIndex {
    /// Its schema's name, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub name: String,
    /// The statement that builds it.
    pub create: Step,
}

/// One piece of work for one session.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What sort of work.
    pub stage: Stage,
    /// A present-tense phrase: `build index public.routes_pkey`.
    pub label: String,
    /// The work itself.
    pub work: Work,
    /// The jobs that must be done before.
    pub needs: Vec<JobId>,
    /// What it locks; the job waits while another runs that excludes it.
    pub locks: Vec<(Lockable, LockMode)>,
    /// Estimated server time, and what the server sorts for it.
    pub cost: Cost,
}

/// All jobs, and the transaction that ends the restore.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Which tables are locked together.
    pub families: Families,
    /// What is run after the last job, in the transaction that takes the mark of incompleteness
    /// away.
    pub finish: Vec<Step>,
    /// The foreign keys that are left `NOT VALID` because that was asked for: `constraint on
    /// table`.
    pub unproved: Vec<String>,
}

impl Graph {
    /// The graph's ranks: for each job the cost of the longest chain of jobs that starts with it.
    /// Fails where jobs need each other in a cycle.
    pub fn ranks(&self) -> Result<Vec<u64>> {
        let order = self.order()?;
        let mut ranks: Vec<u64> = vec![0; self.jobs.len()];
        for &job in order.iter().rev() {
            let own = ranks[job.index()].saturating_add(self.jobs[job.index()].cost.micros);
            ranks[job.index()] = own;
            for need in &self.jobs[job.index()].needs {
                ranks[need.index()] = ranks[need.index()].max(own);
            }
        }
        Ok(ranks)
    }

    /// The jobs in an order in which one session could do them.
    pub fn order(&self) -> Result<Vec<JobId>> {
        let mut missing: Vec<usize> = self.jobs.iter().map(|job| job.needs.len()).collect();
        let dependents = self.dependents();
        let mut order: Vec<JobId> = self.ids().filter(|job| missing[job.index()] == 0).collect();
        let mut next = 0;
        while next < order.len() {
            for &dependent in &dependents[order[next].index()] {
                missing[dependent.index()] -= 1;
                if missing[dependent.index()] == 0 {
                    order.push(dependent);
                }
            }
            next += 1;
        }
        if order.len() == self.jobs.len() {
            return Ok(order);
        }
        let stuck: Vec<&str> = self
            .ids()
            .filter(|job| missing[job.index()] > 0)
            .take(5)
            .map(|job| self.jobs[job.index()].label.as_str())
            .collect();
        let cause = format!("these wait for each other: {}", stuck.join("; "));
        Err(Error::new(Kind::Requirement, "plan the restore", cause).hint(
            "existing tables have mutually referencing foreign keys: use --disable-triggers as \
                superuser",
        ))
    }

    /// For each job, the jobs that need it.
    pub fn dependents(&self) -> Vec<Vec<JobId>> {
        let mut dependents = vec![Vec::new(); self.jobs.len()];
        for id in self.ids() {
            for need in &self.jobs[id.index()].needs {
                dependents[need.index()].push(id);
            }
        }
        dependents
    }

    /// Every job's id.
    pub fn ids(&self) -> impl Iterator<Item = JobId> + use<> {
        (0..self.jobs.len() as u32).map(JobId)
    }

    /// The jobs that no other needs.
    pub fn sinks(&self) -> Vec<JobId> {
        let dependents = self.dependents();
        self.ids().filter(|job| dependents[job.index()].is_empty()).collect()
    }

    /// Takes from the graph all jobs before the report that the database may be used, and lets that
    /// be made again.
    pub fn keep_from_ready_on(&mut self) {
        let kept: Vec<JobId> = self
            .ids()
            .filter(|job| matches!(self.jobs[job.index()].stage, Stage::Ready | Stage::Finish))
            .collect();
        let place: HashMap<JobId, JobId> = kept.iter().copied().zip((0..).map(JobId)).collect();
        self.jobs = kept.iter().map(|job| self.jobs[job.index()].clone()).collect();
        for job in &mut self.jobs {
            job.needs = job.needs.iter().filter_map(|need| place.get(need)).copied().collect();
        }
    }

    /// A digest of the graph's jobs that come after the report that the database is ready: of two
    /// runs for which it is the same, one can finish what the other began.
    pub fn rest_digest(&self) -> u64 {
        let late = self.jobs.iter().filter(|job| job.stage == Stage::Finish);
        let steps = late.flat_map(|job| match &job.work {
            Work::Statements(steps) | Work::Script(steps) => steps.as_slice(),
            Work::Concurrently(index) => std::slice::from_ref(&index.create),
            Work::Statistics { gather, .. } => gather.as_slice(),
            // Whatever it is, it is made before the word.
            Work::Load { .. } | Work::OnExtensions(_) | Work::Compare(_) | Work::Ready => &[],
        });
        let mut lines: Vec<&str> =
            steps.chain(&self.finish).map(|step| step.sql.as_str()).collect();
        lines.extend(self.unproved.iter().map(String::as_str));
        lines.sort_unstable();
        xxh3_64(lines.join("\n").as_bytes())
    }

    /// How many jobs each stage has.
    pub fn stages(&self) -> Vec<(Stage, usize)> {
        let mut counts: HashMap<Stage, usize> = HashMap::new();
        for job in &self.jobs {
            *counts.entry(job.stage).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable();
        counts
    }
}

#[cfg(test)]
pub(in crate::restore) mod tests {
    use super::*;
    use crate::archive::manifest::ObjectId;

    pub(crate) fn job(needs: &[u32], locks: &[(u32, LockMode)], cost: u64) -> Job {
        Job {
            stage: Stage::Rest,
            label: "work".into(),
            work: Work::Statements(Vec::new()),
            needs: needs.iter().copied().map(JobId).collect(),
            locks: locks
                .iter()
                .map(|&(table, mode)| (Lockable::Relation(ObjectId(table)), mode))
                .collect(),
            cost: Cost::of(cost),
        }
    }

    #[test]
    fn a_rank_is_the_longest_chain() {
        let graph = Graph {
            jobs: vec![
                job(&[], &[], 1),
                job(&[0], &[], 10),
                job(&[0], &[], 5),
                job(&[1, 2], &[], 7),
            ],
            ..Graph::default()
        };
        assert_eq!(graph.ranks().unwrap(), [18, 17, 12, 7]);
        assert_eq!(graph.sinks(), [JobId(3)]);
    }

    #[test]
    fn a_cycle_is_refused() {
        let graph = Graph {
            jobs: vec![job(&[1], &[], 1), job(&[0], &[], 1), job(&[], &[], 1)],
            ..Graph::default()
        };
        let error = graph.ranks().unwrap_err();
        assert_eq!(error.kind(), Kind::Requirement);
        assert!(error.to_string().contains("wait for each other"));
    }
}
