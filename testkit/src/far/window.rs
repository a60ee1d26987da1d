//! What one connection may have on its way.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// The sender learns `at` that these bytes have come.
pub(super) struct Acknowledged {
    pub(super) at: Instant,
    pub(super) bytes: usize,
}

/// A sender's view of the bytes that it has sent: so many of them at most are not acknowledged.
pub(super) struct Window {
    bytes_max: usize,
    in_flight: usize,
    acknowledged: mpsc::Receiver<Acknowledged>,
    /// Taken from the channel, and not yet due.
    next: Option<Acknowledged>,
}

impl Window {
    pub(super) fn new(bytes_max: usize, acknowledged: mpsc::Receiver<Acknowledged>) -> Self {
        Self { bytes_max, in_flight: 0, acknowledged, next: None }
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.in_flight += bytes;
    }

    /// How many bytes may be sent now, at least one: waits for that. `None` if nobody is left who
    /// would acknowledge any.
    pub(super) fn room(&mut self) -> Option<usize> {
        loop {
            let full = self.in_flight >= self.bytes_max;
            if self.next.is_none() {
                self.next = if full {
                    Some(self.acknowledged.recv().ok()?)
                } else {
                    self.acknowledged.try_recv().ok()
                };
            }
            match self.next.take_if(|next| full || next.at <= Instant::now()) {
                Some(Acknowledged { at, bytes }) => {
                    thread::sleep(at.saturating_duration_since(Instant::now()));
                    self.in_flight -= bytes;
                }
                None => return Some(self.bytes_max - self.in_flight),
            }
        }
    }
}
