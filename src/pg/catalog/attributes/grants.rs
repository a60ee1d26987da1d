//! Privileges: of every object and column that has others than when it was new, and those that new
//! objects will have.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{Acl, Grant, ObjectKind, Section};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class, own};
use crate::pg::catalog::reader::{Reader, USER_SCHEMA};
use crate::pg::row::Row;
use crate::sql::ident;

/// Every catalog with privileges: its name, the column, the owner's column, and the letter of its
/// kind for `acldefault`.
const CATALOGS: &[(&str, &str, &str, &str)] = &[
    ("pg_class", "relacl", "relowner", "(CASE o.relkind WHEN 'S' THEN 's' ELSE 'r' END)::\"char\""),
    ("pg_proc", "proacl", "proowner", "'f'"),
    ("pg_type", "typacl", "typowner", "'T'"),
    ("pg_language", "lanacl", "lanowner", "'l'"),
    ("pg_namespace", "nspacl", "nspowner", "'n'"),
    ("pg_foreign_data_wrapper", "fdwacl", "fdwowner", "'F'"),
    ("pg_foreign_server", "srvacl", "srvowner", "'S'"),
];

/// Reads the privileges that differ from the initial ones, with those.
pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<HashMap<Address, Acl>> {
    let objects = CATALOGS.iter().map(|(catalog, acl, owner, letter)| {
        // A new database's `public` may be used by everybody (15), whatever this one's initdb gave.
        let initial = if *catalog == "pg_namespace" {
            format!(
                "CASE WHEN o.nspname = 'public' THEN pg_catalog.acldefault('n', o.{owner}) || \
                 pg_catalog.makeaclitem(0, o.{owner}, 'USAGE', false) \
                 ELSE coalesce(p.initprivs, pg_catalog.acldefault('n', o.{owner})) END"
            )
        } else {
            format!("coalesce(p.initprivs, pg_catalog.acldefault({letter}, o.{owner}))")
        };
        let condition = if *catalog == "pg_namespace" { " OR o.nspname = 'public'" } else { "" };
        // What a target's `public` allows is not known here: it is compared there, equal or not.
        let always = if *catalog == "pg_namespace" { "o.nspname = 'public'" } else { "false" };
        format!(
            "SELECT 'pg_catalog.{catalog}'::pg_catalog.regclass::oid AS class, o.oid, NULL::text \
             AS column, {always} AS always, {initial} AS initial, \
               coalesce(o.{acl}, pg_catalog.acldefault({letter}, o.{owner})) AS acl \
             FROM pg_catalog.{catalog} o LEFT JOIN pg_catalog.pg_init_privs p ON p.objoid = o.oid \
             AND p.objsubid = 0 \
               AND p.classoid = 'pg_catalog.{catalog}'::pg_catalog.regclass \
             WHERE (o.{acl} IS NOT NULL OR p.initprivs IS NOT NULL) AND o.{acl} IS DISTINCT FROM \
             p.initprivs{condition}"
        )
    });
    let columns = "SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, a.attrelid, \
        a.attname::text, false, p.initprivs, a.attacl \
         FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_init_privs p ON p.objoid = \
         a.attrelid AND p.objsubid = a.attnum \
           AND p.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass \
         WHERE (a.attacl IS NOT NULL OR p.initprivs IS NOT NULL) AND a.attacl IS DISTINCT FROM \
         p.initprivs AND NOT a.attisdropped";
    let all: Vec<String> = objects.chain(std::iter::once(columns.to_owned())).collect();
    let sql = format!(
        "SELECT o.class, o.oid, o.column, o.always, g.is_initial, {ROLES} \
         FROM ({}) o LEFT JOIN LATERAL (SELECT true AS is_initial, i.* FROM \
         pg_catalog.aclexplode(o.initial) WITH ORDINALITY i \
           UNION ALL SELECT false, i.* FROM pg_catalog.aclexplode(o.acl) WITH ORDINALITY i) \
           g(is_initial, grantor, grantee, privilege, grantable, place) ON true \
         ORDER BY o.class, o.oid, o.column NULLS FIRST, g.is_initial, g.place",
        all.join(" UNION ALL ")
    );
    let rows = reader.rows("privileges", &sql).await?;
    let mut found: HashMap<Address, Acl> = HashMap::new();
    let mut always: HashSet<Address> = HashSet::new();
    for row in &rows {
        let address = Address::new(row.get("class")?, row.get("oid")?);
        if row.get("always")? {
            always.insert(address);
        }
        let acl = found.entry(address).or_insert_with(|| Acl {
            on: String::new(),
            initial: Vec::new(),
            items: Vec::new(),
        });
        let list = match row.get::<_, Option<bool>>("is_initial")? {
            Some(true) => &mut acl.initial,
            Some(false) => &mut acl.items,
            None => continue,
        };
        add(list, row)?;
    }
    found.retain(|address, acl| always.contains(address) || acl.initial != acl.items);
    Ok(found)
}

