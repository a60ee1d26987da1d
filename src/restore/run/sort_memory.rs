//! How much memory the server may use for a job, and whether parallel workers may help it.
//!
//! A sort whose entries outgrow the processor's caches and its table of pages waits for memory at
//! every comparison. So the entries are sorted in short runs, just long enough that one merge of
//! them all is enough. Measured with PostgreSQL 18 and 21 million rows, where one build sorts up to
//! 300 MB: unique keys took 0.72 of the time that they took with 512 MiB, two pairs of restores one
//! after the other.

use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::plan::cost::Sorts;

/// Memory of all sessions together, for what is better off the more it has; the server's own
/// setting where that is more for each.
const BUDGET_KIB: u64 = 1 << 20;
/// The least that is given: a smaller sort than this stays in a processor's caches anyway.
const LEAST_KIB: u64 = 4 << 10;
/// What the server keeps of a run in memory while it merges: two of `TAPE_BUFFER_OVERHEAD`, and
/// `MERGE_BUFFER_SIZE`, in its tuplesort.c.
const RUN_KIB: u64 = 272;
/// The least that the server gives to each of those who build an index together: with less it lets
/// nobody help.
const PARTICIPANT_KIB: u64 = 32 << 10;

/// What the server is set to, and what a session may have.
#[derive(Debug, Clone, Copy)]
pub(in crate::restore) struct Memory {
    most_kib: u64,
    helpers: u64,
}

impl Memory {
    /// Asks the server, for so many sessions.
    pub(in crate::restore) async fn read(session: &Session, sessions: usize) -> Result<Self> {
        let sql = "SELECT setting::int8, \
            pg_catalog.current_setting('max_parallel_maintenance_workers')::int8 \
                   FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem'";
        let row = session.query_one("read the server's settings", sql).await?;
        let (own_kib, helpers) =
            (row.get::<_, i64>(0)?.max(0) as u64, row.get::<_, i64>(1)?.max(0) as u64);
        Ok(Self { most_kib: own_kib.max(BUDGET_KIB / sessions.max(1) as u64), helpers })
    }

    /// The statement that sets a session up for a job, if the job sorts anything. Where it is
    /// `helped`, others build the index with it.
    pub(in crate::restore) fn set_up(self, sorts: Sorts, helped: bool) -> Option<String> {
        let helpers = if helped { self.helpers } else { 0 };
        let kib = match sorts {
            Sorts::Nothing => return None,
            // Each sorts and merges its share; where there is less, the server lets fewer help.
            Sorts::Runs(bytes) if helpers > 0 => {
                let each = self.one_merge(bytes / (helpers + 1)).max(PARTICIPANT_KIB);
                each.saturating_mul(helpers + 1).min(self.most_kib)
            }
            Sorts::Runs(bytes) | Sorts::Join(bytes) => self.one_merge(bytes),
            Sorts::Gathered => self.most_kib,
        };
        Some(format!(
            "SELECT pg_catalog.set_config('maintenance_work_mem', '{kib}', false), \
                    pg_catalog.set_config('max_parallel_maintenance_workers', '{helpers}', false)"
        ))
    }

    /// The least memory that the server needs to merge runs of that size at once.
    fn one_merge(self, bytes: u64) -> u64 {
        (bytes / 1024)
            .saturating_mul(RUN_KIB)
            .isqrt()
            .clamp(LEAST_KIB, self.most_kib.max(LEAST_KIB))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Memory = Memory { most_kib: 512 << 10, helpers: 2 };

    fn kib(sorts: Sorts, helped: bool) -> u64 {
        let sql = MEMORY.set_up(sorts, helped).unwrap();
        sql.split('\'').nth(3).unwrap().parse().unwrap()
    }

    #[test]
    fn runs_are_as_short_as_one_merge_allows() {
        assert_eq!(kib(Sorts::Runs(0), false), LEAST_KIB);
        assert_eq!(kib(Sorts::Runs(u64::MAX), false), MEMORY.most_kib);
        for bytes in [100 << 20, 1 << 30, 100 << 30_u64] {
            let kib = kib(Sorts::Runs(bytes), false);
            let runs = bytes / 1024 / kib;
            assert!(
                kib < MEMORY.most_kib && runs * RUN_KIB <= kib + RUN_KIB,
                "{bytes}: {runs} runs of {kib} KiB"
            );
        }
    }

    #[test]
    fn those_who_build_together_have_enough_to_do_so() {
        assert_eq!(kib(Sorts::Runs(1 << 30), true), 3 * PARTICIPANT_KIB);
        assert!(MEMORY.set_up(Sorts::Runs(1 << 30), true).unwrap().ends_with("'2', false)"));
        assert!(MEMORY.set_up(Sorts::Runs(1 << 30), false).unwrap().ends_with("'0', false)"));
        let large = kib(Sorts::Runs(300 << 30), true) / 3;
        assert_eq!(large, kib(Sorts::Runs(100 << 30), false), "each merges its share once");
        let crowd = Memory { helpers: 1000, ..MEMORY };
        assert!(
            crowd
                .set_up(Sorts::Runs(1 << 30), true)
                .unwrap()
                .contains(&format!("'{}'", MEMORY.most_kib)),
            "the budget is kept"
        );
        let alone = Memory { helpers: 0, ..MEMORY };
        assert_eq!(alone.set_up(Sorts::Runs(0), true), alone.set_up(Sorts::Runs(0), false));
    }

    #[test]
    fn what_gathers_has_all_and_what_sorts_nothing_is_left_alone() {
        assert_eq!(kib(Sorts::Gathered, false), MEMORY.most_kib);
        assert_eq!(MEMORY.set_up(Sorts::Nothing, true), None);
    }
}
