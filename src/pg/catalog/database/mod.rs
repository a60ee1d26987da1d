//! The database itself: how it was made, whose it is, what its sessions begin with. Carried always,
//! made anew only when a restore is asked to.

pub(super) mod event_triggers;
pub(super) mod extensions;
pub(super) mod foreign;
pub(super) mod publications;
pub(super) mod schemas;
pub(super) mod source;
pub(super) mod subscriptions;

use futures_util::try_join;

use super::attributes::grants::{ROLES, add};
use super::reader::Reader;
use crate::archive::manifest::{Acl, Comment, Detail, Object, ObjectId, ObjectKind, SecurityLabel};
use crate::error::{Error, Kind, Result};
use crate::pg::row::Row;
use crate::sql::{ident, render};

/// Settings that hold a list of names, each quoted by itself.
const LISTS_OF_NAMES: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// The database that the session is in, without a number.
pub(super) async fn read(reader: &Reader<'_>) -> Result<Object> {
    let mut object = read_as(reader, "pg_catalog.current_database()", None).await?;
    object.acl = object.acl.filter(|acl| acl.initial != acl.items);
    Ok(object)
}

/// A database of the server, `name` as SQL, described as if it were called otherwise; its
/// privileges even where they are the initial ones.
pub(super) async fn read_as(
    reader: &Reader<'_>,
    name: &str,
    under: Option<&str>,
) -> Result<Object> {
    // Columns that not every server has are looked up in the row as JSON.
    let sql = format!(
        "SELECT d.oid, d.datname::text AS name, pg_catalog.pg_get_userbyid(d.datdba)::text \
        AS owner, \
           pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS \
           collate, d.datctype::text AS ctype, \
           coalesce(j.row ->> 'datlocprovider', 'c') AS provider, coalesce(j.row ->> 'datlocale', \
           j.row ->> 'daticulocale') AS locale, \
           j.row ->> 'daticurules' AS icu_rules, d.datconnlimit AS connection_limit, \
           d.datistemplate AS is_template, \
           nullif(t.spcname::text, 'pg_default') AS tablespace, \
           pg_catalog.shobj_description(d.oid, 'pg_database') AS comment \
         FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace, \
           LATERAL (SELECT pg_catalog.to_jsonb(d)) j(row) \
         WHERE d.datname = {name}"
    );
    let (rows, acls, labels, settings) = try_join!(
        reader.rows("the database", &sql),
        acl_rows(reader, name),
        label_rows(reader, name),
        setting_rows(reader, name)
    )?;
    let row = rows.first().ok_or_else(|| {
        Error::new(Kind::Unexpected, "read the catalog of the database", "it is not there")
    })?;
    let name = under.map_or_else(|| row.get("name"), |name| Ok(name.to_owned()))?;
    let identity = format!("DATABASE {}", ident::quote(&name));
    let comment =
        row.get::<_, Option<String>>("comment")?.map(|text| Comment { on: identity.clone(), text });
    let (settings, roles) = statements(&settings, &identity)?;
    let mut object = Object {
        owner: row.get("owner")?,
        acl: Some(acl(&acls, &identity)?),
        comments: comment.into_iter().collect(),
        security_labels: security_labels(&labels, &identity)?,
        roles,
        tablespace: row.get("tablespace")?,
        drop: Some(format!("DROP {identity}")),
        detail: detail(row)?,
        name,
        ..Object::new(ObjectId(0), ObjectKind::Database, identity)
    };
    // The tablespace is said by who makes it, as for every object.
    let plain = render::Options { no_tablespaces: true, ..render::Options::default() };
    object.statements = std::iter::once(render::create_database(&object, &plain, reader.version()))
        .chain(settings)
        .collect();
    Ok(object)
}

fn detail(row: &Row) -> Result<Detail> {
    let locale_provider: String = row.get("provider")?;
    let is_libc = locale_provider == "c";
    Ok(Detail::Database {
        locale_provider,
        encoding: row.get("encoding")?,
        collate: row.get("collate")?,
        ctype: row.get("ctype")?,
        locale: row.get::<_, Option<String>>("locale")?.filter(|_| !is_libc),
        icu_rules: row.get("icu_rules")?,
        connection_limit: row.get("connection_limit")?,
        is_template: row.get("is_template")?,
    })
}

