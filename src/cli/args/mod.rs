//! What may be typed: options that several commands share, and the values that they take.

pub mod connection;
mod filter;
pub(super) mod filters;
pub(super) mod kong;
pub(super) mod limits;
pub(super) mod metrics;
pub(super) mod named;
pub(super) mod others;
pub(super) mod output;
pub(super) mod read;
pub(super) mod sections;
pub(super) mod selection;
pub(super) mod values;
pub(super) mod words;
