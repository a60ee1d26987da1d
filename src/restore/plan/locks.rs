//! PostgreSQL's table lock modes and which of them exclude each other (documentation, "Explicit
//! Locking").
//!
//! Knows nothing of jobs or statements.

use std::fmt;

/// A table lock mode, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// A reader's: `SELECT`.
    AccessShare,
    /// `SELECT … FOR UPDATE`, and the parent's side of a foreign key that is being validated.
    RowShare,
    /// A writer's: `COPY … FROM`, `INSERT`.
    RowExclusive,
    /// `ANALYZE`, `VALIDATE CONSTRAINT`, `CREATE STATISTICS`, `COMMENT ON`.
    ShareUpdateExclusive,
    /// `CREATE INDEX`; the one mode that is strong and still goes together with itself.
    Share,
    /// `CREATE TRIGGER`, `ADD FOREIGN KEY` on both of its tables.
    ShareRowExclusive,
    /// `REFRESH MATERIALIZED VIEW CONCURRENTLY`.
    Exclusive,
    /// `TRUNCATE` and most of `ALTER TABLE`.
    AccessExclusive,
}

impl LockMode {
    /// Every mode, in the order of its number.
    pub(in crate::restore) const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// Whether two sessions cannot hold the two modes on one table at the same time.
    pub fn conflicts(self, other: Self) -> bool {
        self.excludes() & (1 << other as u8) != 0
    }

    /// The modes that exclude this one, a bit each.
    const fn excludes(self) -> u8 {
        match self {
            Self::AccessShare => 0b1000_0000,
            Self::RowShare => 0b1100_0000,
            Self::RowExclusive => 0b1111_0000,
            Self::ShareUpdateExclusive => 0b1111_1000,
            Self::Share => 0b1110_1100,
            Self::ShareRowExclusive => 0b1111_1100,
            Self::Exclusive => 0b1111_1110,
            Self::AccessExclusive => 0b1111_1111,
        }
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::LockMode::{self, *};

    #[test]
    fn conflict_both_ways() {
        for a in LockMode::ALL {
            for b in LockMode::ALL {
                assert_eq!(a.conflicts(b), b.conflicts(a), "{a} and {b}");
            }
        }
    }

    #[test]
    fn as_the_documentation_says() {
        let with_itself: Vec<LockMode> =
            LockMode::ALL.into_iter().filter(|mode| !mode.conflicts(*mode)).collect();
        assert_eq!(with_itself, [AccessShare, RowShare, RowExclusive, Share]);
        assert!(LockMode::ALL.iter().enumerate().all(|(number, mode)| *mode as usize == number));
        assert!(LockMode::ALL.into_iter().all(|mode| mode.conflicts(AccessExclusive)));
        assert!(!ShareUpdateExclusive.conflicts(RowExclusive));
        assert!(!ShareRowExclusive.conflicts(RowShare));
        assert!(Exclusive.conflicts(RowShare) && !Exclusive.conflicts(AccessShare));
    }
}
