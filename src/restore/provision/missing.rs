//! What `-c` without `--if-exists` is to drop and is not there: found in the catalog before the
//! first statement.
//!
//! Looks for relations, routines, types and schemas. Whether a routine with just these arguments is
//! there, and all else, the server tells when it is dropped.

use std::collections::HashSet;

use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// How many are named.
const NAMED: usize = 10;

/// Looks for them.
pub(in crate::restore) async fn look(
    session: &Session,
    dropped: &[&Object],
) -> Result<Option<Finding>> {
    let ids: HashSet<ObjectId> = dropped.iter().map(|object| object.id).collect();
    // What goes with another need not be there.
    let own = |object: &&&Object| object.of.is_none_or(|of| !ids.contains(&of));
    let wanted: Vec<String> = (dropped.iter().filter(own))
        .filter_map(|object| {
            Some(format!("({}, {})", ident::literal(&object.identity), is_missing(object)?))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT w.name, pg_catalog.count(*) OVER () FROM (VALUES {}) w(name, is_missing) WHERE \
         w.is_missing LIMIT {NAMED}",
        wanted.join(", ")
    );
    let rows = session.query("look for what is to be dropped", &sql).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let count: i64 = first.get(1)?;
    let named = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>>>()?;
    let more = if count as usize > named.len() { ", …" } else { "" };
    let (objects, are) = if count == 1 { ("object", "is") } else { ("objects", "are") };
    let problem = format!(
        "{count} {objects} of the archive {are} not there, which -c is to drop: {}{more}",
        named.join(", ")
    );
    Ok(Some(Finding::new(problem, "add --if-exists, which drops only what is there")))
}

/// As SQL, that the object is not there.
fn is_missing(object: &Object) -> Option<String> {
    use ObjectKind::{
        Aggregate, Domain, ForeignTable, Function, MaterializedView, Schema, Sequence, Table, Type,
        View,
    };
    let schema = object.schema.as_deref().unwrap_or_default();
    let find = match object.kind {
        Table | ForeignTable | View | MaterializedView | Sequence => "to_regclass",
        Type | Domain => "to_regtype",
        Schema => {
            let name = ident::literal(&ident::quote(&object.name));
            return Some(format!("pg_catalog.to_regnamespace({name}) IS NULL"));
        }
        // The name is told with its arguments, which another version may write in another way.
        Function | Aggregate => {
            return Some(format!(
                "NOT EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON \
                 n.oid = p.pronamespace WHERE n.nspname = {} AND pg_catalog.starts_with({}, \
                 p.proname || '('))",
                ident::literal(schema),
                ident::literal(&object.name)
            ));
        }
        _ => return None,
    };
    let name = ident::literal(&ident::qualified(schema, &object.name));
    Some(format!("pg_catalog.{find}({name}) IS NULL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_looked_for_by_its_own_name() {
        let object = |kind, name: &str| Object {
            schema: Some("My".into()),
            name: name.into(),
            ..Object::new(ObjectId(0), kind, String::new())
        };
        for (kind, name, expect) in [
            (ObjectKind::Table, "a'b", Some("to_regclass('\"My\".\"a''b\"') IS NULL")),
            (ObjectKind::Domain, "d", Some("to_regtype('\"My\".d') IS NULL")),
            (ObjectKind::Schema, "S", Some("to_regnamespace('\"S\"') IS NULL")),
            (
                ObjectKind::Function,
                "f(integer)",
                Some("starts_with('f(integer)', p.proname || '('"),
            ),
            (ObjectKind::Trigger, "t", None),
        ] {
            let sql = is_missing(&object(kind, name));
            assert_eq!(sql.is_some(), expect.is_some(), "{kind:?}");
            if let (Some(sql), Some(expect)) = (sql, expect) {
                assert!(sql.contains(expect), "{sql}");
            }
        }
    }
}
