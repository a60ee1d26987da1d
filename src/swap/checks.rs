//! What keeps two sets of objects from being exchanged: dependencies that reach out of them, names
//! that are taken, rights, room for locks. Found at once, before anything is moved.

use super::manner::Manner;
use super::sets::Sets;
use crate::error::Result;
use crate::pg::schema_objects::Movable;
use crate::pg::session::Session;
use crate::pg::swap_state::SchemaPair;
use crate::sql::ident;

/// How many of one sort are named.
const NAMED: usize = 10;

/// All that is in the way, in words.
pub async fn look(
    session: &Session,
    sets: &Sets,
    pairs: &[SchemaPair],
    manners: &[Manner],
) -> Result<Vec<String>> {
    let mut found = [&sets.mismatched[..], &sets.left_over].concat();
    // A schema takes along what is in it, whosever it is; only what is locked has to be ours.
    let goes_along = |object: &Movable| {
        let mut both = pairs.iter().zip(manners);
        !object.is_lockable()
            && both
                .any(|(pair, manner)| pair.live == object.key.schema && *manner != Manner::OneByOne)
    };
    found.extend(
        (sets.all().filter(|object| !object.is_ours && !goes_along(object)))
            .map(|object| format!("{} belongs to another role", object.describe())),
    );
    found.extend(rights(session, pairs).await?);
    found.extend(dependents(session, &sets.live).await?);
    found.extend(subscribed(session, &sets.live).await?);
    found.extend(owned(session, &sets.live, pairs).await?);
    for pair in pairs {
        found.extend(taken(session, &sets.live, pair).await?);
    }
    found.extend(locks(session, sets).await?);
    Ok(found)
}

/// The query of the addresses of these objects and all that goes with one.
fn closure(roots: &[Movable]) -> String {
    let values: Vec<String> = roots
        .iter()
        .map(|object| format!("({}::oid, {}::oid)", object.class, object.oid))
        .collect();
    let values = if values.is_empty() { "(0::oid, 0::oid)".to_owned() } else { values.join(", ") };
    format!(
        "RECURSIVE gone(classid, objid) AS (SELECT * FROM (VALUES {values}) r UNION SELECT \
         d.classid, d.objid FROM gone g JOIN pg_catalog.pg_depend d ON d.refclassid = g.classid \
         AND d.refobjid = g.objid WHERE d.deptype IN ('a', 'i', 'P', 'S') AND d.classid <> \
         'pg_catalog.pg_publication_rel'::pg_catalog.regclass)"
    )
}

/// What is not exchanged and needs what is: it would go on with the objects that move away.
async fn dependents(session: &Session, live: &[Movable]) -> Result<Vec<String>> {
    let moved = addresses(live);
    let sql = format!(
        "WITH {}, needs AS (SELECT DISTINCT d.classid, d.objid FROM gone g JOIN \
         pg_catalog.pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid WHERE \
         (d.deptype = 'n' OR d.classid = 'pg_catalog.pg_publication_rel'::pg_catalog.regclass) \
         AND NOT EXISTS (SELECT FROM gone o WHERE (o.classid, o.objid) = (d.classid, d.objid)) \
         UNION SELECT g.classid, g.objid FROM gone g JOIN pg_catalog.pg_class c ON g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = g.objid WHERE c.relispartition \
         AND c.relkind IN ('r', 'p', 'f') AND (g.classid, g.objid) NOT IN ({moved}) UNION SELECT \
         g.classid, i.inhparent FROM gone g JOIN pg_catalog.pg_inherits i ON i.inhrelid = g.objid \
         AND g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass JOIN pg_catalog.pg_class c ON \
         c.oid = g.objid WHERE c.relkind IN ('r', 'p', 'f') AND NOT EXISTS (SELECT FROM gone o \
         WHERE (o.classid, o.objid) = (g.classid, i.inhparent))) \
         SELECT DISTINCT pg_catalog.pg_describe_object(CASE WHEN v.oid IS NULL THEN n.classid \
         ELSE 'pg_catalog.pg_class'::pg_catalog.regclass::oid END, coalesce(v.ev_class, n.objid), \
         0) FROM needs n LEFT JOIN pg_catalog.pg_rewrite v ON v.oid = n.objid AND n.classid = \
         'pg_catalog.pg_rewrite'::pg_catalog.regclass AND v.rulename = '_RETURN' ORDER BY 1 LIMIT \
         {NAMED}",
        closure(live)
    );
    let rows = session.query("look what depends on the live objects", &sql).await?;
    let name = |row: &crate::pg::row::Row| {
        Ok(format!("{} is not exchanged, and depends on what is", row.get::<_, String>(0)?))
    };
    rows.iter().map(name).collect()
}

/// What stands in the brackets of IN for these objects.
fn addresses(objects: &[Movable]) -> String {
    let all: Vec<String> =
        objects.iter().map(|object| format!("({}, {})", object.class, object.oid)).collect();
    if all.is_empty() { "(0, 0)".to_owned() } else { all.join(", ") }
}

