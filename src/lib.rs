//! Silverback: a logical dumper and restorer for PostgreSQL, made first for Kong Gateway's database.
//!
//! ```text
//! DUMP     lock ─► snapshot ─► catalog ─► plan ─► N sessions ─► chunks ─► rayon: encode ─► one writer ─► storage::Sink
//! RESTORE  storage::Source ─► preflight ─► plan ─► pre-data ─► rayon: decode ─► N sessions COPY ─► keys, indexes ─► the rest
//! VERIFY   storage::Source ─► threads: check every chunk ─► report
//! ```
//!
//! Imports go one way, downward: `cli ► dump|restore|verify ► kong ► pg ► select ► sql|storage|pool|progress ► archive|pgcopy ► error`.

pub mod archive;
pub mod cli;
pub mod dump;
pub mod error;
pub mod kong;
pub mod pg;
pub mod pgcopy;
pub mod pool;
pub mod progress;
pub mod restore;
pub mod select;
pub mod sql;
pub mod storage;
pub mod verify;
