//! Reads the server's views: one question each, for the whole database.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::columns::{EXTENDED, OF_COLUMNS};
use super::multivariate::{self, Places};
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::archive::statistics::{
    ColumnStatistics, ExtendedStatistics, RelationSize, Statistics, Values,
};
use crate::error::Result;
use crate::pg::catalog::USER_SCHEMA;
use crate::pg::row::Row;
use crate::pg::session::Session;

/// Reads the statistics of these objects, in their order. A role sees those of the columns that it
/// may read, and extended ones of what it owns; what it does not see is missing.
pub async fn read(session: &Session, objects: &[Object]) -> Result<Vec<Statistics>> {
    let known = Known::read(session).await?;
    let mut found = Found { by_name: relations(objects), ..Found::default() };
    found.add_sizes(&session.query(DOING, &sizes(&known)).await?)?;
    found.add_columns(&session.query(DOING, &columns(&known)).await?)?;
    let extended = names(objects, |object| object.kind == ObjectKind::Statistics);
    if !extended.is_empty() {
        let places = places(&session.query(DOING, PLACES).await?)?;
        found.by_name = extended;
        found.add_extended(&session.query(DOING, &self::extended(&known)).await?, &places)?;
        if known.has("pg_stats_ext_exprs", "expr") {
            found.add_expressions(&session.query(DOING, &expressions(&known)).await?)?;
        }
    }
    // The views have rows where nothing was gathered, too.
    for statistics in found.statistics.values_mut() {
        statistics.extended.retain(|one| {
            !one.values.is_empty() || one.expressions.iter().any(|values| !values.is_empty())
        });
    }
    // What was never analyzed has nothing to tell.
    let tells = |one: &Statistics| {
        let has_size = one.size.as_ref().is_some_and(|size| size.rows != "-1");
        has_size || !one.columns.is_empty() || !one.extended.is_empty()
    };
    let mut found = found.statistics;
    Ok(objects.iter().filter_map(|object| found.remove(&object.id)).filter(tells).collect())
}

const DOING: &str = "read planner statistics";

/// By schema and name.
type Names = HashMap<(String, String), ObjectId>;

fn relations(objects: &[Object]) -> Names {
    use ObjectKind::{Constraint, ForeignTable, Index, MaterializedView, Table};
    let holders = |kind| matches!(kind, ForeignTable | MaterializedView | Table);
    let tables: HashSet<ObjectId> =
        objects.iter().filter(|object| holders(object.kind)).map(|object| object.id).collect();
    // A constraint of a table that is an object of its own has an index of its name.
    let is_key = |object: &Object| {
        object.kind == Constraint && object.of.is_some_and(|of| tables.contains(&of))
    };
    names(objects, |object| holders(object.kind) || object.kind == Index || is_key(object))
}

fn names(objects: &[Object], wanted: impl Fn(&Object) -> bool) -> Names {
    let wanted = objects.iter().filter(|object| wanted(object));
    wanted
        .filter_map(|object| Some(((object.schema.clone()?, object.name.clone()), object.id)))
        .collect()
}

/// The columns of the views, which become more from version to version.
struct Known(HashSet<(String, String)>);

impl Known {
    async fn read(session: &Session) -> Result<Self> {
        let sql = "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_attribute a JOIN \
            pg_catalog.pg_class c ON c.oid = a.attrelid \
             WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relname IN \
             ('pg_class', 'pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs')";
        let rows = session.query(DOING, sql).await?;
        Ok(Self(rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?))
    }

    fn has(&self, view: &str, column: &str) -> bool {
        self.0.contains(&(view.to_owned(), column.to_owned()))
    }

    /// The list of a query that reads planner statistics: `s.name::text AS name, …`, NULL where the
    /// server has no such column.
    fn select(&self, view: &str, columns: &[(&str, &str)]) -> String {
        let columns = columns.iter().map(|(name, _)| {
            let value = if self.has(view, name) { format!("s.{name}") } else { "NULL".to_owned() };
            format!("{value}::text AS {name}")
        });
        columns.collect::<Vec<_>>().join(", ")
    }
}

fn sizes(known: &Known) -> String {
    let frozen =
        if known.has("pg_class", "relallfrozen") { "c.relallfrozen" } else { "NULL::int4" };
    format!(
        "SELECT n.nspname::text, c.relname::text, c.relpages, c.reltuples::text, c.relallvisible, \
         {frozen} \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'm', 'f', 'i', 'I') AND c.relpersistence <> 't' AND \
         {USER_SCHEMA}"
    )
}

fn columns(known: &Known) -> String {
    format!(
        "SELECT s.schemaname::text, s.tablename::text, s.attname::text, a.attnum, s.inherited, {} \
         FROM pg_catalog.pg_stats s \
         JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname JOIN pg_catalog.pg_class c ON \
         c.relnamespace = n.oid AND c.relname = s.tablename \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname WHERE \
         {USER_SCHEMA} ORDER BY 1, 2, 4, 5",
        known.select("pg_stats", OF_COLUMNS)
    )
}

