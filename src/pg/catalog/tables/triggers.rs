//! Triggers that a user made, and whether they fire; rules are here too, for they are written the
//! same way.

use crate::archive::manifest::{Detail, ObjectKind};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class, own};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA, letter, present};
use crate::pg::on_extensions;
use crate::pg::row::Row;
use crate::sql::ident;

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    // A partition has its parent's triggers without being told; only a different state must be
    // said. Up to 14 these count as internal, as those of foreign keys do, which have parents too
    // (15).
    let parent = if reader.features.has("pg_trigger", "tgparentid") {
        "g.tgparentid"
    } else {
        "coalesce((SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = \
         'pg_catalog.pg_trigger'::pg_catalog.regclass \
           AND d.objid = g.oid AND d.refclassid = d.classid AND d.deptype = 'P'), 0)"
    };
    let sql = format!(
        "SELECT g.oid, g.tgrelid, g.tgconstraint, n.nspname::text AS schema, c.relname::text AS \
         table, g.tgname::text AS name, \
           g.tgenabled::text AS enabled, (g.tgtype::int4 & 1) = 1 AS row, p.oid IS NOT NULL AS \
           is_inherited, p.tgenabled::text AS parent_enabled, \
           p.oid AS parent, pg_catalog.pg_get_triggerdef(g.oid, false) AS definition \
         FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_trigger p ON p.oid = {parent} LEFT JOIN pg_catalog.pg_constraint \
         k ON k.oid = g.tgconstraint \
         WHERE (NOT g.tgisinternal OR p.oid IS NOT NULL AND k.contype IS DISTINCT FROM 'f') AND \
         {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("triggers", &sql).await? {
        // What was changed of a partition that an extension makes is as little carried as what was
        // changed of its other objects.
        let is_of_member = reader.is_member(class::CLASS, row.get("tgrelid")?);
        if !(is_of_member && row.get("is_inherited")?) {
            drafts.push(trigger(reader, &row)?);
        }
    }
    Ok(drafts)
}

fn trigger(reader: &Reader<'_>, row: &Row) -> Result<Draft> {
    let (schema, table, name): (&str, &str, &str) =
        (row.get("schema")?, row.get("table")?, row.get("name")?);
    let (qualified, quoted) = (ident::qualified(schema, table), ident::quote(name));
    let enabled = letter(row, "enabled")?;
    let is_inherited: bool = row.get("is_inherited")?;
    let mut statements = Vec::new();
    let usual = if is_inherited {
        letter(row, "parent_enabled")?
    } else {
        statements.push(present(row, "definition", "triggers")?);
        'O'
    };
    if enabled != usual {
        statements.push(format!("ALTER TABLE {qualified} {} TRIGGER {quoted}", enabling(enabled)));
    }
    let address = Address::new(class::TRIGGER, row.get("oid")?);
    let of = Address::new(class::CLASS, row.get("tgrelid")?);
    let draft = Draft::new(
        address,
        ObjectKind::Trigger,
        Some(schema),
        name,
        on_extensions::part(ObjectKind::Trigger, name, &qualified),
    );
    let constraint: u32 = row.get("tgconstraint")?;
    let parts = (constraint != 0).then(|| (Address::new(class::CONSTRAINT, constraint), None));
    let mut needs = Vec::new();
    if is_inherited {
        let table: u32 = row.get("tgrelid")?;
        needs.push(Address::new(own::TABLE_ATTACH, table));
        needs.extend(
            row.get::<_, Option<u32>>("parent")?.map(|parent| Address::new(class::TRIGGER, parent)),
        );
    }
    Ok(Draft {
        of: Some(of),
        sort: table.to_owned(),
        drop: (!is_inherited).then(|| format!("DROP TRIGGER {quoted} ON {qualified}")),
        detail: Detail::Trigger { row: row.get("row")? },
        parts: parts.into_iter().collect(),
        needs,
        ..draft
    }
    .made_by(statements)
    .on_extension(reader.extension_named(of)))
}

pub(in crate::pg::catalog) fn enabling(state: char) -> &'static str {
    match state {
        'D' => "DISABLE",
        'R' => "ENABLE REPLICA",
        'A' => "ENABLE ALWAYS",
        _ => "ENABLE",
    }
}

/// Reads the rules but for those that make a view a view.
pub(in crate::pg::catalog) async fn read_rules(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let sql = format!(
        "SELECT r.oid, r.ev_class, n.nspname::text AS schema, c.relname::text AS table, \
         r.rulename::text AS name, r.ev_enabled::text AS enabled, \
           pg_catalog.pg_get_ruledef(r.oid) AS definition \
         FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN \
         pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE r.rulename <> '_RETURN' AND {USER_SCHEMA}"
    );
    let mut drafts = Vec::new();
    for row in reader.rows("rules", &sql).await? {
        let of = Address::new(class::CLASS, row.get("ev_class")?);
        let (schema, table, name): (&str, &str, &str) =
            (row.get("schema")?, row.get("table")?, row.get("name")?);
        let (qualified, quoted) = (ident::qualified(schema, table), ident::quote(name));
        let definition: String = present(&row, "definition", "rules")?;
        let mut statements = vec![definition.trim_end().trim_end_matches(';').to_owned()];
        let enabled = letter(&row, "enabled")?;
        if enabled != 'O' {
            statements.push(format!("ALTER TABLE {qualified} {} RULE {quoted}", enabling(enabled)));
        }
        let address = Address::new(class::REWRITE, row.get("oid")?);
        let draft = Draft::new(
            address,
            ObjectKind::Rule,
            Some(schema),
            name,
            on_extensions::part(ObjectKind::Rule, name, &qualified),
        );
        let drop = Some(format!("DROP RULE {quoted} ON {qualified}"));
        let draft =
            Draft { of: Some(of), sort: table.to_owned(), drop, ..draft }.made_by(statements);
        drafts.push(draft.on_extension(reader.extension_named(of)));
    }
    Ok(drafts)
}