/// The roles of an exploded item, by name; PUBLIC is NULL.
pub(in crate::pg::catalog) const ROLES: &str = "CASE WHEN g.grantee <> 0 THEN \
    pg_catalog.pg_get_userbyid(g.grantee)::text END AS grantee, \
    pg_catalog.pg_get_userbyid(g.grantor)::text AS grantor, g.privilege::text AS privilege, \
    g.grantable";

/// Adds one exploded privilege to the grant that it is a part of.
pub(in crate::pg::catalog) fn add(list: &mut Vec<Grant>, row: &Row) -> Result<()> {
    let grant = Grant {
        column: row.get("column")?,
        grantee: row.get("grantee")?,
        grantor: row.get("grantor")?,
        privileges: vec![row.get("privilege")?],
        grantable: row.get("grantable")?,
    };
    let same = |other: &&mut Grant| {
        (&other.column, &other.grantee, &other.grantor, other.grantable)
            == (&grant.column, &grant.grantee, &grant.grantor, grant.grantable)
    };
    match list.iter_mut().find(same) {
        Some(known) => known.privileges.extend(grant.privileges),
        None => list.push(grant),
    }
    Ok(())
}

/// Gives each draft its privileges. What no draft makes (an extension's member, a function of the
/// server's own) becomes one that makes nothing and only has privileges.
pub(in crate::pg::catalog) async fn attach(
    reader: &Reader<'_>,
    mut acls: HashMap<Address, Acl>,
    drafts: &mut Vec<Draft>,
) -> Result<()> {
    for draft in drafts.iter_mut() {
        if let Some(mut acl) = acls.remove(&draft.address) {
            acl.on = draft.grant_on.clone().unwrap_or_else(|| on(draft.kind, &draft.identity));
            draft.acl = Some(acl);
        }
    }
    if acls.is_empty() {
        return Ok(());
    }
    let values: Vec<String> = acls
        .keys()
        .map(|address| format!("({}::oid, {}::oid)", address.class, address.object))
        .collect();
    let sql = format!(
        "SELECT v.class, v.oid, i.type, i.schema, i.name, i.identity, \
           v.oid < {FIRST_NORMAL_OID} AND (i.schema = 'pg_catalog' OR i.type = 'language' OR \
           i.type = 'schema' AND i.name = 'pg_catalog') IS TRUE AS is_of_catalog FROM (VALUES {}) \
           v(class, oid), \
         LATERAL pg_catalog.pg_identify_object(v.class, v.oid, 0) i",
        values.join(", ")
    );
    for row in reader.rows("privileges of extensions' members", &sql).await? {
        let address = Address::new(row.get("class")?, row.get("oid")?);
        let extension = reader.extension_of(address);
        // What else there is, is not carried and named as such elsewhere, or of information_schema,
        // which a server makes anew.
        if extension.is_none() && !row.get::<_, bool>("is_of_catalog")? {
            continue;
        }
        let (kind, word) = kind_of(row.get("type")?);
        let (Some(mut acl), Some(identity)) =
            (acls.remove(&address), row.get::<_, Option<&str>>("identity")?)
        else {
            continue;
        };
        let name = row.get::<_, Option<&str>>("name")?.unwrap_or(identity);
        acl.on = match row.get::<_, Option<&str>>("schema")? {
            // The identity is what SQL calls it: `integer`, which GRANT looks for by that very
            // name. These two are quoted already.
            Some(schema) if kind == ObjectKind::Type => format!("{word} {schema}.{name}"),
            _ => format!("{word} {identity}"),
        };
        let own = Address::new(own::PRIVILEGES + address.class, address.object);
        let draft = Draft::new(own, kind, row.get("schema")?, name, acl.on.clone());
        let needs = extension
            .map(|extension| Address::new(class::EXTENSION, extension))
            .into_iter()
            .collect();
        let draft =
            Draft { section: Section::PostData, drop: None, acl: Some(acl), needs, ..draft };
        drafts.push(draft.on_extension(reader.extension_named(address)));
    }
    Ok(())
}

