//! What is read of a database, and how it is asked for.

use std::collections::BTreeSet;

use crate::archive::manifest::{NotCarried, Object, ObjectId, Table};

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Leaves out rows and sequence values; needs no privilege on any table or sequence.
    pub schema_only: bool,
    /// Lets the rows of every partition go through the partitioned table at the top, wherever they
    /// belong there.
    pub via_partition_root: bool,
}

/// All of a database but its rows.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Every object, in an order in which they can be created; the database itself first, with the
    /// last number; the ids of the others count from 0 in that order.
    pub objects: Vec<Object>,
    /// The tables whose rows are to be read.
    pub tables: Vec<TableSource>,
    /// What was found and cannot be carried.
    pub not_carried: Vec<NotCarried>,
    /// Sequences, or the extensions that make them, whose value the role may not read, with the
    /// sequence's name, quoted.
    pub unreadable: Vec<(ObjectId, String)>,
    /// Unlogged tables and sequences, by schema and name.
    pub unlogged: BTreeSet<(String, String)>,
    /// What is to be said of the server's catalogs.
    pub warnings: Vec<String>,
}

/// A table whose rows are to be read, and how.
#[derive(Clone, Debug)]
pub struct TableSource {
    /// What goes into the manifest.
    pub table: Table,
    /// The size of its main fork, in blocks.
    pub pages: u64,
    /// Whether it can be read in ranges of `ctid` without reading all of it each time: a heap, on a
    /// server that has TID range scans.
    pub ctid_ranges: bool,
    /// The query that gives its rows, in brackets, where it is no table of the database but stands
    /// for one; it is not locked then.
    pub query: Option<String>,
}
