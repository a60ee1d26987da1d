//! What is not dropped and needs what is: found in the catalog before the first statement, where the
//! server would say it at the last.
//!
//! Follows tables, views, sequences, functions and types, and what hangs on them. What depends on
//! an object of another kind the server tells when it is dropped.

use std::collections::HashSet;

use super::leftover::Leftover;
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// How many are named.
const NAMED: usize = 10;

/// Looks what needs the objects that are dropped, or one of those that go along.
pub(in crate::restore) async fn look(
    session: &Session,
    dropped: &[&Object],
    leftovers: &[Leftover],
) -> Result<Option<Finding>> {
    let Some(gone) = gone(dropped, leftovers) else { return Ok(None) };
    let class = "'pg_catalog.pg_class'::pg_catalog.regclass::oid";
    let classes = FOLLOWED.map(|class| format!("'pg_catalog.{class}'::pg_catalog.regclass"));
    let sql = format!(
        "WITH RECURSIVE {gone}, \
         needs AS (SELECT DISTINCT d.classid, d.objid FROM gone g JOIN pg_catalog.pg_depend d \
             ON d.refclassid = g.classid AND d.refobjid = g.objid \
           WHERE d.deptype = 'n' AND d.classid IN ({}) \
             AND NOT EXISTS (SELECT FROM gone o WHERE (o.classid, o.objid) = (d.classid, d.objid)) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend t JOIN pg_catalog.pg_depend e \
               ON e.deptype = 'e' AND (e.classid, e.objid) = (t.refclassid, t.refobjid) \
               WHERE t.deptype IN ('a', 'i') AND (t.classid, t.objid) = (d.classid, d.objid)) \
           UNION SELECT g.classid, g.objid FROM gone g JOIN pg_catalog.pg_class c ON g.classid = \
             {class} AND c.oid = g.objid WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') \
             AND NOT EXISTS (SELECT FROM roots o WHERE (o.classid, o.objid) = (g.classid, \
             g.objid))) \
         SELECT pg_catalog.pg_describe_object(classid, objid, 0), pg_catalog.count(*) OVER () \
         FROM (SELECT DISTINCT CASE WHEN v.oid IS NULL THEN n.classid ELSE {class} END AS classid, \
             coalesce(v.ev_class, n.objid) AS objid \
           FROM needs n LEFT JOIN pg_catalog.pg_rewrite v ON v.oid = n.objid \
             AND n.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass \
             AND v.rulename = '_RETURN') named \
         ORDER BY 1 LIMIT {NAMED}",
        classes.join(", ")
    );
    let rows = session.query("look what needs that which is dropped", &sql).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let count: i64 = first.get(1)?;
    let named = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>>>()?;
    let more = if count as usize > named.len() { ", …" } else { "" };
    let objects = if count == 1 { "object needs" } else { "objects need" };
    let problem =
        format!("{count} {objects} what -c drops, and would stay: {}{more}", named.join(", "));
    let way_out = "drop these first, choose them too (-t, --table-and-children), or restore into \
        an empty database";
    Ok(Some(Finding::new(problem, way_out)))
}

/// A query for the addresses of what is dropped and can be told by schema and name; none if there
/// is nothing.
pub(in crate::restore) fn roots(dropped: &[&Object], leftovers: &[Leftover]) -> Option<String> {
    Roots::of(dropped, leftovers).sql()
}

/// What of the objects that are dropped belongs to others: the owner of a schema may drop it, but it
/// is not the archive's.
pub(in crate::restore) async fn of_others(
    session: &Session,
    dropped: &[&Object],
) -> Result<Option<Finding>> {
    let Some(roots) = roots(dropped, &[]) else { return Ok(None) };
    let sql = format!(
        "WITH roots(classid, objid) AS ({roots}), owned AS (SELECT \
         'pg_catalog.pg_class'::pg_catalog.regclass::oid, oid, relowner FROM pg_catalog.pg_class \
         UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, oid, typowner FROM \
         pg_catalog.pg_type) SELECT pg_catalog.pg_describe_object(classid, objid, 0) FROM roots \
         JOIN owned o(class, oid, owner) ON (o.class, o.oid) = (classid, objid) WHERE NOT \
         pg_catalog.pg_has_role(o.owner, 'USAGE') ORDER BY 1"
    );
    let names = named(session, &sql).await?;
    Ok(names.map(|names| {
        let problem = format!("of what -c drops, these belong to other roles: {names}");
        Finding::new(problem, "let their owner drop them, or restore into another database")
    }))
}

