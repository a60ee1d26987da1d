//! What statistics the archive has, by relation, and of which relations something is missing.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind};
use crate::archive::statistics::Statistics;
use crate::pg::statistics::Name;
use crate::restore::plan::input::Input;

/// What the archive has.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By the relation that it is about, its own first: whose it is, and its place in the list.
    pub(super) by_relation: HashMap<ObjectId, Vec<(ObjectId, usize, Name)>>,
    /// Relations with something that has none.
    pub(super) incomplete: HashSet<ObjectId>,
}

impl Known {
    pub(super) fn new(input: &Input<'_>) -> Self {
        let mut known = Self::default();
        if input.statistics.is_empty() {
            return known;
        }
        let by_id: HashMap<ObjectId, &Object> =
            input.objects.iter().map(|object| (object.id, object)).collect();
        let of_object: HashMap<ObjectId, &Statistics> =
            input.statistics.iter().map(|one| (one.object, one)).collect();
        for (place, statistics) in input.statistics.iter().enumerate() {
            let Some(object) = by_id.get(&statistics.object) else { continue };
            let Some(table) = object.of.map_or(Some(object), |of| by_id.get(&of)) else { continue };
            let is_index = matches!(object.kind, ObjectKind::Index | ObjectKind::Constraint);
            let name = Name { object: names(object), table: names(table), is_index };
            known.by_relation.entry(table.id).or_default().push((object.id, place, name));
        }
        for object in input.objects {
            let Some(table) = object.of else { continue };
            let statistics = of_object.get(&object.id);
            let is_missing = match &object.detail {
                // Only expressions have statistics of their own.
                Detail::Index { columns, .. } if columns.contains(&None) => {
                    statistics.is_none_or(|statistics| {
                        statistics.columns.is_empty() && statistics.had_rows()
                    })
                }
                _ if object.kind == ObjectKind::Statistics => {
                    !input.takes_extended
                        || statistics.is_none_or(|statistics| statistics.extended.is_empty())
                }
                _ => false,
            };
            if is_missing {
                known.incomplete.insert(table);
            }
        }
        known
    }

    /// Whether there is anything about a relation.
    pub(super) fn holds(&self, relation: ObjectId) -> bool {
        self.by_relation.contains_key(&relation)
    }
}

fn names(object: &Object) -> (String, String) {
    (object.schema.clone().unwrap_or_default(), object.name.clone())
}
