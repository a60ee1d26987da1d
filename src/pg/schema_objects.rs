//! What stands in some schemas and can be moved to another: its address, kind, name and how it is
//! found again under another schema's name.
//!
//! Does not know what is exchanged for what.

use std::fmt;

use crate::error::Result;
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::sql::ident;

/// Kinds of names: two objects with one name of one kind are each other's counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// `relation`, `type`, `routine` and so on.
    pub space: String,
    /// The schema in which it is live, unquoted.
    pub schema: String,
    /// The name, unquoted.
    pub name: String,
    /// Argument types or access method, with live schemas; empty for most kinds.
    pub signature: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.space, ident::qualified(&self.schema, &self.name))?;
        if self.signature.is_empty() { Ok(()) } else { write!(f, "({})", self.signature) }
    }
}

/// An object that is moved on its own; what belongs to it (indexes, keys, triggers, owned
/// sequences) goes along.
#[derive(Clone, Debug)]
pub struct Movable {
    /// The catalog.
    pub class: u32,
    /// The object.
    pub oid: u32,
    /// By what it is found in the other copy.
    pub key: Key,
    /// The kind, as `ALTER` calls it.
    pub kind: String,
    /// The name with its schema, as `ALTER` takes it.
    pub identity: String,
    /// Its schema now, unquoted.
    pub schema: String,
    /// Whether the role has its owner's rights.
    pub is_ours: bool,
    /// `pg_class.relkind`; empty for what is no relation.
    pub relkind: String,
    /// A relation's columns.
    pub columns: Vec<String>,
    /// Whether it is a trigger function.
    pub is_trigger_function: bool,
    /// The table that it is a partition of, or the range type that it makes values of; none is 0.
    pub part_of: u32,
}

impl Movable {
    /// For people: `table public.routes`.
    pub fn describe(&self) -> String {
        format!("{} {}", self.kind, self.identity)
    }

    /// Whether rows are in it.
    pub fn has_rows(&self) -> bool {
        self.relkind == "r"
    }

    /// Whether `LOCK TABLE` takes it.
    pub fn is_lockable(&self) -> bool {
        matches!(self.relkind.as_str(), "r" | "p")
    }

    /// The statement that moves it.
    pub fn set_schema(&self, schema: &str) -> String {
        format!("ALTER {} SET SCHEMA {}", self.in_statement(), ident::quote(schema))
    }

    /// Kind and name as `ALTER` and `DROP` take them: `TABLE public.routes`.
    pub fn in_statement(&self) -> String {
        let word = self.kind.to_uppercase();
        let word = match word.as_str() {
            "FUNCTION" | "PROCEDURE" | "AGGREGATE" => "ROUTINE",
            "STATISTICS OBJECT" => "STATISTICS",
            "COMPOSITE TYPE" => "TYPE",
            other => other,
        };
        format!("{word} {}", self.identity)
    }
}

/// Where to look: a schema, and the one under which what is in it is live.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The schema, unquoted.
    pub schema: &'a str,
    /// The name under which it is live, unquoted.
    pub live: &'a str,
}

/// Reads what stands in these places and belongs to no extension, and to no other object that takes
/// it along.
pub async fn read(session: &Session, places: &[Place<'_>]) -> Result<Vec<Movable>> {
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query("look what is to be exchanged", &sql(places)).await?;
    rows.iter().map(movable).collect()
}

fn movable(row: &Row) -> Result<Movable> {
    Ok(Movable {
        class: row.get(0)?,
        oid: row.get(1)?,
        key: Key {
            space: row.get(2)?,
            schema: row.get(3)?,
            name: row.get(4)?,
            signature: row.get(5)?,
        },
        kind: row.get(6)?,
        identity: row.get(7)?,
        schema: row.get(8)?,
        is_ours: row.get(9)?,
        relkind: row.get(10)?,
        columns: row.get(11)?,
        is_trigger_function: row.get(12)?,
        part_of: row.get(13)?,
    })
}

/// A catalog whose objects stand in a schema.
struct Class {
    catalog: &'static str,
    space: &'static str,
    /// The beginning of its columns' names.
    prefix: &'static str,
    /// The signature, as SQL.
    signature: &'static str,
    /// Which of its rows are objects of their own.
    condition: &'static str,
}

const CLASSES: &[Class] = &[
    Class {
        catalog: "pg_class",
        space: "relation",
        prefix: "rel",
        signature: "''",
        condition: "o.relkind IN ('r', 'p', 'v', 'm', 'f') OR (o.relkind = 'S' AND NOT EXISTS \
            (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = \
            'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = o.oid AND d.refclassid = \
            'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')))",
    },
    Class {
        catalog: "pg_type",
        space: "type",
        prefix: "typ",
        signature: "''",
        condition: "(o.typtype IN ('d', 'e', 'r', 'm') OR (o.typtype = 'c' AND EXISTS (SELECT \
            FROM pg_catalog.pg_class c WHERE c.oid = o.typrelid AND c.relkind = 'c')) OR \
            (o.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = \
            o.oid)))",
    },
    Class {
        catalog: "pg_proc",
        space: "routine",
        prefix: "pro",
        signature: "(SELECT coalesce(pg_catalog.string_agg(coalesce(m.live, tn.nspname)::text || \
            '.' || t.typname::text, ', ' ORDER BY a.place), '') FROM \
            pg_catalog.unnest(o.proargtypes::oid[]) WITH ORDINALITY a(type, place) JOIN \
            pg_catalog.pg_type t ON t.oid = a.type JOIN pg_catalog.pg_namespace tn ON tn.oid = \
            t.typnamespace LEFT JOIN place m ON m.oid = tn.oid)",
        condition: "true",
    },
    Class {
        catalog: "pg_operator",
        space: "operator",
        prefix: "opr",
        signature: "(SELECT pg_catalog.string_agg(coalesce(m.live, tn.nspname)::text || '.' || \
            t.typname::text, ', ' ORDER BY a.place) FROM pg_catalog.unnest(ARRAY[o.oprleft, \
            o.oprright]) WITH ORDINALITY a(type, place) JOIN pg_catalog.pg_type t ON t.oid = \
            a.type JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace LEFT JOIN place m \
            ON m.oid = tn.oid)",
        condition: "true",
    },
    Class {
        catalog: "pg_opclass",
        space: "operator class",
        prefix: "opc",
        signature: "(SELECT am.amname::text FROM pg_catalog.pg_am am WHERE am.oid = o.opcmethod)",
        condition: "true",
    },
    Class {
        catalog: "pg_opfamily",
        space: "operator family",
        prefix: "opf",
        signature: "(SELECT am.amname::text FROM pg_catalog.pg_am am WHERE am.oid = o.opfmethod)",
        condition: "true",
    },
    Class {
        catalog: "pg_collation",
        space: "collation",
        prefix: "coll",
        signature: "''",
        condition: "true",
    },
    Class {
        catalog: "pg_conversion",
        space: "conversion",
        prefix: "con",
        signature: "''",
        condition: "true",
    },
    Class {
        catalog: "pg_statistic_ext",
        space: "statistics",
        prefix: "stx",
        signature: "''",
        condition: "true",
    },
    Class {
        catalog: "pg_ts_parser",
        space: "text search parser",
        prefix: "prs",
        signature: "''",
        condition: "true",
    },
    Class {
        catalog: "pg_ts_template",
        space: "text search template",
        prefix: "tmpl",
        signature: "''",
        condition: "true",
    },
    Class {
        catalog: "pg_ts_config",
        space: "text search configuration",
        prefix: "cfg",
        signature: "''",
        condition: "true",
    },
    Class {
        catalog: "pg_ts_dict",
        space: "text search dictionary",
        prefix: "dict",
        signature: "''",
        condition: "true",
    },
];

/// The catalogs of what is moved.
pub fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|class| class.catalog)
}

