//! The tables of a schema as the catalog has them, and how many rows they have: of small ones they
//! are counted, of others the server's estimate is taken.
//!
//! Does not read the rows themselves.

use super::super::facts::{CHEAP_BYTES, Request, Rows, Table, expiry};
use crate::error::Result;
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::sql::ident;

/// A table as the catalog has it.
pub(in crate::kong) struct Relation {
    pub(in crate::kong) name: String,
    estimate: Option<i64>,
    total_bytes: i64,
    table_bytes: i64,
    pub(super) may_read: bool,
    columns: Vec<(String, String)>,
}

/// What was counted: rows, and those that have expired.
pub(super) type Counted = Option<(i64, Option<i64>)>;

impl Relation {
    pub(super) fn table(&self, counted: Counted) -> Table {
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let rows = match (counted, self.estimate) {
            (Some((rows, _)), _) => Rows::Exact(number(rows)),
            (None, Some(estimate)) => Rows::Estimate(number(estimate)),
            (None, None) => Rows::Unknown,
        };
        Table {
            name: self.name.clone(),
            rows,
            bytes: number(self.total_bytes),
            expired: counted.and_then(|(_, expired)| expired).map(number),
        }
    }

    /// The names of its columns.
    pub(in crate::kong) fn columns(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn type_of(&self, column: &str) -> Option<&str> {
        let found = self.columns.iter().find(|(name, _)| name == column);
        found.map(|(_, type_name)| type_name.as_str())
    }

    /// The rows that have expired, as an aggregate.
    fn expired(&self) -> Option<String> {
        let column = expiry(&self.name)?;
        let now = match self.type_of(column)? {
            "timestamp with time zone" => "pg_catalog.now()",
            "timestamp without time zone" => "(pg_catalog.now() AT TIME ZONE 'UTC')",
            _ => return None,
        };
        Some(format!("pg_catalog.count(*) FILTER (WHERE {} < {now})", ident::quote(column)))
    }
}

/// The tables of a schema, but for those of extensions. To ask for a size is to wait for whoever has
/// locked the table; without it, sizes are 0.
pub(in crate::kong) async fn list(
    session: &Session,
    schema: &str,
    sizes: bool,
) -> Result<Vec<Relation>> {
    let size = |function: &str| {
        if sizes {
            format!("coalesce(pg_catalog.{function}(c.oid), 0)")
        } else {
            "0::int8".to_owned()
        }
    };
    let columns = |what: &str| {
        format!(
            "coalesce((SELECT pg_catalog.array_agg({what} ORDER BY a.attnum) FROM \
             pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT \
             a.attisdropped), '{{}}')"
        )
    };
    let sql = format!(
        "SELECT c.relname::text, CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END, \
         {}, {}, \
         pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND \
         pg_catalog.has_table_privilege(c.oid, 'SELECT'), {}, {} \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = {} AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM \
         pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND \
         d.objid = c.oid AND d.deptype = 'e') ORDER BY 1",
        size("pg_total_relation_size"),
        size("pg_table_size"),
        columns("a.attname::text"),
        columns("pg_catalog.format_type(a.atttypid, a.atttypmod)"),
        ident::literal(schema)
    );
    let relation = |row: &Row| {
        let (names, types): (Vec<String>, Vec<String>) = (row.get(5)?, row.get(6)?);
        Ok(Relation {
            name: row.get(0)?,
            estimate: row.get(1)?,
            total_bytes: row.get(2)?,
            table_bytes: row.get(3)?,
            may_read: row.get(4)?,
            columns: names.into_iter().zip(types).collect(),
        })
    };
    session.query("list Kong's tables", &sql).await?.iter().map(relation).collect()
}

/// Counts the rows of what is small, all in one statement.
pub(super) async fn count(
    session: &Session,
    schema: &str,
    relations: &[Relation],
    request: Request<'_>,
) -> Result<Vec<Counted>> {
    let is_counted = |relation: &&Relation| {
        relation.may_read
            && request.counts(&relation.name)
            && (request.exact || relation.table_bytes <= CHEAP_BYTES as i64)
    };
    let counts: Vec<String> = (0_i32..)
        .zip(relations)
        .filter(|(_, relation)| is_counted(relation))
        .map(|(at, relation)| {
            let expired = relation.expired().unwrap_or_else(|| "NULL::int8".to_owned());
            let table = ident::qualified(schema, &relation.name);
            format!("SELECT {at}, pg_catalog.count(*), {expired} FROM {table}")
        })
        .collect();
    let mut all = vec![None; relations.len()];
    if counts.is_empty() {
        return Ok(all);
    }
    for row in session.query("count the rows", &counts.join(" UNION ALL ")).await? {
        let at: i32 = row.get(0)?;
        if let Some(counted) = usize::try_from(at).ok().and_then(|at| all.get_mut(at)) {
            *counted = Some((row.get(1)?, row.get(2)?));
        }
    }
    Ok(all)
}
