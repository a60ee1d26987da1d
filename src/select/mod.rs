//! Which objects a command is about: `pg_dump`'s patterns, applied to a manifest's objects alike by
//! dump and restore.
//!
//! Does not know where the objects come from, nor which rows are moved when.

mod children;
mod entries;
mod found;
mod kinds;
mod listed;
mod named;
mod needs;
mod partitions;
mod pattern;
mod sections;
mod selected;
mod selection;
mod settings;
mod statistics;
mod unmatched;

#[cfg(test)]
mod tests;

pub use listed::{ARCHIVE, Listed};
pub use named::{Named, Signature, TriggerName};
pub use pattern::Pattern;
pub use sections::Sections;
pub use selected::Selected;
pub use selection::{LargeObjects, Selection};
pub use settings::Settings;
pub use statistics::Withheld;
pub use unmatched::{FoundIn, NOTHING_SELECTED, with_children};
