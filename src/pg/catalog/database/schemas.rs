//! Schemas. `public` is never created: an empty database has it, and only what differs from that is
//! said.

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    // Since 15 `public` belongs to pg_database_owner (6171), before that to the role that initdb
    // made (10). Other locale providers than libc came with the same version.
    let default_owner =
        if reader.features.has("pg_database", "datlocprovider") { 6171 } else { 10 };
    let sql = format!(
        "SELECT n.oid, n.nspname::text AS name, pg_catalog.pg_get_userbyid(n.nspowner)::text AS \
         owner, \
           n.nspowner = {default_owner} AS is_default_owner \
         FROM pg_catalog.pg_namespace n WHERE {USER_SCHEMA}"
    );
    let rows = reader.rows("schemas", &sql).await?;
    let draft = |row: &&Row| -> Result<Draft> {
        let name: &str = row.get("name")?;
        let quoted = ident::quote(name);
        let draft = Draft::new(
            Address::new(class::NAMESPACE, row.get("oid")?),
            ObjectKind::Schema,
            None,
            name,
            format!("SCHEMA {quoted}"),
        );
        if name != "public" {
            return Ok(draft
                .made_by(vec![format!("CREATE SCHEMA {quoted}")])
                .owned_by(row.get("owner")?));
        }
        let owner = if row.get("is_default_owner")? { None } else { Some(row.get("owner")?) };
        Ok(Draft { owner, drop: None, ..draft })
    };
    reader.own(&rows, class::NAMESPACE)?.iter().map(draft).collect()
}
