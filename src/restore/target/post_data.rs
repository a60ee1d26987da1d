//! What a restore of the post-data section alone must find: the tables that it adds to, and nothing
//! of what it makes.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind, Section};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::{Finding, Sort};
use crate::sql::ident;

/// Compares the objects with the relations that are there.
pub(in crate::restore) async fn examine(
    session: &Session,
    objects: &[Object],
) -> Result<Vec<Finding>> {
    let sql = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c JOIN \
        pg_catalog.pg_namespace n ON n.oid = c.relnamespace";
    let rows = session.query("read the target's relations", sql).await?;
    Ok(compare(
        objects,
        &rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_>>()?,
    ))
}

fn compare(objects: &[Object], there: &HashSet<(String, String)>) -> Vec<Finding> {
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let stands = |object: &Object| {
        there.contains(&(object.schema.clone().unwrap_or_default(), object.name.clone()))
    };
    let made = || {
        objects
            .iter()
            .filter(|object| object.section == Section::PostData && !object.statements.is_empty())
    };
    let is_relation = |object: &&Object| {
        matches!(
            object.kind,
            ObjectKind::Table
                | ObjectKind::ForeignTable
                | ObjectKind::View
                | ObjectKind::MaterializedView
        )
    };
    let needed: BTreeSet<ObjectId> = made().filter_map(|object| object.of).collect();
    let needed = needed.iter().filter_map(|id| by_id.get(id)).copied().filter(is_relation);
    let missing = needed
        .filter(|object| object.section == Section::PreData && !stands(object))
        .map(|object| {
            let name = ident::qualified(object.schema.as_deref().unwrap_or_default(), &object.name);
            Finding::new(
                format!("{name} does not exist"),
                "restore --section pre-data and data first",
            )
        });
    let in_the_way = made().filter(|object| {
        matches!(object.detail, Detail::Key { .. } | Detail::Index { .. }) && stands(object)
    });
    let in_the_way = in_the_way.map(|object| {
        Finding::new(format!("{} exists already", object.identity), "drop it first")
            .sort(Sort::Standing)
    });
    missing.chain(in_the_way).collect()
}
