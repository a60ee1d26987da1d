//! In which order tables' rows come, so that foreign keys that stand already find what rows refer
//! to.
//!
//! Pure: knows the manifest, neither rows nor text.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{Detail, Manifest, ObjectId, Table, TableId};
use crate::restore::plan::partition_trees::Families;
use crate::sql::ident;

/// Which tables' rows refer to which. A partitioned table is one with its partitions: which of them
/// a row is in, no key says.
pub(super) struct References {
    families: Families,
    parents: HashMap<ObjectId, HashSet<ObjectId>>,
    /// Partitioned tables that refer to themselves, so that a row may refer to one of any of their
    /// partitions.
    to_themselves: HashSet<ObjectId>,
}

/// Tables in their order.
pub(super) struct Ordered {
    pub(super) tables: Vec<TableId>,
    /// Names of tables that come before what they refer to, because that refers to them.
    pub(super) cut: Vec<String>,
}

impl References {
    /// Takes them from the foreign keys, those that an extension brought among them.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let families = Families::new(&manifest.objects);
        let mut references =
            Self { families, parents: HashMap::new(), to_themselves: HashSet::new() };
        for object in &manifest.objects {
            if let (Some(child), Detail::ForeignKey { references: parent, .. }) =
                (object.of, &object.detail)
            {
                references.add(child, *parent);
            }
        }
        let by_name: HashMap<(&str, &str), ObjectId> = (manifest.tables.iter())
            .map(|table| ((table.schema.as_str(), table.name.as_str()), table.object))
            .collect();
        for table in &manifest.tables {
            for after in &table.after {
                if let Some(parent) = by_name.get(&(after.schema.as_str(), after.name.as_str())) {
                    references.add(table.object, *parent);
                }
            }
        }
        references
    }

    fn add(&mut self, child: ObjectId, parent: ObjectId) {
        let (child, parent) = (self.whole(child), self.whole(parent));
        if child != parent {
            self.parents.entry(child).or_default().insert(parent);
        } else if self.families.of(child).is_some() {
            self.to_themselves.insert(child);
        }
    }

    /// The partitioned table that a table is a partition of, or itself.
    fn whole(&self, table: ObjectId) -> ObjectId {
        let family = self.families.of(table);
        family.and_then(|family| self.families.root(family)).unwrap_or(table)
    }

    /// Orders tables: those that are referred to first, others as they stand.
    pub(super) fn order(&self, tables: &[(TableId, &Table)]) -> Ordered {
        let mut ordered = Ordered { tables: Vec::with_capacity(tables.len()), cut: Vec::new() };
        let mut waiting: Vec<(ObjectId, TableId, &Table)> =
            tables.iter().map(|(id, table)| (self.whole(table.object), *id, *table)).collect();
        let (mut seen, mut told) = (HashSet::new(), HashSet::new());
        for (whole, _, table) in &waiting {
            if self.to_themselves.contains(whole) && !seen.insert(*whole) && told.insert(*whole) {
                ordered.cut.push(ident::qualified(&table.schema, &table.name));
            }
        }
        while !waiting.is_empty() {
            let missing: HashSet<ObjectId> = waiting.iter().map(|(whole, ..)| *whole).collect();
            let is_missing = |parent: &ObjectId| missing.contains(parent);
            let waits =
                |whole: &ObjectId| self.parents_of(*whole).any(|parent| is_missing(&parent));
            let cut = if missing.iter().all(waits) {
                waiting.iter().find(|(whole, ..)| self.reaches_itself(*whole, &missing))
            } else {
                None
            };
            let cut = cut.map(|(whole, _, table)| {
                ordered.cut.push(ident::qualified(&table.schema, &table.name));
                *whole
            });
            let (ready, later): (Vec<_>, Vec<_>) =
                (waiting.into_iter()).partition(|(whole, ..)| cut == Some(*whole) || !waits(whole));
            ordered.tables.extend(ready.into_iter().map(|(_, id, _)| id));
            waiting = later;
        }
        ordered
    }

    fn parents_of(&self, child: ObjectId) -> impl Iterator<Item = ObjectId> {
        self.parents.get(&child).into_iter().flatten().copied()
    }

    /// Whether a way along the references that are left leads back.
    fn reaches_itself(&self, table: ObjectId, within: &HashSet<ObjectId>) -> bool {
        let (mut seen, mut next) = (HashSet::new(), vec![table]);
        while let Some(one) = next.pop() {
            for parent in self.parents_of(one).filter(|parent| within.contains(parent)) {
                if parent == table {
                    return true;
                }
                if seen.insert(parent) {
                    next.push(parent);
                }
            }
        }
        false
    }
}
