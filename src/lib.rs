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
//!
//! What an archive holds is read from the file alone, without a server:
//!
//! ```
//! use std::path::Path;
//!
//! use silverback::limits::Limits;
//! use silverback::progress::Silent;
//! use silverback::storage::{FileArchive, Source};
//! use silverback::verify;
//!
//! # fn main() -> silverback::error::Result<()> {
//! let path = Path::new("format-spec/vectors/zstd-2.sbk");
//! // Every byte and every row.
//! let report = verify::run(Source::open(path)?, &Limits::default(), &Silent)?;
//! assert!(report.ok, "{:?}", report.findings);
//! // What describes them, and the rows of each table.
//! let archive = FileArchive::open_path(path)?;
//! for (table, totals) in archive.manifest.tables.iter().zip(&archive.index.tables) {
//!     println!("{}.{}: {} rows", table.schema, table.name, totals.rows);
//! }
//! assert_eq!(archive.manifest.tables.len(), report.tables.len());
//! # Ok(())
//! # }
//! ```
//!
//! A database is dumped into a file, and the file restored into another database:
//!
//! ```
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use silverback::error::Result;
//! use silverback::pg::connect::Server;
//! use silverback::progress::Silent;
//! use silverback::storage::{Sink, Source};
//! use silverback::{dump, restore};
//!
//! /// Copies a database; both are named as for libpq, such as `postgresql://kong@db/kong`.
//! async fn copy(from: &str, to: &str, archive: &Path) -> Result<u64> {
//!     let (from, to) = (Server::from_conninfo(from)?, Server::from_conninfo(to)?);
//!     let options = dump::Options::default();
//!     dump::run(&from, Sink::create(archive)?, &options, Arc::new(Silent)).await?;
//!     let options = restore::Options::default();
//!     let source = Source::open(archive)?;
//!     let report = Box::pin(restore::run(source, &to, options, Arc::new(Silent))).await?;
//!     Ok(report.rows)
//! }
//! # let server = testkit::newest_server();
//! # let (source, target) = (server.database("doc"), server.database("doc_copy"));
//! # source.execute("CREATE TABLE a AS SELECT generate_series(1, 1000) AS id");
//! # let directory = tempfile::tempdir().unwrap();
//! # let (from, to) = (source.url(), target.url());
//! # let archive = directory.path().join("a.sbk");
//! # let rows = testkit::block_on(async move { copy(&from, &to, &archive).await }).unwrap();
//! # assert_eq!((rows, target.value("SELECT count(*) FROM a")), (1000, "1000".to_owned()));
//! ```

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
