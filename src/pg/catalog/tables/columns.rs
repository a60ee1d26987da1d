//! The columns of tables and views, as the catalogs have them: types, defaults, NOT NULL, storage
//! parameters.

use std::collections::HashMap;

use futures_util::try_join;

use crate::error::Result;
use crate::pg::catalog::database::foreign::options_sql;
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter};
use crate::pg::row::Row;
use crate::sql::ident;

/// One column.
#[derive(Clone, Debug)]
pub(in crate::pg::catalog) struct Column {
    pub(in crate::pg::catalog) name: String,
    pub(in crate::pg::catalog) type_oid: u32,
    pub(in crate::pg::catalog) type_name: String,
    pub(in crate::pg::catalog) collation: Option<String>,
    pub(in crate::pg::catalog) not_null: bool,
    /// Declared here, not only inherited.
    pub(in crate::pg::catalog) is_local: bool,
    /// The words that its default or generation expression stands after, and its oid in
    /// `pg_attrdef`.
    pub(in crate::pg::catalog) default: Option<Default>,
    /// The storage, where it is not the type's.
    pub(in crate::pg::catalog) storage: Option<&'static str>,
    pub(in crate::pg::catalog) compression: Option<&'static str>,
    pub(in crate::pg::catalog) statistics: Option<i32>,
    pub(in crate::pg::catalog) options: Vec<String>,
    /// Its options as a foreign table's column, as words.
    pub(in crate::pg::catalog) foreign_options: Vec<String>,
    /// Its NOT NULL constraint, where the server names such (18).
    pub(in crate::pg::catalog) not_null_constraint: Option<NotNull>,
}

#[derive(Clone, Debug)]
pub(in crate::pg::catalog) struct Default {
    pub(in crate::pg::catalog) oid: u32,
    pub(in crate::pg::catalog) expression: String,
    pub(in crate::pg::catalog) generated: Option<&'static str>,
}

/// A row of `pg_constraint` with contype `n`.
#[derive(Clone, Debug)]
pub(in crate::pg::catalog) struct NotNull {
    pub(in crate::pg::catalog) oid: u32,
    pub(in crate::pg::catalog) name: String,
    pub(in crate::pg::catalog) is_local: bool,
    pub(in crate::pg::catalog) is_inheritable: bool,
    pub(in crate::pg::catalog) is_valid: bool,
    /// Another constraint of the schema has the same name, so that the server might not choose it
    /// by itself.
    pub(in crate::pg::catalog) is_ambiguous: bool,
}

/// Columns by their relation's oid, in the order of their numbers.
pub(in crate::pg::catalog) type Columns = HashMap<u32, Vec<Column>>;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Columns> {
    let features = &reader.features;
    let compression = features.column("pg_attribute", "a.attcompression", "''");
    let foreign_options = options_sql("a.attfdwoptions");
    // A column's own statistics target: NULL since 17, -1 before, where it has none.
    let sql = format!(
        "SELECT a.attrelid, a.attname::text AS name, a.atttypid, \
         pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, \
           a.attislocal, a.attgenerated::text AS generated, {compression}::text AS compression, \
           CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END AS storage, \
           CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::int4 END AS statistics, \
           coalesce(a.attoptions, '{{}}') AS options, {foreign_options} AS foreign_options, \
           d.oid AS default_oid, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression, \
           ln.nspname::text AS collation_schema, l.collname::text AS collation \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND \
         a.atthasdef \
         LEFT JOIN (pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace ln ON ln.oid = \
         l.collnamespace) \
           ON l.oid = a.attcollation AND a.attcollation <> t.typcollation \
         WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND \
         {USER_SCHEMA} \
         ORDER BY a.attrelid, a.attnum"
    );
    let (mut not_nulls, rows) = try_join!(read_not_nulls(reader), reader.rows("columns", &sql))?;
    let mut columns = Columns::new();
    for row in &rows {
        let relation: u32 = row.get("attrelid")?;
        let mut column = column(row)?;
        column.not_null_constraint = not_nulls.remove(&(relation, column.name.clone()));
        columns.entry(relation).or_default().push(column);
    }
    Ok(columns)
}