fn extended(known: &Known) -> String {
    // Before 15 there was one row, of a partitioned table's partitions.
    let inherited =
        if known.has("pg_stats_ext", "inherited") { "s.inherited" } else { "c.relkind = 'p'" };
    format!(
        "SELECT s.statistics_schemaname::text, s.statistics_name::text, c.oid, {inherited}, {} \
         FROM pg_catalog.pg_stats_ext s \
         JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname JOIN pg_catalog.pg_class c ON \
         c.relnamespace = n.oid AND c.relname = s.tablename \
         WHERE {USER_SCHEMA} ORDER BY 1, 2, 4",
        known.select("pg_stats_ext", EXTENDED)
    )
}

/// The view tells expressions in their order, and has no number for it.
fn expressions(known: &Known) -> String {
    let inherited =
        if known.has("pg_stats_ext_exprs", "inherited") { "s.inherited" } else { "NULL::bool" };
    format!(
        "SELECT s.statistics_schemaname::text, s.statistics_name::text, {inherited}, {} FROM \
         pg_catalog.pg_stats_ext_exprs s",
        known.select("pg_stats_ext_exprs", OF_COLUMNS)
    )
}

/// The numbers of the columns of all tables with extended statistics, and their places in a new
/// one.
const PLACES: &str = "SELECT a.attrelid, a.attnum::int8, pg_catalog.row_number() OVER (PARTITION \
    BY a.attrelid ORDER BY a.attnum) \
     FROM pg_catalog.pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN \
     (SELECT x.stxrelid FROM pg_catalog.pg_statistic_ext x)";

fn places(rows: &[Row]) -> Result<HashMap<u32, Places>> {
    let mut places: HashMap<u32, Places> = HashMap::new();
    for row in rows {
        places.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(places)
}

#[derive(Default)]
struct Found {
    by_name: Names,
    statistics: BTreeMap<ObjectId, Statistics>,
}

impl Found {
    /// Where the statistics of a row's object go, if that is wanted.
    fn of(&mut self, row: &Row) -> Result<Option<&mut Statistics>> {
        let Some(&object) = self.by_name.get(&(row.get(0)?, row.get(1)?)) else { return Ok(None) };
        let none = || Statistics { object, size: None, columns: Vec::new(), extended: Vec::new() };
        Ok(Some(self.statistics.entry(object).or_insert_with(none)))
    }

    fn add_sizes(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            let size = RelationSize {
                pages: row.get(2)?,
                rows: row.get(3)?,
                all_visible: row.get(4)?,
                all_frozen: row.get(5)?,
            };
            if let Some(statistics) = self.of(row)? {
                statistics.size = Some(size);
            }
        }
        Ok(())
    }

    fn add_columns(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            let values = values(row, 5, OF_COLUMNS)?;
            let column = ColumnStatistics {
                name: row.get(2)?,
                number: row.get(3)?,
                inherited: row.get(4)?,
                values,
            };
            if let Some(statistics) = self.of(row)? {
                statistics.columns.push(column);
            }
        }
        Ok(())
    }

    fn add_extended(&mut self, rows: &[Row], places: &HashMap<u32, Places>) -> Result<()> {
        let none = Places::new();
        for row in rows {
            let mut values = values(row, 4, EXTENDED)?;
            let places = places.get(&row.get(2)?).unwrap_or(&none);
            for (name, rewrite) in [
                ("n_distinct", multivariate::n_distinct as fn(&str, &Places) -> _),
                ("dependencies", multivariate::dependencies),
            ] {
                if let Some(text) = values.remove(name) {
                    values.extend(rewrite(&text, places).map(|text| (name.to_owned(), text)));
                }
            }
            let extended =
                ExtendedStatistics { inherited: row.get(3)?, values, expressions: Vec::new() };
            if let Some(statistics) = self.of(row)? {
                statistics.extended.push(extended);
            }
        }
        Ok(())
    }

    /// Expressions belong to the row that counts the same tables; before 15 there is but one.
    fn add_expressions(&mut self, rows: &[Row]) -> Result<()> {
        for row in rows {
            let (inherited, values): (Option<bool>, _) = (row.get(2)?, values(row, 3, OF_COLUMNS)?);
            if let Some(statistics) = self.of(row)? {
                let same = |one: &&mut ExtendedStatistics| {
                    inherited.is_none_or(|inherited| inherited == one.inherited)
                };
                if let Some(extended) = statistics.extended.iter_mut().find(same) {
                    extended.expressions.push(values);
                }
            }
        }
        Ok(())
    }
}

fn values(row: &Row, first: usize, known: &[(&str, &str)]) -> Result<Values> {
    let mut values = Values::new();
    for (at, (name, _)) in known.iter().enumerate() {
        values.extend(
            row.get::<_, Option<String>>(first + at)?.map(|value| ((*name).to_owned(), value)),
        );
    }
    Ok(values)
}
