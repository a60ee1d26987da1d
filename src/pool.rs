//! The bridge from tokio to rayon, the buffers that go back and forth, and the memory budget that
//! bounds everything in flight.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{Error, Kind, Result};

/// One bound on the bytes held between a socket and a disk. A permit rides with each chunk and dies
/// with it.
#[derive(Clone, Debug)]
pub struct Budget {
    permits: Arc<Semaphore>,
    total: u32,
}

/// Semaphore permits are counted in KiB so that a u32 reaches 4 TiB.
const UNIT: u64 = 1024;

impl Budget {
    /// `bytes` in all, at least 1 KiB.
    pub fn new(bytes: u64) -> Self {
        let total = (bytes / UNIT).clamp(1, u64::from(u32::MAX >> 4)) as u32;
        Self { permits: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits until `bytes` are free; a request larger than the whole budget waits for all of it and
    /// passes alone.
    pub async fn acquire(&self, bytes: u64) -> Permit {
        let want = bytes.div_ceil(UNIT).min(u64::from(self.total)) as u32;
        Arc::clone(&self.permits)
            .acquire_many_owned(want)
            .await
            .expect("the semaphore is never closed")
    }
}

/// Bytes of the budget in use; given back when dropped.
pub type Permit = OwnedSemaphorePermit;

/// Buffers of one size that are used again: the first use of fresh memory costs more than filling
/// it.
#[derive(Clone, Debug)]
pub struct Buffers {
    bytes: usize,
    free: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Buffers {
    /// How many are kept while nobody uses them. They count for no budget.
    const FREE_MAX: usize = 12;

    /// Buffers of `bytes` each; none is made yet.
    pub fn new(bytes: usize) -> Self {
        Self { bytes, free: Arc::default() }
    }

    /// Takes an empty buffer from the pool, a fresh one if none is free; for what does not fit, and
    /// where there is no memory, one without any.
    pub fn take(&self, bytes: usize) -> Vec<u8> {
        if bytes > self.bytes {
            return Vec::new();
        }
        let free = self.free.lock().expect("no holder panics").pop();
        free.unwrap_or_else(|| {
            let mut fresh = Vec::new();
            // Who fills it asks for what is missing, and tells that there is none.
            let _ = fresh.try_reserve_exact(self.bytes);
            fresh
        })
    }

    /// Keeps a buffer that was taken from the pool for the next; what is of another size is let go.
    pub fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = self.free.lock().expect("no holder panics");
        if buffer.capacity() == self.bytes && free.len() < Self::FREE_MAX {
            free.push(buffer);
        }
    }

    /// The same, unless somebody else holds a part of it.
    pub fn give_back_shared(&self, buffer: Bytes) {
        if let Ok(buffer) = buffer.try_into_mut() {
            self.give_back(buffer.into());
        }
    }
}

/// Whether so many threads can be started. A runtime that finds out by itself may wait for ever for
/// those that it has not got.
///
/// # Errors
/// [`Kind::Requirement`] if they cannot.
pub fn check_threads(count: usize) -> Result<()> {
    let (begin, wait) = std::sync::mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    std::thread::scope(|scope| {
        let all = (0..count).try_for_each(|_| {
            let started = std::thread::Builder::new().spawn_scoped(scope, || {
                let _ = wait.lock().map(|wait| wait.recv());
            });
            started.map(drop)
        });
        drop(begin);
        all.map_err(|source| {
            let error =
                Error::new(Kind::Requirement, format!("start {count} threads"), source.to_string())
                    .with_source(source);
            error.hint(
                "let the program have more memory, address space (ulimit -v) or processes \
                 (ulimit -u)",
            )
        })
    })
}

/// Starts the pool with so many threads, where it does not run yet.
pub fn start(threads: usize) {
    // It runs already where another command was run by this process.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
}

/// Starts CPU work on rayon's pool, and does not wait for it. A panic in it must be [`caught`].
pub fn spawn(work: impl FnOnce() + Send + 'static) {
    rayon::spawn(work);
}

/// Runs CPU work on rayon's pool and waits for it without blocking tokio. A panic in `work` panics
/// here, in the caller's task.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = oneshot::channel();
    rayon::spawn(move || {
        // The receiver is gone when the run was given up: then nobody wants the result.
        let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
    });
    receiver.await.expect("the sender is used").unwrap_or_else(|panic| resume_unwind(panic))
}

/// Does work on a thread of the pool, which a panic would end with the whole process: it becomes an
/// error.
pub fn caught<T>(doing: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new(
            Kind::Unexpected,
            doing,
            "internal error: a worker panicked (see the message above)",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_permit_is_given_back() {
        let budget = Budget::new(10 * UNIT);
        drop(budget.acquire(1 << 40).await);
        let parts = (budget.acquire(4 * UNIT).await, budget.acquire(6 * UNIT).await);
        drop(parts);
        drop(budget.acquire(10 * UNIT).await);
    }

    #[tokio::test]
    async fn a_panic_comes_back_to_who_waits() {
        let panicked = tokio::spawn(run(|| -> u8 { panic!("thrown by a test") }))
            .await
            .expect_err("it panics");
        assert!(panicked.is_panic());
        let error = caught::<()>("do it", || panic!("thrown by a test")).expect_err("an error");
        assert_eq!((error.kind(), error.doing()), (Kind::Unexpected, "do it"));
        assert_eq!(run(|| 7).await, 7);
    }

    #[test]
    fn buffers_are_used_again() {
        let buffers = Buffers::new(1 << 10);
        let mut taken = buffers.take(1 << 10);
        assert_eq!(buffers.take((1 << 10) + 1).capacity(), 0);
        let place = taken.as_ptr();
        taken.extend([7; 1 << 10]);
        // A part taken off the front does not make it smaller.
        buffers.give_back_shared(Bytes::from(taken).slice(19..));
        let again = buffers.take(1);
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (place, 0, 1 << 10));
        let held = Bytes::from(again);
        buffers.give_back_shared(held.clone());
        buffers.give_back(vec![7; 1 << 11]);
        assert!(buffers.free.lock().expect("no holder panics").is_empty());
        for _ in 0..Buffers::FREE_MAX + 2 {
            buffers.give_back(Vec::with_capacity(1 << 10));
        }
        assert_eq!(buffers.free.lock().expect("no holder panics").len(), Buffers::FREE_MAX);
    }
}
