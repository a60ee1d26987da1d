//! Which job next: the ready one with the longest chain behind it that no running job's locks
//! exclude.
//!
//! Pure: knows neither sessions nor time. Nothing is reserved for a job that waits for a lock:
//! index builds are finite, and an idle session costs more than a late constraint. An index that is
//! built beside writers waits for all transactions of the database that are older: so it goes
//! before everything else, and beside it starts only what is over sooner.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::held_locks::{Held, Obstacle};
use crate::error::Result;
use crate::progress::JobTotal;
use crate::restore::plan::graph::{Graph, Job, JobId, Work};
use crate::restore::plan::locks::LockMode;

/// Before which others a job is taken: whether transactions are in its way, how long the chain
/// behind it is, and which it is.
type Place = (Reverse<bool>, Reverse<u64>, JobId);

/// How much may run at the same time, whatever the number of sessions.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Room {
    /// Jobs that are not short: more of them than the server has cores are in each other's way.
    pub(in crate::restore) long: usize,
    /// The cost of a short one, at most: of these the way to the server takes longer.
    pub(in crate::restore) short_micros: u64,
}

/// The state of a run: what is ready, what runs, what is held.
///
/// A ready job that is excluded stands aside until what excludes it may be gone, and of those that
/// stand before one obstacle only the first is looked at again, so that a start costs no more the
/// more jobs wait.
#[derive(Debug)]
pub(super) struct Schedule<'g> {
    graph: &'g Graph,
    room: Room,
    ranks: Vec<u64>,
    missing: Vec<usize>,
    dependents: Vec<Vec<JobId>>,
    /// Ready, and perhaps not excluded.
    ready: BTreeSet<Place>,
    /// Ready, and excluded by locks: by the obstacle that each was found before.
    queues: HashMap<Obstacle, BTreeSet<Place>>,
    /// Which queue a job was the first of, when its obstacle was gone and it became ready again.
    firsts: HashMap<JobId, Obstacle>,
    /// Ready, and longer than an index that is built beside writers: by cost.
    longer: BTreeSet<(u64, JobId)>,
    /// Whether fewer are too long now.
    look_at_longer: bool,
    /// Ready, not short, and there was no room.
    crowded: BTreeSet<Place>,
    /// How many run that are not short.
    long: usize,
    held: Held,
    /// The indexes that are built beside writers now.
    waiting: Vec<JobId>,
    done: usize,
    /// How often a ready job was looked at.
    #[cfg(test)]
    looked_at: usize,
}

impl<'g> Schedule<'g> {
    /// Nothing done yet. Fails where jobs need each other in a circle.
    pub(super) fn new(graph: &'g Graph, room: Room) -> Result<Self> {
        let ranks = graph.ranks()?;
        let missing: Vec<usize> = graph.jobs.iter().map(|job| job.needs.len()).collect();
        let ready = graph
            .ids()
            .filter(|job| missing[job.index()] == 0)
            .map(|job| place(graph, &ranks, job))
            .collect();
        Ok(Self {
            graph,
            room,
            ranks,
            missing,
            dependents: graph.dependents(),
            ready,
            queues: HashMap::new(),
            firsts: HashMap::new(),
            longer: BTreeSet::new(),
            look_at_longer: false,
            crowded: BTreeSet::new(),
            long: 0,
            held: Held::default(),
            waiting: Vec::new(),
            done: 0,
            #[cfg(test)]
            looked_at: 0,
        })
    }

    /// Takes the next job to start, if one may start now.
    pub(super) fn start(&mut self) -> Option<JobId> {
        loop {
            self.let_longer_in();
            let place @ (.., job) = self.next()?;
            let first_of = self.firsts.remove(&job);
            let starts = self.try_start(place);
            // Its place before the obstacle is free.
            if let Some(obstacle) = first_of {
                self.advance(obstacle);
            }
            if starts {
                return Some(job);
            }
        }
    }

    /// Whether a job that is not short would find room.
    pub(super) fn has_room(&self) -> bool {
        self.long < self.room.long
    }

    fn is_long(&self, job: JobId) -> bool {
        self.graph.jobs[job.index()].cost.micros > self.room.short_micros
    }

