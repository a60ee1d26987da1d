//! What single objects that are asked for by name must find: their tables, and nothing of what they
//! are.

use std::collections::HashMap;

use super::post_data;
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::error::Result;
use crate::pg::row::Row;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// Compares the objects with what is there; `is_compared` says that tables and indexes are, by
/// others.
pub(in crate::restore) async fn examine(
    session: &Session,
    objects: &[Object],
    is_compared: bool,
) -> Result<Vec<Finding>> {
    let mut findings =
        if is_compared { Vec::new() } else { post_data::examine(session, objects).await? };
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let asked: Vec<(&Object, String)> =
        objects.iter().filter_map(|object| Some((object, stands(object, &by_id)?))).collect();
    if asked.is_empty() {
        return Ok(findings);
    }
    let conditions: Vec<&str> = asked.iter().map(|(_, condition)| condition.as_str()).collect();
    let sql = format!("SELECT ARRAY[{}]", conditions.join(", "));
    let row: Row = session.query_one("read the target's functions and triggers", &sql).await?;
    let found: Vec<bool> = row.get(0)?;
    let in_the_way = asked.iter().zip(found).filter(|(_, found)| *found);
    findings.extend(in_the_way.map(|((object, _), _)| {
        Finding::new(format!("{} exists already", object.identity), "drop it first, or give -c")
    }));
    Ok(findings)
}

/// The condition that says whether a function or a trigger is there.
fn stands(object: &Object, by_id: &HashMap<ObjectId, &Object>) -> Option<String> {
    if object.statements.is_empty() {
        return None;
    }
    match object.kind {
        ObjectKind::Function => Some(format!(
            "EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = \
             p.pronamespace WHERE n.nspname = {} AND p.proname || '(' || \
             pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' = {})",
            ident::literal(object.schema.as_deref()?),
            ident::literal(&object.name)
        )),
        ObjectKind::Trigger => {
            let table = by_id.get(&object.of?)?;
            let qualified = ident::qualified(table.schema.as_deref()?, &table.name);
            Some(format!(
                "EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgname = {} AND tgrelid = \
                 pg_catalog.to_regclass({}))",
                ident::literal(&object.name),
                ident::literal(&qualified)
            ))
        }
        _ => None,
    }
}
