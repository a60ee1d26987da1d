//! Which index or key of a partitioned table adopts those of its partitions by one statement.
//!
//! `ALTER INDEX … ATTACH PARTITION` counts the parts that are attached already, each time anew: for
//! n partitions that is n² looks. Without `ONLY` the index is made with a part for each partition,
//! and one that stands already is taken where it fits. That is done only where it is beyond doubt
//! which one that will be, so that nothing is built and nothing changes its name.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind};
use crate::restore::plan::input::Input;
use crate::restore::plan::statements::is_built;
use crate::sql::ident;

/// How much of the server's lock table one statement may fill, in percent: those of other sessions
/// have to fit too.
const LOCKS_PERCENT: u64 = 80;

/// A table and the columns of an index on it.
type Place<'a> = (ObjectId, Vec<Option<&'a str>>);

/// The indexes and keys that are made so, with what attaches their parts.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    by_whole: HashMap<ObjectId, Vec<ObjectId>>,
}

impl Gathered {
    /// Finds them.
    pub(super) fn new(
        input: &Input<'_>,
        objects: &HashMap<ObjectId, &Object>,
        attachments: &HashMap<ObjectId, Vec<&Object>>,
    ) -> Self {
        // Where tables stood before, they may have partitions and indexes that are not in the
        // archive.
        if !(input.sections.pre_data && input.sections.post_data) {
            return Self::default();
        }
        let mut partitions: HashMap<ObjectId, HashSet<ObjectId>> = HashMap::new();
        for attach in input.objects.iter().filter(|object| object.kind == ObjectKind::TableAttach) {
            for parent in attach.depends_on.iter().filter(|id| Some(**id) != attach.of) {
                partitions.entry(*parent).or_default().extend(attach.of);
            }
        }
        let mut same: HashMap<Place<'_>, usize> = HashMap::new();
        for place in input.objects.iter().filter_map(place) {
            *same.entry(place).or_default() += 1;
        }
        let is_certain = |whole: &ObjectId, attaches: &Vec<&Object>| {
            let whole = objects.get(whole)?;
            let tables = partitions.get(&whole.of?)?;
            let mut covered: HashSet<ObjectId> = HashSet::new();
            for attach in attaches {
                let part = objects.get(&attach.of?)?;
                let alone = same.get(&place(part)?) == Some(&1)
                    && kind(part) == kind(whole)
                    && !part.statements.is_empty();
                let is_new = |table: &ObjectId| {
                    objects.get(table).is_some_and(|table| {
                        table.kind == ObjectKind::Table && !table.statements.is_empty()
                    })
                };
                part.of.filter(|table| {
                    alone && tables.contains(table) && is_new(table) && covered.insert(*table)
                })?;
            }
            let locks = 2 * (attaches.len() as u64 + 1);
            (covered.len() == tables.len()
                && locks * 100 <= input.lock_table * LOCKS_PERCENT
                && without_only(whole).is_some())
            .then_some(())
        };
        let certain =
            attachments.iter().filter(|(whole, attaches)| is_certain(whole, attaches).is_some());
        let mut by_whole: HashMap<ObjectId, Vec<ObjectId>> = certain
            .map(|(whole, attaches)| (*whole, attaches.iter().map(|attach| attach.id).collect()))
            .collect();
        // A part that has parts itself must be complete before.
        loop {
            let is_incomplete =
                |part: &ObjectId| attachments.contains_key(part) && !by_whole.contains_key(part);
            let broken = by_whole.keys().find(|whole| {
                attachments[*whole]
                    .iter()
                    .filter_map(|attach| attach.of.as_ref())
                    .any(is_incomplete)
            });
            let Some(broken) = broken.copied() else { return Self { by_whole } };
            by_whole.remove(&broken);
        }
    }

    /// The objects that attach the parts which an index or key adopts by itself.
    pub(super) fn attaches(&self, whole: ObjectId) -> Option<&[ObjectId]> {
        self.by_whole.get(&whole).map(Vec::as_slice)
    }
}

/// Where an index or key is, by what the server tells one from another.
fn place(object: &Object) -> Option<Place<'_>> {
    let columns = match &object.detail {
        Detail::Key { columns, .. } => columns.iter().map(|column| Some(column.as_str())).collect(),
        Detail::Index { columns, .. } => columns.iter().map(Option::as_deref).collect(),
        _ => return None,
    };
    Some((object.of?, columns))
}

/// Whether it is a primary key; none of an index that is no key.
fn kind(object: &Object) -> Option<bool> {
    match &object.detail {
        Detail::Key { primary, .. } => Some(*primary),
        _ => None,
    }
}

pub(super) fn without_only(object: &Object) -> Option<String> {
    let statement = object.statements.first().filter(|_| is_built(object))?;
    let unique = if statement.starts_with("CREATE UNIQUE ") { "UNIQUE " } else { "" };
    let (before, after) = match &object.detail {
        Detail::Index { .. } => {
            let before = format!("CREATE {unique}INDEX {} ON ", ident::quote(&object.name));
            (format!("{before}ONLY "), before)
        }
        _ => ("ALTER TABLE ONLY ".to_owned(), "ALTER TABLE ".to_owned()),
    };
    statement.strip_prefix(&before).map(|rest| after + rest)
}