    /// The first that is ready, for which there is room as far as is known.
    fn next(&mut self) -> Option<Place> {
        let crowded = self.crowded.first().filter(|_| self.has_room());
        if crowded.is_some_and(|first| self.ready.first().is_none_or(|ready| first < ready)) {
            self.crowded.pop_first()
        } else {
            self.ready.pop_first()
        }
    }

    /// Starts a job, or puts it aside.
    fn try_start(&mut self, place @ (.., id): Place) -> bool {
        #[cfg(test)]
        {
            self.looked_at += 1;
        }
        let is_long = self.is_long(id);
        if is_long && !self.has_room() {
            self.crowded.insert(place);
            return false;
        }
        let Job { locks, cost, .. } = &self.graph.jobs[id.index()];
        if !waits(self.graph, id)
            && self.shortest_waiting().is_some_and(|shortest| shortest < cost.micros)
        {
            self.longer.insert((cost.micros, id));
            return false;
        }
        if let Some(obstacle) = self.held.obstacle(locks, &self.graph.families) {
            self.queues.entry(obstacle).or_default().insert(place);
            return false;
        }
        self.held.take(locks, &self.graph.families);
        self.long += usize::from(is_long);
        if waits(self.graph, id) {
            self.waiting.push(id);
        }
        true
    }

    /// Lets the first before an obstacle become ready again, if it is gone.
    fn advance(&mut self, obstacle: Obstacle) {
        let Some(queue) = self.queues.get_mut(&obstacle).filter(|_| !self.held.excludes(obstacle))
        else {
            return;
        };
        if let Some(place @ (.., job)) = queue.pop_first() {
            self.ready.insert(place);
            self.firsts.insert(job, obstacle);
        }
        if queue.is_empty() {
            self.queues.remove(&obstacle);
        }
    }

    /// Lets in those that are no longer too long, unless another of what they wait for is to begin
    /// first.
    fn let_longer_in(&mut self) {
        let is_next = self.ready.first().is_some_and(|&(Reverse(waits), ..)| waits);
        if is_next || !std::mem::take(&mut self.look_at_longer) {
            return;
        }
        let still = match self.shortest_waiting() {
            Some(shortest) => self.longer.split_off(&(shortest.saturating_add(1), JobId(0))),
            None => BTreeSet::new(),
        };
        let short = std::mem::replace(&mut self.longer, still);
        self.ready.extend(short.into_iter().map(|(_, job)| place(self.graph, &self.ranks, job)));
    }

    fn shortest_waiting(&self) -> Option<u64> {
        self.waiting.iter().map(|index| self.graph.jobs[index.index()].cost.micros).min()
    }

    /// Notes that a started job is done: its locks are free, and what needed it may become ready.
    ///
    /// # Panics
    /// When the job was not started.
    pub(super) fn finish(&mut self, job: JobId) {
        self.long -= usize::from(self.is_long(job));
        if waits(self.graph, job) {
            self.waiting.retain(|one| *one != job);
            self.look_at_longer = true;
        }
        for place in self.held.release(&self.graph.jobs[job.index()].locks, &self.graph.families) {
            for mode in LockMode::ALL {
                self.advance((place, mode));
            }
        }
        for &dependent in &self.dependents[job.index()] {
            self.missing[dependent.index()] -= 1;
            if self.missing[dependent.index()] == 0 {
                self.ready.insert(place(self.graph, &self.ranks, dependent));
            }
        }
        self.done += 1;
    }

    /// The jobs, for those who watch.
    pub(super) fn totals(&self) -> Vec<JobTotal> {
        let jobs = self.graph.jobs.iter().zip(&self.ranks);
        jobs.map(|(job, rank)| JobTotal {
            cost: job.cost.micros,
            chain: *rank,
            loads: match &job.work {
                Work::Load { table, .. } => Some(table.0 as usize),
                _ => None,
            },
        })
        .collect()
    }

    /// Whether every job is done.
    pub(super) fn is_complete(&self) -> bool {
        self.done == self.graph.jobs.len()
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
#[path = "schedule_tests.rs"]
mod tests;
