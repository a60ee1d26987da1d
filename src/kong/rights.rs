//! Whether the role that Kong's nodes connect as may use what a restore has made: Kong takes a
//! table on which it has no right for one that is not there.
//!
//! Does not grant anything.

use crate::error::Result;
use crate::pg::connect::Server;
use crate::pg::session::{Purpose, Session};
use crate::pg::settings::Transaction;
use crate::sql::ident;

/// How many tables are named.
const NAMED: usize = 5;

/// Looks at a schema for a role; a sentence for each thing that Kong would meet.
pub async fn look(server: &Server, schema: &str, role: &str) -> Result<Vec<String>> {
    let session = server.open(Purpose::Dump(&Transaction::default())).await?;
    let told = read(&session, schema, role).await?;
    session.batch("end the transaction", "COMMIT").await?;
    Ok(told)
}

async fn read(session: &Session, schema: &str, role: &str) -> Result<Vec<String>> {
    let doing = "look what Kong's role may do";
    let (role_name, schema_name) = (ident::quote(role), ident::quote(schema));
    let usage = format!(
        "SELECT pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') FROM pg_catalog.pg_roles r, \
         pg_catalog.pg_namespace n WHERE r.rolname = {} AND n.nspname = {}",
        ident::literal(role),
        ident::literal(schema)
    );
    let Some(row) = session.query(doing, &usage).await?.into_iter().next() else {
        return Ok(vec![format!(
            "Kong's role {role_name} (pg_user) is not there: Kong cannot connect; CREATE ROLE \
             {role_name} LOGIN, and make it the owner of what was restored"
        )]);
    };
    let mut told = Vec::new();
    if !row.get::<_, bool>(0)? {
        told.push(format!(
            "Kong's role {role_name} (pg_user) has no USAGE on schema {schema_name}: Kong would \
             say that the database needs bootstrapping; GRANT USAGE ON SCHEMA {schema_name} TO \
             {role_name}"
        ));
    }
    let all = ["SELECT", "INSERT", "UPDATE", "DELETE"]
        .map(|right| format!("pg_catalog.has_table_privilege(r.oid, c.oid, '{right}')"))
        .join(" AND ");
    let sql = format!(
        "SELECT c.relname::text, pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE'), CASE WHEN \
         c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(r.oid, c.oid, 'USAGE') ELSE {all} \
         END FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
         pg_catalog.pg_roles r WHERE r.rolname = {} AND n.nspname = {} AND c.relkind IN ('r', 'p', \
         'S') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND \
         e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid) ORDER BY 1",
        ident::literal(role),
        ident::literal(schema)
    );
    let (mut without, mut not_owned) = (Vec::new(), 0_usize);
    for row in session.query(doing, &sql).await? {
        let (name, is_owner, may_use): (&str, bool, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        not_owned += usize::from(!is_owner);
        if !may_use {
            without.push(ident::qualified(schema, name));
        }
    }
    if !without.is_empty() {
        let more = if without.len() > NAMED {
            format!(" and {} more", without.len() - NAMED)
        } else {
            String::new()
        };
        let named = without.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        told.push(format!(
            "Kong's role {role_name} (pg_user) neither owns these nor has SELECT, INSERT, UPDATE \
             and DELETE on them: {named}{more}; Kong would say that the database needs \
             bootstrapping: restore with --role {role_name}, or GRANT them"
        ));
    } else if not_owned > 0 {
        told.push(format!(
            "Kong's role {role_name} (pg_user) may use the tables and does not own {not_owned} of \
             them: kong migrations has to run as their owner"
        ));
    }
    Ok(told)
}