/// The words after `GRANT … ON`.
fn on(kind: ObjectKind, identity: &str) -> String {
    let word = match kind {
        ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::ForeignTable => "TABLE",
        ObjectKind::Domain => "TYPE",
        ObjectKind::ForeignServer => "FOREIGN SERVER",
        _ => return identity.to_owned(),
    };
    let prefix = match kind {
        ObjectKind::View => "VIEW ",
        ObjectKind::MaterializedView => "MATERIALIZED VIEW ",
        ObjectKind::ForeignTable => "FOREIGN TABLE ",
        ObjectKind::Domain => "DOMAIN ",
        _ => "SERVER ",
    };
    format!("{word} {}", identity.strip_prefix(prefix).unwrap_or(identity))
}

/// `pg_identify_object`'s word for what it is, in ours and in GRANT's.
fn kind_of(word: &str) -> (ObjectKind, &'static str) {
    match word {
        "view" => (ObjectKind::View, "TABLE"),
        "materialized view" => (ObjectKind::MaterializedView, "TABLE"),
        "foreign table" => (ObjectKind::ForeignTable, "TABLE"),
        "sequence" => (ObjectKind::Sequence, "SEQUENCE"),
        "function" => (ObjectKind::Function, "FUNCTION"),
        "procedure" => (ObjectKind::Function, "PROCEDURE"),
        "aggregate" => (ObjectKind::Aggregate, "FUNCTION"),
        "type" => (ObjectKind::Type, "TYPE"),
        "language" => (ObjectKind::Language, "LANGUAGE"),
        "schema" => (ObjectKind::Schema, "SCHEMA"),
        "foreign-data wrapper" => (ObjectKind::ForeignDataWrapper, "FOREIGN DATA WRAPPER"),
        "server" => (ObjectKind::ForeignServer, "FOREIGN SERVER"),
        _ => (ObjectKind::Table, "TABLE"),
    }
}

/// Reads the privileges that objects not yet made will have.
pub(in crate::pg::catalog) async fn read_defaults(reader: &Reader<'_>) -> Result<Vec<Draft>> {
    // aclexplode of NULL has no rows. In a schema they are additions to nothing; elsewhere they
    // stand for the built-in ones.
    let sql = format!(
        "SELECT d.oid, pg_catalog.pg_get_userbyid(d.defaclrole)::text AS role, n.nspname::text AS \
         schema, d.defaclobjtype::text AS type, \
           NULL::text AS column, g.is_initial, {ROLES} \
         FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = \
         d.defaclnamespace \
         LEFT JOIN LATERAL (SELECT true AS is_initial, i.* FROM pg_catalog.aclexplode(CASE WHEN \
         d.defaclnamespace = 0 \
             THEN pg_catalog.acldefault((CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE \
             d.defaclobjtype END)::\"char\", d.defaclrole) END) WITH ORDINALITY i \
           UNION ALL SELECT false, i.* FROM pg_catalog.aclexplode(d.defaclacl) WITH ORDINALITY i) \
           g(is_initial, grantor, grantee, privilege, grantable, place) ON true \
         WHERE n.oid IS NULL OR {USER_SCHEMA} ORDER BY d.oid, g.is_initial, g.place"
    );
    let mut drafts: Vec<Draft> = Vec::new();
    for row in reader.rows("default privileges", &sql).await? {
        let address = Address::new(class::DEFAULT_ACL, row.get("oid")?);
        if drafts.last().is_none_or(|draft| draft.address != address) {
            drafts.push(default_draft(&row, address)?);
        }
        let acl = drafts.last_mut().and_then(|draft| draft.acl.as_mut());
        if let (Some(acl), Some(is_initial)) = (acl, row.get::<_, Option<bool>>("is_initial")?) {
            add(if is_initial { &mut acl.initial } else { &mut acl.items }, &row)?;
        }
    }
    Ok(drafts)
}

fn default_draft(row: &Row, address: Address) -> Result<Draft> {
    let (role, schema): (&str, Option<&str>) = (row.get("role")?, row.get("schema")?);
    let on = match row.get("type")? {
        "S" => "SEQUENCES",
        "f" => "FUNCTIONS",
        "T" => "TYPES",
        "n" => "SCHEMAS",
        "L" => "LARGE OBJECTS",
        _ => "TABLES",
    };
    let within =
        schema.map_or_else(String::new, |schema| format!(" IN SCHEMA {}", ident::quote(schema)));
    let identity = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {}{within}", ident::quote(role));
    let draft = Draft::new(
        address,
        ObjectKind::DefaultAcl,
        schema,
        &format!("{} of {role}", on.to_lowercase()),
        identity,
    );
    let acl = Acl { on: on.to_owned(), initial: Vec::new(), items: Vec::new() };
    Ok(Draft { drop: None, roles: vec![role.to_owned()], acl: Some(acl), ..draft })
}

#[cfg(test)]
mod tests;
