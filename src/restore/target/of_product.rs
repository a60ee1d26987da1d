//! What versions of a product have made in the target and the archive does not hold: where both are
//! databases of the product, it stands in the way of what the archive holds, and goes with it.
//!
//! Knows no product: see [`Profile`].

use std::collections::HashSet;

use super::leftover::Leftover;
use crate::archive::manifest::{Object, ObjectKind};
use crate::error::Result;
use crate::pg::session::Session;
use crate::profile::{Fresh, Profile};
use crate::sql::ident;

/// The same of what the product has just made, all of which goes.
pub(in crate::restore) fn of_fresh(fresh: &Fresh) -> Vec<Leftover> {
    let tables = fresh.tables.iter().map(|name| Leftover::table(&fresh.schema, name));
    let functions = fresh.functions.iter();
    let functions = functions.map(|name| Leftover::trigger_function(&fresh.schema, name));
    tables.chain(functions).collect()
}

/// Looks in the schemas in which archive and target hold the table that the product is known by.
/// Only what the role owns, and no extension, is the product's.
pub(in crate::restore) async fn read(
    session: &Session,
    profile: &Profile,
    objects: &[Object],
) -> Result<Vec<Leftover>> {
    let Some(known_by) = profile.known_by else { return Ok(Vec::new()) };
    let is_known = |object: &&Object| object.kind == ObjectKind::Table && object.name == known_by;
    let schemas: Vec<String> = (objects.iter().filter(is_known))
        .filter_map(|object| object.schema.as_deref())
        .map(ident::literal)
        .collect();
    if schemas.is_empty() {
        return Ok(Vec::new());
    }
    let place = format!(
        "pg_catalog.pg_namespace n WHERE n.nspname IN ({}) AND EXISTS (SELECT FROM \
         pg_catalog.pg_class k WHERE k.relnamespace = n.oid AND k.relkind = 'r' AND k.relname = {})",
        schemas.join(", "),
        ident::literal(known_by)
    );
    let held: HashSet<(Option<&str>, &str)> =
        objects.iter().map(|object| (object.schema.as_deref(), object.name.as_str())).collect();
    let mut left = Vec::new();
    for row in session.query("look what the target holds", &relations(&place)).await? {
        let (schema, name): (&str, &str) = (row.get(0)?, row.get(1)?);
        let columns: Vec<String> = row.get(2)?;
        if !held.contains(&(Some(schema), name)) && (profile.makes_table)(name, &columns) {
            left.push(Leftover::table(schema, name));
        }
    }
    for row in session.query("look what the target holds", &functions(&place)).await? {
        let (schema, name): (&str, &str) = (row.get(0)?, row.get(1)?);
        let told = format!("{name}()");
        if !held.contains(&(Some(schema), told.as_str())) && (profile.makes_function)(name) {
            left.push(Leftover::trigger_function(schema, name));
        }
    }
    Ok(left)
}

fn relations(place: &str) -> String {
    format!(
        "SELECT p.nspname::text, c.relname::text, ARRAY(SELECT a.attname::text FROM \
           pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT \
           a.attisdropped) \
         FROM (SELECT n.oid, n.nspname FROM {place}) p \
         JOIN pg_catalog.pg_class c ON c.relnamespace = p.oid \
         WHERE c.relkind = 'r' AND pg_catalog.pg_has_role(c.relowner, 'USAGE') AND {} \
         ORDER BY c.oid DESC",
        no_member("pg_class", "c.oid")
    )
}

fn functions(place: &str) -> String {
    format!(
        "SELECT p.nspname::text, f.proname::text FROM (SELECT n.oid, n.nspname FROM {place}) p \
         JOIN pg_catalog.pg_proc f ON f.pronamespace = p.oid \
         WHERE f.pronargs = 0 AND f.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype \
           AND pg_catalog.pg_has_role(f.proowner, 'USAGE') AND {} ORDER BY f.proname",
        no_member("pg_proc", "f.oid")
    )
}

fn no_member(class: &str, oid: &str) -> String {
    format!(
        "NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = \
         'pg_catalog.{class}'::pg_catalog.regclass AND e.objid = {oid})"
    )
}
