//! Which objects a command is about: `pg_dump`'s patterns, applied to a manifest's objects alike by
//! dump and restore.
//!
//! Does not know where the objects come from, nor which rows are moved when.

mod kinds;
mod needs;
mod pattern;
mod selected;
mod selection;
mod statistics;
#[cfg(test)]
mod tests;

pub use pattern::Pattern;
pub use selected::Selected;
pub use selection::Selection;
pub use statistics::Withheld;
