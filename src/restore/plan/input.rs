//! What a plan is made from.

use std::collections::HashSet;

use crate::archive::manifest::{Object, ObjectKind, Table, TableId};
use crate::archive::statistics::Statistics;
use crate::restore::live::LiveKey;
use crate::restore::options::{ForeignKeys, Sections};
use crate::restore::plan::comparison::Comparison;
use crate::restore::step::Step;
use crate::sql::render;

/// One chunk of a table that is to be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::restore) struct ChunkSize {
    /// Its place in the archive's index.
    pub chunk: usize,
    /// Its rows.
    pub rows: u64,
    /// Its bytes of COPY data.
    pub raw_bytes: u64,
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Input<'a> {
    /// The objects wanted, in an order in which they can be created; one without statements stands
    /// already.
    pub objects: &'a [Object],
    /// The archive's tables.
    pub tables: &'a [Table],
    /// Each table's chunks; none where its rows are not wanted.
    pub chunks: &'a [Vec<ChunkSize>],
    /// Which tables' rows wait for everything else.
    pub last: fn(&str) -> bool,
    /// What is compared with the archive once it is restored.
    pub compared: &'a [Comparison],
    /// Sessions.
    pub jobs: usize,
    /// Sections.
    pub sections: Sections,
    /// What is done to the rows before those come.
    pub afterwards: &'a [Step],
    /// Whether materialized views are filled.
    pub refresh: bool,
    /// What to leave out of the statements.
    pub render: &'a render::Options,
    /// Whether statistics are gathered.
    pub analyze: bool,
    /// What is done about foreign keys.
    pub foreign_keys: ForeignKeys,
    /// The foreign keys that stand before the rows come.
    pub live_keys: &'a [LiveKey],
    /// Tables that stand already and are another role's: nothing but rows is brought to them.
    pub borrowed: &'a HashSet<TableId>,
    /// Whether the database is declared usable before all is done.
    pub ready: bool,
    /// How many locks the server's lock table has room for.
    pub lock_table: u64,
    /// Columns whose indexes must stand when the database is declared usable.
    pub searched: fn(&str) -> bool,
    /// The archive's statistics that are restored.
    pub statistics: &'a [Statistics],
    /// Whether the server takes extended ones.
    pub takes_extended: bool,
}

/// What has a place of its own at the end.
pub(in crate::restore) fn is_late(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::DefaultAcl | ObjectKind::EventTrigger | ObjectKind::RefreshMaterializedView
    )
}
