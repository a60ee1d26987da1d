use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::archive::manifest::ObjectId;
use crate::restore::plan::graph::ConcurrentIndex;
use crate::restore::plan::graph::tests::job;
use crate::restore::plan::locks::LockMode::{AccessExclusive, AccessShare, Share};
use crate::restore::plan::partition_trees::{Families, Lockable};
use crate::restore::run::held_locks::tests::{families, lock_of, of_the_server};
use crate::restore::step::Step;

const ENDLESS: Room = Room { long: usize::MAX, short_micros: 0 };

/// What the server would let start next: the first in order of all ready jobs that wait for no lock
/// on any single table and are not longer than an index that is built beside writers.
fn first_by_the_server(
    graph: &Graph,
    ranks: &[u64],
    done: &[bool],
    running: &[(u64, JobId)],
) -> Option<JobId> {
    let is_running = |job: JobId| running.iter().any(|(_, other)| *other == job);
    let is_ready = |job: &JobId| {
        !done[job.index()]
            && !is_running(*job)
            && graph.jobs[job.index()].needs.iter().all(|need| done[need.index()])
    };
    let is_excluded = |job: &JobId| {
        let shortest = running
            .iter()
            .filter(|(_, index)| waits(graph, *index))
            .map(|(_, index)| graph.jobs[index.index()].cost.micros)
            .min();
        let is_longer = !waits(graph, *job)
            && shortest.is_some_and(|shortest| shortest < graph.jobs[job.index()].cost.micros);
        is_longer || running.iter().any(|(_, other)| conflict(graph, *job, *other))
    };
    graph
        .ids()
        .filter(is_ready)
        .filter(|job| !is_excluded(job))
        .min_by_key(|job| place(graph, ranks, *job))
}

/// Whether two jobs lock a table in modes that exclude each other, a family being all its tables.
fn conflict(graph: &Graph, a: JobId, b: JobId) -> bool {
    let [a, b] = [a, b].map(|job| of_the_server(&graph.jobs[job.index()].locks, &graph.families));
    a.iter()
        .any(|(table, mode)| b.iter().any(|(other, held)| table == other && mode.conflicts(*held)))
}

/// Runs a graph on `sessions` in simulated time, starting at every step exactly what the server
/// would let start; tells the time.
fn simulate(graph: &Graph, sessions: usize) -> u64 {
    let mut schedule = Schedule::new(graph, ENDLESS).unwrap();
    let ranks = graph.ranks().unwrap();
    let mut running: Vec<(u64, JobId)> = Vec::new();
    let mut done = vec![false; graph.jobs.len()];
    let mut now = 0;
    while !schedule.is_complete() {
        while running.len() < sessions {
            let started = schedule.start();
            assert_eq!(started, first_by_the_server(graph, &ranks, &done, &running));
            let Some(id) = started else { break };
            running.push((now + graph.jobs[id.index()].cost.micros, id));
        }
        let first =
            running.iter().copied().min().expect("an unfinished graph always has a job that runs");
        running.retain(|entry| *entry != first);
        now = first.0;
        done[first.1.index()] = true;
        schedule.finish(first.1);
    }
    now
}

fn beside_writers(needs: &[u32], locks: &[(u32, LockMode)], cost: u64) -> Job {
    let index = ConcurrentIndex { schema: "s".into(), name: "i".into(), create: Step::new("", "") };
    Job { work: Work::Concurrently(index), ..job(needs, locks, cost) }
}

#[test]
fn the_longest_chain_goes_first() {
    let graph = Graph {
        jobs: vec![job(&[], &[], 5), job(&[], &[], 1), job(&[1], &[], 9), job(&[], &[], 4)],
        ..Graph::default()
    };
    let mut schedule = Schedule::new(&graph, ENDLESS).unwrap();
    assert_eq!(schedule.start(), Some(JobId(1)));
    assert_eq!(schedule.start(), Some(JobId(0)));
    assert_eq!(simulate(&graph, 2), 10);
}

#[test]
fn what_is_short_goes_beside_what_is_not_and_finds_no_room() {
    let jobs = vec![
        job(&[], &[], 90),
        job(&[], &[], 80),
        job(&[], &[], 70),
        job(&[], &[], 2),
        job(&[], &[], 1),
        job(&[3], &[], 60),
    ];
    let graph = Graph { jobs, ..Graph::default() };
    let mut schedule = Schedule::new(&graph, Room { long: 2, short_micros: 2 }).unwrap();
    let start = |schedule: &mut Schedule<'_>| schedule.start().map(|job| job.0);
    assert_eq!([(); 5].map(|()| start(&mut schedule)), [Some(0), Some(1), Some(3), Some(4), None]);
    assert!(!schedule.has_room());
    schedule.finish(JobId(4));
    schedule.finish(JobId(3));
    assert_eq!(start(&mut schedule), None);
    schedule.finish(JobId(1));
    assert!(schedule.has_room());
    assert_eq!([(); 2].map(|()| start(&mut schedule)), [Some(2), None]);
    schedule.finish(JobId(0));
    assert_eq!(start(&mut schedule), Some(5));
    schedule.finish(JobId(2));
    schedule.finish(JobId(5));
    assert!(schedule.is_complete());
}

