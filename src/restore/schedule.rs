//! Which job next: the ready one with the longest chain behind it that no running job's locks exclude.
//!
//! Pure: knows neither sessions nor time. Nothing is reserved for a job that waits for a lock: index builds are finite, and an idle
//! session costs more than a late constraint. An index that is built beside writers waits for all transactions of the database that are
//! older: so it goes before everything else, and beside it starts only what is over sooner.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::graph::{Graph, Job, JobId, Work};
use super::locks::LockMode;
use crate::archive::manifest::ObjectId;
use crate::error::Result;

/// Before which others a job is taken: whether transactions are in its way, how long the chain behind it is, and which it is.
type Place = (Reverse<bool>, Reverse<u64>, JobId);

/// The state of a run: what is ready, what runs, what is held.
#[derive(Debug)]
pub struct Schedule<'g> {
    graph: &'g Graph,
    ranks: Vec<u64>,
    missing: Vec<usize>,
    dependents: Vec<Vec<JobId>>,
    ready: BTreeSet<Place>,
    held: HashMap<ObjectId, Vec<LockMode>>,
    /// The indexes that are built beside writers now.
    waiting: Vec<JobId>,
    done: usize,
}

impl<'g> Schedule<'g> {
    /// Nothing done yet. Fails where jobs need each other in a circle.
    pub fn new(graph: &'g Graph) -> Result<Self> {
        let ranks = graph.ranks()?;
        let missing: Vec<usize> = graph.jobs.iter().map(|job| job.needs.len()).collect();
        let ready = graph.ids().filter(|job| missing[job.index()] == 0).map(|job| place(graph, &ranks, job)).collect();
        let dependents = graph.dependents();
        let (held, waiting) = (HashMap::new(), Vec::new());
        Ok(Self { graph, ranks, missing, dependents, ready, held, waiting, done: 0 })
    }

    /// Takes the next job to start, if one may start now.
    pub fn start(&mut self) -> Option<JobId> {
        let place = self.ready.iter().copied().find(|&(.., job)| !self.excluded(job))?;
        self.ready.remove(&place);
        let (.., job) = place;
        for &(table, mode) in &self.graph.jobs[job.index()].locks {
            self.held.entry(table).or_default().push(mode);
        }
        if waits(self.graph, job) {
            self.waiting.push(job);
        }
        Some(job)
    }

    /// Notes that a started job is done: its locks are free, and what needed it may become ready.
    ///
    /// # Panics
    /// When the job was not started.
    pub fn finish(&mut self, job: JobId) {
        for (table, mode) in &self.graph.jobs[job.index()].locks {
            let held = self.held.get_mut(table).expect("a started job holds its locks");
            let place = held.iter().position(|one| one == mode).expect("a started job holds its locks");
            held.swap_remove(place);
        }
        self.waiting.retain(|one| *one != job);
        for &dependent in &self.dependents[job.index()] {
            self.missing[dependent.index()] -= 1;
            if self.missing[dependent.index()] == 0 {
                self.ready.insert(place(self.graph, &self.ranks, dependent));
            }
        }
        self.done += 1;
    }

    /// Jobs done so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Whether every job is done.
    pub fn is_complete(&self) -> bool {
        self.done == self.graph.jobs.len()
    }

    fn excluded(&self, job: JobId) -> bool {
        let Job { locks, cost, .. } = &self.graph.jobs[job.index()];
        let is_shorter = |index: &JobId| self.graph.jobs[index.index()].cost.micros < cost.micros;
        if !waits(self.graph, job) && self.waiting.iter().any(is_shorter) {
            return true;
        }
        locks.iter().any(|(table, mode)| self.held.get(table).is_some_and(|held| held.iter().any(|one| mode.conflicts(*one))))
    }
}

fn place(graph: &Graph, ranks: &[u64], job: JobId) -> Place {
    (Reverse(waits(graph, job)), Reverse(ranks[job.index()]), job)
}

