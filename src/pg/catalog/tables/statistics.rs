//! Extended statistics: their definitions and targets. What they hold is read elsewhere, where that
//! is asked for (`pg::statistics`).

use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, present};
use crate::pg::on_extensions;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let target = reader.features.column("pg_statistic_ext", "x.stxstattarget", "-1");
    let sql = format!(
        "SELECT x.oid, x.stxrelid, n.nspname::text AS schema, x.stxname::text AS name, \
           pg_catalog.pg_get_userbyid(x.stxowner)::text AS owner, \
           pg_catalog.pg_get_statisticsobjdef(x.oid) AS definition, \
           CASE WHEN {target} >= 0 THEN {target}::int4 END AS target \
         FROM pg_catalog.pg_statistic_ext x JOIN pg_catalog.pg_namespace n ON n.oid = \
         x.stxnamespace WHERE {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("extended statistics", &sql).await? {
        let address = Address::new(class::STATISTIC_EXT, row.get("oid")?);
        let of = Address::new(class::CLASS, row.get("stxrelid")?);
        if reader.is_member(address.class, address.object) {
            continue;
        }
        let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
        let identity = on_extensions::statistics(schema, name);
        let mut statements = vec![present(&row, "definition", "extended statistics")?];
        statements.extend(
            row.get::<_, Option<i32>>("target")?
                .map(|target| format!("ALTER {identity} SET STATISTICS {target}")),
        );
        let draft = Draft::new(address, ObjectKind::Statistics, Some(schema), name, identity);
        let draft = Draft { of: Some(of), ..draft }.made_by(statements).owned_by(row.get("owner")?);
        drafts.push(draft.on_extension(reader.extension_named(of)));
    }
    Ok(drafts)
}
