//! Patterns that mean a partitioned table and not its partitions: as with `pg_dump`, it has no rows
//! of its own, and theirs are neither taken nor left out with it. Who did not know is told.

use std::collections::{BTreeMap, HashMap};

use super::pattern::Pattern;
use super::selection::Selection;
use super::unmatched::{as_given, with_children};
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::sql::ident;

/// How many indexes are named.
const NAMED: usize = 5;

impl Selection {
    /// Those patterns, each with its option, in words.
    pub(super) fn without_partitions(&self, objects: &[Object]) -> Vec<String> {
        if self.schema_only {
            return Vec::new();
        }
        let pairs = attached(objects, ObjectKind::TableAttach, ObjectKind::Table);
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
            .chain(self.invalid_indexes(objects))
            .collect()
    }

    /// The indexes of partitioned tables that are asked for without those of partitions, in words.
    fn invalid_indexes(&self, objects: &[Object]) -> Vec<String> {
        if self.named.indexes.is_empty() {
            return Vec::new();
        }
        let pairs = attached(objects, ObjectKind::IndexAttach, ObjectKind::Index);
        let is_picked = |index: &Object| {
            let schema = self.archived(index.schema.as_deref().unwrap_or_default());
            self.named.indexes.iter().any(|one| one.matches_table(schema, &index.name))
        };
        let mut without: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (parent, child) in pairs.into_iter().filter(|(parent, _)| is_picked(parent)) {
            if !is_picked(child) {
                without.entry(qualified(parent)).or_default().push(qualified(child));
            }
        }
        let told = |(parent, children): (String, Vec<String>)| {
            let more = if children.len() > NAMED { ", …" } else { "" };
            let children = children.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>();
            format!(
                "-I {parent} is the index of a partitioned table, and stays invalid without those \
                 of its partitions: choose them too, with -I {}{more}",
                children.join(", -I ")
            )
        };
        without.into_iter().map(told).collect()
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

/// Partitioned tables or their indexes, each with each of its partitions: what `attach` ties.
fn attached(objects: &[Object], attach: ObjectKind, kind: ObjectKind) -> Vec<(&Object, &Object)> {
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let pair = |attach: &Object| {
        let child = *by_id.get(&attach.of?)?;
        let mut needs = attach.depends_on.iter().filter_map(|id| by_id.get(id).copied());
        let parent = needs.find(|one| one.kind == kind && one.id != child.id)?;
        Some((parent, child))
    };
    objects.iter().filter(|object| object.kind == attach).filter_map(pair).collect()
}

fn qualified(object: &Object) -> String {
    ident::qualified(object.schema.as_deref().unwrap_or_default(), &object.name)
}

fn told(option: &str, pattern: &Pattern, what: &str) -> String {
    let given = as_given(option, pattern);
    let other = with_children(option, &pattern.clone().and_children());
    format!(
        "{given} matches a partitioned table; the rows are in its partitions, which are {what}: \
         {other} means both"
    )
}
