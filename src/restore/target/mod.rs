//! What a restore must know of its target before the first statement, read in a handful of queries.
//!
//! Judges nothing: see `preflight`.

pub(super) mod borrowed;
mod columns;
pub(super) mod dependents;
pub(super) mod domains;
pub(super) mod expected;
pub(super) mod foreign_keys;
pub(super) mod leftover;
pub(super) mod marker;
pub(super) mod memberships;
pub(super) mod named;
pub(super) mod of_product;
pub(super) mod owned;
pub(super) mod post_data;
pub(super) mod present;
pub(super) mod tables;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::archive::manifest::{Object, ObjectKind};
use crate::error::{Error, Kind, Result};
use crate::pg::marker::Marker;
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::pg::shared_rows::shared_rows;
use crate::sql::ident;

/// How many of the objects that the target holds are named.
const NAMED: usize = 5;

/// The target database as it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    /// `server_version`.
    pub(super) version: String,
    /// `server_version_num`.
    pub(super) version_num: u32,
    /// The database's name.
    pub(super) database: String,
    /// The server encoding's name.
    pub(super) encoding: String,
    /// `datcollate`.
    pub(super) collate: String,
    /// `datctype`.
    pub(super) ctype: String,
    /// The role that the statements run as.
    pub(super) user: String,
    /// Whether that role is a superuser.
    pub(super) superuser: bool,
    /// Whether it may create databases.
    pub(super) creates_databases: bool,
    /// Every database of the server that can be named here, and whether the role has its owner's
    /// rights.
    pub(super) databases: HashMap<String, bool>,
    /// Whether it may set `session_replication_role`.
    pub(super) sets_replica: bool,
    /// Whether it may create schemas here.
    pub(super) creates_schemas: bool,
    /// Every role that can be named here.
    pub(super) roles: HashMap<String, Role>,
    /// Every tablespace that can be named here, and whether the role may create in it.
    pub(super) tablespaces: HashMap<String, bool>,
    /// Every extension that is available or installed.
    pub(super) extensions: HashMap<String, Extension>,
    /// Every schema outside the system's.
    pub(super) schemas: HashMap<String, Schema>,
    /// Relations, types and functions that it holds, a few of them by name.
    pub(super) occupied: Vec<String>,
    /// How many there are.
    pub(super) occupied_count: u64,
    /// Event triggers that fire on what a restore does, and are no extension's.
    pub(super) event_triggers: Vec<String>,
    /// The marker of an earlier restore.
    pub(super) marker: Option<Marker>,
    /// The schema of one that says that nothing has begun, which is none of `schemas`.
    pub(super) before_begun: Option<String>,
}

/// A role of the target's server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Role {
    /// Whether the session's role has its privileges.
    pub(super) usage: bool,
    /// Whether the session's role may become it, which giving it an object demands.
    pub(super) set: bool,
}

/// An extension of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extension {
    /// In this database.
    pub(super) installed: bool,
    /// The schema that it is installed in.
    pub(super) schema: Option<String>,
    /// Only a superuser may create it.
    pub(super) superuser: bool,
}

/// A schema that the target has already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Schema {
    /// Its owner.
    pub(super) owner: String,
    /// Whether the session's role has its owner's rights.
    pub(super) ours: bool,
    /// Whether the session's role may create in it.
    pub(super) creates: bool,
    /// Its comment.
    pub(super) comment: Option<String>,
    /// The roles that may create in it.
    pub(super) creators: HashSet<String>,
    /// Its privileges: grantee (none is PUBLIC), privilege, with grant option.
    pub(super) privileges: BTreeSet<(Option<String>, String, bool)>,
}

impl Target {
    /// Reads it.
    pub(super) async fn read(session: &Session) -> Result<Self> {
        let mut target = basics(session).await?;
        let roles = roles(session).await?;
        let columns =
            "spcname::text, coalesce(pg_catalog.has_tablespace_privilege(oid, 'CREATE'), false)";
        let rows =
            shared_rows(session, "read the tablespaces", columns, "pg_catalog.pg_tablespace")
                .await?;
        target.tablespaces =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?;
        let columns = "datname::text, pg_catalog.pg_has_role(current_user, datdba, 'USAGE')";
        let rows =
            shared_rows(session, "read the databases", columns, "pg_catalog.pg_database").await?;
        target.databases =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?;
        target.extensions = extensions(session).await?;
        target.schemas = schemas(session, &roles).await?;
        target.roles = roles.into_values().collect();
        target.before_begun = marker::before_begun(session).await?;
        let mut among = "true".to_owned();
        if let Some(schema) = &target.before_begun {
            target.schemas.remove(schema);
            among = format!("nspname <> {}", ident::literal(schema));
        }
        (target.occupied, target.occupied_count) = occupied(session, &among).await?;
        target.event_triggers = event_triggers(session).await?;
        target.marker = marker::read(session).await?;
        target.sets_replica = sets_replica(session, target.superuser).await?;
        Ok(target)
    }
}

