//! Materialised views: made empty, filled at the end in the order in which they read each other.

use std::collections::{HashMap, HashSet};

use super::columns::{Columns, parameters};
use super::parts::{column_settings, replica_identity};
use crate::archive::manifest::ObjectKind;
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class, own};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter, present};
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(
    reader: &Reader<'_>,
    columns: &Columns,
) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, \
         pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, \
           coalesce(c.reloptions, '{{}}') AS options, coalesce(t.reloptions, '{{}}') AS \
           toast_options, c.relispopulated, \
           c.relreplident::text AS replica_identity, m.amname::text AS access_method, \
           s.spcname::text AS tablespace, \
           r.oid AS rule, pg_catalog.pg_get_viewdef(c.oid) AS definition \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid LEFT JOIN pg_catalog.pg_am m \
         ON m.oid = c.relam \
         LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace \
         LEFT JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1' \
         WHERE c.relkind = 'm' AND {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    let mut populated: HashMap<u32, bool> = HashMap::new();
    for row in reader.rows("materialized views", &sql).await? {
        let address = Address::new(class::CLASS, row.get("oid")?);
        if reader.is_member(address.class, address.object) {
            continue;
        }
        populated.insert(address.object, row.get("relispopulated")?);
        drafts.push(view(&row, address, columns)?);
    }
    if populated.is_empty() {
        return Ok(drafts);
    }
    let reads = reads(reader).await?;
    let refreshes: Vec<Draft> =
        drafts.iter().filter_map(|draft| refresh(draft, &reads, &populated)).collect();
    drafts.extend(refreshes);
    Ok(drafts)
}

fn view(row: &Row, address: Address, columns: &Columns) -> Result<Draft> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let definition: String = present(row, "definition", "materialized views")?;
    let mut options = parameters(&row.get::<_, Vec<String>>("options")?, "");
    options.extend(parameters(&row.get::<_, Vec<String>>("toast_options")?, "toast."));
    let with =
        if options.is_empty() { String::new() } else { format!(" WITH ({})", options.join(", ")) };
    let method = row.get::<_, Option<&str>>("access_method")?.filter(|&method| method != "heap");
    let using =
        method.map_or_else(String::new, |method| format!(" USING {}", ident::quote(method)));
    let query = definition.trim_end().trim_end_matches(';');
    let mut statements = vec![format!(
        "CREATE MATERIALIZED VIEW {qualified}{using}{with} AS\n{query}\n  WITH NO DATA"
    )];
    for column in columns.get(&address.object).into_iter().flatten() {
        statements.extend(column_settings(&qualified, column));
    }
    statements.extend(replica_identity(&qualified, letter(row, "replica_identity")?));
    let rule = Address::new(class::REWRITE, present(row, "rule", "materialized views")?);
    let draft = Draft::new(
        address,
        ObjectKind::MaterializedView,
        Some(schema),
        name,
        format!("MATERIALIZED VIEW {qualified}"),
    );
    let draft = Draft { parts: vec![(rule, None)], tablespace: row.get("tablespace")?, ..draft };
    Ok(draft.made_by(statements).owned_by(row.get("owner")?))
}

/// Which views and materialised views a query reads, by the oid of whose query it is.
async fn reads(reader: &Reader<'_>) -> Result<HashMap<u32, Vec<u32>>> {
    let sql = "SELECT DISTINCT r.ev_class, d.refobjid FROM pg_catalog.pg_depend d \
         JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_type = '1' \
         JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm') \
         WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.refclassid = \
         'pg_catalog.pg_class'::pg_catalog.regclass \
           AND r.ev_class <> d.refobjid";
    let mut reads: HashMap<u32, Vec<u32>> = HashMap::new();
    for row in reader.rows("what views read", sql).await? {
        reads.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(reads)
}

/// None for a view that is empty by its user's will, or reads one that is: it could not be filled.
fn refresh(
    view: &Draft,
    reads: &HashMap<u32, Vec<u32>>,
    populated: &HashMap<u32, bool>,
) -> Option<Draft> {
    let oid = view.address.object;
    let mut seen = HashSet::from([oid]);
    let mut open = vec![oid];
    while let Some(next) = open.pop() {
        if populated.get(&next) == Some(&false) {
            return None;
        }
        open.extend(reads.get(&next).into_iter().flatten().filter(|read| seen.insert(**read)));
    }
    let others = seen.iter().filter(|&&other| other != oid && populated.contains_key(&other));
    let needs = others.map(|&other| Address::new(own::REFRESH, other)).collect();
    let qualified = ident::qualified(view.schema.as_deref()?, &view.name);
    let address = Address::new(own::REFRESH, oid);
    let draft = Draft::new(
        address,
        ObjectKind::RefreshMaterializedView,
        view.schema.as_deref(),
        &view.name,
        view.identity.clone(),
    );
    Some(
        Draft { of: Some(view.address), needs, drop: None, ..draft }
            .made_by(vec![format!("REFRESH MATERIALIZED VIEW {qualified}")]),
    )
}
