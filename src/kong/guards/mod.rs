//! What makes a dump or a restore of a Kong database dangerous although PostgreSQL would do it,
//! found before the first statement.
//!
//! ```text
//! Facts of source and target ─► source::judge, target::judge ─► Guard ─► a warning, a finding
//! fresh::look: a database that nobody has used since Kong has made it
//! ```
//!
//! Does not know how a restore or a dump is done, nor how anything is printed.

pub mod fresh;
mod guard;
mod plugins;
pub mod source;
pub mod target;

pub use self::guard::{Guard, Situation, counted};
pub use self::plugins::rows_without_table;

#[cfg(test)]
mod tests;
