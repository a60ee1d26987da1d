//! Views, with their options and their columns' defaults.

use super::address::{Address, class};
use super::columns::{Columns, parameters};
use super::draft::Draft;
use super::reader::{Reader, USER_SCHEMA, present};
use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::ident;

pub(super) async fn read(reader: &Reader<'_>, columns: &Columns) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, \
           coalesce(c.reloptions, '{{}}') AS options, r.oid AS rule, pg_catalog.pg_get_viewdef(c.oid) AS definition \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN' \
         WHERE c.relkind = 'v' AND c.relpersistence <> 't' AND {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("views", &sql).await? {
        let address = Address::new(class::CLASS, row.get("oid"));
        if reader.is_member(address.class, address.object) {
            continue;
        }
        let (schema, name): (&str, &str) = (row.get("schema"), row.get("name"));
        let qualified = ident::qualified(schema, name);
        let definition: String = present(&row, "definition", "views")?;
        let options = parameters(&row.get::<_, Vec<String>>("options"), "");
        let with = if options.is_empty() { String::new() } else { format!(" WITH ({})", options.join(", ")) };
        let create = format!("CREATE VIEW {qualified}{with} AS\n{}", definition.trim_end().trim_end_matches(';'));
        let rule = Address::new(class::REWRITE, present(&row, "rule", "views")?);
        let draft = Draft::new(address, ObjectKind::View, Some(schema), name, format!("VIEW {qualified}"));
        drafts.push(Draft { parts: vec![(rule, None)], ..draft }.made_by(vec![create]).owned_by(row.get("owner")));
        for column in columns.get(&address.object).into_iter().flatten() {
            let Some(default) = &column.default else { continue };
            let quoted = ident::quote(&column.name);
            let own = Address::new(class::ATTRDEF, default.oid);
            let draft = Draft::new(
                own,
                ObjectKind::Default,
                Some(schema),
                &format!("{name} {}", column.name),
                format!("COLUMN {qualified}.{quoted}"),
            );
            let drop = Some(format!("ALTER VIEW {qualified} ALTER COLUMN {quoted} DROP DEFAULT"));
            let set = format!("ALTER VIEW {qualified} ALTER COLUMN {quoted} SET DEFAULT {}", default.expression);
            drafts.push(Draft { of: Some(address), drop, ..draft }.made_by(vec![set]));
        }
    }
    Ok(drafts)
}