/// Tables that a subscription keeps up to date: it would go on with those that move away, and no
/// dependency says so.
async fn subscribed(session: &Session, live: &[Movable]) -> Result<Vec<String>> {
    let sql = format!(
        "WITH {} SELECT pg_catalog.format('table %s of subscription %s is not exchanged, and \
         depends on what is', r.srrelid::pg_catalog.regclass, s.identity) FROM gone g JOIN \
         pg_catalog.pg_subscription_rel r ON r.srrelid = g.objid AND g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass, \
         pg_catalog.pg_identify_object('pg_catalog.pg_subscription'::pg_catalog.regclass, \
         r.srsubid, 0) s ORDER BY 1 LIMIT {NAMED}",
        closure(live)
    );
    let rows = session.query("look which tables are subscribed", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Sequences that go along because a column owns them, although no default reads them and the copy
/// has none of their names: somebody else counts with them.
async fn owned(session: &Session, live: &[Movable], pairs: &[SchemaPair]) -> Result<Vec<String>> {
    let pairs: Vec<String> =
        pairs.iter().map(|pair| ident::literals(&pair.live, &pair.away)).collect();
    let sql = format!(
        "WITH {} SELECT pg_catalog.pg_describe_object(g.classid, g.objid, 0) FROM gone g JOIN \
         pg_catalog.pg_class c ON c.oid = g.objid AND g.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace LEFT JOIN (VALUES {}) p(live, away) ON p.live = n.nspname WHERE c.relkind = \
         'S' AND (g.classid, g.objid) NOT IN ({}) AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE (d.classid, d.objid) = \
         (g.classid, g.objid) AND d.deptype IN ('i', 'e')) AND NOT EXISTS (SELECT FROM \
         pg_catalog.pg_depend d WHERE (d.refclassid, d.refobjid) = (g.classid, g.objid) AND \
         d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass) AND NOT EXISTS (SELECT FROM \
         pg_catalog.pg_class o JOIN pg_catalog.pg_namespace s ON s.oid = o.relnamespace WHERE \
         s.nspname = p.away AND o.relname = c.relname AND o.relkind = 'S') ORDER BY 1 LIMIT {NAMED}",
        closure(live),
        pairs.join(", "),
        addresses(live)
    );
    let rows = session.query("look which sequences go along", &sql).await?;
    let name = |row: &crate::pg::row::Row| {
        Ok(format!(
            "{} goes with the table that owns it, and the copy has none (ALTER SEQUENCE ... OWNED \
             BY NONE)",
            row.get::<_, String>(0)?
        ))
    };
    rows.iter().map(name).collect()
}

/// Relations that stay and have the name of one that comes.
async fn taken(session: &Session, live: &[Movable], pair: &SchemaPair) -> Result<Vec<String>> {
    let sql = format!(
        "WITH {} SELECT pg_catalog.pg_describe_object(\
         'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, 0) FROM pg_catalog.pg_class c WHERE \
         c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = {}) AND EXISTS \
         (SELECT FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace n ON n.oid = \
         o.relnamespace WHERE n.nspname = {} AND o.relname = c.relname) AND NOT EXISTS (SELECT \
         FROM gone g WHERE g.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND g.objid = \
         c.oid) ORDER BY 1 LIMIT {NAMED}",
        closure(live),
        ident::literal(&pair.live),
        ident::literal(&pair.away)
    );
    let rows = session.query("look which names are taken", &sql).await?;
    let name = |row: &crate::pg::row::Row| {
        Ok(format!("{} is not exchanged, and has the name of what is", row.get::<_, String>(0)?))
    };
    rows.iter().map(name).collect()
}

/// What the role lacks to move objects in and out of these schemas.
pub(super) async fn rights(session: &Session, pairs: &[SchemaPair]) -> Result<Vec<String>> {
    let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')";
    let mut found = Vec::new();
    if !session.query_one("read the role's rights", sql).await?.get::<_, bool>(0)? {
        found.push("this role may not create schemas in the database".to_owned());
    }
    let names: Vec<String> = pairs.iter().map(|pair| ident::literal(&pair.live)).collect();
    if names.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname IN ({}) AND NOT \
         pg_catalog.has_schema_privilege(oid, 'CREATE') ORDER BY 1",
        names.join(", ")
    );
    for row in session.query("read the role's rights", &sql).await? {
        let schema: &str = row.get(0)?;
        found.push(format!("this role may not create in schema {}", ident::quote(schema)));
    }
    Ok(found)
}

/// Each object is locked until the transaction ends.
async fn locks(session: &Session, sets: &Sets) -> Result<Option<String>> {
    room(session, locks_of(&sets.live) + locks_of(&sets.away)).await
}

/// How many locks these objects take: a table's owned sequence is locked too.
pub(super) fn locks_of(objects: &[Movable]) -> usize {
    objects.iter().map(|object| if object.relkind == "r" { 2 } else { 1 }).sum()
}

/// Whether so many locks are too many.
pub(super) async fn room(session: &Session, needed: usize) -> Result<Option<String>> {
    let sql = "SELECT pg_catalog.current_setting('max_locks_per_transaction')::int8 * \
        (pg_catalog.current_setting('max_connections')::int8 + \
        pg_catalog.current_setting('max_prepared_transactions')::int8)";
    let room: i64 = session.query_one("read the server's settings", sql).await?.get(0)?;
    Ok((needed as i64 > room / 2).then(|| {
        format!(
            "{needed} locks are needed at once, and half of the server's lock table has room for \
             {} (max_locks_per_transaction)",
            room / 2
        )
    }))
}
