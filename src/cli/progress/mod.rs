//! Progress, shown as it was asked for.

pub(super) mod bars;
pub(super) mod json_lines;
mod lines;
pub(super) mod plain;
pub(super) mod reporter;
pub(super) mod tally;
pub(super) mod ticker;
mod work;
