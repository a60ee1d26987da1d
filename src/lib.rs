//! Silverback: a logical dumper and restorer for PostgreSQL, made first for Kong Gateway's
//! database.
//!
//! ```text
//! DUMP     lock ─► snapshot ─► catalog ─► plan ─► N sessions ─► chunks ─► rayon: encode ─► one writer ─► storage::Sink
//! RESTORE  storage::Source ─► preflight ─► plan ─► pre-data ─► rayon: decode ─► N sessions COPY ─► keys, indexes ─► the rest
//! VERIFY   storage::Source ─► threads: check every chunk ─► report
//! ```
//!
//! Imports go one way, downward: `cli ► kong ► swap ► dump|restore|verify ► pg ► select ►
//! sql|storage|pool|progress|limits|profile ► archive ► pgcopy ► error|sqlstate`. Source, target
//! and options are arguments of [`dump::run`], [`restore::run`] and [`verify::run`]; what they do
//! they tell a [`progress::Progress`]. A restore is of several jobs at a time, each noted in a
//! ledger in the target, so that one that was stopped goes on.

pub mod archive;
pub mod cli;
pub mod dump;
pub mod error;
pub mod kong;
pub mod limits;
pub mod pg;
pub mod pgcopy;
pub mod pool;
pub mod profile;
pub mod progress;
pub mod restore;
pub mod rows;
pub mod select;
pub mod sql;
pub mod sqlstate;
pub mod storage;
pub mod swap;
pub mod verify;
