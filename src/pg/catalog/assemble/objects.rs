//! From drafts in order to the manifest's objects and tables, those of extensions that hold
//! settings included.

use std::collections::HashMap;

use super::deps::{Graph, Makers};
use crate::archive::manifest::{Column, Detail, Object, ObjectId, Table, TableName};
use crate::error::Result;
use crate::pg::catalog::database::extensions::ConfigTable;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::model::{ReadOptions, TableSource};
use crate::pg::catalog::reader::Reader;
use crate::pg::catalog::tables::columns::Columns;
use crate::pg::catalog::tables::relations::Relation;
use crate::pg::catalog::tables::row_encoding::Types;

/// The first server that scans a range of `ctid` without reading the whole table.
const TID_RANGE_SCAN: u32 = 140_000;

/// The numbers that the drafts get, by address; those that stand in another's definition get none.
pub(in crate::pg::catalog) fn numbers(
    drafts: &[Draft],
    order: &[usize],
) -> HashMap<Address, ObjectId> {
    let made = order.iter().map(|&at| &drafts[at]).filter(|draft| draft.host.is_none());
    made.zip(0..).map(|(draft, number)| (draft.address, ObjectId(number))).collect()
}

/// Turns the drafts into objects.
pub(in crate::pg::catalog) fn objects(
    drafts: &[Draft],
    graph: &Graph,
    order: &[usize],
    makers: &Makers<'_>,
) -> Vec<Object> {
    let numbers = numbers(drafts, order);
    let number_of = |node: usize| {
        let draft = drafts.get(node)?;
        numbers.get(&draft.host.unwrap_or(draft.address)).copied()
    };
    let made = order.iter().copied().filter(|&at| drafts[at].host.is_none());
    made.zip(0..)
        .map(|(at, number)| {
            let draft = &drafts[at];
            let id = ObjectId(number);
            // What a clause needs, its host needs.
            let hosted = graph.needs[at].iter().filter(|&&need| {
                drafts.get(need).is_some_and(|part| part.host == Some(draft.address))
            });
            let needs = hosted.flat_map(|&part| &graph.needs[part]).chain(&graph.needs[at]);
            let mut depends_on: Vec<ObjectId> =
                needs.filter_map(|&need| number_of(need)).filter(|&need| need != id).collect();
            depends_on.sort_unstable();
            depends_on.dedup();
            let number_at = |address: Address| makers.of(address).and_then(number_of);
            let mut object = object(draft, id, depends_on, number_at, |address| {
                makers.of(address).is_some_and(|at| drafts[at].host.is_some())
            });
            // What is said of a clause is said once its host stands.
            for &part in &graph.needs[at] {
                if let Some(part) = drafts.get(part).filter(|part| part.host == Some(draft.address))
                {
                    object.comments.extend(part.comments.iter().cloned());
                    object.security_labels.extend(part.labels.iter().cloned());
                }
            }
            object
        })
        .collect()
}

fn object(
    draft: &Draft,
    id: ObjectId,
    depends_on: Vec<ObjectId>,
    number_at: impl Fn(Address) -> Option<ObjectId>,
    is_inline: impl Fn(Address) -> bool,
) -> Object {
    let mut detail = draft.detail.clone();
    if let Detail::ForeignKey { references, .. } = &mut detail {
        // A key on a table that is not carried is not carried itself, so that this is always found.
        *references = draft.references.and_then(&number_at).unwrap_or(ObjectId(u32::MAX));
    }
    Object {
        id,
        kind: draft.kind,
        schema: draft.schema.clone(),
        name: draft.name.clone(),
        of: draft.of.and_then(&number_at),
        identity: draft.identity.clone(),
        owner: draft.owner.clone(),
        acl: draft.acl.clone(),
        comments: draft.comments.clone(),
        security_labels: draft.labels.clone(),
        section: draft.section,
        depends_on,
        roles: draft.roles.clone(),
        tablespace: draft.tablespace.clone(),
        extension: draft.extension.clone(),
        statements: draft.definition.statements(is_inline),
        drop: draft.drop.clone(),
        detail,
    }
}

