//! A short wait before a socket that was just emptied is read again, while much comes in one piece.
//!
//! A server on the same machine sends rows by the 8 KiB, and a reader that wakes for each of them
//! has the two change places so often that a dump of many short rows takes a third longer. What is
//! waited for lies in the socket meanwhile, and the answers that a session waits for are shorter.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// So much of an answer is read as it comes.
const ANSWER_BYTES: u64 = 256 << 10;
/// Reads of so much are worth a wake.
const READ_BYTES: usize = 64 << 10;
const LULL: Duration = Duration::from_millis(1);

/// When a socket is to be read again.
#[derive(Debug, Default)]
pub(super) struct Lull {
    /// What has come since something was asked.
    answer_bytes: u64,
    /// Made once, and set anew.
    timer: Option<Pin<Box<Sleep>>>,
    is_set: bool,
}

impl Lull {
    /// Waits until the socket may be read.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_set
            && let Some(timer) = &mut self.timer
        {
            ready!(timer.as_mut().poll(cx));
            self.is_set = false;
        }
        Poll::Ready(())
    }

    /// So many bytes were read; there was `room` for more.
    pub(super) fn was_read(&mut self, bytes: usize, room: bool) {
        if !self.is_due(bytes, room) {
            return;
        }
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(Instant::now() + LULL),
            timer => *timer = Some(Box::pin(sleep(LULL))),
        }
        self.is_set = true;
    }

    fn is_due(&mut self, bytes: usize, room: bool) -> bool {
        self.answer_bytes += bytes as u64;
        room && (1..READ_BYTES).contains(&bytes) && self.answer_bytes >= ANSWER_BYTES
    }

    /// Something is asked: its answer begins anew.
    pub(super) fn was_asked(&mut self) {
        self.answer_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn only_what_is_long_and_comes_in_small_pieces_is_waited_for() {
        let mut lull = Lull::default();
        for _ in 0..31 {
            assert!(!lull.is_due(8 << 10, true), "the answer has only begun");
        }
        assert!(lull.is_due(8 << 10, true));
        assert!(lull.is_due(1, true));
        assert!(!lull.is_due(8 << 10, false), "there is more in the socket");
        assert!(!lull.is_due(64 << 10, true), "it is worth a wake");
        assert!(!lull.is_due(0, true), "it is the end");
        lull.was_asked();
        assert!(!lull.is_due(8 << 10, true), "it is another answer");
    }

    #[tokio::test]
    async fn a_lull_ends_and_is_for_one_read() {
        let mut lull = Lull { answer_bytes: ANSWER_BYTES, ..Lull::default() };
        let before = Instant::now();
        lull.was_read(1, true);
        poll_fn(|cx| lull.poll_over(cx)).await;
        assert!(before.elapsed() >= LULL);
        assert!(!lull.is_set);
    }
}
