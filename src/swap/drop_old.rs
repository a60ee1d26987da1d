//! The end of a swap: the schemas of the copy that is not live are dropped, and what was noted.

use crate::error::{Error, Kind, Result};
use crate::pg::marker::{self, Marker};
use crate::pg::schema_objects::{self, Movable, Place};
use crate::pg::session::Session;
use crate::pg::swap_state::State;
use crate::restore::mark;
use crate::sql::ident;

use super::note;

/// What is dropped.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What stands there, in words.
    pub objects: Vec<String>,
    /// What outside depends on it.
    pub findings: Vec<String>,
    /// What goes first, and in no transaction; where that is cut short, the same again ends it.
    pub first: Vec<String>,
    /// The statements of a transaction, in order.
    pub statements: Vec<String>,
}

/// Looks what is dropped, and what depends on it.
pub async fn plan(session: &Session, state: &State) -> Result<Plan> {
    let places: Vec<Place<'_>> =
        state.schemas.iter().map(|pair| Place { schema: &pair.away, live: &pair.live }).collect();
    let objects = schema_objects::read(session, &places).await?;
    let mut findings = Vec::new();
    let names: Vec<String> = state.schemas.iter().map(|pair| ident::literal(&pair.away)).collect();
    if !names.is_empty() {
        findings = outside(session, &names.join(", ")).await?;
    }
    let mut statements: Vec<String> = state
        .schemas
        .iter()
        .map(|pair| format!("DROP SCHEMA IF EXISTS {} CASCADE", ident::quote(&pair.away)))
        .collect();
    let is_ours = |marker: &&Marker| {
        marker.run.as_ref().is_some_and(|run| {
            !run.schemas.is_empty()
                && run
                    .schemas
                    .iter()
                    .all(|schema| state.schemas.iter().any(|pair| pair.away == *schema))
        })
    };
    // An unfinished stage has left its own marker.
    for marker in marker::read(session, false).await?.iter().filter(is_ours) {
        statements.extend(mark::remove(&marker.schema).into_iter().map(|step| step.sql));
    }
    statements.extend(note::remove().into_iter().map(|step| step.sql));
    let objects = objects.iter().map(Movable::describe).collect();
    Ok(Plan { objects, findings, first: Vec::new(), statements })
}

/// What stands outside these schemas and depends on what stands in them.
async fn outside(session: &Session, names: &str) -> Result<Vec<String>> {
    let sql = format!(
        "WITH RECURSIVE gone(classid, objid) AS (SELECT \
         'pg_catalog.pg_namespace'::pg_catalog.regclass::oid, oid FROM pg_catalog.pg_namespace \
         WHERE nspname IN ({names}) UNION SELECT d.classid, d.objid FROM gone g JOIN \
         pg_catalog.pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid WHERE \
         d.deptype IN ('a', 'i', 'P', 'S') OR (d.deptype = 'n' AND g.classid = \
         'pg_catalog.pg_namespace'::pg_catalog.regclass)) \
         SELECT DISTINCT pg_catalog.pg_describe_object(CASE WHEN v.oid IS NULL THEN d.classid \
         ELSE 'pg_catalog.pg_class'::pg_catalog.regclass::oid END, coalesce(v.ev_class, d.objid), \
         0) FROM gone g JOIN pg_catalog.pg_depend d ON d.refclassid = g.classid AND d.refobjid = \
         g.objid LEFT JOIN pg_catalog.pg_rewrite v ON v.oid = d.objid AND d.classid = \
         'pg_catalog.pg_rewrite'::pg_catalog.regclass WHERE d.deptype IN ('n', 'e') AND NOT \
         EXISTS (SELECT FROM gone o WHERE (o.classid, o.objid) = (d.classid, d.objid)) ORDER BY 1 \
         LIMIT 10"
    );
    let rows = session.query("look what depends on the other copy", &sql).await?;
    rows.iter()
        .map(|row| Ok(format!("{} depends on what is to be dropped", row.get::<_, String>(0)?)))
        .collect()
}

/// Drops it.
pub async fn carry_out(session: &Session, plan: &Plan) -> Result<()> {
    const DOING: &str = "drop the copy that is not live";
    let explain = |error: Error| match error.kind() {
        Kind::Unexpected => error.as_kind(Kind::Requirement).hint("nothing was dropped"),
        _ => error,
    };
    for sql in &plan.first {
        session.execute(DOING, sql).await.map_err(explain)?;
    }
    session.execute(DOING, "BEGIN").await?;
    let mut ended = Ok(());
    for sql in &plan.statements {
        ended = session.execute(DOING, sql).await.map(drop);
        if ended.is_err() {
            break;
        }
    }
    let end = if ended.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let closed = session.execute(DOING, end).await.map(drop);
    ended.and(closed).map_err(explain)
}
