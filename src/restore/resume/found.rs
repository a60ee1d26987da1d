//! What a plan found in its target: noted with the marker, so that a run that goes on makes the
//! same plan, whatever has been made since.
//!
//! Does not know how the target is read, nor what the plan makes of it.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::restore::target::{Schema, Target};

/// All that a plan takes from its target and that the restore, or somebody else, may change
/// meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::restore) struct Found {
    /// Those of the archive's schemas that stood.
    schemas: HashMap<String, Schema>,
    /// The extensions that were installed.
    extensions: BTreeSet<String>,
    /// How many locks the server's lock table had room for.
    pub(in crate::restore) lock_table: u64,
}

impl Found {
    /// As the target stands; `names` are the archive's schemas.
    pub(in crate::restore) fn of(
        target: &Target,
        names: &BTreeSet<String>,
        lock_table: u64,
    ) -> Self {
        let schemas = target.schemas.iter().filter(|(name, _)| names.contains(*name));
        let extensions = target.extensions.iter().filter(|(_, extension)| extension.installed);
        Self {
            schemas: schemas.map(|(name, schema)| (name.clone(), schema.clone())).collect(),
            extensions: extensions.map(|(name, _)| name.clone()).collect(),
            lock_table,
        }
    }

    /// Makes the target what it was.
    pub(in crate::restore) fn put_back(&self, target: &mut Target, names: &BTreeSet<String>) {
        target.schemas.retain(|name, _| !names.contains(name));
        target.schemas.extend(self.schemas.clone());
        for (name, extension) in &mut target.extensions {
            extension.installed = self.extensions.contains(name);
        }
        target.occupied.clear();
        target.occupied_count = 0;
    }

    /// As the marker holds it.
    pub(in crate::restore) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(Kind::Unexpected, "note what the target holds", error.to_string())
        })
    }

    /// Reads that.
    pub(in crate::restore) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::target::Extension;

    #[test]
    fn what_was_made_since_is_forgotten() {
        let names: BTreeSet<String> = ["public", "app"].map(str::to_owned).into();
        let mut target = Target::default();
        target.schemas.insert("public".into(), Schema { owner: "a".into(), ..Schema::default() });
        target.extensions.insert(
            "citext".into(),
            Extension { installed: false, superuser: false, ..Extension::default() },
        );
        let first = Found::of(&target, &names, 64);
        assert_eq!(Found::parse(&first.text().unwrap()), Some(first.clone()));
        let before = target.clone();
        target.schemas.insert("app".into(), Schema::default());
        target.schemas.insert("public".into(), Schema { owner: "b".into(), ..Schema::default() });
        target.extensions.insert(
            "citext".into(),
            Extension { installed: true, superuser: false, ..Extension::default() },
        );
        (target.occupied, target.occupied_count) = (vec!["table app.t".into()], 1);
        first.put_back(&mut target, &names);
        assert_eq!(Found::of(&target, &names, 64), Found::of(&before, &names, 64));
        assert_eq!(target.occupied_count, 0);
    }
}