/// What stays and has the name of something that the archive makes: a relation, which includes
/// indexes and those of constraints, a type, or extended statistics. `made`: all that is made.
pub(in crate::restore) async fn taken(
    session: &Session,
    dropped: &[&Object],
    leftovers: &[Leftover],
    made: &[Object],
) -> Result<Option<Finding>> {
    let Some(gone) = gone(dropped, leftovers) else { return Ok(None) };
    let name = |object: &Object| {
        ident::literals(object.schema.as_deref().unwrap_or_default(), &object.name)
    };
    let list = |is_such: fn(&Object) -> bool| {
        let made = made.iter().filter(|object| !object.statements.is_empty());
        made.filter(|object| is_such(object)).map(name).collect::<Vec<_>>().join(", ")
    };
    let (relations, types) = (list(makes_relation), list(makes_type));
    let statistics = match list(|object| object.kind == ObjectKind::Statistics) {
        none if none.is_empty() => "SELECT NULL::oid, NULL::oid WHERE false".to_owned(),
        names => format!(
            "SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass::oid, s.oid FROM (VALUES \
             {names}) w(nspname, name) JOIN pg_catalog.pg_namespace n ON n.nspname = w.nspname \
             JOIN pg_catalog.pg_statistic_ext s ON s.stxnamespace = n.oid AND s.stxname = w.name"
        ),
    };
    if relations.is_empty() || types.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "WITH RECURSIVE {gone}, found(classid, objid) AS (SELECT \
         'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid FROM (VALUES {relations}) \
         w(nspname, name) JOIN pg_catalog.pg_namespace n ON n.nspname = w.nspname JOIN \
         pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name WHERE c.relkind <> \
         'c' UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid FROM (VALUES \
         {types}) w(nspname, name) JOIN pg_catalog.pg_namespace n ON n.nspname = w.nspname JOIN \
         pg_catalog.pg_type t ON t.typnamespace = n.oid AND t.typname = w.name LEFT JOIN \
         pg_catalog.pg_class c ON c.oid = t.typrelid WHERE coalesce(c.relkind, 'c') = 'c' AND NOT \
         EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid) UNION ALL \
         {statistics}) SELECT \
         pg_catalog.pg_describe_object(classid, objid, 0) FROM found f WHERE NOT EXISTS (SELECT \
         FROM gone g WHERE (g.classid, g.objid) = (f.classid, f.objid)) ORDER BY 1"
    );
    let names = named(session, &sql).await?;
    Ok(names.map(|names| {
        let problem = format!("what stays has names that the archive needs: {names}");
        Finding::new(problem, "rename or drop these first, or restore into another database")
    }))
}

fn makes_relation(object: &Object) -> bool {
    use ObjectKind::{Constraint, ForeignTable, Index, MaterializedView, Sequence, Table, View};
    match object.kind {
        Table | ForeignTable | View | MaterializedView | Sequence | Index => true,
        Constraint => object.statements.first().is_some_and(|sql| {
            [" PRIMARY KEY ", " UNIQUE ", " EXCLUDE "].iter().any(|word| sql.contains(word))
        }),
        _ => false,
    }
}

fn makes_type(object: &Object) -> bool {
    use ObjectKind::{Domain, ForeignTable, MaterializedView, Table, Type, View};
    matches!(object.kind, Table | ForeignTable | View | MaterializedView | Type | Domain)
}

/// The names that a query gives, a few of them.
pub(super) async fn named(session: &Session, sql: &str) -> Result<Option<String>> {
    let rows = session.query("look what the target holds", sql).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let names = rows.iter().take(NAMED).map(|row| row.get(0)).collect::<Result<Vec<String>>>()?;
    let more = if rows.len() > names.len() { ", …" } else { "" };
    Ok(Some(format!("{}{more}", names.join(", "))))
}

/// How many locks the server takes for what is dropped: one for each object, and for each that goes
/// along.
pub(in crate::restore) async fn locks(
    session: &Session,
    dropped: &[&Object],
    leftovers: &[Leftover],
) -> Result<u64> {
    let Some(gone) = gone(dropped, leftovers) else { return Ok(0) };
    let sql = format!("WITH RECURSIVE {gone} SELECT pg_catalog.count(*) FROM gone");
    let row = session.query_one("count what is dropped", &sql).await?;
    Ok(row.get::<_, i64>(0)?.unsigned_abs())
}

/// The query of the addresses of what is dropped and all that goes along.
pub(super) fn gone(dropped: &[&Object], leftovers: &[Leftover]) -> Option<String> {
    let roots = Roots::of(dropped, leftovers).sql()?;
    Some(format!(
        "roots(classid, objid) AS ({roots}), gone(classid, objid) AS (SELECT * FROM roots UNION \
         SELECT d.classid, d.objid FROM gone g JOIN pg_catalog.pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid \
         WHERE d.deptype IN ('a', 'i', 'e', 'P', 'S'))"
    ))
}

