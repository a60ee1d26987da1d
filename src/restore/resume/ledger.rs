//! The ledger of a restore: what is done stands in a table beside the marker, written in the
//! transaction that did it, and is taken from a plan that goes on.
//!
//! Does not know what a key is made of, nor who has looked what is done.

use std::collections::HashSet;

use super::job_key::{JobKey, Keys};
use crate::archive::IndexEntry;
use crate::archive::manifest::TableId;
use crate::pg::marker::DONE;
use crate::restore::plan::cost::Cost;
use crate::restore::plan::graph::{Graph, Job, JobId, LoadMode, Work};
use crate::restore::plan::locks::LockMode;
use crate::restore::step::Step;
use crate::sql::ident;

/// Where it is written what is done, and as what.
#[derive(Clone, Debug)]
pub struct Ledger {
    table: String,
    /// The keys of what this run does.
    pub(in crate::restore) keys: Keys,
}

impl Ledger {
    /// The ledger in a marker's schema, unquoted, for the work of these keys.
    pub(in crate::restore) fn new(schema: &str, keys: Keys) -> Self {
        Self { table: ident::qualified(schema, DONE), keys }
    }

    /// Notes work in the transaction that does it. A key that is there already ends the
    /// transaction: nothing is done twice.
    pub(in crate::restore) fn note(&self, keys: &[JobKey]) -> Option<Step> {
        self.insert(keys, "")
    }

    /// Notes work that was done in no transaction, or in others, after it: it may have been noted
    /// before.
    pub(in crate::restore) fn note_after(&self, keys: &[JobKey]) -> Option<Step> {
        self.insert(keys, " ON CONFLICT DO NOTHING")
    }

    fn insert(&self, keys: &[JobKey], more: &str) -> Option<Step> {
        let values: Vec<String> = keys.iter().map(|key| format!("('{key}')")).collect();
        let sql = format!("INSERT INTO {} (key) VALUES {}{more}", self.table, values.join(", "));
        (!values.is_empty()).then(|| Step::new("note what is done", sql))
    }

    /// Forgets work that came to nothing.
    pub(in crate::restore) fn forget(&self, keys: &[JobKey]) -> Option<Step> {
        let values: Vec<String> = keys.iter().map(|key| format!("'{key}'")).collect();
        let sql = format!("DELETE FROM {} WHERE key IN ({})", self.table, values.join(", "));
        (!values.is_empty()).then(|| Step::new("note what is to be done again", sql))
    }
}

/// Takes from a plan what the ledger says is done. A job of which nothing is left stays as one
/// without work, for those that wait for it.
pub(in crate::restore) fn leave_done(
    graph: &mut Graph,
    keys: &mut Keys,
    index: &[IndexEntry],
    done: &HashSet<JobKey>,
) {
    leave_compared(graph, keys, done);
    for (job, keys) in graph.jobs.iter_mut().zip(&mut keys.jobs) {
        let is_done: Vec<bool> = keys.iter().map(|key| done.contains(key)).collect();
        if !is_done.contains(&true) {
            continue;
        }
        keys.retain(|key| !done.contains(key));
        match &mut job.work {
            Work::Script(steps) => retain(steps, &is_done),
            Work::Load { chunks, rows, raw_bytes, mode, .. } => {
                retain(chunks, &is_done);
                *rows = chunks.iter().map(|chunk| index[*chunk].rows).sum();
                *raw_bytes = chunks.iter().map(|chunk| index[*chunk].raw_bytes).sum();
                // TRUNCATE would take the rows that are there.
                if *mode == LoadMode::Freeze {
                    share(job, LoadMode::Shared, LockMode::RowExclusive);
                }
            }
            _ => {}
        }
        if keys.is_empty() {
            job.work = Work::Statements(Vec::new());
            job.locks.clear();
            job.cost = Cost::of(0);
        }
    }
    let is_done: Vec<bool> = keys.finish.iter().map(|key| done.contains(key)).collect();
    retain(&mut graph.finish, &is_done);
    keys.finish.retain(|key| !done.contains(key));
}

/// Takes the comparisons away that something waited for which is done: they were good, and what is
/// done since may have changed rows.
fn leave_compared(graph: &mut Graph, keys: &Keys, done: &HashSet<JobKey>) {
    let begun =
        graph.ids().filter(|job| keys.jobs[job.index()].iter().any(|key| done.contains(key)));
    let mut open: Vec<JobId> = begun.collect();
    let mut seen: HashSet<JobId> = open.iter().copied().collect();
    while let Some(job) = open.pop() {
        let job = &mut graph.jobs[job.index()];
        if matches!(job.work, Work::Compare(_)) {
            job.work = Work::Statements(Vec::new());
            job.cost = Cost::of(0);
        }
        open.extend(job.needs.iter().filter(|need| seen.insert(**need)));
    }
}

/// Lets these tables be loaded once more although the ledger has them: they have lost their rows,
/// and may have keys and triggers already.
pub(in crate::restore) fn load_again(graph: &mut Graph, tables: &HashSet<TableId>) {
    for job in &mut graph.jobs {
        let Work::Load { table, mode: LoadMode::Freeze | LoadMode::Shared, .. } = &job.work else {
            continue;
        };
        if tables.contains(table) {
            share(job, LoadMode::Existing, LockMode::ShareRowExclusive);
        }
    }
}

fn share(job: &mut Job, to: LoadMode, lock: LockMode) {
    if let Work::Load { mode, .. } = &mut job.work {
        *mode = to;
    }
    if let Some((_, held)) = job.locks.first_mut() {
        *held = lock;
    }
}

