//! Indexes that are not behind a constraint, and what can be said of an index only once it stands.

use crate::archive::manifest::{Detail, ObjectKind};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class, own};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter, present};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    // What a failed CREATE INDEX CONCURRENTLY left is no index; a partitioned one is invalid until
    // all its parts are attached.
    let sql = format!(
        "SELECT x.oid, i.indrelid, n.nspname::text AS schema, x.relname::text AS name, \
         t.relname::text AS table, m.amname::text AS method, \
           x.relkind::text AS kind, pg_catalog.pg_get_indexdef(x.oid) AS definition, \
           i.indisunique, i.indisclustered, i.indisreplident, \
           s.spcname::text AS tablespace, coalesce(pg_catalog.pg_relation_size(x.oid), 0) AS \
           bytes, \
           ARRAY(SELECT a.attname::text FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) u \
             LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = \
             i.indkey[u] AND a.attnum > 0 ORDER BY u) AS columns, \
           ARRAY(SELECT a.attnum::int4 FROM pg_catalog.pg_attribute a WHERE a.attrelid = x.oid AND \
           a.attstattarget >= 0 ORDER BY a.attnum) AS targeted, \
           ARRAY(SELECT a.attstattarget::int4 FROM pg_catalog.pg_attribute a WHERE a.attrelid = \
           x.oid AND a.attstattarget >= 0 ORDER BY a.attnum) AS targets \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = x.relnamespace \
         JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_am m ON m.oid = \
         x.relam \
         LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = x.reltablespace \
         WHERE {USER_SCHEMA} AND i.indisready AND (i.indisvalid OR x.relkind = 'I') AND NOT EXISTS \
         (SELECT FROM pg_catalog.pg_constraint k \
           WHERE k.conindid = x.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("indexes", &sql).await? {
        if !reader.is_member(class::CLASS, row.get("oid")?)
            && !reader.is_member(class::CLASS, row.get("indrelid")?)
        {
            drafts.push(draft(&row)?);
        }
    }
    Ok(drafts)
}

fn draft(row: &Row) -> Result<Draft> {
    let (schema, name, table): (&str, &str, &str) =
        (row.get("schema")?, row.get("name")?, row.get("table")?);
    let qualified = ident::qualified(schema, name);
    let mut statements = vec![present(row, "definition", "indexes")?];
    statements.extend(afterwards(&Afterwards {
        table: &ident::qualified(schema, table),
        index: &qualified,
        index_name: name,
        is_clustered: row.get("indisclustered")?,
        is_replica_identity: row.get("indisreplident")?,
        targets: row
            .get::<_, Vec<i32>>("targeted")?
            .into_iter()
            .zip(row.get::<_, Vec<i32>>("targets")?)
            .collect(),
    }));
    let draft = Draft::new(
        Address::new(class::CLASS, row.get("oid")?),
        ObjectKind::Index,
        Some(schema),
        name,
        format!("INDEX {qualified}"),
    );
    let detail = Detail::Index {
        unique: row.get("indisunique")?,
        method: row.get("method")?,
        columns: row.get("columns")?,
        partitioned: letter(row, "kind")? == 'I',
        bytes: row.get::<_, i64>("bytes")? as u64,
    };
    let of = Some(Address::new(class::CLASS, row.get("indrelid")?));
    Ok(Draft { of, tablespace: row.get("tablespace")?, detail, ..draft }.made_by(statements))
}

/// An index that stands, and what is said of it.
pub(in crate::pg::catalog) struct Afterwards<'a> {
    /// Its table, qualified and quoted.
    pub(in crate::pg::catalog) table: &'a str,
    /// Itself, qualified and quoted.
    pub(in crate::pg::catalog) index: &'a str,
    /// Its bare name, unquoted.
    pub(in crate::pg::catalog) index_name: &'a str,
    pub(in crate::pg::catalog) is_clustered: bool,
    pub(in crate::pg::catalog) is_replica_identity: bool,
    /// Column numbers and their statistics targets: its columns have no names that could be relied
    /// on.
    pub(in crate::pg::catalog) targets: Vec<(i32, i32)>,
}

/// The statements that follow an index.
pub(in crate::pg::catalog) fn afterwards(index: &Afterwards<'_>) -> Vec<String> {
    let mut statements: Vec<String> = (index.targets.iter())
        .map(|(number, target)| {
            format!("ALTER INDEX {} ALTER COLUMN {number} SET STATISTICS {target}", index.index)
        })
        .collect();
    if index.is_clustered {
        statements.push(format!(
            "ALTER TABLE {} CLUSTER ON {}",
            index.table,
            ident::quote(index.index_name)
        ));
    }
    if index.is_replica_identity {
        statements.push(format!(
            "ALTER TABLE ONLY {} REPLICA IDENTITY USING INDEX {}",
            index.table,
            ident::quote(index.index_name)
        ));
    }
    statements
}

/// Reads which indexes of partitions belong to which of their parents', constraints' indexes
/// included.
pub(in crate::pg::catalog) async fn read_attachments(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT x.oid, i.indrelid, p.oid AS parent, n.nspname::text AS schema, x.relname::text AS \
         name, pn.nspname::text AS parent_schema, p.relname::text AS parent_name \
         FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class x ON x.oid = h.inhrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = x.relnamespace \
         JOIN pg_catalog.pg_index i ON i.indexrelid = x.oid JOIN pg_catalog.pg_class p ON p.oid = \
         h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace \
         WHERE x.relkind IN ('i', 'I') AND {USER_SCHEMA}"
    );
    let rows = reader.rows("partitions' indexes", &sql).await?;
    let draft = |row: &Row| -> Result<_> {
        let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
        let qualified = ident::qualified(schema, name);
        let oid: u32 = row.get("oid")?;
        let address = Address::new(own::INDEX_ATTACH, oid);
        let draft = Draft::new(
            address,
            ObjectKind::IndexAttach,
            Some(schema),
            name,
            format!("INDEX {qualified}"),
        );
        let parent = ident::qualified(row.get("parent_schema")?, row.get("parent_name")?);
        let needs = vec![
            Address::new(class::CLASS, row.get("parent")?),
            Address::new(own::TABLE_ATTACH, row.get("indrelid")?),
        ];
        // DROP INDEX is the only way back, and that is the index's own.
        Ok(Draft { of: Some(Address::new(class::CLASS, oid)), needs, drop: None, ..draft }
            .made_by(vec![format!("ALTER INDEX {parent} ATTACH PARTITION {qualified}")]))
    };
    rows.iter().map(draft).collect()
}
