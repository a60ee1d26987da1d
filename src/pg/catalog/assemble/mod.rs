//! From drafts to a catalog: what is missing, what needs what, an order, and numbers. Asks the
//! server only what was not found.

pub(super) mod cycles;
pub(super) mod deps;
pub(super) mod objects;
pub(super) mod order;
pub(super) mod sweep;
#[cfg(test)]
mod testing;
