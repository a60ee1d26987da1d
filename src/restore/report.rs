//! What a restore tells: how much there is to load, and at the end what was done.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::plan::Plan;
use super::plan::graph::{Stage, Work};
use super::run::times::Times;
use super::step::Step;
use crate::archive::manifest::{NotCarried, ObjectId, ObjectKind, Table};
use crate::progress::TableTotal;
use crate::sql::ident;
use crate::storage::FileArchive;

/// Seconds that sessions were busy, by stage.
pub(super) type Busy = BTreeMap<Stage, f64>;

/// What sessions spent their time with.
#[derive(Debug)]
pub(super) struct Worked {
    /// All of it.
    pub(super) busy: Busy,
    /// What took most.
    pub(super) times: Times,
}

/// A finished restore.
#[derive(Clone, Debug)]
pub struct Report {
    /// The database, unquoted.
    pub database: String,
    /// Tables whose rows were asked for, those without any too, as a dump counts them.
    pub tables: u64,
    /// How many objects of which kind were made; what is only a tie or a setting of others is not
    /// counted.
    pub made: Vec<(ObjectKind, u64)>,
    /// Foreign keys that were validated after they had been added.
    pub validated: u64,
    /// Rows loaded.
    pub rows: u64,
    /// Bytes of COPY data loaded.
    pub raw_bytes: u64,
    /// From the first statement to the last.
    pub seconds_total: f64,
    /// The same without the sessions' share of gathering statistics, which other restorers leave to
    /// the server.
    pub seconds_before_analyze: f64,
    /// From the first statement to the word that the database may be used, where it was given
    /// before the end.
    pub seconds_ready: Option<f64>,
    /// Seconds that sessions were busy, by stage; together they may exceed the total, because
    /// sessions work side by side.
    pub seconds_busy: Vec<(Stage, f64)>,
    /// Which jobs took most of them.
    pub times: Times,
    /// Sessions.
    pub jobs: usize,
    /// What was selected and could not be made, and what the archive itself could not carry.
    pub not_restored: Vec<NotCarried>,
    /// The foreign keys that were left `NOT VALID`, as was asked for.
    pub not_valid: Vec<String>,
}

impl Report {
    /// From what was measured.
    pub(super) fn new(
        counts: (u64, u64, u64),
        seconds_total: f64,
        Worked { busy, times }: Worked,
        jobs: usize,
        not_restored: Vec<NotCarried>,
    ) -> Self {
        let (tables, rows, raw_bytes) = counts;
        let analyze = busy.get(&Stage::Analyze).copied().unwrap_or_default() / jobs as f64;
        let seconds_before_analyze = seconds_total - analyze;
        let seconds_busy = busy.into_iter().collect();
        Self {
            database: String::new(),
            tables,
            made: Vec::new(),
            validated: 0,
            rows,
            raw_bytes,
            seconds_total,
            seconds_before_analyze,
            seconds_ready: None,
            seconds_busy,
            times,
            jobs,
            not_restored,
            not_valid: Vec::new(),
        }
    }
}

/// How much there is to load: nothing of a table whose rows are not chosen, or stand already.
pub(super) fn totals(archive: &FileArchive, plan: &Plan) -> Vec<TableTotal> {
    let total = |table: &Table| TableTotal {
        name: ident::qualified(&table.schema, &table.name),
        rows: 0,
        bytes: 0,
    };
    let mut totals: Vec<TableTotal> = archive.manifest.tables.iter().map(total).collect();
    for job in &plan.graph.jobs {
        if let Work::Load { table, rows, raw_bytes, .. } = &job.work {
            totals[table.0 as usize].rows += rows;
            totals[table.0 as usize].bytes += raw_bytes;
        }
    }
    totals
}

pub(super) fn counts(plan: &Plan) -> (u64, u64, u64) {
    let (mut all_rows, mut all_bytes) = (0, 0);
    for job in &plan.graph.jobs {
        if let Work::Load { rows, raw_bytes, .. } = &job.work {
            all_rows += rows;
            all_bytes += raw_bytes;
        }
    }
    // Whoever only finishes what an earlier run has left restores no table anew.
    let tables = if plan.resumed.is_some() && all_rows == 0 { 0 } else { plan.tables_wanted };
    (tables, all_rows, all_bytes)
}

/// How many objects of which kind the plan makes.
pub(super) fn made(plan: &Plan) -> Vec<(ObjectKind, u64)> {
    let kinds: HashMap<ObjectId, ObjectKind> =
        plan.objects.iter().map(|object| (object.id, object.kind)).collect();
    let mut seen = HashSet::new();
    let mut counts: Vec<(ObjectKind, u64)> = Vec::new();
    let steps = plan.graph.jobs.iter().flat_map(|job| match &job.work {
        Work::Statements(steps) | Work::Script(steps) => steps.as_slice(),
        Work::Concurrently(index) => std::slice::from_ref(&index.create),
        _ => &[],
    });
    let makes = |step: &Step| step.of.filter(|_| step.makes);
    for id in steps.filter_map(makes).filter(|id| seen.insert(*id)) {
        let Some(kind) = kinds.get(&id).copied().filter(|kind| kind.stands_alone()) else {
            continue;
        };
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts
}

/// How many foreign keys are validated by jobs of their own.
pub(super) fn validated(plan: &Plan) -> u64 {
    let keys: HashSet<ObjectId> = plan
        .objects
        .iter()
        .filter(|object| object.kind == ObjectKind::ForeignKey)
        .map(|object| object.id)
        .collect();
    let validates = |step: &Step| !step.makes && step.of.is_some_and(|id| keys.contains(&id));
    let jobs = plan.graph.jobs.iter().filter(|job| match &job.work {
        Work::Statements(steps) => {
            matches!(job.stage, Stage::ForeignKeys | Stage::Finish)
                && steps.iter().all(validates)
                && !steps.is_empty()
        }
        _ => false,
    });
    jobs.count() as u64
}
