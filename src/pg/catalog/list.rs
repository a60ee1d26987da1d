//! The tables of a database, cheaply, to be compared before and after they are locked.

use super::reader::USER_SCHEMA;
use crate::error::Result;
use crate::pg::marker;
use crate::pg::row::Row;
use crate::pg::session::Session;

/// A table that a dump locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTable {
    /// Its row in `pg_class`.
    pub oid: u32,
    /// Its schema's name, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub name: String,
    /// Numbers, names and types of its columns: equal text, equal columns.
    pub columns: String,
    /// The tables that it descends from, by schema and name: it is their partition, or inherits.
    pub ancestors: Vec<(String, String)>,
    /// The extension whose settings it holds.
    pub extension: Option<String>,
    /// Whether the snapshot's row of `pg_class` names other files than the server uses now, so that
    /// the snapshot would read an empty table.
    pub is_rewritten: bool,
}

/// Lists every user table that a dump locks: plain and partitioned, no temporary ones, of
/// extensions only those that hold settings, and no marker's: the restore that set it waits for
/// nobody when it takes it away.
pub async fn list_tables(session: &Session) -> Result<Vec<ListedTable>> {
    let sql = format!(
        "WITH RECURSIVE up (child, parent) AS ( \
           SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits UNION \
           SELECT up.child, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = \
           up.parent), \
         ancestors AS (SELECT up.child, pg_catalog.array_agg(pn.nspname::text ORDER BY p.oid) AS \
           schemas, pg_catalog.array_agg(p.relname::text ORDER BY p.oid) AS names \
           FROM up JOIN pg_catalog.pg_class p ON p.oid = up.parent JOIN pg_catalog.pg_namespace pn \
           ON pn.oid = p.relnamespace WHERE p.relkind IN ('r', 'p', 'f') GROUP BY up.child) \
         SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, \
           coalesce(u.schemas, '{{}}') AS ancestor_schemas, coalesce(u.names, '{{}}') AS \
           ancestor_names, \
           coalesce((SELECT pg_catalog.string_agg(a.attnum || ':' || \
           pg_catalog.quote_ident(a.attname) || ':' || a.atttypid || ':' || a.atttypmod, ',' ORDER \
           BY a.attnum) \
             FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT \
             a.attisdropped), '') AS columns, \
           (SELECT pg_catalog.min(e.extname::text) FROM pg_catalog.pg_extension e WHERE c.oid = ANY \
           (e.extconfig)) AS extension, \
           c.relkind = 'r' AND c.relfilenode IS DISTINCT FROM \
           coalesce(pg_catalog.pg_relation_filenode(c.oid), 0) AS is_rewritten \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN ancestors u ON u.child = c.oid \
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND {USER_SCHEMA} AND NOT {} \
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
           JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid WHERE d.classid = \
           'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid \
           AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' \
           AND NOT c.oid = ANY (coalesce(e.extconfig, '{{}}'))) \
         ORDER BY 2, 3",
        marker::tables_condition()
    );
    let rows = session.query("list the tables", &sql).await?;
    let table = |row: &Row| -> Result<_> {
        let schemas: Vec<String> = row.get("ancestor_schemas")?;
        let names: Vec<String> = row.get("ancestor_names")?;
        Ok(ListedTable {
            ancestors: schemas.into_iter().zip(names).collect(),
            oid: row.get("oid")?,
            schema: row.get("schema")?,
            name: row.get("name")?,
            columns: row.get("columns")?,
            extension: row.get("extension")?,
            is_rewritten: row.get("is_rewritten")?,
        })
    };
    rows.iter().map(table).collect()
}
