//! How often an exchange is tried, and how long it waits in between.
//!
//! Does not know what is exchanged, nor which errors may pass.

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::progress::{Level, Progress};

/// Between two attempts at first; twice as long each time.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// The attempts that have failed, of those there are.
pub(super) struct Attempts {
    failed: u32,
    all: u32,
    pause: Duration,
}

impl Attempts {
    /// A first one and so many more.
    pub(super) fn new(retries: u32) -> Self {
        Self { failed: 0, all: retries.saturating_add(1), pause: PAUSE }
    }

    /// Tells of one that failed and waits for the next; after the last, its error with this hint.
    pub(super) async fn failed(
        &mut self,
        error: Error,
        hint: &str,
        progress: &dyn Progress,
    ) -> Result<()> {
        self.failed += 1;
        if self.failed >= self.all {
            return Err(error.as_kind(Kind::Consistency).hint(hint));
        }
        let Self { failed, all, .. } = self;
        let words = format!("{}; attempt {failed} of {all} failed", error.cause());
        progress.message(Level::Info, &words);
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[tokio::test]
    async fn the_last_error_is_told() {
        for retries in [0, 1] {
            let mut attempts = Attempts::new(retries);
            let mut fail = async || {
                let error = Error::new(Kind::Server, "swap", "locked");
                attempts.failed(error, "end them", &Silent).await
            };
            for _ in 0..retries {
                fail().await.unwrap();
            }
            let error = fail().await.unwrap_err();
            assert_eq!((error.kind(), error.hint_text()), (Kind::Consistency, Some("end them")));
        }
    }
}
