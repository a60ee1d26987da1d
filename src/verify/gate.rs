//! Bounds the bytes that threads hold at a time. Blocks, and so is for plain threads only, never
//! for a pool's.

use std::sync::{Condvar, Mutex, PoisonError};

/// A number of bytes, lent out.
#[derive(Debug)]
pub(super) struct Gate {
    free: Mutex<u64>,
    given_back: Condvar,
    total: u64,
}

/// A loan; given back when dropped.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    gate: &'a Gate,
    bytes: u64,
}

impl Gate {
    pub(super) fn new(total: u64) -> Self {
        Self { free: Mutex::new(total), given_back: Condvar::new(), total }
    }

    /// Waits until `bytes` are free; what is larger than the whole waits for all of it and passes
    /// alone.
    pub(super) fn enter(&self, bytes: u64) -> Pass<'_> {
        let bytes = bytes.min(self.total);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .given_back
            .wait_while(free, |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Pass { gate: self, bytes }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        *self.gate.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.gate.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_giant_passes_alone() {
        let gate = Gate::new(10);
        let small = gate.enter(4);
        std::thread::scope(|scope| {
            let giant = scope.spawn(|| drop(gate.enter(1 << 40)));
            drop(small);
            giant.join().unwrap();
        });
        assert_eq!(*gate.free.lock().unwrap(), 10);
    }
}
