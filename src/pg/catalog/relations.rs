//! The tables as `pg_class` has them; their columns, checks and keys are read elsewhere.

use super::address::{Address, class};
use super::columns::parameters;
use super::foreign::options_sql;
use super::reader::{Reader, USER_SCHEMA, letter};
use crate::error::Result;
use crate::pg::ident;
use crate::pg::row::Row;

/// A row of `pg_class` that is a table.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    pub(super) kind: char,
    pub(super) owner: String,
    pub(super) persistence: char,
    pub(super) tablespace: Option<String>,
    pub(super) access_method: Option<String>,
    /// `WITH ( … )`, those of its TOAST table included.
    pub(super) parameters: Vec<String>,
    pub(super) replica_identity: char,
    pub(super) row_security: bool,
    pub(super) force_row_security: bool,
    pub(super) of_type: Option<String>,
    pub(super) partition_key: Option<String>,
    /// Its rows are spread over its partitions by a hash of an enum.
    pub(super) hashes_enum: bool,
    /// The server of a foreign table, and its options as words.
    pub(super) server: Option<String>,
    pub(super) foreign_options: Vec<String>,
    /// `FOR VALUES …` of a partition, even of one that is detached by now.
    pub(super) bound: Option<String>,
    /// Whom it inherits from or is a partition of, in order.
    pub(super) parents: Vec<u32>,
    /// Its indexes that are parts of a parent's.
    pub(super) attached_indexes: Vec<u32>,
    /// The extension that makes it.
    pub(super) extension: Option<String>,
    pub(super) rows_estimate: i64,
    pub(super) table_bytes: i64,
    pub(super) main_pages: i64,
}

impl Relation {
    pub(super) fn address(&self) -> Address {
        Address::new(class::CLASS, self.oid)
    }

    pub(super) fn qualified(&self) -> String {
        ident::qualified(&self.schema, &self.name)
    }

    pub(super) fn is_member(&self) -> bool {
        self.extension.is_some()
    }

    pub(super) fn is_partition(&self) -> bool {
        self.bound.is_some()
    }
}

/// Reads the tables, members of extensions included: some of those hold settings.
pub(super) async fn read(reader: &Reader<'_>) -> Result<Vec<Relation>> {
    let foreign_options = options_sql("ft.ftoptions");
    let sql = format!(
        "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, \
           pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, c.relpersistence::text AS persistence, s.spcname::text AS tablespace, \
           m.amname::text AS access_method, coalesce(c.reloptions, '{{}}') AS options, coalesce(t.reloptions, '{{}}') AS toast_options, \
           c.relreplident::text AS replica_identity, c.relrowsecurity, c.relforcerowsecurity, \
           CASE WHEN c.reloftype <> 0 THEN pg_catalog.format_type(c.reloftype, NULL) END AS of_type, \
           CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS partition_key, \
           EXISTS (SELECT FROM pg_catalog.pg_partitioned_table k WHERE k.partrelid = c.oid AND ( \
             SELECT o.oid FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am h ON h.oid = o.opcmethod WHERE o.opcname = 'enum_ops' \
               AND o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace AND h.amname = 'hash') = ANY (k.partclass)) AS hashes_enum, \
           v.srvname::text AS server, {foreign_options} AS foreign_options, \
           CASE WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS bound, \
           ARRAY(SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid ORDER BY i.inhseqno) AS parents, \
           ARRAY(SELECT x.indexrelid FROM pg_catalog.pg_index x JOIN pg_catalog.pg_inherits i ON i.inhrelid = x.indexrelid \
             WHERE x.indrelid = c.oid AND x.indisready AND (x.indisvalid OR c.relkind = 'p') ORDER BY 1) AS attached_indexes, \
           CASE WHEN c.reltuples = 0 AND c.relpages = 0 THEN -1 ELSE c.reltuples::int8 END AS rows_estimate, \
           coalesce(pg_catalog.pg_table_size(c.oid), 0) AS table_bytes, \
           coalesce(pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8, 0) AS main_pages \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam \
         LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid \
         LEFT JOIN (pg_catalog.pg_foreign_table ft JOIN pg_catalog.pg_foreign_server v ON v.oid = ft.ftserver) ON ft.ftrelid = c.oid \
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
            extension: reader.extension_named(Address::new(class::CLASS, row.get("oid")?)).map(str::to_owned),
            rows_estimate: row.get("rows_estimate")?,
            table_bytes: row.get("table_bytes")?,
            main_pages: row.get("main_pages")?,
        })
    };
    rows.iter().map(relation).collect()
}
