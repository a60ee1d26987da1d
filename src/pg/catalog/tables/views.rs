//! Views, with their options and their columns' defaults.

use super::columns::{Column, Columns, parameters};
use crate::archive::manifest::{ObjectKind, Section};
use crate::error::Result;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class};
use crate::pg::catalog::draft::{Definition, Draft, Either};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, present};
use crate::pg::row::Row;
use crate::sql::ident;

/// The condition that a view reads itself: that the rule `r` that says what it shows does so. The
/// server takes such a rule only for a view that stands, and never runs it.
pub(in crate::pg::catalog) fn reads_itself(reader: &Reader<'_>) -> String {
    let usual = if reader.version() >= 160_000 { 0 } else { 2 };
    let named = "':relid ' || r.ev_class || ' '";
    format!(
        "r.ev_class >= {FIRST_NORMAL_OID} AND (pg_catalog.octet_length(r.ev_action::text) - \
         pg_catalog.octet_length(pg_catalog.replace(r.ev_action::text, {named}, '')) \
           > {usual} * pg_catalog.octet_length({named}) \
         OR EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = \
         'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid \
           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = \
           r.ev_class AND d.refobjsubid > 0))"
    )
}

/// Reads the views that can be made anew.
pub(in crate::pg::catalog) async fn read(
    reader: &Reader<'_>,
    columns: &Columns,
) -> Result<Vec<Draft>> {
    let itself = reads_itself(reader);
    let sql = format!(
        "SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, \
         pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, \
           coalesce(c.reloptions, '{{}}') AS options, r.oid AS rule, \
           pg_catalog.pg_get_viewdef(c.oid) AS definition \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1' \
         WHERE c.relkind = 'v' AND c.relpersistence <> 't' AND {USER_SCHEMA} AND ({itself}) IS NOT TRUE"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("views", &sql).await? {
        let address = Address::new(class::CLASS, row.get("oid")?);
        if !reader.is_member(address.class, address.object) {
            let columns = columns.get(&address.object).map_or(&[][..], Vec::as_slice);
            drafts.extend(view(&row, address, columns)?);
            for column in columns {
                drafts.extend(default(&row, address, column)?);
            }
        }
    }
    Ok(drafts)
}

/// The view, and the rule that says what it shows: a part of the view's definition, unless a cycle
/// forces it out. Then the view begins as bare columns, and the rule is the view made again. Where
/// that never happens, the bare columns must not pass for what the view shows: reading them fails,
/// by a cast that the server cannot carry out before, because it does not take `concat` for a
/// constant.
fn view(row: &Row, address: Address, columns: &[Column]) -> Result<[Draft; 2]> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let definition: String = present(row, "definition", "views")?;
    let options = parameters(&row.get::<_, Vec<String>>("options")?, "");
    let with =
        if options.is_empty() { String::new() } else { format!(" WITH ({})", options.join(", ")) };
    let whole =
        format!("VIEW {qualified}{with} AS\n{}", definition.trim_end().trim_end_matches(';'));
    let bare = format!(
        "VIEW {qualified} AS\nSELECT{}\nWHERE CAST(pg_catalog.concat({}) AS boolean)",
        columns.iter().map(null_column).collect::<Vec<_>>().join(","),
        ident::literal(&format!("the view {qualified} is not restored completely"))
    );

    let rule_address = Address::new(class::REWRITE, present(row, "rule", "views")?);
    let identity = format!("VIEW {qualified}");
    let rule = Draft::new(
        rule_address,
        ObjectKind::Rule,
        Some(schema),
        "_RETURN",
        format!("RULE \"_RETURN\" ON {qualified}"),
    );
    let rule = Draft {
        of: Some(address),
        sort: name.to_owned(),
        host: Some(address),
        // With the view, as long as nothing forces it out; other rules come after the data.
        section: Section::PreData,
        drop: Some(format!("CREATE OR REPLACE {bare}")),
        ..rule
    }
    .made_by(vec![format!("CREATE OR REPLACE {whole}")]);
    let either = Either {
        clause: rule_address,
        whole: vec![format!("CREATE {whole}")],
        provisional: vec![format!("CREATE {bare}")],
    };
    let view = Draft::new(address, ObjectKind::View, Some(schema), name, identity);
    let view = Draft {
        needs: vec![rule_address],
        definition: Definition::Either(Box::new(either)),
        owner: Some(row.get("owner")?),
        ..view
    };
    Ok([view, rule])
}

fn null_column(column: &Column) -> String {
    let collate = column
        .collation
        .as_ref()
        .map_or_else(String::new, |collation| format!(" COLLATE {collation}"));
    format!("\n    NULL::{}{collate} AS {}", column.type_name, ident::quote(&column.name))
}

fn default(row: &Row, view: Address, column: &Column) -> Result<Option<Draft>> {
    let Some(default) = column.default.as_ref() else { return Ok(None) };
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let (qualified, quoted) = (ident::qualified(schema, name), ident::quote(&column.name));
    let own = Address::new(class::ATTRDEF, default.oid);
    let words = format!("COLUMN {qualified}.{quoted}");
    let draft = Draft::new(
        own,
        ObjectKind::Default,
        Some(schema),
        &format!("{name} {}", column.name),
        words,
    );
    let drop = Some(format!("ALTER VIEW {qualified} ALTER COLUMN {quoted} DROP DEFAULT"));
    let set =
        format!("ALTER VIEW {qualified} ALTER COLUMN {quoted} SET DEFAULT {}", default.expression);
    Ok(Some(Draft { of: Some(view), drop, ..draft }.made_by(vec![set])))
}