impl Target {
    /// An error of the first statements in the target, which one of its event triggers may have
    /// raised: that it is there is told.
    pub(super) fn explain(&self, error: Error) -> Error {
        if self.event_triggers.is_empty() || error.kind() != Kind::Unexpected {
            return error;
        }
        let names = self.event_triggers.join(", ");
        let hint = error.hint_text().map_or_else(String::new, |hint| format!("{hint}; "));
        error.as_kind(Kind::Requirement).hint(format!(
            "{hint}event triggers fire here ({names}): disable them with ALTER EVENT TRIGGER"
        ))
    }

    /// As it will be without these.
    pub(super) fn forget(&mut self, dropped: &[&Object]) {
        for object in dropped {
            match object.kind {
                ObjectKind::Schema => drop(self.schemas.remove(&object.name)),
                ObjectKind::Extension => {
                    if let Some(extension) = self.extensions.get_mut(&object.name) {
                        extension.installed = false;
                    }
                }
                _ => {}
            }
        }
    }
}

async fn basics(session: &Session) -> Result<Target> {
    let sql = "SELECT pg_catalog.current_setting('server_version'), d.datname::text, \
        pg_catalog.pg_encoding_to_char(d.encoding)::text, \
                      d.datcollate::text, d.datctype::text, current_user::text, r.rolsuper, \
                      pg_catalog.has_database_privilege(d.oid, 'CREATE'), r.rolcreatedb OR \
                      r.rolsuper \
               FROM pg_catalog.pg_database d, pg_catalog.pg_roles r \
               WHERE d.datname = pg_catalog.current_database() AND r.rolname = current_user";
    let row = session.query_one("read the target's settings", sql).await?;
    Ok(Target {
        version: row.get(0)?,
        version_num: session.version(),
        database: row.get(1)?,
        encoding: row.get(2)?,
        collate: row.get(3)?,
        ctype: row.get(4)?,
        user: row.get(5)?,
        superuser: row.get(6)?,
        creates_schemas: row.get(7)?,
        creates_databases: row.get(8)?,
        ..Target::default()
    })
}

