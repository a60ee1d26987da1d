//! Who keeps a session waiting for a lock: looked for while it waits, told at once, and said with
//! the error when the wait is given up.
//!
//! Does not know what the lock is on: the server tells a lock's holders, not what a wait was for.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Session;
use crate::error::{Error, Kind, Result};
use crate::pg::lock_waits::LockWaits;
use crate::pg::row::Row;
use crate::sqlstate;

/// The time after which it is first looked, and the longest time until it is looked again.
const FIRST_LOOK: Duration = Duration::from_secs(5);
const LOOK_EVERY_MAX: Duration = Duration::from_secs(60);

/// What is known of a session's waits.
#[derive(Debug, Default)]
pub(super) struct Known {
    looked: Option<Instant>,
    blockers: Option<String>,
}

impl Session {
    /// Waits for an answer; where that takes long, it is looked who blocks.
    pub(super) async fn watched<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, tokio_postgres::Error> {
        let Some(waits) = self.server.lock_waits() else {
            return answer.await;
        };
        let mut answer = pin!(answer);
        let half = waits.timeout / 2;
        let mut pause = if half.is_zero() { FIRST_LOOK } else { FIRST_LOOK.min(half) };
        loop {
            if let Ok(answer) = timeout(pause, answer.as_mut()).await {
                return answer;
            }
            // The answer goes on coming in while it is looked.
            tokio::select! {
                biased;
                answer = answer.as_mut() => return answer,
                () = self.look_who_blocks(waits, pause) => {}
            }
            pause = (pause * 2).min(LOOK_EVERY_MAX);
        }
    }

    /// Looks once for all statements that wait together. That it cannot be looked is no news: the
    /// wait goes on.
    async fn look_who_blocks(&self, waits: &LockWaits, pause: Duration) {
        let Ok(mut known) = self.lock_waits.try_lock() else { return };
        if known.looked.is_some_and(|looked| looked.elapsed() < pause / 2) {
            return;
        }
        known.looked = Some(Instant::now());
        let sql = format!(
            "SELECT b.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''), \
             coalesce(a.state, '') \
             FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({})) AS b(pid) \
             LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid ORDER BY b.pid",
            self.backend_pid()
        );
        let asked = timeout(pause.max(super::LOOK_MIN), self.ask(sql)).await;
        let Ok(Ok(rows)) = asked else { return };
        let blockers: Vec<String> = rows.iter().filter_map(|row| blocker(row).ok()).collect();
        if blockers.is_empty() {
            return;
        }
        let blockers = blockers.join(", ");
        if known.blockers.as_ref() != Some(&blockers) {
            (waits.tell)(&format!("waits for a lock, blocked by {blockers}"));
        }
        known.blockers = Some(blockers);
    }

    /// A wait that was given up, with who blocked as far as that was seen.
    pub(super) fn explain_lock(&self, doing: &str, error: Error) -> Error {
        let Some(waits) = self.server.lock_waits() else { return error };
        if error.sqlstate() != Some(sqlstate::LOCK_NOT_AVAILABLE) {
            return error;
        }
        let blockers = self.lock_waits.try_lock().ok().and_then(|known| known.blockers.clone());
        let blockers = blockers.map_or_else(String::new, |names| format!(": blocked by {names}"));
        let cause = format!("no lock within {} ms{blockers}", waits.timeout.as_millis());
        Error::new(Kind::Consistency, doing, cause)
            .with_sqlstate(sqlstate::LOCK_NOT_AVAILABLE)
            .hint("wait for that process to end, or raise --lock-wait-timeout")
    }
}

/// `process 42 of role kong (psql, idle in transaction)`.
fn blocker(row: &Row) -> Result<String> {
    let (pid, role): (i32, &str) = (row.get(0)?, row.get(1)?);
    let more: [&str; 2] = [row.get(2)?, row.get(3)?];
    let more: Vec<&str> = more.into_iter().filter(|words| !words.is_empty()).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    Ok(format!("process {pid} of role {role}{more}"))
}
