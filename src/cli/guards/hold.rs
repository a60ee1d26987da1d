//! Holds Kong's lock for migrations while something is done, in one table or in those of two copies.

use std::convert::Infallible;
use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use crate::error::Result;
use crate::kong::hold::Hold;
use crate::progress::{Level, Progress};

/// How long the lock is held before it is renewed; it ends after 60 s.
const RENEW_AFTER: Duration = Duration::from_secs(20);

/// When it is tried again after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Takes the locks, renews them while `work` goes on, and lets them go however that ends.
pub(super) async fn while_held<T>(
    holds: &[Hold],
    progress: &dyn Progress,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    for (taken, hold) in holds.iter().enumerate() {
        if let Err(error) = hold.take().await {
            let_go(&holds[..taken], progress).await;
            return Err(error);
        }
        progress.message(Level::Info, &hold.told());
    }
    let result = tokio::select! {
        result = work => result,
        never = renew(holds, progress) => match never {},
    };
    let_go(holds, progress).await;
    result
}

async fn let_go(holds: &[Hold], progress: &dyn Progress) {
    for hold in holds {
        if let Err(error) = hold.release().await {
            let text = format!("Kong's lock for migrations ends by itself within 60 s: {error}");
            progress.message(Level::Warning, &text);
        }
    }
}

async fn renew(holds: &[Hold], progress: &dyn Progress) -> Infallible {
    let mut pause = RENEW_AFTER;
    let mut ours: Vec<&Hold> = holds.iter().collect();
    loop {
        tokio::time::sleep(pause).await;
        pause = RENEW_AFTER;
        let mut still_ours = Vec::new();
        for hold in ours {
            match hold.renew().await {
                Ok(true) => still_ours.push(hold),
                Ok(false) => progress.message(
                    Level::Warning,
                    "Kong's lock for migrations is held no more: somebody has taken the row away; \
                     migrations may run meanwhile",
                ),
                Err(error) => {
                    let text = format!("Kong's lock for migrations was not renewed: {error}");
                    progress.message(Level::Warning, &text);
                    pause = RETRY_AFTER;
                    still_ours.push(hold);
                }
            }
        }
        ours = still_ours;
    }
}

/// Lets the locks go when a signal has come.
pub(in crate::cli) async fn release(held: &OnceLock<Vec<Hold>>) {
    for hold in held.get().into_iter().flatten() {
        let _ = hold.release().await;
    }
}