async fn event_triggers(session: &Session) -> Result<Vec<String>> {
    let sql = "SELECT pg_catalog.quote_ident(evtname) FROM pg_catalog.pg_event_trigger \
               WHERE evtenabled IN ('O', 'A') AND evtevent <> 'login' ORDER BY 1";
    let rows = session.query("read the event triggers", sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Since 15 the right can be granted.
async fn sets_replica(session: &Session, superuser: bool) -> Result<bool> {
    if superuser || session.version() < 150_000 {
        return Ok(superuser);
    }
    let sql = "SELECT pg_catalog.has_parameter_privilege('session_replication_role', 'SET')";
    session.query_one("read the role's rights", sql).await?.get(0)
}

/// Every role that can be named here, by its oid.
type RoleNames = HashMap<u32, (String, Role)>;

async fn roles(session: &Session) -> Result<RoleNames> {
    // Since 16 a member need not be allowed to become the role.
    let set = if session.version() >= 160_000 { "SET" } else { "MEMBER" };
    let columns = format!(
        "oid, rolname::text, pg_catalog.pg_has_role(current_user, oid, 'USAGE'), \
         pg_catalog.pg_has_role(current_user, oid, '{set}')"
    );
    let rows = shared_rows(session, "read the roles", &columns, "pg_catalog.pg_roles").await?;
    rows.iter()
        .map(|row| Ok((row.get(0)?, (row.get(1)?, Role { usage: row.get(2)?, set: row.get(3)? }))))
        .collect()
}

/// A role of the target's server by its name, or by its number where the name cannot be read here.
fn role_name(roles: &RoleNames, oid: u32) -> String {
    roles.get(&oid).map_or_else(|| format!("unknown (OID={oid})"), |(name, _)| name.clone())
}

async fn extensions(session: &Session) -> Result<HashMap<String, Extension>> {
    // The column `trusted` came with 13.
    let sql = "SELECT e.name::text, e.installed_version IS NOT NULL, \
                      coalesce(v.superuser AND NOT coalesce((pg_catalog.to_jsonb(v) ->> \
                      'trusted')::boolean, false), true) \
               FROM pg_catalog.pg_available_extensions e \
               LEFT JOIN pg_catalog.pg_available_extension_versions v ON v.name = e.name AND \
               v.version = e.default_version \
               UNION ALL \
               SELECT x.extname::text, true, true FROM pg_catalog.pg_extension x \
               WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions e WHERE e.name = \
               x.extname)";
    let sql = format!(
        "SELECT e.*, n.nspname::text FROM ({sql}) e(name, installed, superuser) LEFT JOIN \
         pg_catalog.pg_extension x ON x.extname = e.name LEFT JOIN pg_catalog.pg_namespace n ON \
         n.oid = x.extnamespace"
    );
    let extension = |row: &Row| {
        let extension =
            Extension { installed: row.get(1)?, superuser: row.get(2)?, schema: row.get(3)? };
        Ok((row.get(0)?, extension))
    };
    session.query("read the extensions", &sql).await?.iter().map(extension).collect()
}

async fn schemas(session: &Session, roles: &RoleNames) -> Result<HashMap<String, Schema>> {
    // The rights on what is dropped at this moment are NULL.
    let sql = "SELECT n.nspname::text, n.nspowner, pg_catalog.pg_has_role(current_user, \
        n.nspowner, 'USAGE'), \
                      coalesce(pg_catalog.has_schema_privilege(n.oid, 'CREATE'), false), \
                      pg_catalog.obj_description(n.oid, 'pg_namespace'), \
                      ARRAY(SELECT r.oid FROM pg_catalog.pg_roles r WHERE \
                      pg_catalog.has_schema_privilege(r.oid, n.oid, 'CREATE')) \
               FROM pg_catalog.pg_namespace n WHERE n.nspname <> 'information_schema' AND \
               n.nspname !~ '^pg_'";
    let rows = session.query("read the schemas", sql).await?;
    let mut schemas: HashMap<String, Schema> = rows
        .iter()
        .map(|row| {
            let creators: Vec<u32> = row.get(5)?;
            let schema = Schema {
                owner: role_name(roles, row.get(1)?),
                ours: row.get(2)?,
                creates: row.get(3)?,
                comment: row.get(4)?,
                creators: creators.into_iter().map(|role| role_name(roles, role)).collect(),
                privileges: BTreeSet::new(),
            };
            Ok((row.get(0)?, schema))
        })
        .collect::<Result<_>>()?;
    let sql = "SELECT n.nspname::text, nullif(a.grantee, 0), a.privilege_type, a.is_grantable \
               FROM pg_catalog.pg_namespace n, \
                    pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', \
                    n.nspowner))) a";
    for row in session.query("read the schemas' privileges", sql).await? {
        if let Some(schema) = schemas.get_mut(row.get::<_, &str>(0)?) {
            let grantee = row.get::<_, Option<u32>>(1)?.map(|role| role_name(roles, role));
            schema.privileges.insert((grantee, row.get(2)?, row.get(3)?));
        }
    }
    Ok(schemas)
}

/// What a user made, and no extension, in the schemas of which the condition holds: a few of them
/// by name, and how many there are.
pub(super) async fn occupied(session: &Session, schemas: &str) -> Result<(Vec<String>, u64)> {
    let sql = format!(
        "WITH member AS (SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'), \
         place AS (SELECT oid, nspname FROM pg_catalog.pg_namespace \
                   WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND {schemas} \
                   AND NOT EXISTS (SELECT FROM member WHERE classid = \
                   'pg_catalog.pg_namespace'::pg_catalog.regclass AND objid = oid)), \
         found AS ( \
           SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' \
           THEN 'sequence' \
                                 WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind, \
                                 p.nspname, c.relname AS name, 1 AS rank \
           FROM pg_catalog.pg_class c JOIN place p ON p.oid = c.relnamespace \
           WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') \
           AND NOT EXISTS (SELECT FROM member WHERE classid = \
           'pg_catalog.pg_class'::pg_catalog.regclass AND objid = c.oid) \
           UNION ALL \
           SELECT 'function', p.nspname, f.proname, 3 FROM pg_catalog.pg_proc f JOIN place p ON \
           p.oid = f.pronamespace \
           WHERE NOT EXISTS (SELECT FROM member WHERE classid = \
           'pg_catalog.pg_proc'::pg_catalog.regclass AND objid = f.oid) \
           UNION ALL \
           SELECT 'type', p.nspname, t.typname, 2 FROM pg_catalog.pg_type t JOIN place p ON p.oid \
           = t.typnamespace \
           LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid \
           WHERE (c.relkind = 'c' OR t.typtype IN ('d', 'e', 'r') OR (t.typtype = 'b' AND \
           t.typelem = 0)) \
           AND NOT EXISTS (SELECT FROM member WHERE (classid = \
           'pg_catalog.pg_type'::pg_catalog.regclass AND objid = t.oid) \
                           OR (classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = \
                           t.typrelid))) \
         SELECT kind || ' ' || pg_catalog.quote_ident(nspname) || '.' || \
         pg_catalog.quote_ident(name), pg_catalog.count(*) OVER () \
         FROM found ORDER BY rank, nspname, name LIMIT {NAMED}"
    );
    let rows = session.query("look what the target holds", &sql).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.get(1))?;
    Ok((rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?, count as u64))
}
