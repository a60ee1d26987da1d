//! Tablespaces, and how the privileges of shared objects are read.

use std::collections::HashMap;

use super::{labels, said};
use crate::archive::manifest::Acl;
use crate::error::Result;
use crate::pg::catalog::attributes::grants::{ROLES, add};
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::{ident, render};

/// A shared object's name, its owner and its privileges.
type Granted = (String, String, Acl);

/// Reads the tablespaces, but for those that every server has.
pub(super) async fn read(reader: &Reader<'_>) -> Result<(Vec<String>, u64)> {
    let sql = "SELECT t.oid, t.spcname::text AS name, pg_catalog.pg_get_userbyid(t.spcowner)::text \
         AS owner, pg_catalog.pg_tablespace_location(t.oid) AS location, \
         coalesce(t.spcoptions, '{}') AS options, \
         pg_catalog.shobj_description(t.oid, 'pg_tablespace') AS comment \
         FROM pg_catalog.pg_tablespace t WHERE t.spcname !~ '^pg_' ORDER BY 2";
    let rows = reader.rows("tablespaces", sql).await?;
    let of = "SELECT t.spcname::text AS name, pg_catalog.pg_get_userbyid(t.spcowner)::text AS \
        owner, coalesce(t.spcacl, pg_catalog.acldefault('t', t.spcowner)) AS acl, \
        pg_catalog.acldefault('t', t.spcowner) AS initial \
        FROM pg_catalog.pg_tablespace t WHERE t.spcname !~ '^pg_' AND t.spcacl IS NOT NULL";
    let acls = acls(reader, "tablespaces' privileges", of, "TABLESPACE").await?;
    let acls: HashMap<&str, &Granted> = acls.iter().map(|one| (one.0.as_str(), one)).collect();
    let labels = labels(reader, "pg_catalog.pg_tablespace").await?;
    let mut statements = Vec::new();
    for row in &rows {
        let (name, owner): (&str, &str) = (row.get("name")?, row.get("owner")?);
        let on = format!("TABLESPACE {}", ident::quote(name));
        // One that lies in the data directory is made by an empty place.
        let location: &str = row.get("location")?;
        let location = if location.starts_with("pg_tblspc/") { "" } else { location };
        statements.push(format!(
            "CREATE {on} OWNER {} LOCATION {}",
            ident::quote(owner),
            ident::literal(location)
        ));
        statements.extend(options(&on, row)?);
        if let Some((_, _, acl)) = acls.get(name) {
            statements.extend(render::granted(acl, owner));
        }
        let comment: Option<String> = row.get("comment")?;
        statements.extend(said(&on, comment.as_deref(), &labels, row.get("oid")?));
    }
    Ok((statements, rows.len() as u64))
}

fn options(on: &str, row: &Row) -> Result<Option<String>> {
    let options: Vec<String> = row.get("options")?;
    let set = options.iter().filter_map(|option| {
        let (name, value) = option.split_once('=')?;
        Some(format!("{} = {}", ident::quote(name), ident::literal(value)))
    });
    let set = set.collect::<Vec<_>>().join(", ");
    Ok((!set.is_empty()).then(|| format!("ALTER {on} SET ({set})")))
}

/// Reads what is granted on shared objects; `of` gives name, owner, acl and initial, `word` is what
/// they are.
pub(super) async fn acls(
    reader: &Reader<'_>,
    kind: &str,
    of: &str,
    word: &str,
) -> Result<Vec<Granted>> {
    let sql = format!(
        "SELECT o.name, o.owner, NULL::text AS column, g.is_initial, {ROLES} FROM ({of}) o LEFT \
         JOIN LATERAL (SELECT true AS is_initial, i.* FROM pg_catalog.aclexplode(o.initial) WITH \
         ORDINALITY i \
           UNION ALL SELECT false, i.* FROM pg_catalog.aclexplode(o.acl) WITH ORDINALITY i) \
           g(is_initial, grantor, grantee, privilege, grantable, place) ON true \
         ORDER BY o.name, g.is_initial, g.place"
    );
    let mut all: Vec<Granted> = Vec::new();
    for row in reader.rows(kind, &sql).await? {
        let name: String = row.get("name")?;
        if all.last().is_none_or(|(last, ..)| *last != name) {
            let on = format!("{word} {}", ident::quote(&name));
            let acl = Acl { on, initial: Vec::new(), items: Vec::new() };
            all.push((name, row.get("owner")?, acl));
        }
        let Some((_, _, acl)) = all.last_mut() else { continue };
        match row.get::<_, Option<bool>>("is_initial")? {
            Some(true) => add(&mut acl.initial, &row)?,
            Some(false) => add(&mut acl.items, &row)?,
            None => {}
        }
    }
    Ok(all)
}
