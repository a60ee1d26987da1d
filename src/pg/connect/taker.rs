//! The end of the way around the driver at which rows are taken: buffers are granted there, and
//! come back full.
//!
//! Does not know how messages are told apart: see [`tap`](super::tap).

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

/// The other end, held by the session whose connection it is.
#[derive(Clone, Debug)]
pub struct Taker {
    pub(super) shared: Arc<Mutex<Shared>>,
}

/// What a taker gets before the driver says that the COPY is over.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// As many whole messages as fit.
    Full(Vec<u8>),
    /// The next message is larger than any buffer of the granted size, and so long; one for it must
    /// be granted. The buffer that was granted is gone.
    Large(usize),
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) state: State,
    /// When bytes last came.
    pub(super) received: Instant,
    /// How much has come into the buffer that was granted last, as far as it is told.
    pub(super) taken_bytes: u64,
    /// Why the server is not listened to any longer.
    pub(super) objection: Option<String>,
    /// The process that BackendKeyData named.
    pub(super) greeted_pid: Option<i32>,
    /// Waits for a grant.
    pub(super) tap: Option<Waker>,
    /// Waits for a buffer.
    pub(super) taker: Option<Waker>,
}

#[derive(Debug)]
pub(super) enum State {
    /// Rows go to the driver.
    Off,
    /// Held, and nothing is granted.
    Held,
    Granted(Vec<u8>, usize),
    /// The tap has the buffer.
    Filling,
    Taken(Taken),
    /// The COPY's last buffer; the driver is told of the end after this.
    Ended(Vec<u8>),
}

impl Taker {
    /// Who takes COPY data holds it from now on until a buffer is granted for it. Called while no
    /// answer is on its way.
    pub fn hold(&self) {
        self.lock().state = State::Held;
    }

    /// From now on rows go to the driver again.
    pub fn release(&self) {
        self.lock().state = State::Off;
    }

    /// Grants a buffer, for up to `bytes_max` bytes, to the COPY whose stream is read next.
    pub fn grant(&self, buffer: Vec<u8>, bytes_max: usize) {
        let mut shared = self.lock();
        shared.state = State::Granted(buffer, bytes_max);
        shared.received = Instant::now();
        shared.taken_bytes = 0;
        if let Some(tap) = shared.tap.take() {
            tap.wake();
        }
    }

    /// Waits for a buffer that is full; the last one is not, see [`ended`](Self::ended).
    pub fn poll_taken(&self, cx: &mut Context<'_>) -> Poll<Taken> {
        let mut shared = self.lock();
        match std::mem::replace(&mut shared.state, State::Held) {
            State::Taken(taken) => Poll::Ready(taken),
            other => {
                shared.state = other;
                shared.taker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The last buffer, once the driver's stream has ended; `None` if the server never said that
    /// the data was complete.
    pub fn ended(&self) -> Option<Vec<u8>> {
        let mut shared = self.lock();
        match std::mem::replace(&mut shared.state, State::Held) {
            State::Ended(buffer) => Some(buffer),
            other => {
                shared.state = other;
                None
            }
        }
    }

    /// Why the server is not listened to any longer, where that is why the connection is closed.
    pub fn objection(&self) -> Option<String> {
        self.lock().objection.clone()
    }

    /// When bytes last came, or a buffer was granted.
    pub fn received(&self) -> Instant {
        self.lock().received
    }

    /// How much has come into the buffer that was granted last; it may be a little more by now.
    pub fn taken_bytes(&self) -> u64 {
        self.lock().taken_bytes
    }

    /// The server process that the greeting named: not the one that works for the session, where a
    /// pooler greets.
    pub fn greeted_pid(&self) -> Option<i32> {
        self.lock().greeted_pid
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("no holder panics")
}

impl Shared {
    pub(super) fn take_grant(&mut self, buffer: &mut Vec<u8>, bytes_max: &mut usize) -> bool {
        match std::mem::replace(&mut self.state, State::Filling) {
            State::Granted(granted, max) => {
                (*buffer, *bytes_max) = (granted, max);
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    pub(super) fn hand_over(&mut self, state: State) {
        self.state = state;
        if let Some(taker) = self.taker.take() {
            taker.wake();
        }
    }
}
