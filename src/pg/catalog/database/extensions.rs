//! Extensions, and which of their tables hold a user's settings. Their members are made by them and
//! are not objects of ours.

use std::collections::HashMap;

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class};
use crate::pg::catalog::reader::Reader;
use crate::sql::ident;

/// A table of an extension whose rows a dump takes along (`pg_extension_config_dump`).
#[derive(Clone, Debug)]
pub(in crate::pg::catalog) struct ConfigTable {
    pub(in crate::pg::catalog) extension: Address,
    /// The condition that tells a user's rows from the extension's own, beginning with `WHERE`.
    pub(in crate::pg::catalog) filter: Option<String>,
}

/// Reads the extensions, and by oid the tables and sequences that hold their configuration.
pub(in crate::pg::catalog) async fn read(
    reader: &Reader<'_>,
) -> Result<(Vec<Draft>, HashMap<u32, ConfigTable>)> {
    // Those of initdb (plpgsql) are in every database.
    let sql = format!(
        "SELECT e.oid, e.extname::text AS name, n.nspname::text AS schema, \
           coalesce(e.extconfig, '{{}}') AS config, coalesce(e.extcondition, '{{}}') AS conditions \
         FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
         WHERE e.oid >= {FIRST_NORMAL_OID}"
    );
    let rows = reader.rows("extensions", &sql).await?;
    let mut drafts = Vec::with_capacity(rows.len());
    let mut config = HashMap::new();
    for row in &rows {
        let address = Address::new(class::EXTENSION, row.get("oid")?);
        let name: &str = row.get("name")?;
        let (quoted, schema) = (ident::quote(name), ident::quote(row.get("schema")?));
        // No version, so that a newer server takes the one it ships.
        let create = format!("CREATE EXTENSION IF NOT EXISTS {quoted} WITH SCHEMA {schema}");
        drafts.push(
            Draft::new(address, ObjectKind::Extension, None, name, format!("EXTENSION {quoted}"))
                .made_by(vec![create]),
        );
        let (tables, conditions): (Vec<u32>, Vec<String>) =
            (row.get("config")?, row.get("conditions")?);
        for (at, table) in tables.into_iter().enumerate() {
            let filter = conditions.get(at).filter(|condition| !condition.is_empty()).cloned();
            config.insert(table, ConfigTable { extension: address, filter });
        }
    }
    Ok((drafts, config))
}
