//! Columns and catalogs that came after this program: which of them the objects use that a user
//! made and no extension, and which only the server keeps.
//!
//! What a column means is not known; what it holds is compared with what `initdb`'s own rows hold
//! in it. Where these agree, or where there are none and a value says nothing, the value is taken
//! for the default. Nothing is asked where every column is known.

use super::Reader;
use super::known::{self, KnownColumns, Rows};
use crate::archive::manifest::NotCarried;
use crate::error::Result;
use crate::pg::catalog::draft::address::{FIRST_NORMAL_OID, class};
use crate::pg::session::Session;
use crate::sql::ident;

/// What was found in columns that are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownColumns {
    /// Columns that a user's objects have something in that is not the default.
    pub used: Vec<UsedColumn>,
    /// Columns that `initdb`'s own rows have various values in, as `catalog.column`.
    pub bookkeeping: Vec<String>,
    /// Columns that the role may not read, as `catalog.column`.
    pub unreadable: Vec<String>,
}

/// A column, or a whole catalog, that some objects use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedColumn {
    /// `catalog.column`, or the catalog.
    pub name: String,
    /// How many objects.
    pub objects: i64,
    /// The names of three of them.
    pub examples: Vec<String>,
}

/// Compares the catalogs' columns with known ones. The caller has begun a transaction.
pub async fn unknown_columns(session: &Session, known: &KnownColumns) -> Result<UnknownColumns> {
    let reader = Reader::new(session).await?;
    let found = find(&reader, known).await;
    found.map_err(|error| reader.cause().unwrap_or(error))
}

impl UnknownColumns {
    /// One finding for each column that is used.
    pub(in crate::pg::catalog) fn not_dumped(&self) -> impl Iterator<Item = NotCarried> + '_ {
        self.used.iter().map(|used| {
            let kind = if used.name.contains('.') { "catalog column" } else { "catalog" };
            let and_more = if used.objects > used.examples.len() as i64 && !used.examples.is_empty()
            {
                ", …"
            } else {
                ""
            };
            let objects = if used.objects == 1 { "object uses" } else { "objects use" };
            let examples = used.examples.join(", ");
            let reason = format!(
                "this version does not know it, and {} {objects} it: {examples}{and_more}",
                used.objects
            );
            NotCarried {
                kind: kind.to_owned(),
                name: used.name.clone(),
                reason: reason.trim_end_matches(": ").to_owned(),
            }
        })
    }

    /// What to say of the others.
    pub(in crate::pg::catalog) fn warnings(&self) -> Vec<String> {
        let say = |columns: &[String], why: &str| {
            (!columns.is_empty()).then(|| {
                format!(
                    "catalog columns that this version does not know are not dumped, {why}: {}",
                    columns.join(", ")
                )
            })
        };
        let bookkeeping = say(&self.bookkeeping, "and taken for the server's own bookkeeping");
        bookkeeping
            .into_iter()
            .chain(say(&self.unreadable, "and this role may not read them"))
            .collect()
    }
}

/// Asks for each catalog with columns that are not known once.
pub(in crate::pg::catalog) async fn find(
    reader: &Reader<'_>,
    known: &KnownColumns,
) -> Result<UnknownColumns> {
    let mut found = UnknownColumns::default();
    let mut unknown: Vec<(&str, Vec<&str>)> = known
        .iter()
        .map(|(catalog, columns)| {
            (catalog.as_str(), reader.features.columns_beside(catalog, columns))
        })
        .collect();
    unknown.retain(|(_, columns)| !columns.is_empty());
    hide(reader, &mut unknown, &mut found).await?;
    for (catalog, columns) in &unknown {
        for row in reader.rows("columns that are not known", &question(catalog, columns)).await? {
            let name = format!("{catalog}.{}", row.get::<_, &str>("name")?);
            let objects: i64 = row.get("objects")?;
            let examples: Option<Vec<Option<String>>> = row.get("examples")?;
            match row.get::<_, i64>("initdb_values")? {
                2.. => found.bookkeeping.push(name),
                _ if objects > 0 => {
                    found.used.push(UsedColumn {
                        name,
                        objects,
                        examples: examples.into_iter().flatten().flatten().collect(),
                    });
                }
                _ => {}
            }
        }
    }
    unheard_of(reader, known, &mut found).await?;
    Ok(found)
}

/// Takes away the columns that the role may not read: to name one would end the transaction.
async fn hide(
    reader: &Reader<'_>,
    unknown: &mut Vec<(&str, Vec<&str>)>,
    found: &mut UnknownColumns,
) -> Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    let values: Vec<String> = unknown
        .iter()
        .flat_map(|(catalog, columns)| {
            columns.iter().map(|column| ident::literals(catalog, column))
        })
        .collect();
    let sql = format!(
        "SELECT v.catalog, v.name FROM (VALUES {}) v(catalog, name) \
         WHERE NOT pg_catalog.has_column_privilege('pg_catalog.' || v.catalog, v.name, 'SELECT') \
         ORDER BY 1, 2",
        values.join(", ")
    );
    for row in reader.rows("columns that may be read", &sql).await? {
        let catalog: String = row.get("catalog")?;
        let name: String = row.get("name")?;
        found.unreadable.push(format!("{catalog}.{name}"));
        for (_, columns) in unknown.iter_mut().filter(|(unknown, _)| **unknown == catalog) {
            columns.retain(|column| *column != name);
        }
    }
    unknown.retain(|(_, columns)| !columns.is_empty());
    Ok(())
}