#[test]
fn what_found_no_room_and_then_a_lock_does_not_keep_others_out() {
    let lock = |mode| [(1, mode)];
    let jobs = vec![
        job(&[], &lock(AccessShare), 9),
        job(&[], &lock(AccessExclusive), 8),
        job(&[], &[], 7),
        job(&[], &[], 6),
    ];
    let graph = Graph { jobs, ..Graph::default() };
    let mut schedule = Schedule::new(&graph, Room { long: 1, short_micros: 6 }).unwrap();
    assert_eq!(schedule.start(), Some(JobId(0)));
    assert_eq!(schedule.start(), Some(JobId(3)));
    assert_eq!(schedule.start(), None);
    schedule.finish(JobId(0));
    assert_eq!(schedule.start(), Some(JobId(1)));
    assert_eq!(schedule.start(), None);
    schedule.finish(JobId(1));
    assert_eq!(schedule.start(), Some(JobId(2)));
    schedule.finish(JobId(2));
    schedule.finish(JobId(3));
    assert!(schedule.is_complete());
}

#[test]
fn what_waits_for_transactions_goes_before_them() {
    let jobs = vec![
        job(&[], &[], 9),
        beside_writers(&[], &[], 1),
        beside_writers(&[], &[], 5),
        job(&[], &[], 3),
    ];
    let graph = Graph { jobs, ..Graph::default() };
    let mut schedule = Schedule::new(&graph, ENDLESS).unwrap();
    assert_eq!(
        [schedule.start(), schedule.start(), schedule.start()],
        [Some(JobId(2)), Some(JobId(1)), None]
    );
    schedule.finish(JobId(1));
    assert_eq!(
        [schedule.start(), schedule.start()],
        [Some(JobId(3)), None],
        "what is over sooner goes beside it"
    );
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
    let mut schedule = Schedule::new(&graph, ENDLESS).unwrap();
    assert_eq!([schedule.start(), schedule.start()], [Some(JobId(0)), Some(JobId(1))]);
    assert_eq!(schedule.start(), Some(JobId(3)), "another table's job passes the one that waits");
    assert_eq!(schedule.start(), None);
}

#[test]
fn partitions_go_side_by_side_and_the_whole_by_itself() {
    let families = families();
    let whole = families.reach(ObjectId(0));
    let on = |lockable, mode, cost| Job { locks: vec![(lockable, mode)], ..job(&[], &[], cost) };
    let table = |id| Lockable::Relation(ObjectId(id));
    let jobs = vec![
        on(table(1), AccessExclusive, 10),
        on(table(2), AccessExclusive, 10),
        on(whole, AccessShare, 1),
        on(table(5), AccessExclusive, 9),
        on(families.reach(ObjectId(3)), AccessExclusive, 8),
    ];
    let graph = Graph { jobs, families, ..Graph::default() };
    let mut schedule = Schedule::new(&graph, ENDLESS).unwrap();
    let started: Vec<u32> = std::iter::from_fn(|| schedule.start()).map(|job| job.0).collect();
    assert_eq!(started, [0, 1, 3, 4]);
    schedule.finish(JobId(0));
    assert_eq!(schedule.start(), None, "another partition is still locked");
    schedule.finish(JobId(1));
    assert_eq!(schedule.start(), Some(JobId(2)));
}

#[test]
fn what_waits_is_not_looked_at_again_in_vain() {
    let many = 5_000;
    let mut families = Families::default();
    (1..=many).for_each(|partition| families.attach(ObjectId(0), ObjectId(partition)));
    let whole = families.reach(ObjectId(0));
    let locking = |lockable, mode| Job { locks: vec![(lockable, mode)], ..job(&[], &[], 1) };
    let jobs = (1..=many)
        .flat_map(|n| {
            [locking(whole, AccessExclusive), locking(Lockable::Relation(ObjectId(n)), Share)]
        })
        .collect();
    let graph = Graph { jobs, families, ..Graph::default() };
    let mut schedule = Schedule::new(&graph, ENDLESS).unwrap();
    let mut running = VecDeque::new();
    while !schedule.is_complete() {
        while running.len() < 4 {
            let Some(job) = schedule.start() else { break };
            running.push_back(job);
        }
        schedule
            .finish(running.pop_front().expect("an unfinished graph always has a job that runs"));
    }
    assert!(
        schedule.looked_at < 3 * graph.jobs.len(),
        "{} looks for {} jobs",
        schedule.looked_at,
        graph.jobs.len()
    );
}

prop_compose! {
    fn graphs()(parts in prop::collection::vec((0u64..50, prop::bool::weighted(0.2), prop::collection::vec((0u32..6, any::<bool>(), 0usize..8), 0..3), prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..40)) -> Graph {
        let families = families();
        let jobs = parts.iter().enumerate().map(|(place, (cost, waits, locks, needs))| {
            let mut needs: Vec<u32> = if place == 0 { Vec::new() } else { needs.iter().map(|need| need.index(place) as u32).collect() };
            needs.sort_unstable();
            needs.dedup();
            let blank = if *waits { beside_writers(&needs, &[], *cost) } else { job(&needs, &[], *cost) };
            Job { locks: locks.iter().map(|&lock| lock_of(lock, &families)).collect(), ..blank }
        }).collect();
        Graph { jobs, families, ..Graph::default() }
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
