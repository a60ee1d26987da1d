//! The server: connecting, sessions and their settings, the snapshot, the catalogs. Does not know
//! what an archive file looks like, nor Kong.

pub mod asked_by;
pub mod catalog;
pub mod connect;
pub mod copy;
pub mod denied;
mod driver_error;
pub mod free_sessions;
pub mod lock_waits;
pub mod marker;
pub mod on_extensions;
pub mod pooler;
pub mod readable;
pub mod row;
pub mod schema_objects;
pub mod session;
pub mod settings;
pub mod shared_rows;
pub mod snapshot;
pub mod statistics;
pub mod swap_state;
