//! Bytes that come in order: looked at before they are passed, counted, and the last of them kept,
//! for a footer is known by where it ends.

use std::io::{self, Read};

use super::error::no_memory;
use super::reader::TAIL_BYTES;
use crate::error::{Error, Result};

/// How far one can look ahead: further than the largest header of a chunk reaches.
pub(super) const WINDOW_BYTES: usize = 64 << 10;

/// How much memory is taken at once for what a length announces: no length is believed before its
/// bytes have come.
const STEP_BYTES: u64 = 1 << 20;

/// A reader, and what was read ahead of it.
pub(super) struct Incoming<R> {
    reader: R,
    name: String,
    window: Vec<u8>,
    start: usize,
    end: usize,
    /// How many bytes were passed.
    position: u64,
    /// What was passed last, and perhaps some before it.
    tail: Vec<u8>,
}

impl<R: Read> Incoming<R> {
    pub(super) fn new(reader: R, name: &str) -> Self {
        Self {
            reader,
            name: name.to_owned(),
            window: vec![0; WINDOW_BYTES],
            start: 0,
            end: 0,
            position: 0,
            tail: Vec::new(),
        }
    }

    /// How many bytes were passed.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The last bytes that were passed.
    pub(super) fn tail(&self) -> &[u8] {
        &self.tail[self.tail.len().saturating_sub(TAIL_BYTES as usize)..]
    }

    /// Looks at what comes next, at most [`WINDOW_BYTES`]; fewer only at the end.
    pub(super) fn peek(&mut self, bytes: usize) -> Result<&[u8]> {
        if self.end - self.start < bytes && self.start + bytes > self.window.len() {
            self.window.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < bytes {
            match read(&mut self.reader, &mut self.window[self.end..], &self.name)? {
                0 => break,
                read => self.end += read,
            }
        }
        Ok(&self.window[self.start..self.end.min(self.start + bytes)])
    }

    /// Passes into `out`, and says how many bytes; fewer than fit only at the end.
    pub(super) fn take(&mut self, out: &mut [u8]) -> Result<usize> {
        let ahead = out.len().min(self.end - self.start);
        out[..ahead].copy_from_slice(&self.window[self.start..self.start + ahead]);
        self.start += ahead;
        let mut taken = ahead;
        while taken < out.len() {
            match read(&mut self.reader, &mut out[taken..], &self.name)? {
                0 => break,
                read => taken += read,
            }
        }
        self.passed(&out[..taken]);
        Ok(taken)
    }

    /// Passes so many bytes, or as many as come.
    pub(super) fn take_vec(&mut self, bytes: u64, what: &str) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        while (out.len() as u64) < bytes {
            let (before, step) = (out.len(), STEP_BYTES.min(bytes - out.len() as u64) as usize);
            out.try_reserve(step)
                .map_err(|error| no_memory(&format!("read the {what}"), &error))?;
            out.resize(before + step, 0);
            let taken = self.take(&mut out[before..])?;
            if taken < step {
                out.truncate(before + taken);
                break;
            }
        }
        Ok(out)
    }

    /// Passes so many bytes, and says how many there were.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<u64> {
        let mut skipped = 0;
        while skipped < bytes {
            let step = WINDOW_BYTES.min(usize::try_from(bytes - skipped).unwrap_or(usize::MAX));
            let here = self.peek(step)?.len();
            if here == 0 {
                break;
            }
            let piece = self.start..self.start + here;
            self.start += here;
            let window = std::mem::take(&mut self.window);
            self.passed(&window[piece]);
            self.window = window;
            skipped += here as u64;
        }
        Ok(skipped)
    }

    fn passed(&mut self, bytes: &[u8]) {
        const KEPT: usize = TAIL_BYTES as usize;
        self.position += bytes.len() as u64;
        let last = &bytes[bytes.len().saturating_sub(KEPT)..];
        // Only now and then, or each small record would move all of it.
        if self.tail.len() + last.len() > 2 * KEPT {
            let over = (self.tail.len() + last.len() - KEPT).min(self.tail.len());
            self.tail.drain(..over);
        }
        self.tail.extend_from_slice(last);
    }
}

fn read(reader: &mut impl Read, into: &mut [u8], name: &str) -> Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(|error| Error::file(format!("read {name}"), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    /// Gives a few bytes at a time, as a pipe may.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(5) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let bytes = (self.1 * 7919 % 9000).clamp(1, buf.len()).min(self.0.len());
            buf[..bytes].copy_from_slice(&self.0[..bytes]);
            self.0 = &self.0[bytes..];
            Ok(bytes)
        }
    }

    #[test]
    fn every_byte_is_passed_once_and_the_last_are_kept() {
        let bytes: Vec<u8> = (0..400_000_u32).map(|at| (at / 7 + at * 31) as u8).collect();
        let mut incoming = Incoming::new(Trickle(&bytes, 0), "test");
        let mut at = 0;
        for turn in 0.. {
            let ahead = incoming.peek(100 + turn * 13).expect("a slice").to_vec();
            assert!(bytes[at..].starts_with(&ahead));
            let passed = match turn % 3 {
                0 => incoming.skip(1 + turn as u64 * 11).expect("a slice") as usize,
                1 => {
                    let mut out = vec![0; turn * 17];
                    let taken = incoming.take(&mut out).expect("a slice");
                    assert!(bytes[at..].starts_with(&out[..taken]));
                    taken
                }
                _ => {
                    let taken = incoming.take_vec(turn as u64 * 29, "test").expect("a slice");
                    assert!(bytes[at..].starts_with(&taken));
                    taken.len()
                }
            };
            at += passed;
            assert_eq!(incoming.position(), at as u64);
            assert!(
                bytes[..at].ends_with(incoming.tail())
                    && incoming.tail().len() == at.min(TAIL_BYTES as usize)
            );
            if ahead.is_empty() {
                break;
            }
        }
        assert_eq!(at, bytes.len());
    }

    #[test]
    fn a_length_that_lies_costs_no_memory() {
        let taken =
            Incoming::new(&b"short"[..], "test").take_vec(1 << 40, "test").expect("a slice");
        assert_eq!(taken, b"short");
        assert!(taken.capacity() <= 2 << 20);
    }

    #[test]
    fn a_failure_names_the_stream() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn"))
            }
        }
        let error = Incoming::new(Broken, "standard input").skip(1).expect_err("it fails");
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (Kind::File, "read standard input: torn")
        );
    }
}
