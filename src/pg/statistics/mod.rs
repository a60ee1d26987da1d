//! Planner statistics: read from the server's views, and given to a server by its own functions (18
//! and newer; extended ones 19 and newer).
//!
//! Does not know which of them may be taken along; that is `select`'s.

mod columns;
mod multivariate;
mod read;
mod render;

pub use columns::{EXTENDED_TAKEN_FROM, TAKEN_FROM};
pub use read::read;
pub use render::{Name, statements};
