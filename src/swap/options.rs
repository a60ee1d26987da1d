//! How a swap is asked for.

use std::time::Duration;

use super::raised::Raised;
use crate::profile::Profile;

/// How to exchange.
#[derive(Clone, Debug)]
pub struct Options {
    /// The role whose place is taken.
    pub role: Option<String>,
    /// How long an attempt waits for a lock.
    pub lock_wait_timeout: Duration,
    /// How often it is tried again.
    pub retries: u32,
    /// Whether of what is live all that the role owns moves away.
    pub takes_all_owned: bool,
    /// What is known of the product whose database it is.
    pub profile: Profile,
    /// What is raised in what becomes live.
    pub raised: Option<Raised>,
    /// Whether rows that were written since the swap are given up by going back, however many.
    pub gives_up: bool,
}

impl Options {
    /// The role whose place is taken.
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }
}
