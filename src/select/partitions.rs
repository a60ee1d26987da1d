//! Patterns that mean a partitioned table and not its partitions: as with `pg_dump`, it has no rows
//! of its own, and theirs are neither taken nor left out with it. Who did not know is told.

use std::collections::HashMap;

use super::pattern::Pattern;
use super::selection::Selection;
use super::unmatched::with_children;
use crate::archive::manifest::{Object, ObjectId, ObjectKind};

impl Selection {
    /// Those patterns, each with its option, in words.
    pub(super) fn without_partitions(&self, objects: &[Object]) -> Vec<String> {
        if self.schema_only {
            return Vec::new();
        }
        let pairs = partitions(objects);
        let is_left = |schema: &str, name: &str| !self.picks_table(schema, name);
        let is_dumped = |schema: &str, name: &str| {
            self.picks_table(schema, name) && !self.excludes_data(schema, name)
        };
        let taken = self.tables.iter().filter(|one| self.misses(one, &pairs, is_left));
        let left_out =
            self.exclude_table_data.iter().filter(|one| self.misses(one, &pairs, is_dumped));
        taken
            .map(|pattern| told("-t", pattern, "not taken"))
            .chain(left_out.map(|pattern| told("--exclude-table-data", pattern, "not left out")))
            .collect()
    }

    /// Whether a pattern matches a partitioned table, and not a partition of which `is_odd` holds.
    fn misses(
        &self,
        pattern: &Pattern,
        pairs: &[(&Object, &Object)],
        is_odd: impl Fn(&str, &str) -> bool,
    ) -> bool {
        let schema = |object: &'_ Object| object.schema.clone().unwrap_or_default();
        let mut of = pairs.iter().filter(|(parent, _)| {
            pattern.matches_table(self.archived(&schema(parent)), &parent.name)
        });
        !pattern.takes_children() && of.any(|(_, child)| is_odd(&schema(child), &child.name))
    }
}

/// Partitioned tables, each with each of its partitions.
fn partitions(objects: &[Object]) -> Vec<(&Object, &Object)> {
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let pair = |attach: &Object| {
        let child = *by_id.get(&attach.of?)?;
        let mut needs = attach.depends_on.iter().filter_map(|id| by_id.get(id).copied());
        let parent = needs.find(|one| one.kind == ObjectKind::Table && one.id != child.id)?;
        Some((parent, child))
    };
    objects
        .iter()
        .filter(|object| object.kind == ObjectKind::TableAttach)
        .filter_map(pair)
        .collect()
}

fn told(option: &str, pattern: &Pattern, what: &str) -> String {
    let other = with_children(option, &pattern.clone().and_children());
    format!(
        "{option} {pattern} matches a partitioned table; the rows are in its partitions, which are \
         {what}: {other} means both"
    )
}