fn column(row: &Row) -> Result<Column> {
    let generated = match letter(row, "generated")? {
        's' => Some("STORED"),
        'v' => Some("VIRTUAL"),
        _ => None,
    };
    let default =
        row.get::<_, Option<u32>>("default_oid")?.zip(row.get::<_, Option<String>>("expression")?);
    let collation = row
        .get::<_, Option<&str>>("collation")?
        .zip(row.get::<_, Option<&str>>("collation_schema")?);
    Ok(Column {
        name: row.get("name")?,
        type_oid: row.get("atttypid")?,
        type_name: row.get("type")?,
        collation: collation.map(|(name, schema)| ident::qualified(schema, name)),
        not_null: row.get("attnotnull")?,
        is_local: row.get("attislocal")?,
        default: default.map(|(oid, expression)| Default { oid, expression, generated }),
        storage: match letter(row, "storage")? {
            'p' => Some("PLAIN"),
            'e' => Some("EXTERNAL"),
            'm' => Some("MAIN"),
            'x' => Some("EXTENDED"),
            _ => None,
        },
        compression: match letter(row, "compression")? {
            'p' => Some("pglz"),
            'l' => Some("lz4"),
            _ => None,
        },
        statistics: row.get("statistics")?,
        options: row.get("options")?,
        foreign_options: row.get("foreign_options")?,
        not_null_constraint: None,
    })
}

async fn read_not_nulls(reader: &Reader<'_>) -> Result<HashMap<(u32, String), NotNull>> {
    // Before 18 there are no such rows, but those of domains (17), which have no relation.
    let sql = format!(
        "SELECT k.oid, k.conrelid, a.attname::text AS column, k.conname::text AS name, \
         k.conislocal, k.connoinherit, k.convalidated, \
           (SELECT count(*) > 1 FROM pg_catalog.pg_constraint o WHERE o.conname = k.conname AND \
           o.connamespace = k.connamespace) AS is_ambiguous \
         FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
         WHERE k.contype = 'n' AND {USER_SCHEMA}"
    );
    let rows = reader.rows("not-null constraints", &sql).await?;
    let constraint = |row: &Row| -> Result<_> {
        Ok(NotNull {
            oid: row.get("oid")?,
            name: row.get("name")?,
            is_local: row.get("conislocal")?,
            is_inheritable: !row.get::<_, bool>("connoinherit")?,
            is_valid: row.get("convalidated")?,
            is_ambiguous: row.get("is_ambiguous")?,
        })
    };
    rows.iter()
        .map(|row| Ok(((row.get("conrelid")?, row.get("column")?), constraint(row)?)))
        .collect()
}

impl NotNull {
    /// Whether a statement of its own adds a column's NOT NULL, after the rows that it may not hold
    /// for. One that is only inherited comes with the parent's, from there: an added one would be
    /// the table's own.
    pub(in crate::pg::catalog) fn is_added_later(&self) -> bool {
        !self.is_valid && self.is_local
    }
}

impl Column {
    /// Whether a column of a table can hold no NULL: since 18 NOT NULL may be said of new rows
    /// only.
    pub(in crate::pg::catalog) fn is_never_null(&self) -> bool {
        self.not_null
            && self.not_null_constraint.as_ref().is_none_or(|constraint| constraint.is_valid)
    }

    /// Its expression's words, for between its type and its NOT NULL.
    pub(in crate::pg::catalog) fn default_clause(&self) -> Option<String> {
        let default = self.default.as_ref()?;
        Some(match default.generated {
            Some(kept) => format!(" GENERATED ALWAYS AS ({}) {kept}", default.expression),
            None => format!(" DEFAULT {}", default.expression),
        })
    }

    /// Whether its value is computed, so that rows are carried without it.
    pub(in crate::pg::catalog) fn is_generated(&self) -> bool {
        self.default.as_ref().is_some_and(|default| default.generated.is_some())
    }
}

/// Writes the storage parameters of a table or column, which the catalogs keep as `name=value`, for
/// between `WITH (` and `)`.
pub(in crate::pg::catalog) fn parameters(options: &[String], prefix: &str) -> Vec<String> {
    let split = options.iter().map(|option| option.split_once('=').unwrap_or((option, "")));
    split
        .map(|(name, value)| {
            let value =
                if ident::quote(value) == value { value.to_owned() } else { ident::literal(value) };
            format!("{prefix}{}={value}", ident::quote(name))
        })
        .collect()
}
