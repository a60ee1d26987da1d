//! Functions and what is made of functions: aggregates, operators, their families, text search.

pub(super) mod aggregates;
pub(super) mod functions;
pub(super) mod operator_families;
pub(super) mod operators;
pub(super) mod text_search;
