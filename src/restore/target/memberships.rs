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
    let schemas = dropped.iter().filter(|object| object.kind == ObjectKind::Schema);
    let schemas = list(schemas.map(|object| ident::literal(&object.name)));
    let made = Made(made);
    let mut lost = vec![
        made.default_privileges(),
        made.published_tables(),
        made.subscribed_tables(),
        CHILDREN.to_owned(),
        made.sequences(),
    ];
    if session.version() >= 150_000 {
        lost.push(made.published_schemas());
    }
    // A schema goes if all goes that is in it.
    let sql = format!(
        "WITH RECURSIVE {gone}, relations AS (SELECT c.oid, c.relkind, c.relname, n.nspname, \
         (g.classid, g.objid) IN (SELECT classid, objid FROM roots) AS is_named FROM gone g JOIN \
         pg_catalog.pg_class c ON c.oid = g.objid AND g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace), schemas AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n WHERE \
         n.nspname IN ({schemas}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE \
         d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid AND \
         d.deptype = 'n' AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM gone))) \
         SELECT name FROM ({}) lost(name) ORDER BY 1",
        lost.join(" UNION ALL ")
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

/// Relations whose parent stays.
const CHILDREN: &str = "SELECT pg_catalog.format('table %s as a child or partition of %s', \
    i.inhrelid::pg_catalog.regclass, i.inhparent::pg_catalog.regclass) FROM relations r JOIN \
    pg_catalog.pg_inherits i ON i.inhrelid = r.oid WHERE r.relkind IN ('r', 'p', 'f') AND \
    i.inhparent NOT IN (SELECT oid FROM relations)";

/// What the archive makes. Each query gives what goes and is not among it, about `relations` and
/// `schemas`, which go.
struct Made<'a>(&'a [Object]);

impl Made<'_> {
    fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = &Object> {
        self.0.iter().filter(move |object| object.kind == kind)
    }

    fn names(&self, kind: ObjectKind) -> String {
        list(self.of_kind(kind).map(|object| ident::literal(&object.name)))
    }

    /// With their schemas.
    fn pairs(&self, kind: ObjectKind) -> String {
        let pairs = self.of_kind(kind).map(pair);
        pairs.chain(["('', '')".to_owned()]).collect::<Vec<_>>().join(", ")
    }

    fn default_privileges(&self) -> String {
        let schemas = self.of_kind(ObjectKind::DefaultAcl).filter_map(|one| one.schema.as_deref());
        format!(
            "SELECT pg_catalog.pg_describe_object(d.tableoid, d.oid, 0) FROM schemas s JOIN \
             pg_catalog.pg_default_acl d ON d.defaclnamespace = s.oid WHERE s.nspname NOT IN ({})",
            list(schemas.map(ident::literal))
        )
    }

    fn published_tables(&self) -> String {
        format!(
            "SELECT pg_catalog.pg_describe_object(p.tableoid, p.oid, 0) FROM relations r JOIN \
             pg_catalog.pg_publication_rel p ON p.prrelid = r.oid JOIN pg_catalog.pg_publication o \
             ON o.oid = p.prpubid WHERE o.pubname NOT IN ({}) AND (r.nspname, o.pubname || ' ' || \
             r.relname) NOT IN ({})",
            self.names(ObjectKind::Publication),
            self.pairs(ObjectKind::PublicationTable)
        )
    }

    fn published_schemas(&self) -> String {
        format!(
            "SELECT pg_catalog.pg_describe_object(p.tableoid, p.oid, 0) FROM schemas s JOIN \
             pg_catalog.pg_publication_namespace p ON p.pnnspid = s.oid JOIN \
             pg_catalog.pg_publication o ON o.oid = p.pnpubid WHERE o.pubname NOT IN ({}) AND \
             (s.nspname, o.pubname || ' ' || s.nspname) NOT IN ({})",
            self.names(ObjectKind::Publication),
            self.pairs(ObjectKind::PublicationSchema)
        )
    }

    fn subscribed_tables(&self) -> String {
        let made = self.of_kind(ObjectKind::Subscription);
        format!(
            "SELECT pg_catalog.format('table %s of subscription %s', \
             t.srrelid::pg_catalog.regclass, s.identity) FROM relations r JOIN \
             pg_catalog.pg_subscription_rel t ON t.srrelid = r.oid, \
             pg_catalog.pg_identify_object('pg_catalog.pg_subscription'::pg_catalog.regclass, \
             t.srsubid, 0) s WHERE s.identity NOT IN ({})",
            list(made.map(|one| ident::literal(&ident::quote(&one.name))))
        )
    }

    /// Those that a column owns and no default reads: somebody else counts with them.
    fn sequences(&self) -> String {
        format!(
            "SELECT pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, \
             r.oid, 0) FROM relations r WHERE r.relkind = 'S' AND NOT r.is_named AND (r.nspname, \
             r.relname) NOT IN ({}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE \
             d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid AND \
             d.deptype IN ('i', 'e')) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE \
             d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid AND \
             d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass)",
            self.pairs(ObjectKind::Sequence)
        )
    }
}

fn pair(object: &Object) -> String {
    ident::literals(object.schema.as_deref().unwrap_or_default(), &object.name)
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
