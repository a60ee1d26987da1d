//! What a run may take: sessions, memory, time without news.

use std::num::NonZeroUsize;
use std::time::Duration;

/// A session's share of the memory for rows.
const MEMORY_PER_JOB: u64 = 16 << 20;
/// What sessions share at most, if no more is asked for: threads keep about as much again.
const MEMORY_MAX: u64 = 96 << 20;

/// What a dump, a restore or a verification may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sessions that copy or restore; by default as many as the machine's cores suggest.
    pub jobs: Option<NonZeroUsize>,
    /// Bytes of rows in flight, raw and encoded; by default a share for each session. The manifest
    /// of an archive may take as much, if that is more than is usual for its size.
    pub max_memory: Option<u64>,
    /// How long the server may send nothing, or take nothing; for ever if it is 0.
    pub stall_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { jobs: None, max_memory: None, stall_timeout: Duration::from_secs(300) }
    }
}

impl Limits {
    /// The sessions that copy out: if no number is asked for, two more than there are cores, at
    /// most 8. While some wait for the network or for a worker, others are served.
    pub fn dump_jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or_else(|| at_least_one((cores() + 2).min(8)))
    }

    /// The sessions that restore: if no number is asked for, as many as there are cores, at least
    /// 2, at most 8. Each keeps the server busy; more of them than it has cores sort in each
    /// other's way.
    pub fn restore_jobs(&self) -> NonZeroUsize {
        self.jobs.unwrap_or_else(|| at_least_one(cores().clamp(2, 8)))
    }

    /// Bytes of rows in flight: enough that each session has a chunk to fill or send while others
    /// are coded, and no more, whatever the size of the database.
    pub fn memory_for(&self, jobs: NonZeroUsize) -> u64 {
        self.max_memory.unwrap_or((MEMORY_PER_JOB * jobs.get() as u64).min(MEMORY_MAX))
    }
}

/// The machine's cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn at_least_one(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_the_sessions_and_ends_somewhere() {
        let jobs = |number| NonZeroUsize::new(number).expect("not 0");
        let limits = Limits::default();
        assert_eq!(limits.memory_for(jobs(1)), 16 << 20);
        assert_eq!(limits.memory_for(jobs(4)), 64 << 20);
        assert_eq!(limits.memory_for(jobs(256)), 96 << 20);
        assert_eq!(Limits { max_memory: Some(1 << 30), ..limits }.memory_for(jobs(1)), 1 << 30);
    }

    #[test]
    fn as_many_sessions_as_are_asked_for() {
        let three = NonZeroUsize::new(3);
        let limits = Limits { jobs: three, ..Limits::default() };
        assert_eq!((Some(limits.dump_jobs()), Some(limits.restore_jobs())), (three, three));
        assert!((2..=8).contains(&Limits::default().restore_jobs().get()));
    }
}