/// How many values `initdb`'s rows have in each column, and which rows of users hold something else
/// than the one, or than nothing where `initdb` made no row.
fn question(catalog: &str, columns: &[&str]) -> String {
    let Rows { class, object, part, is_initdb, is_user } = known::rows(catalog);
    let cells: Vec<String> = columns
        .iter()
        .map(|column| format!("({}, o.{}::text)", ident::literal(column), ident::quote(column)))
        .collect();
    format!(
        "WITH RECURSIVE {}, cells AS MATERIALIZED ( \
           SELECT v.name, v.value, {is_initdb} AS is_initdb, {class} AS class, {object} AS object, \
           {part} AS part \
           FROM pg_catalog.{catalog} o, LATERAL (VALUES {}) v(name, value) \
           WHERE {is_initdb} OR {is_user} AND ({class}, {object}) NOT IN (SELECT class, object \
           FROM made)), \
         defaults AS (SELECT v.name, count(DISTINCT coalesce(c.value, E'\\x01')) FILTER (WHERE \
         c.is_initdb) AS initdb_values, min(c.value COLLATE \"C\") AS value \
           FROM (VALUES {}) v(name) LEFT JOIN cells c ON c.name = v.name AND c.is_initdb GROUP BY \
           1), \
         others AS MATERIALIZED (SELECT d.name, c.class, c.object, c.part FROM defaults d JOIN \
         cells c ON c.name = d.name AND NOT c.is_initdb \
           WHERE CASE d.initdb_values WHEN 0 THEN c.value NOT IN ('', '0', '0/0', 'false', '{{}}', \
           '-', '-1') \
             WHEN 1 THEN c.value IS DISTINCT FROM d.value ELSE false END) \
         SELECT d.name, d.initdb_values, (SELECT count(*) FROM others o WHERE o.name = d.name) AS \
         objects, \
           (SELECT pg_catalog.array_agg(i.identity) \
            FROM (SELECT * FROM others o WHERE o.name = d.name ORDER BY o.object, o.part LIMIT 3) \
            o, \
              LATERAL pg_catalog.pg_identify_object(o.class, o.object, o.part) i) AS examples \
         FROM defaults d ORDER BY d.name",
        made_by_extensions(),
        cells.join(", "),
        columns
            .iter()
            .map(|column| format!("({})", ident::literal(column)))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

/// The objects that no user made: members of extensions and what hangs on them, a table's index, a
/// type's array. A partition, and what a publication lists, is its owner's.
fn made_by_extensions() -> String {
    let (tables, list, schemas) =
        (class::CLASS, class::PUBLICATION_REL, class::PUBLICATION_NAMESPACE);
    format!(
        "made(class, object) AS (SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE \
         d.deptype = 'e' \
         UNION SELECT d.classid, d.objid FROM made m JOIN pg_catalog.pg_depend d ON d.refclassid = \
         m.class AND d.refobjid = m.object \
           WHERE d.deptype IN ('a', 'i') AND d.classid NOT IN ({list}, {schemas}) AND NOT \
           (d.classid = {tables} AND EXISTS ( \
             SELECT FROM pg_catalog.pg_class c WHERE c.oid = d.objid AND c.relkind IN ('r', 'p', \
             'f') AND c.oid <> m.object)))"
    )
}

/// Names catalogs without numbered rows that came after this program, by how many of their rows are
/// of an object that a user made: such a catalog's first column says which. Those with numbered
/// rows are looked at with all objects.
async fn unheard_of(
    reader: &Reader<'_>,
    known: &KnownColumns,
    found: &mut UnknownColumns,
) -> Result<()> {
    let bare: Vec<&str> = (reader.features.catalogs())
        .filter(|catalog| !reader.features.has(catalog, "oid"))
        .filter(|catalog| !known.contains_key(*catalog) && !known::NO_OBJECTS.contains(catalog))
        .collect();
    if bare.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = bare.iter().map(|name| ident::literal(name)).collect();
    let sql = format!(
        "SELECT c.relname::text AS catalog, a.attname::text AS name FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
         WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relname IN ({}) AND \
         NOT c.relisshared AND a.attnum = 1 \
         AND a.atttypid = 'oid'::pg_catalog.regtype AND pg_catalog.has_table_privilege(c.oid, \
         'SELECT') ORDER BY 1",
        names.join(", ")
    );
    for row in reader.rows("catalogs that are not known", &sql).await? {
        let catalog: String = row.get("catalog")?;
        let column: String = row.get("name")?;
        let (from, column) = (ident::qualified("pg_catalog", &catalog), ident::quote(&column));
        let sql = format!(
            "SELECT count(*) AS objects FROM {from} o WHERE o.{column} >= {FIRST_NORMAL_OID}"
        );
        for row in reader.rows("catalogs that are not known", &sql).await? {
            let objects: i64 = row.get("objects")?;
            if objects > 0 {
                found.used.push(UsedColumn {
                    name: catalog.clone(),
                    objects,
                    examples: Vec::new(),
                });
            }
        }
    }
    Ok(())
}
