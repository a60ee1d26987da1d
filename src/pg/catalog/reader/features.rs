//! What this server's catalogs have. Asked of the catalogs themselves, not derived from a version
//! number, so that a newer server than any we know is read by what it offers.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::error::Result;
use crate::pg::session::Session;

/// The columns of the system catalogs.
#[derive(Debug, Default)]
pub(in crate::pg::catalog) struct Features {
    columns: HashMap<String, HashSet<String>>,
}

impl Features {
    pub(in crate::pg::catalog) async fn read(session: &Session) -> Result<Self> {
        let doing = "ask what the catalogs have";
        let sql = "SELECT c.relname::text, pg_catalog.array_agg(a.attname::text) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND \
             a.attnum > 0 AND NOT a.attisdropped \
             WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relkind = 'r' AND \
             c.oid < 16384 GROUP BY 1";
        let rows = session.query(doing, sql).await?;
        let columns = rows
            .iter()
            .map(|row| Ok((row.get(0)?, row.get::<_, Vec<String>>(1)?.into_iter().collect())))
            .collect::<Result<_>>()?;
        Ok(Self { columns })
    }

    /// Whether there is such a catalog.
    pub(in crate::pg::catalog) fn has_catalog(&self, catalog: &str) -> bool {
        self.columns.contains_key(catalog)
    }

    /// The catalogs that have the column.
    pub(in crate::pg::catalog) fn catalogs_with<'a>(
        &'a self,
        column: &'a str,
    ) -> impl Iterator<Item = &'a str> + 'a {
        self.columns
            .iter()
            .filter(move |(_, columns)| columns.contains(column))
            .map(|(catalog, _)| catalog.as_str())
    }

    /// The columns that this server's catalog has beside these, in the order of their names.
    pub(in crate::pg::catalog) fn columns_beside<'a>(
        &'a self,
        catalog: &str,
        known: &BTreeSet<String>,
    ) -> Vec<&'a str> {
        let mut columns: Vec<&str> = self
            .columns
            .get(catalog)
            .into_iter()
            .flatten()
            .filter(|column| !known.contains(*column))
            .map(String::as_str)
            .collect();
        columns.sort_unstable();
        columns
    }

    /// The names of all catalogs.
    pub(in crate::pg::catalog) fn catalogs(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// Whether the catalog has the column.
    pub(in crate::pg::catalog) fn has(&self, catalog: &str, column: &str) -> bool {
        self.columns.get(catalog).is_some_and(|columns| columns.contains(column))
    }

    /// `alias.column` where the catalog has the column, otherwise the expression that says what its
    /// absence means.
    pub(in crate::pg::catalog) fn column(
        &self,
        catalog: &str,
        alias_and_column: &str,
        absent: &str,
    ) -> String {
        let column = alias_and_column.rsplit('.').next().unwrap_or(alias_and_column);
        if self.has(catalog, column) { alias_and_column.to_owned() } else { absent.to_owned() }
    }
}
