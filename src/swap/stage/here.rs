//! What the database holds that a stage must know: its schemas, what exists once in it, and the
//! names of extensions' members.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::archive::manifest::{Object, ObjectKind};
use crate::error::Result;
use crate::pg::session::Session;
use crate::sql::ident;

/// What is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Here {
    /// Every schema, unquoted.
    pub(super) schemas: BTreeSet<String>,
    /// What exists once, by its kind in words and its name: the schema, where it is an extension.
    pub(super) standing: HashMap<(String, String), String>,
    /// The names of extensions' members, operators too, by schema.
    pub(super) members: BTreeMap<String, BTreeSet<String>>,
}

/// What may exist once: the kind, as the archive's objects call it, the catalog, and its column.
const ONCE: &[(ObjectKind, &str, &str)] = &[
    (ObjectKind::Language, "pg_language", "lanname"),
    (ObjectKind::AccessMethod, "pg_am", "amname"),
    (ObjectKind::ForeignDataWrapper, "pg_foreign_data_wrapper", "fdwname"),
    (ObjectKind::ForeignServer, "pg_foreign_server", "srvname"),
];

/// Catalogs whose rows have a name in a schema, and the beginning of their columns' names.
const NAMED: &[(&str, &str)] = &[
    ("pg_class", "rel"),
    ("pg_type", "typ"),
    ("pg_proc", "pro"),
    ("pg_operator", "opr"),
    ("pg_opclass", "opc"),
    ("pg_opfamily", "opf"),
    ("pg_collation", "coll"),
    ("pg_conversion", "con"),
    ("pg_statistic_ext", "stx"),
    ("pg_ts_config", "cfg"),
    ("pg_ts_dict", "dict"),
    ("pg_ts_parser", "prs"),
    ("pg_ts_template", "tmpl"),
];

impl Here {
    /// Reads it.
    pub(super) async fn read(session: &Session) -> Result<Self> {
        let mut here = Self::default();
        let sql = "SELECT nspname::text FROM pg_catalog.pg_namespace";
        for row in session.query("read the schemas", sql).await? {
            here.schemas.insert(row.get(0)?);
        }
        let once: Vec<String> = ONCE
            .iter()
            .map(|(kind, catalog, column)| {
                let kind = ident::literal(&kind.to_string());
                format!("SELECT {kind}, {column}::text, '' FROM pg_catalog.{catalog}")
            })
            .collect();
        let sql = format!(
            "SELECT {}, e.extname::text, n.nspname::text FROM pg_catalog.pg_extension e JOIN \
             pg_catalog.pg_namespace n ON n.oid = e.extnamespace UNION ALL {}",
            ident::literal(&ObjectKind::Extension.to_string()),
            once.join(" UNION ALL ")
        );
        for row in session.query("look what exists once", &sql).await? {
            here.standing.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        }
        let named: Vec<String> = NAMED
            .iter()
            .map(|(catalog, prefix)| {
                format!(
                    "SELECT 'pg_catalog.{catalog}'::pg_catalog.regclass::oid AS class, o.oid, \
                     o.{prefix}namespace AS place, o.{prefix}name::text AS name FROM \
                     pg_catalog.{catalog} o"
                )
            })
            .collect();
        let sql = format!(
            "SELECT DISTINCT n.nspname::text, o.name FROM ({}) o JOIN pg_catalog.pg_namespace n \
             ON n.oid = o.place JOIN pg_catalog.pg_depend d ON d.classid = o.class AND d.objid = \
             o.oid AND d.deptype = 'e' WHERE n.nspname <> 'pg_catalog'",
            named.join(" UNION ALL ")
        );
        for row in session.query("read the names of extensions' members", &sql).await? {
            here.members.entry(row.get(0)?).or_default().insert(row.get(1)?);
        }
        Ok(here)
    }

    /// Whether an object that exists once stands here by its name.
    pub(super) fn stands(&self, object: &Object) -> bool {
        self.standing_as(object).is_some()
    }

    /// Whether it is an extension that stands in another schema than its statement says.
    pub(super) fn is_elsewhere(&self, object: &Object) -> bool {
        object.kind == ObjectKind::Extension
            && self
                .standing_as(object)
                .is_some_and(|schema| !object.statements.iter().any(|sql| is_within(sql, schema)))
    }

    fn standing_as(&self, object: &Object) -> Option<&String> {
        self.standing.get(&(object.kind.to_string(), object.name.clone()))
    }
}

/// Whether the statement that makes an extension names this schema.
pub(super) fn is_within(create: &str, schema: &str) -> bool {
    create.ends_with(&format!(" WITH SCHEMA {}", ident::quote(schema)))
}