fn retain<T>(all: &mut Vec<T>, is_done: &[bool]) {
    let mut is_done = is_done.iter();
    all.retain(|_| is_done.next() != Some(&true));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::testing::column;
    use crate::archive::manifest::{ObjectId, RowEncoding, Table};
    use crate::restore::plan::graph::tests::job;
    use crate::restore::plan::partition_trees::Lockable;

    fn table() -> Table {
        Table::new(ObjectId(1), "public", "t", vec![column("a", "text")], RowEncoding::Binary)
    }

    fn load(chunks: &[usize], mode: LoadMode) -> Job {
        let work = Work::Load {
            table: TableId(0),
            chunks: chunks.to_vec(),
            rows: 9,
            raw_bytes: 90,
            mode,
            trusted: false,
        };
        Job {
            work,
            locks: vec![(Lockable::Relation(ObjectId(1)), LockMode::AccessExclusive)],
            ..job(&[], &[], 5)
        }
    }

    fn index() -> Vec<IndexEntry> {
        let entry = |offset: u64| IndexEntry {
            table: TableId(0),
            part: 0,
            offset,
            stored_bytes: 1,
            raw_bytes: 10,
            rows: 1,
            digest: crate::pgcopy::Digest::default(),
            header_blake3: [0; 32],
        };
        (0..4).map(entry).collect()
    }

    /// What is left of a plan when the works of these places were done.
    fn left(jobs: Vec<Job>, done: &[(usize, usize)]) -> Graph {
        let mut graph = Graph { jobs, ..Graph::default() };
        let mut keys = Keys::of(&graph, &[table()], &index());
        let done = done.iter().map(|&(job, place)| keys.jobs[job][place]).collect();
        leave_done(&mut graph, &mut keys, &index(), &done);
        assert_eq!(
            keys,
            Keys::of(&graph, &[table()], &index()),
            "the keys are those of what is left"
        );
        graph
    }

    #[test]
    fn what_was_compared_before_something_that_is_done_is_not_compared_again() {
        let a = Step::new("", "INSERT INTO t VALUES (1)");
        let compare = || Job { work: Work::Compare(Vec::new()), ..job(&[], &[], 5) };
        let graph = Graph {
            jobs: vec![
                compare(),
                job(&[0], &[], 0),
                Job { work: Work::Script(vec![a]), ..job(&[1], &[], 5) },
                compare(),
            ],
            ..Graph::default()
        };
        let mut keys = Keys::of(&graph, &[], &[]);
        let (mut none, mut one) = (graph.clone(), graph);
        leave_done(&mut none, &mut keys.clone(), &[], &HashSet::new());
        assert_eq!(none.jobs[0].work, Work::Compare(Vec::new()));
        let done = keys.jobs[2].iter().copied().collect();
        leave_done(&mut one, &mut keys, &[], &done);
        assert_eq!(one.jobs[0].work, Work::Statements(Vec::new()));
        assert_eq!(one.jobs[3].work, Work::Compare(Vec::new()));
    }

    #[test]
    fn only_what_is_not_done_is_left() {
        let steps = |names: &[&str]| {
            names
                .iter()
                .map(|name| Step::new("", format!("CREATE TABLE {name} ()")))
                .collect::<Vec<_>>()
        };
        let script = |names: &[&str]| Job { work: Work::Script(steps(names)), ..job(&[], &[], 5) };
        let graph = left(vec![script(&["a", "b", "c"]), script(&["d"])], &[(0, 0), (0, 2), (1, 0)]);
        assert_eq!(graph.jobs[0].work, Work::Script(steps(&["b"])));
        assert_eq!(
            (&graph.jobs[1].work, graph.jobs[1].cost),
            (&Work::Statements(Vec::new()), Cost::of(0))
        );
    }

    #[test]
    fn a_table_with_rows_is_not_truncated() {
        let graph = left(vec![load(&[0, 1, 2, 3], LoadMode::Freeze)], &[(0, 1)]);
        let Work::Load { chunks, rows, raw_bytes, mode, .. } = &graph.jobs[0].work else {
            panic!("a load stays one")
        };
        assert_eq!(
            (&chunks[..], *rows, *raw_bytes, *mode),
            (&[0, 2, 3][..], 3, 30, LoadMode::Shared)
        );
        assert_eq!(graph.jobs[0].locks[0].1, LockMode::RowExclusive);
        let graph = left(vec![load(&[0, 1], LoadMode::Freeze)], &[]);
        assert!(matches!(graph.jobs[0].work, Work::Load { mode: LoadMode::Freeze, .. }));
    }

    #[test]
    fn another_cut_of_the_same_rows_finds_what_is_done() {
        let graph = left(
            vec![load(&[0, 1], LoadMode::Shared), load(&[2, 3], LoadMode::Shared)],
            &[(0, 0), (0, 1)],
        );
        assert_eq!(graph.jobs[0].work, Work::Statements(Vec::new()));
        let whole = Graph { jobs: vec![load(&[0, 1, 2, 3], LoadMode::Freeze)], ..Graph::default() };
        let parts = Graph {
            jobs: vec![load(&[0, 1], LoadMode::Shared), load(&[2, 3], LoadMode::Shared)],
            ..Graph::default()
        };
        let digest = |graph: &Graph| Keys::of(graph, &[table()], &index()).digest();
        assert_eq!(digest(&whole), digest(&parts));
    }

    #[test]
    fn what_lost_its_rows_is_loaded_as_what_was_there_before() {
        let mut graph = Graph { jobs: vec![load(&[0], LoadMode::Freeze)], ..Graph::default() };
        load_again(&mut graph, &HashSet::from([TableId(1)]));
        assert!(matches!(graph.jobs[0].work, Work::Load { mode: LoadMode::Freeze, .. }));
        load_again(&mut graph, &HashSet::from([TableId(0)]));
        assert!(matches!(graph.jobs[0].work, Work::Load { mode: LoadMode::Existing, .. }));
    }
}
