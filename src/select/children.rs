//! Which tables descend from others: partitions, and what inherits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::pattern::Pattern;
use super::selection::Selection;
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::sql::ident;

type Name = (String, String);

impl Selection {
    /// Lets the patterns that mean children know which these are. The objects' schemas have the
    /// names that patterns are about.
    pub(super) fn find_children(&mut self, objects: &[Object]) {
        let lists = [&mut self.tables, &mut self.exclude_tables, &mut self.exclude_table_data];
        let mut asking: Vec<&mut Pattern> =
            lists.into_iter().flatten().filter(|pattern| pattern.takes_children()).collect();
        if asking.is_empty() {
            return;
        }
        let children = children(objects);
        for pattern in &mut asking {
            let mut queue: Vec<&Name> = children
                .keys()
                .filter(|(schema, name)| pattern.matches_table(schema, name))
                .collect();
            let mut found: BTreeSet<&Name> = BTreeSet::new();
            while let Some(parent) = queue.pop() {
                for child in children.get(parent).into_iter().flatten() {
                    if found.insert(child) {
                        queue.push(child);
                    }
                }
            }
            for child in found {
                pattern.add_child(child.clone());
            }
        }
    }
}

fn children(objects: &[Object]) -> BTreeMap<Name, Vec<Name>> {
    let tables: HashMap<ObjectId, &Object> = objects
        .iter()
        .filter(|object| matches!(object.kind, ObjectKind::Table | ObjectKind::ForeignTable))
        .map(|object| (object.id, object))
        .collect();
    let mut children: BTreeMap<Name, Vec<Name>> = BTreeMap::new();
    for object in objects {
        let child = match object.kind {
            ObjectKind::TableAttach => object.of.and_then(|of| tables.get(&of).copied()),
            _ => tables.get(&object.id).copied(),
        };
        let Some(child) = child else { continue };
        let parents = object.depends_on.iter().filter(|id| **id != child.id);
        for parent in parents.filter_map(|id| tables.get(id)) {
            if object.kind == ObjectKind::TableAttach || inherits(child, parent) {
                children.entry(name(parent)).or_default().push(name(child));
            }
        }
    }
    children
}

/// Whether one of two tables inherits from the other, which it needs: a column of the other's row
/// type is a need, too. Of a table that is only named nothing more is known.
fn inherits(child: &Object, parent: &Object) -> bool {
    let (schema, name) = (parent.schema.as_deref().unwrap_or_default(), &parent.name);
    let parent = ident::qualified(schema, name);
    let is_said = |statement: &String| {
        let list = statement.rsplit_once("\nINHERITS (").map(|(_, list)| list);
        list.is_some_and(|list| {
            list.match_indices(&parent).any(|(at, _)| {
                let before = list[..at].chars().next_back();
                let after = list[at + parent.len()..].chars().next();
                matches!(before, None | Some(' ')) && matches!(after, Some(',' | ')'))
            })
        }) || statement.ends_with(&format!(" INHERIT {parent}"))
    };
    child.statements.is_empty() || child.statements.iter().any(is_said)
}

fn name(object: &Object) -> Name {
    (object.schema.clone().unwrap_or_default(), object.name.clone())
}
