//! One direction of a wire, which connections share.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What may stand in front of the wire: as long a sender may sleep too long without the wire being
/// idle for it.
const QUEUE: Duration = Duration::from_millis(10);

/// A wire with a rate, or without one.
pub(super) struct Link {
    bytes_per_second: Option<f64>,
    state: Mutex<State>,
}

struct State {
    free_at: Instant,
    /// When each read had left, since [`Link::traffic`] was asked.
    sent: Vec<(Instant, usize)>,
}

impl Link {
    pub(super) fn new(mbit: Option<f64>) -> Self {
        let state = State { free_at: Instant::now(), sent: Vec::new() };
        Self { bytes_per_second: mbit.map(|mbit| mbit * 1e6 / 8.0), state: Mutex::new(state) }
    }

    /// Puts bytes behind those that wait already, and comes back when few stand before the wire;
    /// when they will have left.
    pub(super) fn send(&self, bytes: usize) -> Instant {
        let now = Instant::now();
        let takes =
            Duration::from_secs_f64(self.bytes_per_second.map_or(0.0, |rate| bytes as f64 / rate));
        let left = {
            let mut state = self.state.lock().expect("no holder panics");
            state.free_at = state.free_at.max(now) + takes;
            let left = state.free_at;
            state.sent.push((left, bytes));
            left
        };
        thread::sleep(left.saturating_duration_since(now + QUEUE));
        left
    }

    /// How much went since this was asked before, and how fast in between: from the first hundredth
    /// of the bytes to the last, without what comes before many rows and after them.
    pub(super) fn traffic(&self) -> Value {
        let sent = std::mem::take(&mut self.state.lock().expect("no holder panics").sent);
        let bytes: usize = sent.iter().map(|(_, bytes)| bytes).sum();
        json!({"bytes": bytes, "mbit": steady_mbit(&sent)})
    }
}

/// `null` where nothing tells a rate: all that went left at one moment.
fn steady_mbit(sent: &[(Instant, usize)]) -> Option<f64> {
    let total: usize = sent.iter().map(|(_, bytes)| bytes).sum();
    let mut sum = 0;
    let mut middle = sent.iter().filter_map(|&(left, bytes)| {
        sum += bytes;
        (sum * 100 >= total && sum * 100 <= total * 99).then_some((left, sum))
    });
    let (began, before) = middle.next()?;
    let (ended, after) = middle.last()?;
    let seconds = ended.duration_since(began).as_secs_f64();
    (seconds > 0.0).then(|| (after - before) as f64 * 8.0 / 1e6 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_middle() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        // A slow beginning of 1 byte, 98 bytes in a second, a slow end of 1 byte.
        let mut sent = vec![(at(0), 1)];
        sent.extend((1..=98).map(|n| (at(10_000 + n * 10), 1)));
        sent.push((at(60_000), 1));
        let mbit = steady_mbit(&sent[..]).unwrap();
        // From the 1st byte's moment on.
        assert!((mbit - 98.0 * 8.0 / 1e6 / 10.98).abs() < 1e-9, "{mbit}");
        assert_eq!(steady_mbit(&[]), None);
        assert_eq!(steady_mbit(&[(start, 100)]), None);
    }
}
