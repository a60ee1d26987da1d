//! Throw-away PostgreSQL servers and Kong-shaped data for tests, benches and the demo.
//!
//! A server lives in a folder of its own, runs as an unprivileged user, listens on a random port of
//! 127.0.0.1 and is gone, folder and all, when the process that started it has ended, however it
//! ended. What is missing or fails panics with a sentence that says what to do about it: a test
//! that cannot have its server has failed.
//!
//! ```no_run
//! let database = testkit::newest_server().database("example");
//! testkit::kong::load(&database);
//! testkit::kong::seed(&database, 1_000);
//! assert_eq!(database.value("SELECT count(*) FROM consumers"), "1000");
//! ```
//!
//! Does not know: Silverback, whose archives it must be able to prove wrong.

mod binaries;
mod client;
mod compare;
mod database;
mod extensions;
pub mod kong;
pub mod kong_versions;
mod mutator;
mod pgbouncer;
mod process;
mod proxy;
mod reaper;
mod server;
pub mod tls;
pub mod zoo;

pub use binaries::{bin_dir, client_tool, installed, newest, versions};
pub use client::{Client, Pending, block_on, connect, quote};
pub use compare::{catalog_fingerprint, database_digest, digests_by, pg_dump_schema, table_digest};
pub use database::{Database, Role};
pub use kong_versions::{KongVersion, kong_version};
pub use mutator::{Mutation, Mutator};
pub use pgbouncer::Pgbouncer;
pub use process::signal;
pub use proxy::{Action, Direction, Proxy, Rule};
pub use server::{Server, ServerSpec, Stop, newest_server, newest_server_before, server};
