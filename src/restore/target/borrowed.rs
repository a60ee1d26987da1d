//! Rows into tables that the role does not own (`-a`): what a right to read and insert is enough
//! for, and which triggers would fire. Their triggers stay as they are, and nothing marks the
//! target.
//!
//! Does not know which columns the tables have.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind, Table, TableName};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// The triggers of a borrowed table that would fire on the rows, unless that is wanted.
pub(in crate::restore) async fn triggers(
    session: &Session,
    tables: &[&Table],
) -> Result<Vec<Finding>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    // Rows that go through the table at the top fire its triggers too. Before 15 the triggers that
    // partitions have from their parent pass for the server's own, whose constraints are others.
    let roots = tables.iter().filter_map(|table| table.root.as_ref());
    let roots = roots.map(|TableName { schema, name }| ident::literals(schema, name));
    let names: Vec<String> = tables
        .iter()
        .map(|table| ident::literals(&table.schema, &table.name))
        .chain(roots)
        .collect();
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, t.tgname::text \
         FROM pg_catalog.pg_trigger t \
         JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE (n.nspname::text, c.relname::text) IN ({}) AND t.tgenabled IN ('O', 'A') AND \
         t.tgtype & 4 <> 0 \
         AND (NOT t.tgisinternal OR t.tgconstraint = 0) ORDER BY 1, 2, 3",
        names.join(", ")
    );
    let mut findings = Vec::new();
    for row in session.query("read the target's triggers", &sql).await? {
        let (table, trigger) =
            (ident::qualified(row.get(0)?, row.get(1)?), ident::quote(row.get(2)?));
        let problem = format!(
            "trigger {trigger} of table {table} would fire, and only the table's owner may disable it"
        );
        findings.push(Finding::new(
            problem,
            "restore as the owner, or let triggers fire with --fire-triggers",
        ));
    }
    Ok(findings)
}

/// Takes from the objects what only an owner may do, or who has more rights: filling materialized
/// views, setting sequences. Names it.
pub(in crate::restore) async fn leave_owners_work(
    session: &Session,
    objects: &mut Vec<Object>,
) -> Result<Vec<NotCarried>> {
    let by_id: HashMap<ObjectId, (String, String)> = objects
        .iter()
        .map(|object| (object.id, (object.schema.clone().unwrap_or_default(), object.name.clone())))
        .collect();
    let relation = |object: &Object| object.of.and_then(|of| by_id.get(&of)).cloned();
    let is_value = |object: &&Object| object.kind == ObjectKind::SequenceValue;
    let sequences: Vec<(String, String)> =
        objects.iter().filter(is_value).filter_map(relation).collect();
    let settable = settable(session, &sequences).await?;
    let mut left_out = Vec::new();
    objects.retain(|object| {
        let (schema, name) = relation(object).unwrap_or_default();
        let (kind, reason) = match object.kind {
            ObjectKind::SequenceValue if !settable.contains(&(schema.clone(), name.clone())) => {
                ("sequence value", "this role may not set it")
            }
            ObjectKind::RefreshMaterializedView => {
                ("materialized view", "only its owner may fill it")
            }
            _ => return true,
        };
        left_out.push(NotCarried {
            kind: kind.to_owned(),
            name: ident::qualified(&schema, &name),
            reason: reason.to_owned(),
        });
        false
    });
    Ok(left_out)
}

/// What is said of such a restore.
pub(in crate::restore) fn told(user: &str) -> String {
    let user = ident::quote(user);
    format!(
        "role {user} does not own all of these tables: no marker is set, and no statistics are \
         gathered"
    )
}

async fn settable(
    session: &Session,
    sequences: &[(String, String)],
) -> Result<HashSet<(String, String)>> {
    if sequences.is_empty() {
        return Ok(HashSet::new());
    }
    let names: Vec<String> =
        sequences.iter().map(|(schema, name)| ident::literals(schema, name)).collect();
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE (n.nspname::text, c.relname::text) IN ({}) AND \
         pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
         AND CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'UPDATE') END",
        names.join(", ")
    );
    let rows = session.query("read the role's rights on sequences", &sql).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
