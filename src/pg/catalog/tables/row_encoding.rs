//! Whether a table's rows may travel as COPY BINARY: only if each value's bytes mean the same in
//! another database.

use std::collections::HashMap;

use crate::archive::manifest::RowEncoding;
use crate::error::Result;
use crate::pg::catalog::reader::{Reader, letter};
use crate::pg::row::Row;

/// Types whose binary form is a number of this database (`reg*`), depends on a setting (`money`),
/// is not promised to be read back, or is not read back when empty (`int2vector`, `oidvector`,
/// `tsquery`).
const TEXT_ONLY: &[&str] = &[
    "aclitem",
    "gtsvector",
    "int2vector",
    "money",
    "oidvector",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_dependencies",
    "pg_ddl_command",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
    "refcursor",
    "tsquery",
    "xml",
];

/// What must be known of a type.
#[derive(Debug)]
struct TypeInfo {
    kind: char,
    name: String,
    /// As `format_type` writes it.
    words: String,
    is_builtin: bool,
    sends_and_receives: bool,
    /// The element of an array, the base of a domain, the subtype of a range or multirange.
    under: u32,
    is_array: bool,
}

/// The types of a database.
#[derive(Debug)]
pub(in crate::pg::catalog) struct Types {
    by_oid: HashMap<u32, TypeInfo>,
}

impl Types {
    pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Self> {
        let multirange = reader.features.column("pg_range", "r.rngmultitypid", "0::oid");
        // Composite types, and arrays of them, are left out: whatever is not found travels as text.
        let sql = format!(
            "SELECT t.oid, t.typtype::text AS kind, t.typname::text AS name, \
             pg_catalog.format_type(t.oid, NULL) AS words, t.oid < 16384 AND \
             n.nspname = 'pg_catalog' AS is_builtin, \
               t.typsend <> 0 AND t.typreceive <> 0 AS sends_and_receives, e.oid IS NOT NULL AS \
               is_array, \
               CASE WHEN e.oid IS NOT NULL THEN e.oid WHEN t.typtype = 'd' THEN t.typbasetype ELSE \
               coalesce(r.rngsubtype, 0) END AS under \
             FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
             LEFT JOIN pg_catalog.pg_type e ON e.typarray = t.oid \
             LEFT JOIN pg_catalog.pg_range r ON t.oid IN (r.rngtypid, {multirange}) \
             WHERE t.typtype <> 'c' AND coalesce(e.typtype, 'b') <> 'c'"
        );
        let info = |row: &Row| -> Result<_> {
            Ok(TypeInfo {
                kind: letter(row, "kind")?,
                name: row.get("name")?,
                words: row.get("words")?,
                is_builtin: row.get("is_builtin")?,
                sends_and_receives: row.get("sends_and_receives")?,
                under: row.get("under")?,
                is_array: row.get("is_array")?,
            })
        };
        let rows = reader.rows("types", &sql).await?;
        Ok(Self {
            by_oid: rows
                .iter()
                .map(|row| Ok((row.get("oid")?, info(row)?)))
                .collect::<Result<_>>()?,
        })
    }

    /// The encoding of a table with columns of these types.
    pub(in crate::pg::catalog) fn encoding(
        &self,
        mut types: impl Iterator<Item = u32>,
    ) -> RowEncoding {
        if types.all(|oid| self.is_binary(oid)) { RowEncoding::Binary } else { RowEncoding::Text }
    }

    /// What the values of a type of the database's own are in binary, if they can travel so.
    pub(in crate::pg::catalog) fn sent_as(&self, oid: u32) -> Option<String> {
        let is_own = self.by_oid.get(&oid).is_some_and(|info| !info.is_builtin);
        (is_own && self.is_binary(oid)).then(|| self.words(oid)).flatten()
    }

    fn words(&self, oid: u32) -> Option<String> {
        let info = self.by_oid.get(&oid)?;
        match info.kind {
            _ if info.is_builtin => Some(info.words.clone()),
            'e' => Some("text".to_owned()),
            'd' => self.words(info.under),
            'r' => Some(format!("range of {}", self.words(info.under)?)),
            'm' => Some(format!("multirange of {}", self.words(info.under)?)),
            _ => None,
        }
    }

    fn is_binary(&self, oid: u32) -> bool {
        let Some(info) = self.by_oid.get(&oid) else { return false };
        let is_plain = |info: &TypeInfo| {
            info.is_builtin
                && info.sends_and_receives
                && !info.name.starts_with("reg")
                && !TEXT_ONLY.contains(&info.name.as_str())
        };
        match info.kind {
            // Only built-in elements: an array carries its element type's oid.
            'b' if info.is_array => {
                is_plain(info)
                    && self.by_oid.get(&info.under).is_some_and(|element| element.is_builtin)
                    && self.is_binary(info.under)
            }
            'b' => is_plain(info),
            'e' => true,
            'd' | 'r' | 'm' => self.is_binary(info.under),
            _ => false,
        }
    }
}
