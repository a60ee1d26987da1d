//! The row digest: equal for equal sets of rows, whatever their order and the cut of their chunks.
//! For accidents, not for malice.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The sum, modulo 2^128, of XXH3-128 (seed 0) over each row as COPY BINARY frames it, without the
/// field count.
///
/// Written as 32 hexadecimal digits, the most significant first.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Digest(pub u128);

impl Digest {
    /// Digests one row: for each field its length (big-endian i32, −1 for NULL) and its bytes.
    pub fn of_row(frame: &[u8]) -> Self {
        Self(xxh3_128(frame))
    }
}

/// Digests a row that does not lie in one piece; gives what [`Digest::of_row`] would.
pub(super) struct RowHasher(Xxh3);

impl RowHasher {
    /// Starts a row.
    pub(super) fn new() -> Self {
        Self(Xxh3::new())
    }

    /// Adds a whole field.
    pub(super) fn field(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => {
                self.0.update(&(value.len() as u32).to_be_bytes());
                self.0.update(value);
            }
            None => self.0.update(&(-1_i32).to_be_bytes()),
        }
    }

    /// The row's digest.
    pub(super) fn digest(&self) -> Digest {
        Digest(self.0.digest128())
    }
}

impl Add for Digest {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl AddAssign for Digest {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Digest {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_hash_that_others_compute() {
        // xxhsum -H2 of nothing.
        assert_eq!(Digest::of_row(b"").to_string(), "99aa06d3014798d86001c324468d497f");
    }

    #[test]
    fn ignores_order_and_is_told_in_32_digits() {
        let (a, b) = (Digest::of_row(b"a"), Digest(u128::MAX));
        assert_eq!(a + b, b + a);
        assert_eq!([a, b].into_iter().sum::<Digest>(), a + b);
        assert_eq!(
            serde_json::to_string(&Digest(255)).expect("a string"),
            "\"000000000000000000000000000000ff\""
        );
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let mut hasher = RowHasher::new();
        hasher.field(Some(b"abc"));
        hasher.field(None);
        assert_eq!(hasher.digest(), Digest::of_row(b"\0\0\0\x03abc\xff\xff\xff\xff"));
    }
}