/// Lists the manifest's tables, those with rows to carry: the user's own, and those of extensions
/// that hold settings.
pub(in crate::pg::catalog) async fn tables(
    reader: &Reader<'_>,
    options: &ReadOptions,
    types: &Types,
    relations: &[Relation],
    columns: &Columns,
    config: &HashMap<u32, ConfigTable>,
    numbers: &HashMap<Address, ObjectId>,
) -> Result<Vec<TableSource>> {
    let has_tid_range_scan = reader.version() >= TID_RANGE_SCAN;
    let roots = roots(relations, options.via_partition_root);
    let mut after = if config.is_empty() {
        HashMap::new()
    } else {
        references(reader, relations, config).await?
    };
    let mut tables: Vec<TableSource> = Vec::new();
    for relation in relations.iter().filter(|relation| relation.kind == 'r') {
        let config = config.get(&relation.oid);
        let maker =
            config.map_or(Address::new(class::CLASS, relation.oid), |config| config.extension);
        let Some(&object) = numbers.get(&maker) else { continue };
        let carried: Vec<_> = columns
            .get(&relation.oid)
            .into_iter()
            .flatten()
            .filter(|column| !column.is_generated())
            .collect();
        let columns = carried
            .iter()
            .map(|column| Column {
                name: column.name.clone(),
                type_name: column.type_name.clone(),
                sent_as: types.sent_as(column.type_oid),
                not_null: column.is_never_null(),
            })
            .collect();
        let encoding = types.encoding(carried.iter().map(|column| column.type_oid));
        let table = Table {
            filter: config.and_then(|config| config.filter.clone()),
            after: after.remove(&relation.oid).unwrap_or_default(),
            root: roots
                .get(&relation.oid)
                .map(|root| TableName { schema: root.schema.clone(), name: root.name.clone() }),
            rows_estimate: relation.rows_estimate,
            bytes_estimate: u64::try_from(relation.table_bytes).unwrap_or(0),
            ..Table::new(object, relation.schema.clone(), relation.name.clone(), columns, encoding)
        };
        tables.push(TableSource {
            table,
            query: None,
            pages: u64::try_from(relation.main_pages).unwrap_or(0),
            ctid_ranges: has_tid_range_scan && relation.access_method.as_deref() == Some("heap"),
        });
    }
    tables.sort_by(|a, b| (&a.table.schema, &a.table.name).cmp(&(&b.table.schema, &b.table.name)));
    Ok(tables)
}

/// Which of the manifest's tables that extensions made look at which others by foreign keys. A
/// circle is cut somewhere: no order could help it.
async fn references(
    reader: &Reader<'_>,
    relations: &[Relation],
    config: &HashMap<u32, ConfigTable>,
) -> Result<HashMap<u32, Vec<TableName>>> {
    let sql = "SELECT DISTINCT k.conrelid, k.confrelid FROM pg_catalog.pg_constraint k WHERE \
        k.contype = 'f' AND k.conrelid <> k.confrelid ORDER BY 1, 2";
    let rows = reader.rows("foreign keys of extensions", sql).await?;
    let mut kept: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in &rows {
        let (from, to): (u32, u32) = (row.get(0)?, row.get(1)?);
        if !config.contains_key(&from) || !config.contains_key(&to) {
            continue;
        }
        let mut seen = vec![to];
        let mut next = 0;
        while let Some(&at) = seen.get(next) {
            let more: Vec<u32> = kept
                .get(&at)
                .into_iter()
                .flatten()
                .filter(|need| !seen.contains(need))
                .copied()
                .collect();
            seen.extend(more);
            next += 1;
        }
        if !seen.contains(&from) {
            kept.entry(from).or_default().push(to);
        }
    }
    let names: HashMap<u32, TableName> = (relations.iter())
        .map(|relation| {
            (
                relation.oid,
                TableName { schema: relation.schema.clone(), name: relation.name.clone() },
            )
        })
        .collect();
    Ok(kept
        .into_iter()
        .map(|(from, to)| (from, to.iter().filter_map(|to| names.get(to).cloned()).collect()))
        .collect())
}

/// The topmost tables of partitions, for the manifest's tables whose rows may belong to another
/// partition in another database: a hash over an enum is one over numbers that each database gives
/// out anew. With `all`, of every partition. An extension's tables get their partitions only after
/// the rows.
fn roots(relations: &[Relation], all: bool) -> HashMap<u32, &Relation> {
    let own = relations.iter().filter(|relation| !relation.is_member());
    let by_oid: HashMap<u32, &Relation> = own.map(|relation| (relation.oid, relation)).collect();
    let parent = |relation: &Relation| {
        let parent = if relation.is_partition() { relation.parents.first() } else { None };
        parent.and_then(|parent| by_oid.get(parent).copied())
    };
    let mut roots = HashMap::new();
    for relation in relations {
        let ancestors: Vec<&Relation> =
            std::iter::successors(parent(relation), |above| parent(above))
                .take(relations.len())
                .collect();
        if let Some(root) =
            ancestors.last().filter(|_| all || ancestors.iter().any(|above| above.hashes_enum))
        {
            roots.insert(relation.oid, *root);
        }
    }
    roots
}

#[cfg(test)]
mod tests;
