//! The tables as `pg_class` has them; their columns, checks and keys are read elsewhere.

use std::collections::BTreeSet;

use super::columns::parameters;
use crate::error::Result;
use crate::pg::catalog::database::foreign::options_sql;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter};
use crate::pg::row::Row;
use crate::sql::ident;

/// A row of `pg_class` that is a table.
#[derive(Clone, Debug)]
pub(in crate::pg::catalog) struct Relation {
    pub(in crate::pg::catalog) oid: u32,
    pub(in crate::pg::catalog) schema: String,
    pub(in crate::pg::catalog) name: String,
    pub(in crate::pg::catalog) kind: char,
    pub(in crate::pg::catalog) owner: String,
    pub(in crate::pg::catalog) persistence: char,
    pub(in crate::pg::catalog) tablespace: Option<String>,
    pub(in crate::pg::catalog) access_method: Option<String>,
    /// `WITH ( … )`, those of its TOAST table included.
    pub(in crate::pg::catalog) parameters: Vec<String>,
    pub(in crate::pg::catalog) replica_identity: char,
    pub(in crate::pg::catalog) row_security: bool,
    pub(in crate::pg::catalog) force_row_security: bool,
    pub(in crate::pg::catalog) of_type: Option<String>,
    pub(in crate::pg::catalog) partition_key: Option<String>,
    /// Its rows are spread over its partitions by a hash of an enum.
    pub(in crate::pg::catalog) hashes_enum: bool,
    /// The server of a foreign table, and its options as words.
    pub(in crate::pg::catalog) server: Option<String>,
    pub(in crate::pg::catalog) foreign_options: Vec<String>,
    /// `FOR VALUES …` of a partition, even of one that is detached by now.
    pub(in crate::pg::catalog) bound: Option<String>,
    /// Whom it inherits from or is a partition of, in order.
    pub(in crate::pg::catalog) parents: Vec<u32>,
    /// Its indexes that are parts of a parent's.
    pub(in crate::pg::catalog) attached_indexes: Vec<u32>,
    /// The extension that makes it.
    pub(in crate::pg::catalog) extension: Option<String>,
    pub(in crate::pg::catalog) rows_estimate: i64,
    pub(in crate::pg::catalog) table_bytes: i64,
    pub(in crate::pg::catalog) main_pages: i64,
}

impl Relation {
    pub(in crate::pg::catalog) fn address(&self) -> Address {
        Address::new(class::CLASS, self.oid)
    }

    pub(in crate::pg::catalog) fn qualified(&self) -> String {
        ident::qualified(&self.schema, &self.name)
    }

    pub(in crate::pg::catalog) fn is_member(&self) -> bool {
        self.extension.is_some()
    }

    pub(in crate::pg::catalog) fn is_partition(&self) -> bool {
        self.bound.is_some()
    }
}

/// Reads the tables, members of extensions included: some of those hold settings.
pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Relation>> {
    let foreign_options = options_sql("ft.ftoptions");
    let sql = format!(
        "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS \
         kind, \
           pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, c.relpersistence::text AS \
           persistence, s.spcname::text AS tablespace, \
           m.amname::text AS access_method, coalesce(c.reloptions, '{{}}') AS options, \
           coalesce(t.reloptions, '{{}}') AS toast_options, \
           c.relreplident::text AS replica_identity, c.relrowsecurity, c.relforcerowsecurity, \
           CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS \
           of_type, \
           CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS \
           partition_key, \
           EXISTS (SELECT FROM pg_catalog.pg_partitioned_table k WHERE k.partrelid = c.oid AND ( \
             SELECT o.oid FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am h ON h.oid = \
             o.opcmethod WHERE o.opcname = 'enum_ops' \
               AND o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace AND h.amname = 'hash') = \
               ANY (k.partclass)) AS hashes_enum, \
           v.srvname::text AS server, {foreign_options} AS foreign_options, \
           CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS \
           bound, \
           ARRAY(SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid ORDER \
           BY i.inhseqno) AS parents, \
           ARRAY(SELECT x.indexrelid FROM pg_catalog.pg_index x JOIN pg_catalog.pg_inherits i ON \
           i.inhrelid = x.indexrelid \
             WHERE x.indrelid = c.oid AND x.indisready AND (x.indisvalid OR c.relkind = 'p') ORDER \
             BY 1) AS attached_indexes, \
           CASE WHEN c.reltuples = 0 AND c.relpages = 0 THEN -1 ELSE c.reltuples::int8 END AS \
           rows_estimate, \
           coalesce(pg_catalog.pg_table_size(c.oid), 0) AS table_bytes, \
           coalesce(pg_catalog.pg_relation_size(c.oid) / \
           pg_catalog.current_setting('block_size')::int8, 0) AS main_pages \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN \
         pg_catalog.pg_am m ON m.oid = c.relam \
         LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid \
         LEFT JOIN (pg_catalog.pg_foreign_table ft JOIN pg_catalog.pg_foreign_server v ON v.oid = \
         ft.ftserver) ON ft.ftrelid = c.oid \
         WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND {USER_SCHEMA}"
    );
    let rows = reader.rows("tables", &sql).await?;
    let relation = |row: &Row| -> Result<_> {
        let mut all = parameters(&row.get::<_, Vec<String>>("options")?, "");
        all.extend(parameters(&row.get::<_, Vec<String>>("toast_options")?, "toast."));
        Ok(Relation {
            oid: row.get("oid")?,
            schema: row.get("schema")?,
            name: row.get("name")?,
            kind: letter(row, "kind")?,
            owner: row.get("owner")?,
            persistence: letter(row, "persistence")?,
            tablespace: row.get("tablespace")?,
            access_method: row.get("access_method")?,
            parameters: all,
            replica_identity: letter(row, "replica_identity")?,
            row_security: row.get("relrowsecurity")?,
            force_row_security: row.get("relforcerowsecurity")?,
            of_type: row.get("of_type")?,
            partition_key: row.get("partition_key")?,
            hashes_enum: row.get("hashes_enum")?,
            server: row.get("server")?,
            foreign_options: row.get("foreign_options")?,
            bound: row.get("bound")?,
            parents: row.get("parents")?,
            attached_indexes: row.get("attached_indexes")?,
            extension: reader
                .extension_named(Address::new(class::CLASS, row.get("oid")?))
                .map(str::to_owned),
            rows_estimate: row.get("rows_estimate")?,
            table_bytes: row.get("table_bytes")?,
            main_pages: row.get("main_pages")?,
        })
    };
    rows.iter().map(relation).collect()
}

/// The names of what is unlogged: tables, sequences, materialized views.
pub(in crate::pg::catalog) async fn unlogged(
    reader: &Reader<'_>,
) -> Result<BTreeSet<(String, String)>> {
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'S', 'm') AND {USER_SCHEMA}"
    );
    let rows = reader.rows("unlogged tables", &sql).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
