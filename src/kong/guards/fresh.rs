//! A database that `kong migrations bootstrap` has just made: one workspace `default`, an id of the
//! cluster, the executed migrations, and nothing else. What shows that somebody has used it since
//! is one query, which is asked when the target is looked at, and again by the restore when nobody
//! can use it any more.
//!
//! Does not drop anything.

use std::time::Duration;

use crate::error::Result;
use crate::kong::info::live::relations::{self, Relation};
use crate::kong::tables::{SCHEMA_META, makes_function, makes_table};
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::pg::settings::Transaction;
use crate::profile::Fresh;
use crate::sql::ident;

/// How many signs of use are told.
const TOLD: usize = 5;

/// Looks at a schema that has Kong's `schema_meta`. Kong's are the tables that it is known to make,
/// and those that the archive has there too, which a plugin's migrations have made. Returns what
/// bootstrap has made, and what shows that it was used since.
pub async fn look(
    server: &Server,
    schema: &str,
    archived: &[String],
    role: Option<&str>,
    lock_timeout: Duration,
) -> Result<(Fresh, Vec<String>)> {
    let transaction =
        Transaction { row_security: true, role, lock_timeout, ..Transaction::default() };
    let session = server.open(Purpose::Dump(&transaction)).await?;
    let is_kongs = |relation: &Relation| {
        makes_table(&relation.name, &relation.columns()) || archived.contains(&relation.name)
    };
    let all = relations::list(&session, schema, false).await?;
    let tables: Vec<String> = all
        .iter()
        .filter(|relation| is_kongs(relation))
        .map(|relation| relation.name.clone())
        .collect();
    let functions: Vec<String> = functions(&session, schema)
        .await?
        .into_iter()
        .filter(|name| makes_function(name))
        .collect();
    let used = signs(schema, &tables, &functions);
    let fresh = Fresh { schema: schema.to_owned(), tables, functions, used };
    let rows = session.query("look whether the target was used", &fresh.used).await?;
    session.batch("end the transaction", "COMMIT").await?;
    let mut found: Vec<String> =
        rows.iter().take(TOLD).map(|row| row.get(0)).collect::<Result<_>>()?;
    if rows.len() > TOLD {
        found.push("…".to_owned());
    }
    Ok((fresh, found))
}