/// Whether it waits for the transactions of others.
fn waits(graph: &Graph, job: JobId) -> bool {
    matches!(graph.jobs[job.index()].work, Work::Concurrently(_))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::graph::tests::job;
    use super::super::graph::{ConcurrentIndex, Step};
    use super::LockMode::{AccessExclusive, AccessShare, RowExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
    use super::*;

    /// Runs a graph on `sessions` in simulated time; checks needs and locks at every step; tells the time.
    fn simulate(graph: &Graph, sessions: usize) -> u64 {
        let mut schedule = Schedule::new(graph).unwrap();
        let mut running: Vec<(u64, JobId)> = Vec::new();
        let mut done = vec![false; graph.jobs.len()];
        let mut now = 0;
        while !schedule.is_complete() {
            while running.len() < sessions {
                let Some(id) = schedule.start() else { break };
                let job = &graph.jobs[id.index()];
                assert!(job.needs.iter().all(|need| done[need.index()]), "started before what it needs");
                for (_, other) in &running {
                    assert!(!conflict(job, &graph.jobs[other.index()]), "two jobs exclude each other");
                }
                running.push((now + job.cost.micros, id));
            }
            let first = running.iter().copied().min().expect("an unfinished graph always has a job that runs");
            running.retain(|entry| *entry != first);
            now = first.0;
            done[first.1.index()] = true;
            schedule.finish(first.1);
        }
        now
    }

    fn conflict(a: &Job, b: &Job) -> bool {
        a.locks.iter().any(|(table, mode)| b.locks.iter().any(|(other, held)| table == other && mode.conflicts(*held)))
    }

    fn beside_writers(needs: &[u32], locks: &[(u32, LockMode)], cost: u64) -> Job {
        let index = ConcurrentIndex { schema: "s".into(), name: "i".into(), create: Step::new("", "") };
        Job { work: Work::Concurrently(index), ..job(needs, locks, cost) }
    }

    #[test]
    fn the_longest_chain_goes_first() {
        let graph = Graph { jobs: vec![job(&[], &[], 5), job(&[], &[], 1), job(&[1], &[], 9), job(&[], &[], 4)], ..Graph::default() };
        let mut schedule = Schedule::new(&graph).unwrap();
        assert_eq!(schedule.start(), Some(JobId(1)));
        assert_eq!(schedule.start(), Some(JobId(0)));
        assert_eq!(simulate(&graph, 2), 10);
    }

    #[test]
    fn what_waits_for_transactions_goes_before_them() {
        let jobs = vec![job(&[], &[], 9), beside_writers(&[], &[], 1), beside_writers(&[], &[], 5), job(&[], &[], 3)];
        let graph = Graph { jobs, ..Graph::default() };
        let mut schedule = Schedule::new(&graph).unwrap();
        assert_eq!([schedule.start(), schedule.start(), schedule.start()], [Some(JobId(2)), Some(JobId(1)), None]);
        schedule.finish(JobId(1));
        assert_eq!([schedule.start(), schedule.start()], [Some(JobId(3)), None], "what is over sooner goes beside it");
        schedule.finish(JobId(2));
        assert_eq!(schedule.start(), Some(JobId(0)));
    }

    #[test]
    fn index_builds_go_side_by_side_and_keep_others_out() {
        let table = 7;
        let graph = Graph {
            jobs: vec![
                job(&[], &[(table, Share)], 10),
                job(&[], &[(table, Share)], 10),
                job(&[], &[(table, AccessExclusive)], 1),
                job(&[], &[(8, AccessExclusive)], 1),
            ],
            ..Graph::default()
        };
        assert_eq!(simulate(&graph, 3), 11);
        let mut schedule = Schedule::new(&graph).unwrap();
        assert_eq!([schedule.start(), schedule.start()], [Some(JobId(0)), Some(JobId(1))]);
        assert_eq!(schedule.start(), Some(JobId(3)), "another table's job passes the one that waits");
        assert_eq!(schedule.start(), None);
    }

    prop_compose! {
        fn graphs()(parts in prop::collection::vec((0u64..50, any::<bool>(), prop::collection::vec((0u32..4, 0usize..6), 0..3), prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..40)) -> Graph {
            let modes = [AccessShare, RowExclusive, ShareUpdateExclusive, Share, ShareRowExclusive, AccessExclusive];
            let jobs = parts.iter().enumerate().map(|(place, (cost, waits, locks, needs))| {
                let mut needs: Vec<u32> = if place == 0 { Vec::new() } else { needs.iter().map(|need| need.index(place) as u32).collect() };
                needs.sort_unstable();
                needs.dedup();
                let locks: Vec<_> = locks.iter().map(|&(table, mode)| (table, modes[mode])).collect();
                if *waits { beside_writers(&needs, &locks, *cost) } else { job(&needs, &locks, *cost) }
            }).collect();
            Graph { jobs, ..Graph::default() }
        }
    }

    proptest! {
        #[test]
        fn every_graph_ends(graph in graphs(), sessions in 1usize..6) {
            let all: u64 = graph.jobs.iter().map(|job| job.cost.micros).sum();
            let took = simulate(&graph, sessions);
            prop_assert!(took <= all);
            prop_assert!(took >= graph.ranks().unwrap().into_iter().max().unwrap_or(0));
        }
    }
}
