//! What rows alone (`-a`) refer to by foreign keys that stand already: a parent without rows would refuse them.
//!
//! Does not know the rows: a child that refers to nothing is refused too, unless the archive knows its parent as empty.

use std::collections::HashMap;

use super::existing::names;
use super::preflight::Finding;
use crate::archive::manifest::{Table, TableId};
use crate::error::Result;
use crate::pg::ident;
use crate::pg::session::Session;

/// How many rows the archive holds of a table, by schema and name.
pub(super) type ArchivedRows<'a> = HashMap<(&'a str, &'a str), u64>;

/// Finds the parents of `loaded` that are empty and stay so.
pub(super) async fn examine(session: &Session, loaded: &[(TableId, &Table)], archived: &ArchivedRows<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if loaded.is_empty() {
        return Ok(findings);
    }
    // A key on a partitioned table has a row for each of its partitions too, which says nothing more.
    let sql = format!(
        "SELECT DISTINCT w.nspname, w.relname, pn.nspname::text, p.relname::text, \
           ARRAY(SELECT mn.nspname::text FROM {MEMBERS}), ARRAY(SELECT m.relname::text FROM {MEMBERS}) \
         FROM pg_catalog.pg_constraint k \
         JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN (VALUES {}) w(nspname, relname) ON w.nspname = n.nspname AND w.relname = c.relname \
         JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE k.contype = 'f' AND k.confrelid <> k.conrelid AND pg_catalog.to_jsonb(k) ->> 'conenforced' IS DISTINCT FROM 'false' \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint u WHERE u.oid = k.conparentid AND u.conrelid = k.conrelid) \
           AND pg_catalog.has_any_column_privilege(p.oid, 'SELECT') ORDER BY 1, 2, 3, 4",
        names(loaded)
    );
    for row in session.query("read the target's foreign keys", &sql).await? {
        let (schemas, tables): (Vec<String>, Vec<String>) = (row.get(4), row.get(5));
        let members = || schemas.iter().map(String::as_str).zip(tables.iter().map(String::as_str));
        let is_loaded = members().any(|(schema, name)| loaded.iter().any(|(_, table)| (&*table.schema, &*table.name) == (schema, name)));
        let known: Vec<u64> = members().filter_map(|member| archived.get(&member)).copied().collect();
        if is_loaded || (!known.is_empty() && known.iter().all(|rows| *rows == 0)) {
            continue;
        }
        let parent = ident::qualified(row.get(2), row.get(3));
        let is_empty = format!("SELECT NOT EXISTS (SELECT FROM {parent})");
        if session.query_one(&format!("look whether table {parent} is empty"), &is_empty).await?.get(0) {
            let child = ident::qualified(row.get(0), row.get(1));
            let problem = format!("table {child} refers to table {parent}, which is empty and is not loaded");
            findings.push(Finding::new(problem, "load its rows too, or before"));
        }
    }
    Ok(findings)
}

/// The parent's table, or its partitions.
const MEMBERS: &str = "pg_catalog.pg_class m JOIN pg_catalog.pg_namespace mn ON mn.oid = m.relnamespace \
    WHERE m.oid = p.oid OR m.oid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree(p.oid) t) ORDER BY m.oid";
