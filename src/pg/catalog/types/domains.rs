//! Domains and their constraints.

use std::collections::HashMap;

use super::COMMON;
use crate::archive::manifest::{ObjectKind, Section};
use crate::error::Result;
use crate::pg::catalog::draft::address::{Address, class};
use crate::pg::catalog::draft::{Definition, Draft, Item, List};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA};
use crate::pg::row::Row;
use crate::sql::ident;

/// A constraint of a domain.
struct Constraint {
    address: Address,
    name: String,
    /// `CHECK (…)`; none for NOT NULL.
    check: Option<String>,
    is_valid: bool,
}

impl Constraint {
    fn clause(&self) -> String {
        format!(
            "CONSTRAINT {} {}",
            ident::quote(&self.name),
            self.check.as_deref().unwrap_or("NOT NULL")
        )
    }

    fn words(&self, domain: &str) -> String {
        format!("CONSTRAINT {} ON DOMAIN {domain}", ident::quote(&self.name))
    }

    fn draft(&self, of: &Draft, domain: &str) -> Draft {
        let draft = Draft::new(
            self.address,
            ObjectKind::Check,
            of.schema.as_deref(),
            &self.name,
            self.words(domain),
        );
        let (host, section) = if self.is_valid {
            (Some(of.address), Section::PreData)
        } else {
            (None, Section::PostData)
        };
        let drop =
            Some(format!("ALTER DOMAIN {domain} DROP CONSTRAINT {}", ident::quote(&self.name)));
        let add = format!("ALTER DOMAIN {domain} ADD {}", self.clause());
        Draft { host, section, of: Some(of.address), sort: of.name.clone(), drop, ..draft }
            .made_by(vec![add])
    }
}

pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    let mut constraints = read_constraints(reader).await?;
    let sql = format!(
        "{COMMON}, pg_catalog.format_type(t.typbasetype, t.typtypmod) AS base, t.typnotnull, \
           pg_catalog.pg_get_expr(t.typdefaultbin, 0) AS expression, t.typdefault AS literal, \
           ln.nspname::text AS collation_schema, l.collname::text AS collation \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace JOIN \
         pg_catalog.pg_type b ON b.oid = t.typbasetype \
         LEFT JOIN (pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace ln ON ln.oid = \
         l.collnamespace) \
           ON l.oid = t.typcollation AND t.typcollation <> b.typcollation WHERE t.typtype = 'd' \
           AND {USER_SCHEMA}"
    );
    let rows = super::rows(reader, "domains", &sql).await?;
    let mut drafts = Vec::new();
    for row in &rows {
        drafts.extend(domain(row, constraints.remove(&row.get("oid")?).unwrap_or_default())?);
    }
    Ok(drafts)
}

async fn read_constraints(reader: &Reader<'_>) -> Result<HashMap<u32, Vec<Constraint>>> {
    // NOT NULL has a row since 17.
    let sql = "SELECT k.oid, k.contypid, k.conname::text AS name, k.convalidated, \
           CASE WHEN k.contype = 'c' THEN pg_catalog.pg_get_constraintdef(k.oid) END AS definition \
         FROM pg_catalog.pg_constraint k WHERE k.contypid <> 0 AND k.contype IN ('c', 'n') ORDER \
         BY k.conname";
    let mut constraints: HashMap<u32, Vec<Constraint>> = HashMap::new();
    for row in reader.rows("domains' constraints", sql).await? {
        constraints.entry(row.get("contypid")?).or_default().push(Constraint {
            address: Address::new(class::CONSTRAINT, row.get("oid")?),
            name: row.get("name")?,
            check: row.get("definition")?,
            is_valid: row.get("convalidated")?,
        });
    }
    Ok(constraints)
}

fn domain(row: &Row, constraints: Vec<Constraint>) -> Result<Vec<Draft>> {
    let (schema, name): (&str, &str) = (row.get("schema")?, row.get("name")?);
    let qualified = ident::qualified(schema, name);
    let draft = Draft::new(
        Address::new(class::TYPE, row.get("oid")?),
        ObjectKind::Domain,
        Some(schema),
        name,
        format!("DOMAIN {qualified}"),
    );
    let mut head = format!("CREATE DOMAIN {qualified} AS {}", row.get::<_, &str>("base")?);
    if let (Some(schema), Some(collation)) = (row.get("collation_schema")?, row.get("collation")?) {
        head = format!("{head} COLLATE {}", ident::qualified(schema, collation));
    }
    let literal = row.get::<_, Option<&str>>("literal")?.map(ident::literal);
    if let Some(default) = row.get::<_, Option<String>>("expression")?.or(literal) {
        head = format!("{head} DEFAULT {default}");
    }
    let (checks, not_nulls): (Vec<_>, Vec<_>) =
        constraints.into_iter().partition(|constraint| constraint.check.is_some());
    if not_nulls.is_empty() && row.get("typnotnull")? {
        head.push_str(" NOT NULL");
    }
    let mut items: Vec<Item> = not_nulls
        .iter()
        .map(|constraint| Item {
            before: format!("\n    {}", constraint.clause()),
            ..Item::default()
        })
        .collect();
    let inline = checks.iter().filter(|check| check.is_valid);
    items.extend(inline.map(|check| Item {
        clause: Some((check.address, format!("\n    {}", check.clause()))),
        ..Item::default()
    }));
    let list = List { head, items, separator: "", tail: String::new(), after: Vec::new() };
    let parts = not_nulls
        .iter()
        .map(|constraint| (constraint.address, Some(constraint.words(&qualified))))
        .collect();
    let draft = Draft {
        parts,
        definition: Definition::List(Box::new(list)),
        owner: row.get("owner")?,
        ..draft
    };
    let checks: Vec<Draft> = checks.iter().map(|check| check.draft(&draft, &qualified)).collect();
    Ok(std::iter::once(draft).chain(checks).collect())
}
