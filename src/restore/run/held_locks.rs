//! The locks that running jobs hold, and which of them excludes another. A lock on a family is one
//! entry, not one for each of its tables.
//!
//! Pure: knows neither jobs nor statements.

use std::collections::HashMap;

use crate::archive::manifest::ObjectId;
use crate::restore::plan::locks::LockMode;
use crate::restore::plan::partition_trees::{Families, FamilyId, Lockable};

/// Where locks are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::restore) enum Place {
    /// On a relation by itself.
    Relation(ObjectId),
    /// On single tables of a family, whichever they are.
    Members(FamilyId),
    /// On a family as a whole.
    Whole(FamilyId),
    /// On the server's lock table.
    LockTable,
}

/// What keeps a job from starting: locks in a place that exclude a mode.
pub(in crate::restore) type Obstacle = (Place, LockMode);

/// How many locks of each mode are held in each place.
#[derive(Debug, Default)]
pub(in crate::restore) struct Held {
    counts: HashMap<Place, [u32; LockMode::ALL.len()]>,
}

impl Held {
    /// Whether something is held that excludes it.
    pub(in crate::restore) fn excludes(&self, (place, mode): Obstacle) -> bool {
        let counts = self.counts.get(&place);
        counts.is_some_and(|counts| {
            LockMode::ALL.iter().zip(counts).any(|(held, count)| *count > 0 && held.conflicts(mode))
        })
    }

    /// The first obstacle to these locks: a table's are its own and those on its family as a whole,
    /// a family's are those on any of its tables.
    pub(in crate::restore) fn obstacle(
        &self,
        locks: &[(Lockable, LockMode)],
        families: &Families,
    ) -> Option<Obstacle> {
        let places = |on| match on {
            Lockable::Relation(table) => {
                [Some(Place::Relation(table)), families.of(table).map(Place::Whole)]
            }
            Lockable::Family(family) => [Some(Place::Whole(family)), Some(Place::Members(family))],
            Lockable::LockTable => [Some(Place::LockTable), None],
        };
        locks
            .iter()
            .flat_map(|&(on, mode)| {
                places(on).into_iter().flatten().map(move |place| (place, mode))
            })
            .find(|one| self.excludes(*one))
    }

    /// Takes locks, which no obstacle may exclude.
    pub(in crate::restore) fn take(&mut self, locks: &[(Lockable, LockMode)], families: &Families) {
        for (place, mode) in entries(locks, families) {
            self.counts.entry(place).or_default()[mode as usize] += 1;
        }
    }

    /// Gives locks back, and tells the places where fewer are held now.
    ///
    /// # Panics
    /// When they were not taken.
    pub(in crate::restore) fn release(
        &mut self,
        locks: &[(Lockable, LockMode)],
        families: &Families,
    ) -> Vec<Place> {
        let entries: Vec<Obstacle> = entries(locks, families).collect();
        for (place, mode) in &entries {
            let counts = self.counts.get_mut(place).expect("a started job holds its locks");
            let count = &mut counts[*mode as usize];
            *count = count.checked_sub(1).expect("a started job holds its locks");
            if counts.iter().all(|count| *count == 0) {
                self.counts.remove(place);
            }
        }
        entries.into_iter().map(|(place, _)| place).collect()
    }
}

/// Where locks are counted once they are taken.
fn entries<'a>(
    locks: &'a [(Lockable, LockMode)],
    families: &'a Families,
) -> impl Iterator<Item = Obstacle> + 'a {
    let places = |on| match on {
        Lockable::Relation(table) => {
            [Some(Place::Relation(table)), families.of(table).map(Place::Members)]
        }
        Lockable::Family(family) => [Some(Place::Whole(family)), None],
        Lockable::LockTable => [Some(Place::LockTable), None],
    };
    locks.iter().flat_map(move |&(on, mode)| {
        places(on).into_iter().flatten().map(move |place| (place, mode))
    })
}

#[cfg(test)]
pub(in crate::restore) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tables 0, 1 and 2 are of one family, 3 and 4 of another, 5 of none.
    pub(crate) fn families() -> Families {
        let mut families = Families::default();
        for (parent, partition) in [(0, 1), (0, 2), (3, 4)] {
            families.attach(ObjectId(parent), ObjectId(partition));
        }
        families
    }

    /// What the server locks: each table by itself.
    pub(crate) fn of_the_server(
        locks: &[(Lockable, LockMode)],
        families: &Families,
    ) -> Vec<(ObjectId, LockMode)> {
        let tables = |on| match on {
            Lockable::Relation(table) => vec![table],
            Lockable::Family(family) => families.members(family).to_vec(),
            Lockable::LockTable => vec![ObjectId(u32::MAX)],
        };
        locks
            .iter()
            .flat_map(|&(on, mode)| tables(on).into_iter().map(move |table| (table, mode)))
            .collect()
    }

    /// A lock on a table by its number, or on the whole family that it belongs to, in a mode by its
    /// number.
    pub(crate) fn lock_of(
        (table, whole, mode): (u32, bool, usize),
        families: &Families,
    ) -> (Lockable, LockMode) {
        let lockable = match families.of(ObjectId(table)) {
            Some(family) if whole => Lockable::Family(family),
            None if whole => Lockable::LockTable,
            _ => Lockable::Relation(ObjectId(table)),
        };
        (lockable, LockMode::ALL[mode])
    }

    fn locks() -> impl Strategy<Value = Vec<(Lockable, LockMode)>> {
        prop::collection::vec((0u32..6, any::<bool>(), 0usize..8), 0..4)
            .prop_map(|parts| parts.into_iter().map(|part| lock_of(part, &families())).collect())
    }

    proptest! {
        #[test]
        fn excludes_what_the_server_would(all in prop::collection::vec((locks(), any::<bool>()), 0..6), next in locks()) {
            let families = families();
            let mut held = Held::default();
            for (locks, _) in &all {
                held.take(locks, &families);
            }
            for (locks, _) in all.iter().filter(|(_, stays)| !stays) {
                held.release(locks, &families);
            }
            let stay = all.iter().filter(|(_, stays)| *stays).flat_map(|(locks, _)| of_the_server(locks, &families));
            let wanted = of_the_server(&next, &families);
            let waits = stay.into_iter().any(|(table, mode)| wanted.iter().any(|&(other, asked)| table == other && asked.conflicts(mode)));
            prop_assert_eq!(held.obstacle(&next, &families).is_some(), waits);
        }
    }
}
