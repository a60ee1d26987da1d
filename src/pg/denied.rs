//! What a dump has to read and its role may not: all of it at once, each with the option that
//! leaves it out.

use super::catalog::ListedTable;
use super::row::Row;
use super::session::Session;
use crate::error::{Error, Kind, Result};
use crate::sql::ident;

/// Looks which of the tables the role may not read, in a session whose transaction has failed for
/// one of them.
pub(super) async fn explain(session: &Session, error: Error, tables: &[&ListedTable]) -> Error {
    match look(session, tables).await {
        Ok(items) if !items.is_empty() => self::error("lock the tables", items),
        _ => error,
    }
}

async fn look(session: &Session, tables: &[&ListedTable]) -> Result<Vec<String>> {
    session.batch("roll back", "ROLLBACK").await?;
    let oids = tables.iter().map(|table| table.oid.to_string()).collect::<Vec<_>>().join(",");
    // A schema that may not be used stands for all in it.
    let sql = format!(
        "SELECT n.nspname::text AS schema, CASE WHEN pg_catalog.has_schema_privilege(n.oid, \
         'USAGE') THEN c.relname::text END AS name \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE \
         c.oid = ANY (ARRAY[{oids}]::oid[]) \
           AND NOT (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND \
           pg_catalog.has_table_privilege(c.oid, 'SELECT')) \
         GROUP BY 1, 2 ORDER BY 2 NULLS FIRST, 1"
    );
    let rows = session.query("look which tables may be read", &sql).await?;
    let denied = |row: &Row| {
        let schema: &str = row.get("schema")?;
        Ok(match row.get::<_, Option<&str>>("name")? {
            None => item("schema", &ident::quote(schema), "-N"),
            Some(name) => item("table", &ident::qualified(schema, name), "-T"),
        })
    };
    rows.iter().map(denied).collect()
}

/// `schema app, left out by -N app`: the name, quoted, and what to type at a shell's prompt.
pub fn item(kind: &str, name: &str, option: &str) -> String {
    let is_plain =
        name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let word =
        if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) };
    format!("{kind} {name}, left out by {option} {word}")
}

/// The error that names them.
pub fn error(doing: &str, mut items: Vec<String>) -> Error {
    let hint = "grant USAGE on the schemas and SELECT on what is in them, or leave it out as shown";
    let denied = |what: &str| {
        Error::new(Kind::Requirement, doing, format!("permission denied for {what}")).hint(hint)
    };
    if items.len() == 1 {
        denied(&items.remove(0))
    } else {
        denied(&format!("{} objects", items.len())).with_items(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_type() {
        assert_eq!(item("schema", "app", "-N"), "schema app, left out by -N app");
        assert_eq!(
            item("table", "app.\"It's\"", "-T"),
            r#"table app."It's", left out by -T 'app."It'\''s"'"#
        );
    }
}
