//! What stands on tables that were there before (`-a`), as far as the plan and the loads go by it.

use std::collections::HashMap;

use crate::archive::manifest::{ObjectId, TableId};

/// Two tables whose rows both come: those of the child look for those of the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LiveKey {
    /// The table that refers.
    pub child: ObjectId,
    /// The table that is referred to.
    pub parent: ObjectId,
}

/// A trigger that fires on rows that come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LiveTrigger {
    /// Its name, unquoted.
    pub(super) name: String,
    /// Whether it fires in replicas too: `ENABLE ALWAYS`.
    pub(super) always: bool,
}

/// The triggers of each table.
pub(super) type LiveTriggers = HashMap<TableId, Vec<LiveTrigger>>;
