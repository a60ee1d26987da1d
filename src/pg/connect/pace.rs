//! A bound on the bytes that all sessions of a server together read in a second.
//!
//! Each session takes its turn before it reads, and the turns stand in one line: none is passed
//! over, however many wait. Does not know who reads what.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Reads a second, while the rate allows so small ones.
const READS_PER_SECOND: u64 = 20;
/// What one turn is for, at least and at most.
const STEP_BYTES_MIN: u64 = 4 << 10;
const STEP_BYTES_MAX: u64 = 256 << 10;
/// What was not read in this time may be read later: timers come late.
const LATE: Duration = Duration::from_millis(100);

/// The rate, shared by the sessions.
#[derive(Debug)]
pub(super) struct Pace {
    bytes_per_second: u64,
    /// When the next turn begins.
    next: Mutex<Instant>,
}

impl Pace {
    /// So many bytes a second, at least one.
    pub(super) fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: bytes_per_second.max(1), next: Mutex::new(Instant::now()) }
    }

    /// What may be read in one turn.
    fn step_bytes(&self) -> u64 {
        (self.bytes_per_second / READS_PER_SECOND).clamp(STEP_BYTES_MIN, STEP_BYTES_MAX)
    }

    /// Takes a turn, and tells when it begins.
    fn turn(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*next).max(now.checked_sub(LATE).unwrap_or(now));
        *next = turn + self.time(self.step_bytes());
        turn
    }

    /// Gives back what was not read in a turn.
    fn give_back(&self, bytes: u64) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = next.checked_sub(self.time(bytes)).unwrap_or(*next);
    }

    fn time(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64)
    }
}

/// A session's place in the line.
#[derive(Debug)]
pub(super) struct Paced {
    pace: Arc<Pace>,
    /// The turn that is waited for, or has come and was not used.
    turn: Option<Turn>,
}

#[derive(Debug)]
enum Turn {
    Waiting(Pin<Box<Sleep>>),
    Come,
}

impl Paced {
    pub(super) fn new(pace: Arc<Pace>) -> Self {
        Self { pace, turn: None }
    }

    /// Waits for the turn, and tells how much may be read in it. It stays until something
    /// [`was_read`](Self::was_read).
    pub(super) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<usize> {
        let turn = self.turn.get_or_insert_with(|| {
            let now = Instant::now();
            let turn = self.pace.turn(now);
            if turn <= now { Turn::Come } else { Turn::Waiting(Box::pin(sleep_until(turn))) }
        });
        if let Turn::Waiting(sleep) = turn {
            ready!(sleep.as_mut().poll(cx));
            *turn = Turn::Come;
        }
        Poll::Ready(self.pace.step_bytes() as usize)
    }

    /// The turn was used for so many bytes.
    pub(super) fn was_read(&mut self, bytes: usize) {
        if self.turn.take().is_some() {
            self.pace.give_back(self.pace.step_bytes().saturating_sub(bytes as u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads for a minute as sessions of which each finds so many bytes at a time, by a clock that
    /// is late by so much; tells the bytes a second.
    fn rate(bytes_per_second: u64, sessions: usize, found: u64, late: Duration) -> u64 {
        let pace = Pace::new(bytes_per_second);
        let begun = *pace.next.lock().unwrap();
        let end = begun + Duration::from_secs(60);
        let mut turns = vec![begun; sessions];
        let mut bytes = 0;
        loop {
            let first = turns.iter_mut().min().unwrap();
            let now = (*first).max(begun);
            if now >= end {
                return bytes / 60;
            }
            let read = found.min(pace.step_bytes());
            pace.give_back(pace.step_bytes() - read);
            bytes += read;
            let next = pace.turn(now);
            *first = if next <= now { now } else { next + late };
        }
    }

    #[test]
    fn the_rate_is_held() {
        for wanted in [32 << 10, 1 << 20, 10 << 20, 200 << 20] {
            for (sessions, found, late) in
                [(1, u64::MAX, 0), (1, u64::MAX, 2), (8, u64::MAX, 2), (4, 3000, 1), (8, 8192, 0)]
            {
                let rate = rate(wanted, sessions, found, Duration::from_millis(late));
                let off = rate.abs_diff(wanted) as f64 / wanted as f64;
                assert!(off < 0.02, "{rate} instead of {wanted}: {sessions} {found} {late}");
            }
        }
    }

    #[test]
    fn turns_come_one_after_the_other() {
        let pace = Pace::new(1 << 20);
        let now = Instant::now() + Duration::from_secs(3600);
        let turns: Vec<Instant> = (0..50).map(|_| pace.turn(now)).collect();
        assert!(turns.is_sorted() && turns[0] < now && turns[49] > now, "{turns:?}");
        let step = pace.time(pace.step_bytes());
        assert!(turns.windows(2).all(|pair| pair[1] - pair[0] == step), "{turns:?}");
    }
}
