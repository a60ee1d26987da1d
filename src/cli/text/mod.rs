//! Text for people and machines: units, columns, standard output and standard error.

pub(super) mod objects;
pub(super) mod output;
pub(super) mod secrets;
pub(super) mod stdio;
pub(super) mod table;
pub(super) mod units;
