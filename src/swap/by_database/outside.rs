//! What a database holds that nothing in the other one stands for: it would go away with the old
//! name, and so keeps two databases from taking each other's.

use std::collections::{BTreeSet, HashSet};

use crate::error::Result;
use crate::pg::schema_objects::Movable;
use crate::pg::session::Session;
use crate::pg::swap_state;
use crate::sql::ident;
use crate::swap::sets::Sets;

/// How many are named.
const NAMED: usize = 10;

/// The condition that the schema `n` is a user's, and none that tells of a swap.
fn user_schema() -> String {
    format!(
        "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '{}')",
        swap_state::SCHEMA
    )
}

/// The schemas whose objects are exchanged, unquoted.
pub(super) async fn schemas(session: &Session) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT n.nspname::text FROM pg_catalog.pg_namespace n WHERE {} ORDER BY 1",
        user_schema()
    );
    let rows = session.query("look for schemas", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// All that the live database holds and the other one does not, in words. `other`: with its name; `objects`: what
/// stands in the live one's schemas.
pub(super) async fn look(
    live: &Session,
    other: (&Session, &str),
    objects: &[Movable],
    sets: &Sets,
) -> Result<Vec<String>> {
    let (other, name) = other;
    let exchanged: HashSet<(u32, u32)> =
        sets.live.iter().map(|object| (object.class, object.oid)).collect();
    let left = objects.iter().filter(|object| !exchanged.contains(&(object.class, object.oid)));
    let mut found: Vec<String> = left.map(Movable::describe).collect();
    let others = of_database(other).await?;
    found.extend(of_database(live).await?.difference(&others).cloned());
    let others = large_objects(other).await?;
    let large = large_objects(live).await?;
    found.extend(large.difference(&others).map(|oid| format!("large object {oid}")));
    let place = format!("is not in database {}", ident::quote(name));
    let mut words = named(&found, &place);
    words.extend(bound(live).await?);
    Ok(words)
}

fn named(found: &[String], place: &str) -> Vec<String> {
    let named = found.iter().take(NAMED).map(|name| format!("{name} {place}"));
    let rest = found.len().saturating_sub(NAMED);
    named.chain((rest > 0).then(|| format!("{rest} more: each {place}"))).collect()
}

/// Objects that stand in no schema, and schemas, by kind and name.
async fn of_database(session: &Session) -> Result<BTreeSet<String>> {
    const CATALOGS: &[&str] = &[
        "pg_extension",
        "pg_language",
        "pg_cast",
        "pg_transform",
        "pg_am",
        "pg_foreign_data_wrapper",
        "pg_foreign_server",
        "pg_event_trigger",
        "pg_publication",
        "pg_default_acl",
        "pg_ts_parser",
        "pg_ts_template",
    ];
    let catalogs: Vec<String> = CATALOGS
        .iter()
        .map(|catalog| {
            format!(
                "SELECT 'pg_catalog.{catalog}'::pg_catalog.regclass::oid AS classid, oid FROM \
                 pg_catalog.{catalog}"
            )
        })
        .collect();
    // What has a lower number, the server brings along.
    let sql = format!(
        "SELECT i.type || ' ' || i.identity FROM (SELECT \
         'pg_catalog.pg_namespace'::pg_catalog.regclass::oid AS classid, n.oid FROM \
         pg_catalog.pg_namespace n WHERE {} UNION ALL {}) o, \
         pg_catalog.pg_identify_object(o.classid, o.oid, 0) i WHERE o.oid >= 16384 AND NOT EXISTS \
         (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = o.classid AND \
         e.objid = o.oid)",
        user_schema(),
        catalogs.join(" UNION ALL ")
    );
    let rows = session.query("look what the database holds", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn large_objects(session: &Session) -> Result<HashSet<u32>> {
    let sql = "SELECT oid FROM pg_catalog.pg_largeobject_metadata";
    let rows = session.query("look for large objects", sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// What is bound to the database itself, whatever it is called, and reaches out of it.
async fn bound(session: &Session) -> Result<Vec<String>> {
    let sql = "SELECT 'subscription ' || pg_catalog.quote_ident(s.subname::text) FROM \
        pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE \
        d.datname = pg_catalog.current_database() UNION ALL SELECT 'replication slot ' || \
        pg_catalog.quote_ident(r.slot_name::text) FROM pg_catalog.pg_replication_slots r WHERE \
        r.database = pg_catalog.current_database() UNION ALL SELECT 'prepared transaction ' || \
        pg_catalog.quote_literal(p.gid) FROM pg_catalog.pg_prepared_xacts p WHERE p.database = \
        pg_catalog.current_database() ORDER BY 1";
    let rows = session.query("look what is bound to the database", sql).await?;
    rows.iter()
        .map(|row| Ok(format!("{} goes with the database's old name", row.get::<_, String>(0)?)))
        .collect()
}
