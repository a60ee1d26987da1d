//! The sessions of others in the target: who they are, what is said of them before something goes
//! that they may use, and how they are ended and kept out for as long as a restore takes.
//!
//! ```text
//! seen: who is connected ─► judged: findings, warnings, notes
//! closing: the limit is noted, ours are opened, the limit is set, theirs end ─► held ─► limit: given back
//! ```
//!
//! Does not know what a restore makes.

pub(super) mod closing;
pub(super) mod ending;
pub(super) mod held;
pub(super) mod judged;
pub(super) mod limit;
pub(super) mod reach;
pub(super) mod seen;
