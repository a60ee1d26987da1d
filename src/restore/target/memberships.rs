//! What goes in silence with what is dropped, and is not made again: tables leave their publications
//! and subscriptions and the tables that they are children or partitions of, and take sequences along
//! that their columns own; schemas leave publications, and take their default privileges along.
//!
//! No statement fails for it. A table that has left its subscription is not kept up to date any
//! more, and its parent lacks its rows, which nobody sees before it is too late.

use super::dependents;
use super::leftover::Leftover;
use crate::archive::manifest::{Object, ObjectKind};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// Looks for it. `made`: all that the archive makes.
pub(in crate::restore) async fn look(
    session: &Session,
    dropped: &[&Object],
    leftovers: &[Leftover],
    made: &[Object],
) -> Result<Option<Finding>> {
    let Some(gone) = dependents::gone(dropped, leftovers) else { return Ok(None) };
    let of_kind = |kind: ObjectKind| made.iter().filter(move |object| object.kind == kind);
    let names = |kind| list(of_kind(kind).map(|object| ident::literal(&object.name)));
    let pairs = |kind| {
        let pair = |object: &Object| {
            ident::literals(object.schema.as_deref().unwrap_or_default(), &object.name)
        };
        list(of_kind(kind).map(pair).chain(["('', '')".to_owned()]))
    };
    let privileged = list(
        of_kind(ObjectKind::DefaultAcl).filter_map(|one| one.schema.as_deref()).map(ident::literal),
    );
    let schemas = dropped.iter().filter(|object| object.kind == ObjectKind::Schema);
    let schemas = list(schemas.map(|object| ident::literal(&object.name)));
    let sql = format!(
        "WITH RECURSIVE {gone}, schemas AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n \
         WHERE n.nspname IN ({schemas}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE \
         d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid AND \
         d.deptype = 'n' AND NOT EXISTS (SELECT FROM gone g WHERE (g.classid, g.objid) = \
         (d.classid, d.objid)))), lost(classid, objid, name) AS (SELECT d.classid, d.objid, \
         NULL::text FROM schemas s JOIN pg_catalog.pg_depend d ON d.refclassid = \
         'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = s.oid WHERE d.classid = \
         'pg_catalog.pg_default_acl'::pg_catalog.regclass AND s.nspname NOT IN ({privileged}) UNION \
         SELECT r.tableoid, r.oid, NULL FROM gone g JOIN pg_catalog.pg_publication_rel r ON \
         r.prrelid = g.objid AND g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass JOIN \
         pg_catalog.pg_publication p ON p.oid = r.prpubid JOIN pg_catalog.pg_class c ON c.oid = \
         r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname NOT IN \
         ({publications}) AND (n.nspname, p.pubname || ' ' || c.relname) NOT IN ({tables}) {of_15}\
         UNION SELECT 0, 0, pg_catalog.format('table %s of subscription %s', \
         r.srrelid::pg_catalog.regclass, s.identity) FROM gone g JOIN \
         pg_catalog.pg_subscription_rel r ON r.srrelid = g.objid AND g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass, \
         pg_catalog.pg_identify_object('pg_catalog.pg_subscription'::pg_catalog.regclass, \
         r.srsubid, 0) s WHERE s.identity NOT IN ({subscriptions}) UNION SELECT 0, 0, \
         pg_catalog.format('table %s as a child or partition of %s', \
         i.inhrelid::pg_catalog.regclass, i.inhparent::pg_catalog.regclass) FROM gone g JOIN \
         pg_catalog.pg_inherits i ON i.inhrelid = g.objid AND g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass JOIN pg_catalog.pg_class c ON c.oid = \
         i.inhrelid WHERE c.relkind IN ('r', 'p', 'f') AND NOT EXISTS (SELECT FROM gone p WHERE \
         (p.classid, p.objid) = (g.classid, i.inhparent)) UNION SELECT g.classid, g.objid, NULL \
         FROM gone g JOIN pg_catalog.pg_class c ON c.oid = g.objid AND g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace WHERE c.relkind = 'S' AND (g.classid, g.objid) NOT IN (SELECT classid, objid FROM roots) AND (n.nspname, c.relname) NOT IN ({sequences}) AND \
         NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE (d.classid, d.objid) = (g.classid, \
         g.objid) AND d.deptype IN ('i', 'e')) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
         WHERE (d.refclassid, d.refobjid) = (g.classid, g.objid) AND d.classid = \
         'pg_catalog.pg_attrdef'::pg_catalog.regclass)) SELECT coalesce(name, \
         pg_catalog.pg_describe_object(classid, objid, 0)) FROM lost ORDER BY 1",
        publications = names(ObjectKind::Publication),
        tables = pairs(ObjectKind::PublicationTable),
        of_15 = if session.version() >= 150_000 {
            format!(
                "UNION SELECT r.tableoid, r.oid, NULL FROM schemas s JOIN \
                 pg_catalog.pg_publication_namespace r ON r.pnnspid = s.oid JOIN \
                 pg_catalog.pg_publication p ON p.oid = r.pnpubid WHERE p.pubname NOT IN \
                 ({}) AND (s.nspname, p.pubname || ' ' || s.nspname) NOT IN ({}) ",
                names(ObjectKind::Publication),
                pairs(ObjectKind::PublicationSchema)
            )
        } else {
            String::new()
        },
        sequences = pairs(ObjectKind::Sequence),
        subscriptions = list(
            of_kind(ObjectKind::Subscription).map(|one| ident::literal(&ident::quote(&one.name)))
        ),
    );
    let Some(names) = dependents::named(session, &sql).await? else { return Ok(None) };
    let problem = format!(
        "what -c drops would take these along, and the archive does not make them again: {names}"
    );
    let way_out = "take them away first, and make them again afterwards (ALTER PUBLICATION, ALTER \
        SUBSCRIPTION, ALTER DEFAULT PRIVILEGES, ALTER TABLE, ALTER SEQUENCE ... OWNED BY NONE), or \
        restore into another database";
    Ok(Some(Finding::new(problem, way_out)))
}

/// Says that rows are dropped and none are restored in their place, where the options leave these
/// out: `tables` are made anew without rows.
pub(in crate::restore) async fn rows(
    session: &Session,
    tables: impl Iterator<Item = &Object>,
) -> Result<Option<String>> {
    let name =
        |table: &Object| ident::literals(table.schema.as_deref().unwrap_or_default(), &table.name);
    let tables: Vec<String> = tables.map(name).collect();
    if tables.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT c.oid::pg_catalog.regclass::text FROM (VALUES {}) w(nspname, relname) JOIN \
         pg_catalog.pg_namespace n ON n.nspname = w.nspname JOIN pg_catalog.pg_class c ON \
         c.relnamespace = n.oid AND c.relname = w.relname AND c.relkind = 'r' WHERE \
         pg_catalog.pg_relation_size(c.oid) > 0 ORDER BY 1",
        tables.join(", ")
    );
    let names = dependents::named(session, &sql).await?;
    Ok(names.map(|names| {
        format!(
            "-c drops the rows of these tables, and the options restore none of theirs: {names}"
        )
    }))
}

/// What stands in the brackets of IN; of nothing, a name that nothing has.
fn list(values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    if values.is_empty() { "''".to_owned() } else { values.join(", ") }
}
