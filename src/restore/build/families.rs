//! Which tables belong together as one partitioned table. Locks and waits of a parent reach its partitions.

use std::collections::HashMap;

use crate::archive::manifest::{Object, ObjectId, ObjectKind};

/// Partitioned tables with all their partitions.
#[derive(Debug, Default)]
pub(super) struct Families {
    family_of: HashMap<ObjectId, usize>,
    members: Vec<Vec<ObjectId>>,
}

impl Families {
    /// Joins what `ATTACH PARTITION` joins.
    pub(super) fn new(objects: &[Object]) -> Self {
        let tables: HashMap<ObjectId, ObjectKind> = objects.iter().map(|object| (object.id, object.kind)).collect();
        let is_table = |id: &&ObjectId| matches!(tables.get(id), Some(ObjectKind::Table | ObjectKind::ForeignTable));
        let mut families = Self::default();
        for attach in objects.iter().filter(|object| object.kind == ObjectKind::TableAttach) {
            let ends: Vec<ObjectId> = attach.depends_on.iter().chain(&attach.of).filter(is_table).copied().collect();
            families.join(&ends);
        }
        families
    }

    /// The table and all that belong to its tree; the table alone where it is not partitioned.
    pub(super) fn of(&self, table: ObjectId) -> Vec<ObjectId> {
        self.family_of.get(&table).map_or_else(|| vec![table], |family| self.members[*family].clone())
    }

    fn join(&mut self, tables: &[ObjectId]) {
        let target = tables.iter().find_map(|table| self.family_of.get(table)).copied().unwrap_or_else(|| {
            self.members.push(Vec::new());
            self.members.len() - 1
        });
        for &table in tables {
            let moved = match self.family_of.get(&table).copied() {
                Some(family) if family == target => continue,
                Some(family) => std::mem::take(&mut self.members[family]),
                None => vec![table],
            };
            for member in moved {
                self.family_of.insert(member, target);
                self.members[target].push(member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_trees() {
        let mut families = Families::default();
        families.join(&[ObjectId(1), ObjectId(2)]);
        families.join(&[ObjectId(3), ObjectId(4)]);
        families.join(&[ObjectId(2), ObjectId(3)]);
        let mut all = families.of(ObjectId(4));
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4].map(ObjectId));
        assert_eq!(families.of(ObjectId(9)), [ObjectId(9)]);
    }
}
