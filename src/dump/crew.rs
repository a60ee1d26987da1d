//! What the sessions that copy have in common: the jobs that nobody has taken yet, how many sessions
//! there are, and what each of them needs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use uuid::Uuid;

use super::growth::{Change, Growth};
use super::plan::Job;
use crate::archive::Codec;
use crate::pg::connect::Server;
use crate::pg::snapshot;
use crate::pool::{Budget, Buffers};
use crate::progress::{Level, Progress};

/// Raw bytes of a chunk of several rows: a restore by two sessions holds seven chunks at a time.
pub(super) const CHUNK_BYTES: usize = 3 << 20;
/// A chunk holds its raw rows and its compressed blocks at one moment; the columns between them are
/// in memory that a thread keeps.
pub(super) const MEMORY_PER_RAW_BYTE: u64 = 2;

/// What every session of one dump shares.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) server: Server,
    pub(super) begin: snapshot::Begin,
    /// Whether a pooler stands between, which may have fewer sessions to give than are wanted.
    pub(super) is_proxied: bool,
    /// What the rows' texts are sent in, where that is not UTF8: as they are stored.
    pub(super) encoding: Option<String>,
    pub(super) snapshot_id: String,
    pub(super) uuid: Uuid,
    pub(super) codec: Codec,
    pub(super) budget: Budget,
    pub(super) buffers: Buffers,
    pub(super) stall_timeout: Duration,
    pub(super) progress: Arc<dyn Progress>,
}

/// How many sessions copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sessions {
    /// At first.
    pub(super) first: usize,
    /// At most, if they turn out to help.
    pub(super) max: usize,
}

impl Sessions {
    /// As many as may fill chunks at the same time.
    pub(super) fn in_memory(bytes: u64) -> usize {
        (bytes / (CHUNK_BYTES as u64 * MEMORY_PER_RAW_BYTE)) as usize
    }
}

/// What the sessions have in common.
pub(super) struct Crew {
    pub(super) context: Context,
    queue: Mutex<Queue>,
    /// What has come, in bytes.
    came: AtomicU64,
}

/// Jobs not yet taken, and who takes them.
struct Queue {
    jobs: std::vec::IntoIter<Job>,
    working: usize,
    wanted: usize,
}

impl Crew {
    /// So many sessions begin.
    pub(super) fn new(context: Context, jobs: Vec<Job>, first: usize) -> Self {
        tell(first, context.progress.as_ref());
        let queue = Queue { jobs: jobs.into_iter(), working: first, wanted: first };
        Self { context, queue: Mutex::new(queue), came: AtomicU64::new(0) }
    }

    fn queue<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        change(&mut self.queue.lock().expect("no holder panics"))
    }

    /// The next job of a session; nothing also where there is one session too many.
    pub(super) fn next(&self) -> Option<Job> {
        self.queue(|queue| {
            if queue.working > queue.wanted {
                queue.working -= 1;
                return None;
            }
            queue.jobs.next()
        })
    }

    /// The next job, whoever asks.
    pub(super) fn next_of_all(&self) -> Option<Job> {
        self.queue(|queue| queue.jobs.next())
    }

    /// Notes that a session that was to be added is not to be had.
    pub(super) fn one_fewer(&self) {
        self.queue(|queue| queue.working -= 1);
    }

    /// Notes what has come.
    pub(super) fn came(&self, bytes: u64) {
        self.came.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What has come, in bytes.
    pub(super) fn all_that_came(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// Whether a session is to be added. What is too much ends after its job.
    pub(super) fn grow(&self, growth: &mut Growth, rate: f64) -> bool {
        // Towards the end there is nothing left to help with, and the rate says nothing.
        let is_near_end = self.queue(|queue| queue.jobs.len() <= growth.sessions());
        let change = if is_near_end { Change::None } else { growth.look(rate) };
        let sessions = growth.sessions();
        match change {
            Change::None => return false,
            Change::Add => self.queue(|queue| {
                (queue.wanted, queue.working) = (sessions, queue.working + 1);
            }),
            Change::TakeBack => self.queue(|queue| queue.wanted = sessions),
        }
        tell(sessions, self.context.progress.as_ref());
        change == Change::Add
    }
}

fn tell(sessions: usize, progress: &dyn Progress) {
    let text = match sessions {
        0 => return,
        1 => "1 session copies".to_owned(),
        sessions => format!("{sessions} sessions copy"),
    };
    progress.message(Level::Detail, &text);
}