async fn acl_rows(reader: &Reader<'_>, name: &str) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT NULL::text AS column, g.is_initial, {ROLES} FROM pg_catalog.pg_database d, \
           LATERAL (SELECT true AS is_initial, i.* FROM \
           pg_catalog.aclexplode(pg_catalog.acldefault('d', d.datdba)) WITH ORDINALITY i \
             UNION ALL SELECT false, i.* FROM pg_catalog.aclexplode(coalesce(d.datacl, \
             pg_catalog.acldefault('d', d.datdba))) WITH ORDINALITY i) \
             g(is_initial, grantor, grantee, privilege, grantable, place) \
         WHERE d.datname = {name} ORDER BY g.is_initial, g.place"
    );
    reader.rows("the database's privileges", &sql).await
}

fn acl(rows: &[Row], identity: &str) -> Result<Acl> {
    let mut acl = Acl { on: identity.to_owned(), initial: Vec::new(), items: Vec::new() };
    for row in rows {
        add(if row.get("is_initial")? { &mut acl.initial } else { &mut acl.items }, row)?;
    }
    Ok(acl)
}

async fn label_rows(reader: &Reader<'_>, name: &str) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT l.provider, l.label FROM pg_catalog.pg_shseclabel l JOIN pg_catalog.pg_database d \
         ON d.oid = l.objoid WHERE d.datname = {name} AND l.classoid = \
         'pg_catalog.pg_database'::pg_catalog.regclass ORDER BY 1"
    );
    reader.rows("the database's security labels", &sql).await
}

fn security_labels(rows: &[Row], identity: &str) -> Result<Vec<SecurityLabel>> {
    rows.iter()
        .map(|row| {
            Ok(SecurityLabel { on: identity.to_owned(), provider: row.get(0)?, label: row.get(1)? })
        })
        .collect()
}

async fn setting_rows(reader: &Reader<'_>, name: &str) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT CASE WHEN s.setrole <> 0 THEN pg_catalog.pg_get_userbyid(s.setrole)::text END AS \
         role, c.setting \
         FROM pg_catalog.pg_database d JOIN pg_catalog.pg_db_role_setting s ON s.setdatabase = \
         d.oid, pg_catalog.unnest(s.setconfig) WITH ORDINALITY c(setting, place) \
         WHERE d.datname = {name} ORDER BY s.setrole <> 0, 1, c.place"
    );
    reader.rows("the database's settings", &sql).await
}

/// What sessions begin with, of everybody and of single roles, and these roles.
fn statements(rows: &[Row], identity: &str) -> Result<(Vec<String>, Vec<String>)> {
    let (mut statements, mut roles) = (Vec::new(), Vec::new());
    for row in rows {
        let (name, value) = row.get::<_, &str>("setting")?.split_once('=').unwrap_or_default();
        let whose = match row.get::<_, Option<String>>("role")? {
            None => format!("ALTER {identity}"),
            Some(role) => {
                let whose = format!("ALTER ROLE {} IN {identity}", ident::quote(&role));
                roles.push(role);
                whose
            }
        };
        statements.push(format!(
            "{whose} SET {} TO {}",
            ident::quote(name),
            quoted_value(name, value)
        ));
    }
    roles.dedup();
    Ok((statements, roles))
}

/// A setting's value as SQL.
pub(super) fn quoted_value(name: &str, value: &str) -> String {
    if !LISTS_OF_NAMES.contains(&name) {
        return ident::literal(value);
    }
    let names: Vec<String> = names(value).iter().map(|name| ident::literal(name)).collect();
    if names.is_empty() { "''".to_owned() } else { names.join(", ") }
}

/// The names of a list as the server stores it: separated by commas, in double quotes where that is
/// needed.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = list.trim_start();
    while !rest.is_empty() {
        let mut name = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (part, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                name.push_str(part);
                quoted = after;
                let Some(more) = after.strip_prefix('"') else { break };
                name.push('"');
                quoted = more;
            }
            rest = quoted.trim_start();
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            name.push_str(rest[..end].trim_end());
            rest = &rest[end..];
        }
        names.push(name);
        rest = rest.trim_start().trim_start_matches(',').trim_start();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_as_their_settings_want_it() {
        assert_eq!(quoted_value("work_mem", "64MB"), "'64MB'");
        assert_eq!(quoted_value("app.tenant", "it's, \"x\""), "'it''s, \"x\"'");
        assert_eq!(
            quoted_value("search_path", "\"$user\", public, \"A \"\"b\"\", c\""),
            "'$user', 'public', 'A \"b\", c'"
        );
        assert_eq!(quoted_value("search_path", ""), "''");
        assert_eq!(quoted_value("search_path", "\"\""), "''");
    }
}
