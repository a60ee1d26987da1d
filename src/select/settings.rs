//! The configuration tables and sequences of extensions (`pg_extension_config_dump`), whose rows are
//! a user's, and which of these are meant.
//!
//! Does not know what is chosen.

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::Pattern;
use crate::archive::manifest::ObjectId;

/// The configuration tables and sequences that there are, and which are meant.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// By schema and name in the archive: whether its rows, or its value, are meant.
    pub(super) meant: BTreeMap<(String, String), bool>,
    /// The extensions that hold what is meant.
    pub(super) extensions: BTreeSet<ObjectId>,
}

impl Settings {
    /// Whether the rows of this table are meant; nothing of one that is no configuration table.
    pub(super) fn are_meant(&self, schema: &str, name: &str) -> Option<bool> {
        if self.meant.is_empty() {
            return None;
        }
        self.meant.get(&(schema.to_owned(), name.to_owned())).copied()
    }

    /// Whether a pattern of tables matches any of them.
    pub(super) fn are_matched_by(&self, pattern: &Pattern) -> bool {
        self.meant.keys().any(|(schema, name)| pattern.matches_table(schema, name))
    }
}
