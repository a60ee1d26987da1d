//! Which tables belong together as one partitioned table. Locks and waits of a parent reach its
//! partitions.
//!
//! Pure: knows the objects, neither jobs nor rows.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{Object, ObjectId, ObjectKind};

/// A partitioned table with all its partitions, and theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(usize);

/// What a statement locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lockable {
    /// A table or another relation by itself.
    Relation(ObjectId),
    /// Every table of a family.
    Family(FamilyId),
    /// Much of the server's lock table: the locks of two that need that would not fit.
    LockTable,
}

/// Partitioned tables with all their partitions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Families {
    family_of: HashMap<ObjectId, FamilyId>,
    members: Vec<Vec<ObjectId>>,
    partitions: HashSet<ObjectId>,
    partitioned: HashSet<ObjectId>,
}

impl Families {
    /// Joins what `ATTACH PARTITION` joins.
    pub(in crate::restore) fn new(objects: &[Object]) -> Self {
        let kinds: HashMap<ObjectId, ObjectKind> =
            objects.iter().map(|object| (object.id, object.kind)).collect();
        let is_table = |id: &ObjectId| {
            matches!(kinds.get(id), Some(ObjectKind::Table | ObjectKind::ForeignTable))
        };
        let mut families = Self::default();
        for attach in objects.iter().filter(|object| object.kind == ObjectKind::TableAttach) {
            let Some(partition) = attach.of.filter(is_table) else { continue };
            for &parent in attach.depends_on.iter().filter(|id| **id != partition && is_table(id)) {
                families.attach(parent, partition);
            }
        }
        families
    }

    /// The family that a table belongs to; none where it is not partitioned and no partition.
    pub fn of(&self, table: ObjectId) -> Option<FamilyId> {
        self.family_of.get(&table).copied()
    }

    /// The tables of a family.
    pub fn members(&self, family: FamilyId) -> &[ObjectId] {
        &self.members[family.0]
    }

    /// The table at the top of a family, which names it.
    pub fn root(&self, family: FamilyId) -> Option<ObjectId> {
        let members = self.members(family);
        members.iter().find(|member| !self.partitions.contains(member)).or(members.first()).copied()
    }

    /// What a statement locks that reaches a table and its partitions: the table alone where it has
    /// none, else the family as a whole.
    pub fn reach(&self, table: ObjectId) -> Lockable {
        match self.of(table) {
            Some(family) if self.partitioned.contains(&table) => Lockable::Family(family),
            _ => Lockable::Relation(table),
        }
    }

    /// Joins the families of two tables: the smaller one moves.
    pub(in crate::restore) fn attach(&mut self, parent: ObjectId, partition: ObjectId) {
        self.partitioned.insert(parent);
        self.partitions.insert(partition);
        let (one, other) = (self.found(parent), self.found(partition));
        if one == other {
            return;
        }
        let (target, moved) = if self.members(one).len() < self.members(other).len() {
            (other, one)
        } else {
            (one, other)
        };
        let moved = std::mem::take(&mut self.members[moved.0]);
        self.family_of.extend(moved.iter().map(|member| (*member, target)));
        self.members[target.0].extend(moved);
    }

    fn found(&mut self, table: ObjectId) -> FamilyId {
        *self.family_of.entry(table).or_insert_with(|| {
            self.members.push(vec![table]);
            FamilyId(self.members.len() - 1)
        })
    }
}

#[cfg(test)]
mod tests;