/// The catalogs whose rows are known to be dropped or not: all that the archive makes of these is
/// among the roots, goes along with one, or stands on an extension's object.
const FOLLOWED: [&str; 7] =
    ["pg_class", "pg_constraint", "pg_rewrite", "pg_trigger", "pg_policy", "pg_attrdef", "pg_proc"];

/// What is dropped, by schema and name: of functions of one name all, which is too many rather than
/// too few.
#[derive(Default)]
struct Roots {
    relations: Vec<String>,
    functions: Vec<String>,
    types: Vec<String>,
    extensions: Vec<String>,
    /// By catalog and oid.
    addresses: Vec<String>,
}

impl Roots {
    fn of(dropped: &[&Object], leftovers: &[Leftover]) -> Self {
        use ObjectKind::{
            Aggregate, Domain, Extension, ForeignTable, Function, Index, MaterializedView,
            Sequence, Table, Type, View,
        };
        let mut roots = Self::default();
        let ids: HashSet<ObjectId> = dropped.iter().map(|object| object.id).collect();
        for object in dropped {
            let list = match object.kind {
                Table | ForeignTable | View | MaterializedView | Sequence => &mut roots.relations,
                // With its table it goes anyhow.
                Index if object.of.is_some_and(|of| !ids.contains(&of)) => &mut roots.relations,
                Function | Aggregate => &mut roots.functions,
                Type | Domain => &mut roots.types,
                Extension => &mut roots.extensions,
                _ => continue,
            };
            let schema = object.schema.as_deref().unwrap_or_default();
            if matches!(object.kind, Function | Aggregate) {
                // The name is told with its arguments; which bracket begins them is not.
                let ends = object.name.match_indices('(').map(|(end, _)| &object.name[..end]);
                list.extend(ends.map(|name| ident::literals(schema, name)));
            } else {
                list.push(ident::literals(schema, &object.name));
            }
        }
        roots.addresses = leftovers.iter().map(|one| one.address().to_owned()).collect();
        roots
    }

    /// A query for their addresses.
    fn sql(&self) -> Option<String> {
        let of_class = |class: &str, name: &str, schema: &str, pairs: &[String]| {
            let sql = format!(
                "SELECT 'pg_catalog.{class}'::pg_catalog.regclass::oid, c.oid \
                 FROM (VALUES {}) w(nspname, name) \
                 JOIN pg_catalog.{class} c ON c.{name} = w.name \
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.{schema} AND n.nspname = w.nspname",
                pairs.join(", ")
            );
            (!pairs.is_empty()).then_some(sql)
        };
        let extensions = format!(
            "SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::oid, c.oid \
             FROM (VALUES {}) w(nspname, name) JOIN pg_catalog.pg_extension c ON c.extname = w.name",
            self.extensions.join(", ")
        );
        let all = [
            of_class("pg_class", "relname", "relnamespace", &self.relations),
            of_class("pg_proc", "proname", "pronamespace", &self.functions),
            of_class("pg_type", "typname", "typnamespace", &self.types),
            (!self.extensions.is_empty()).then_some(extensions),
            (!self.addresses.is_empty()).then(|| {
                let addresses = self.addresses.join(", ");
                format!("SELECT * FROM (VALUES {addresses}) a WHERE column2 IS NOT NULL")
            }),
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(" UNION ALL "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: ObjectKind, name: &str) -> Object {
        Object {
            schema: Some("s".into()),
            name: name.into(),
            ..Object::new(ObjectId(0), kind, format!("X s.{name}"))
        }
    }

    #[test]
    fn a_functions_name_ends_at_one_of_its_brackets() {
        let objects = [
            object(ObjectKind::Table, "t'"),
            object(ObjectKind::Function, "f(x)(integer)"),
            object(ObjectKind::Index, "i"),
        ];
        let leftover = Leftover::trigger_function("public", "sync_tags");
        let roots = Roots::of(&objects.iter().collect::<Vec<_>>(), &[leftover]);
        assert_eq!(roots.relations, ["('s', 't''')"]);
        assert_eq!(roots.functions, ["('s', 'f')", "('s', 'f(x)')"]);
        assert!(roots.types.is_empty() && roots.extensions.is_empty());
        let sql = roots.sql().expect("there are some");
        assert_eq!(sql.matches("UNION ALL").count(), 2, "{sql}");
        assert!(sql.contains("to_regprocedure('public.sync_tags()')::oid"), "{sql}");
        assert!(Roots::default().sql().is_none(), "an index alone is nobody's need");
    }
}