/// The trigger functions of a schema that are no extension's.
async fn functions(session: &Session, schema: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT f.proname::text FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace n ON n.oid = \
         f.pronamespace WHERE n.nspname = {} AND f.pronargs = 0 AND f.prorettype = \
         'pg_catalog.trigger'::pg_catalog.regtype AND {}",
        ident::literal(schema),
        no_member("pg_proc", "f.oid")
    );
    let rows = session.query("list the functions of the target", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The query for what shows that a schema with just these tables and functions was used.
fn signs(schema: &str, tables: &[String], functions: &[String]) -> String {
    let rows = tables.iter().map(|table| sign(table, &ident::qualified(schema, table)));
    let all: Vec<String> = rows.chain([others(schema, tables, functions)]).collect();
    format!("SELECT sign::text FROM ({}) used(sign)", all.join(" UNION ALL "))
}

/// What shows it in a table's rows.
fn sign(table: &str, name: &str) -> String {
    match table {
        "workspaces" => format!(
            "(SELECT 'workspace ' || coalesce(w.name, '?') FROM {name} w WHERE w.name IS DISTINCT \
             FROM 'default') UNION ALL SELECT 'two workspaces default' WHERE (SELECT \
             pg_catalog.count(*) FROM {name} w WHERE w.name = 'default') > 1"
        ),
        "parameters" => format!(
            "SELECT 'parameter ' || p.key FROM {name} p WHERE p.key IS DISTINCT FROM 'cluster_id'"
        ),
        SCHEMA_META => format!(
            "SELECT 'pending migrations of ' || m.subsystem FROM {name} m WHERE m.pending <> '{{}}'"
        ),
        "locks" => format!(
            "SELECT 'lock ' || l.key || ' of ' || coalesce(l.owner, '?') FROM {name} l WHERE l.ttl \
             IS NULL OR l.ttl > pg_catalog.now()"
        ),
        _ => {
            let text = ident::literal(&format!("rows in {}", ident::quote(table)));
            format!("SELECT {text} WHERE EXISTS (SELECT FROM {name})")
        }
    }
}

/// Objects of the schema that Kong has not made. The sequences of its columns go with its tables.
fn others(schema: &str, tables: &[String], functions: &[String]) -> String {
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| ident::literal(name)).collect();
        format!("ARRAY[{}]::text[]", names.join(", "))
    };
    let (schema, tables, functions) = (ident::literal(schema), list(tables), list(functions));
    let class = "'pg_catalog.pg_class'::pg_catalog.regclass";
    format!(
        "SELECT 'relation ' || pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c JOIN \
           pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} AND \
           c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relname <> ALL ({tables}) AND NOT \
           EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class t ON t.oid = \
           d.refobjid WHERE c.relkind = 'S' AND d.classid = {class} AND d.objid = c.oid AND \
           d.refclassid = {class} AND d.deptype IN ('a', 'i') AND t.relname = ANY ({tables})) AND {} \
         UNION ALL SELECT 'function ' || pg_catalog.quote_ident(f.proname) FROM pg_catalog.pg_proc f \
           JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace WHERE n.nspname = {schema} AND \
           f.proname <> ALL ({functions}) AND {} \
         UNION ALL SELECT 'type ' || pg_catalog.quote_ident(y.typname) FROM pg_catalog.pg_type y \
           JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace LEFT JOIN pg_catalog.pg_class c \
           ON c.oid = y.typrelid WHERE n.nspname = {schema} AND (c.relkind = 'c' OR y.typtype IN \
           ('d', 'e', 'r')) AND {}",
        no_member("pg_class", "c.oid"),
        no_member("pg_proc", "f.oid"),
        no_member("pg_type", "y.oid"),
    )
}

fn no_member(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = \
         'pg_catalog.{class}'::pg_catalog.regclass AND e.objid = {oid})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_its_own_signs_of_use() {
        for (table, expect) in [
            ("workspaces", "w.name IS DISTINCT FROM 'default'"),
            ("parameters", "p.key IS DISTINCT FROM 'cluster_id'"),
            ("schema_meta", "m.pending <> '{}'"),
            ("locks", "l.ttl IS NULL OR l.ttl > pg_catalog.now()"),
            ("services", "SELECT 'rows in services' WHERE EXISTS (SELECT FROM s.\"T\")"),
            ("it's", "SELECT 'rows in \"it''s\"' WHERE EXISTS (SELECT FROM s.\"T\")"),
        ] {
            let sign = sign(table, "s.\"T\"");
            assert!(sign.contains(expect) && sign.contains("FROM s.\"T\""), "{sign}");
        }
    }

    #[test]
    fn the_query_asks_for_each_table_and_for_all_that_is_not_kongs() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let sql = signs("Kong's", &names(&["locks", "routes"]), &names(&["f'"]));
        assert!(sql.starts_with("SELECT sign::text FROM ("));
        for expect in [
            "FROM \"Kong's\".locks l",
            "EXISTS (SELECT FROM \"Kong's\".routes)",
            "n.nspname = 'Kong''s'",
            "c.relname <> ALL (ARRAY['locks', 'routes']::text[])",
            "f.proname <> ALL (ARRAY['f''']::text[])",
            "e.objid = y.oid",
        ] {
            assert!(sql.contains(expect), "{expect}: {sql}");
        }
        let none = signs("s", &[], &[]);
        assert!(none.contains("<> ALL (ARRAY[]::text[])"), "an empty list excludes nothing");
        assert_eq!(none.matches('(').count(), none.matches(')').count());
    }
}
