//! Whose planner statistics are withheld: they hold values of rows, and so go where these rows go,
//! and nowhere else.
//!
//! A materialized view shows rows of the tables that it reads, and statistics "with the rows of
//! child tables" hold those of the children. What a function reads is not known: it may be any
//! table.

use std::collections::{HashMap, HashSet};

use super::kinds::is_relation;
use super::selection::Selection;
use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind};
use crate::archive::statistics::Statistics;

/// What holds values of rows that are not meant.
#[derive(Clone, Debug, Default)]
pub struct Withheld {
    /// Relations whose own rows are not meant, and materialized views that read them.
    own: HashSet<ObjectId>,
    /// Parents of these.
    inherited: HashSet<ObjectId>,
    /// The relation that an index, a constraint or extended statistics are a part of; a relation is
    /// its own.
    relation: HashMap<ObjectId, ObjectId>,
    partitioned: HashSet<ObjectId>,
    everything: bool,
}

impl Selection {
    /// Looks whose statistics must be withheld, among all objects that there are: those that are
    /// not selected count too.
    pub fn withheld(&self, objects: &[Object]) -> Withheld {
        use ObjectKind::{ForeignTable, MaterializedView, Table};
        let holds_rows =
            |object: &&Object| matches!(object.kind, Table | ForeignTable | MaterializedView);
        let left_out = |object: &&Object| {
            !self.data_of(object.schema.as_deref().unwrap_or_default(), &object.name)
        };
        let own: HashSet<ObjectId> =
            objects.iter().filter(holds_rows).filter(left_out).map(|object| object.id).collect();
        let is_partitioned =
            |object: &&Object| matches!(object.detail, Detail::Table { relkind: 'p', .. });
        let relations: HashSet<ObjectId> =
            objects.iter().filter(holds_rows).map(|object| object.id).collect();
        let part_of = |object: &Object| {
            let relation = if relations.contains(&object.id) { Some(object.id) } else { object.of };
            Some((object.id, relation.filter(|relation| relations.contains(relation))?))
        };
        let mut withheld = Withheld {
            own,
            inherited: HashSet::new(),
            relation: objects.iter().filter_map(part_of).collect(),
            partitioned: objects.iter().filter(is_partitioned).map(|object| object.id).collect(),
            everything: self.schema_only,
        };
        if !withheld.own.is_empty() {
            withheld.spread(objects);
        }
        withheld
    }
}

impl Withheld {
    /// From what is left out to what shows its rows: parents of tables, views, and materialized
    /// views.
    fn spread(&mut self, objects: &[Object]) {
        let by_id: HashMap<ObjectId, &Object> =
            objects.iter().map(|object| (object.id, object)).collect();
        let mut shown_by: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
        for object in objects {
            for (from, to) in shows(object, &by_id) {
                shown_by.entry(from).or_default().push(to);
            }
        }
        let functions = objects
            .iter()
            .filter(|object| matches!(object.kind, ObjectKind::Function | ObjectKind::Aggregate));
        let mut queue: Vec<ObjectId> =
            self.own.iter().copied().chain(functions.map(|function| function.id)).collect();
        let mut seen: HashSet<ObjectId> = queue.iter().copied().collect();
        while let Some(at) = queue.pop() {
            for &next in shown_by.get(&at).into_iter().flatten() {
                match by_id.get(&next).map(|object| object.kind) {
                    Some(ObjectKind::Table | ObjectKind::ForeignTable) => {
                        self.inherited.insert(next);
                    }
                    Some(ObjectKind::MaterializedView) => {
                        self.own.insert(next);
                    }
                    _ => {}
                }
                if seen.insert(next) {
                    queue.push(next);
                }
            }
        }
    }

    /// What is left of statistics; none where nothing is.
    pub fn keep(&self, mut statistics: Statistics) -> Option<Statistics> {
        let relation = self.relation.get(&statistics.object).filter(|_| !self.everything)?;
        if self.own.contains(relation) {
            return None;
        }
        if self.inherited.contains(relation) {
            // A partitioned table has no other rows than its partitions'.
            if self.partitioned.contains(relation) {
                return None;
            }
            statistics.columns.retain(|column| !column.inherited);
            statistics.extended.retain(|extended| !extended.inherited);
        }
        Some(statistics)
    }
}

/// Pairs of what holds rows and what shows them.
fn shows(object: &Object, by_id: &HashMap<ObjectId, &Object>) -> Vec<(ObjectId, ObjectId)> {
    use ObjectKind as K;
    let is_table = |id: &ObjectId| {
        by_id.get(id).is_some_and(|other| matches!(other.kind, K::Table | K::ForeignTable))
    };
    match object.kind {
        // A child needs its parents, and its rows are shown by them.
        K::Table | K::ForeignTable => object
            .depends_on
            .iter()
            .filter(|id| is_table(id))
            .map(|parent| (object.id, *parent))
            .collect(),
        K::TableAttach => {
            let Some(child) = object.of else { return Vec::new() };
            object
                .depends_on
                .iter()
                .filter(|id| **id != child && is_table(id))
                .map(|parent| (child, *parent))
                .collect()
        }
        // What a view shows may be an object of its own.
        K::Rule => object
            .of
            .into_iter()
            .flat_map(|view| object.depends_on.iter().map(move |from| (*from, view)))
            .collect(),
        kind if is_relation(kind)
            || matches!(kind, K::Operator | K::Cast | K::Function | K::Aggregate) =>
        {
            object.depends_on.iter().map(|from| (*from, object.id)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
