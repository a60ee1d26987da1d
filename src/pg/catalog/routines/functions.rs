//! Functions, procedures and window functions, as `pg_get_functiondef` writes them.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, present};
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    // Internal dependencies mark what CREATE TYPE … AS RANGE makes along.
    let sql = format!(
        "SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, p.prokind::text AS \
         kind, \
           pg_catalog.pg_get_functiondef(p.oid) AS definition, \
           pg_catalog.pg_get_function_identity_arguments(p.oid) AS arguments, \
           pg_catalog.pg_get_userbyid(p.proowner)::text AS owner \
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         WHERE p.prokind <> 'a' AND {USER_SCHEMA} AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend \
         d \
           WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND \
           d.deptype IN ('i', 'e'))"
    );
    let rows = reader.rows("functions", &sql).await?;
    let mut drafts = Vec::with_capacity(rows.len());
    for row in &rows {
        let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
        let arguments: String = present(row, "arguments", "functions")?;
        let definition: String = present(row, "definition", "functions")?;
        let signature = format!("{}({arguments})", ident::qualified(schema, name));
        let word = if row.get::<_, &str>("kind")? == "p" { "PROCEDURE" } else { "FUNCTION" };
        // An existing function must be an error, not replaced.
        let create = match definition.trim_end().strip_prefix("CREATE OR REPLACE ") {
            Some(rest) => format!("CREATE {rest}"),
            None => definition,
        };
        let address = Address::new(class::PROC, row.get("oid")?);
        let draft = Draft::new(
            address,
            ObjectKind::Function,
            Some(schema),
            &format!("{name}({arguments})"),
            format!("{word} {signature}"),
        );
        drafts.push(draft.made_by(vec![create]).owned_by(row.get("owner")?));
    }
    Ok(drafts)
}
