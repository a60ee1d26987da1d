//! Roles with their attributes, and what their sessions begin with in every database.

use super::{labels, said};
use crate::error::Result;
use crate::pg::catalog::database::quoted_value;
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::ident;

/// The server's own roles are on every server.
const OWN: &str = "rolname !~ '^pg_'";

/// Reads the roles: what makes each unless it is there, and what makes it what it is.
pub(super) async fn read(reader: &Reader<'_>, passwords: bool) -> Result<(Vec<String>, u64)> {
    let (catalog, password) =
        if passwords { ("pg_authid", "r.rolpassword") } else { ("pg_roles", "NULL::text") };
    let sql = format!(
        "SELECT r.oid, r.rolname::text AS name, r.rolsuper, r.rolinherit, r.rolcreaterole, \
         r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit, \
         {password} AS password, r.rolvaliduntil::text AS valid_until, \
         pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment \
         FROM pg_catalog.{catalog} r WHERE r.{OWN} ORDER BY 2"
    );
    let labels = labels(reader, "pg_catalog.pg_authid").await?;
    let rows = reader.rows("roles", &sql).await?;
    let mut statements = Vec::new();
    for row in &rows {
        let name: String = row.get("name")?;
        let on = format!("ROLE {}", ident::quote(&name));
        statements.push(created(&name));
        statements.push(altered(&on, row)?);
        let comment: Option<String> = row.get("comment")?;
        statements.extend(said(&on, comment.as_deref(), &labels, row.get("oid")?));
    }
    Ok((statements, rows.len() as u64))
}

/// Makes a role unless it is there, as the one is that runs it.
fn created(name: &str) -> String {
    let body = format!(
        "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {}) THEN CREATE ROLE \
         {}; END IF; END",
        ident::literal(name),
        ident::quote(name)
    );
    format!("DO {}", ident::literal(&body))
}

fn altered(on: &str, row: &Row) -> Result<String> {
    let attributes = [
        ("rolsuper", "SUPERUSER"),
        ("rolinherit", "INHERIT"),
        ("rolcreaterole", "CREATEROLE"),
        ("rolcreatedb", "CREATEDB"),
        ("rolcanlogin", "LOGIN"),
        ("rolreplication", "REPLICATION"),
        ("rolbypassrls", "BYPASSRLS"),
    ];
    let mut sql = format!("ALTER {on} WITH");
    for (column, word) in attributes {
        let no = if row.get(column)? { "" } else { "NO" };
        sql.extend([" ", no, word]);
    }
    let limit: i32 = row.get("rolconnlimit")?;
    sql.extend([" CONNECTION LIMIT ", &limit.to_string()]);
    if let Some(password) = row.get::<_, Option<String>>("password")? {
        sql.extend([" PASSWORD ", &ident::literal(&password)]);
    }
    if let Some(until) = row.get::<_, Option<String>>("valid_until")? {
        sql.extend([" VALID UNTIL ", &ident::literal(&until)]);
    }
    Ok(sql)
}

/// What sessions of single roles, or of all, begin with in every database.
pub(super) async fn settings(reader: &Reader<'_>) -> Result<Vec<String>> {
    let sql = "SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole)::text \
         END AS role, c.setting \
         FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) WITH ORDINALITY \
         c(setting, place) \
         WHERE s.setdatabase = 0 ORDER BY s.setrole <> 0, 1, c.place";
    let rows = reader.rows("roles' settings", sql).await?;
    let statement = |row: &Row| -> Result<_> {
        let (name, value) = row.get::<_, &str>("setting")?.split_once('=').unwrap_or_default();
        let role: Option<String> = row.get("role")?;
        let role = role.map_or_else(|| "ALL".to_owned(), |role| ident::quote(&role));
        Ok(format!("ALTER ROLE {role} SET {} TO {}", ident::quote(name), quoted_value(name, value)))
    };
    rows.iter().map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_made_once() {
        let expect = "DO 'BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = \
            ''O''''Neil'') THEN CREATE ROLE \"O''Neil\"; END IF; END'";
        assert_eq!(created("O'Neil"), expect);
    }
}