/// The query; its columns are those that [`movable`] reads.
fn sql(places: &[Place<'_>]) -> String {
    let values: Vec<String> = places
        .iter()
        .map(|place| format!("({}, {})", ident::literal(place.schema), ident::literal(place.live)))
        .collect();
    let found: Vec<String> = CLASSES.iter().map(Class::sql).collect();
    format!(
        "WITH place AS (SELECT n.oid, n.nspname, v.live FROM (VALUES {}) v(name, live) JOIN \
         pg_catalog.pg_namespace n ON n.nspname = v.name), \
         found AS ({}) \
         SELECT f.classid, f.objid, f.space, p.live, f.name, coalesce(f.signature, ''), i.type, \
         i.identity, p.nspname::text, coalesce(pg_catalog.pg_has_role(f.owner, 'USAGE'), false), \
         f.relkind, f.columns, f.is_trigger, f.part_of \
         FROM found f JOIN place p ON p.oid = f.namespace, \
         pg_catalog.pg_identify_object(f.classid, f.objid, 0) i \
         WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid \
         = f.classid AND e.objid = f.objid) ORDER BY f.classid, f.objid",
        values.join(", "),
        found.join(" UNION ALL ")
    )
}

impl Class {
    fn sql(&self) -> String {
        let Self { catalog, space, prefix, signature, condition } = self;
        let has_owner = !matches!(*catalog, "pg_ts_parser" | "pg_ts_template");
        let is_relation = *catalog == "pg_class";
        let relkind = if is_relation { "o.relkind::text" } else { "''" };
        let columns = if is_relation {
            "ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = o.oid \
             AND a.attnum > 0 AND NOT a.attisdropped)"
        } else {
            "ARRAY[]::text[]"
        };
        let part_of = if is_relation {
            "CASE WHEN o.relispartition THEN coalesce((SELECT i.inhparent FROM \
             pg_catalog.pg_inherits i WHERE i.inhrelid = o.oid), 0::oid) ELSE 0::oid END"
        } else if *catalog == "pg_proc" {
            "coalesce((SELECT d.refobjid FROM pg_catalog.pg_depend d WHERE d.classid = \
             'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = o.oid AND d.refclassid = \
             'pg_catalog.pg_type'::pg_catalog.regclass AND d.deptype = 'i'), 0::oid)"
        } else {
            "0::oid"
        };
        // What has no owner is a superuser's.
        let owner = if has_owner { format!("o.{prefix}owner") } else { "10::oid".to_owned() };
        let is_trigger = if *catalog == "pg_proc" {
            "o.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype AND o.pronargs = 0"
        } else {
            "false"
        };
        format!(
            "SELECT 'pg_catalog.{catalog}'::pg_catalog.regclass::oid AS classid, o.oid AS objid, \
             '{space}' AS space, o.{prefix}namespace AS namespace, {owner} AS owner, \
             o.{prefix}name::text AS name, {signature} AS signature, {relkind} AS relkind, \
             {columns} AS columns, {is_trigger} AS is_trigger, {part_of} AS part_of \
             FROM pg_catalog.{catalog} o JOIN place pl ON pl.oid = o.{prefix}namespace WHERE {condition}"
        )
    }
}
