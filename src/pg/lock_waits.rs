//! What is asked for about waits for locks.
//!
//! Does not know how it is found out who blocks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What is done about waits for locks.
#[derive(Clone)]
pub struct LockWaits {
    /// How long one is waited for, the server's `lock_timeout`; zero is for ever.
    pub timeout: Duration,
    /// Is told who blocks.
    pub tell: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for LockWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockWaits").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
