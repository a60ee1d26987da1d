//! What the server's functions say of objects, in a form to be compared: they read the system's
//! caches, and so tell what is committed now, whatever snapshot the transaction sees.
//!
//! That is names wherever another object's is printed, and the whole of what `pg_get_functiondef`,
//! `pg_get_triggerdef`, `pg_get_indexdef` and `pg_get_statisticsobjdef` write. Expressions,
//! constraints and rules are read by the snapshot, but for the names in them. New objects do not
//! matter: what the snapshot shows names none of them.

use super::reader::USER_SCHEMA;
use crate::error::Result;
use crate::pg::row::Row;
use crate::pg::session::Session;

/// An object as one transaction sees it.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The catalog that it is in, and its row there.
    pub key: (String, u32),
    /// The relation that it is, is an index of, or is made on; zero for others.
    pub relation: u32,
    /// Its kind, but for relations, and its name, quoted.
    pub title: String,
    /// Equal digests, equal definitions.
    pub digest: i64,
    /// Whether a dump of what the transaction sees tells of it.
    pub is_told: bool,
}

/// A catalog whose columns `…name` and `…namespace` begin with the prefix; of an object `o`, in SQL.
struct Named {
    catalog: &'static str,
    prefix: &'static str,
    /// What it is called, with the space before its name.
    kind: &'static str,
    /// Which objects count.
    condition: &'static str,
    relation: &'static str,
    /// What is printed beside its name.
    printed: &'static str,
}

impl Named {
    /// Of which only the name is printed.
    const fn only(catalog: &'static str, prefix: &'static str, kind: &'static str) -> Self {
        Self { catalog, prefix, kind, condition: "true", relation: "0", printed: "0" }
    }
}

const NAMED: &[Named] = &[
    Named {
        relation: "coalesce((SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = \
                   o.oid), o.oid)",
        printed: "ROW(CASE WHEN o.relkind IN ('i', 'I') THEN o.reloptions END, \
            ARRAY(SELECT ROW(a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation)::text \
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT \
            a.attisdropped ORDER BY a.attnum), \
            ARRAY(SELECT (pg_catalog.to_jsonb(t) - 'tgenabled')::text FROM pg_catalog.pg_trigger t \
            WHERE t.tgrelid = o.oid AND NOT t.tgisinternal ORDER BY t.oid))",
        ..Named::only("pg_class", "rel", "")
    },
    Named {
        printed: "pg_catalog.to_jsonb(o) - '{proacl,proowner}'::text[]",
        ..Named::only("pg_proc", "pro", "function ")
    },
    Named {
        // Others are called after what they are of.
        condition: "o.typcategory <> 'A' AND o.typrelid = 0",
        printed: "ARRAY(SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = o.oid \
            ORDER BY e.enumsortorder)",
        ..Named::only("pg_type", "typ", "type ")
    },
    Named {
        relation: "o.stxrelid",
        printed: "pg_catalog.to_jsonb(o) - '{stxowner,stxstattarget}'::text[]",
        ..Named::only("pg_statistic_ext", "stx", "statistics ")
    },
    Named::only("pg_collation", "coll", "collation "),
    Named::only("pg_conversion", "con", "conversion "),
    Named::only("pg_operator", "opr", "operator "),
    Named::only("pg_opclass", "opc", "operator class "),
    Named::only("pg_opfamily", "opf", "operator family "),
    Named::only("pg_ts_config", "cfg", "text search configuration "),
    Named::only("pg_ts_dict", "dict", "text search dictionary "),
    Named::only("pg_ts_parser", "prs", "text search parser "),
    Named::only("pg_ts_template", "tmpl", "text search template "),
];

/// Roles, whose names stand wherever owners and privileges do; told are those that something of the
/// database, or the database itself, depends on. The bootstrap superuser is in no list of these.
const ROLES: &str = "SELECT 'pg_authid', r.oid, 0::pg_catalog.oid, \
    'role ' || pg_catalog.quote_ident(r.rolname), \
    pg_catalog.hashtextextended(r.rolname::text, 0), \
    r.oid = 10 OR EXISTS (SELECT FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON \
    d.oid = s.dbid OR s.dbid = 0 AND s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND \
    s.objid = d.oid WHERE d.datname = pg_catalog.current_database() AND s.refclassid = \
    'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = r.oid) \
    FROM pg_catalog.pg_roles r";

/// Reads all of them in the schemas of users, and the roles.
pub async fn definitions(session: &Session) -> Result<Vec<Definition>> {
    let of_one = |&Named { catalog, prefix, kind, condition, relation, printed }: &Named| {
        format!(
            "SELECT '{catalog}' AS catalog, o.oid, ({relation})::pg_catalog.oid AS relation, \
             '{kind}' || pg_catalog.quote_ident(n.nspname) || '.' || \
             pg_catalog.quote_ident(o.{prefix}name) AS title, \
             pg_catalog.hashtextextended(ROW(n.nspname, o.{prefix}name, {printed})::text, 0) AS digest, \
             true AS is_told \
             FROM pg_catalog.{catalog} o JOIN pg_catalog.pg_namespace n ON n.oid = \
             o.{prefix}namespace WHERE {USER_SCHEMA} AND {condition}"
        )
    };
    let all: Vec<String> = NAMED.iter().map(of_one).chain([ROLES.to_owned()]).collect();
    let sql = all.join(" UNION ALL ");
    let rows = session.query("compare the definitions of objects", &sql).await?;
    let definition = |row: &Row| -> Result<_> {
        Ok(Definition {
            key: (row.get("catalog")?, row.get("oid")?),
            relation: row.get("relation")?,
            title: row.get("title")?,
            digest: row.get("digest")?,
            is_told: row.get("is_told")?,
        })
    };
    rows.iter().map(definition).collect()
}
