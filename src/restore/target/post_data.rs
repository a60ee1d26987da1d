//! What a restore of the post-data section alone must find: all that its objects are added to and
//! call, and nothing of what it makes.

use std::collections::{HashMap, HashSet};

use super::present::Present;
use super::tables;
use crate::archive::manifest::{Object, ObjectId, ObjectKind, Section, Table};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::{Finding, Sort};

/// Compares the objects with what is there.
pub(in crate::restore) async fn examine(
    session: &Session,
    objects: &[Object],
    tables: &[Table],
) -> Result<Vec<Finding>> {
    // What is on an extension's object, the extension may have brought.
    let is_made = |object: &Object| {
        object.section == Section::PostData
            && !object.statements.is_empty()
            && object.extension.is_none()
    };
    let made: Vec<&Object> = objects.iter().filter(|object| is_made(object)).collect();
    let (mut findings, present) =
        missing(session, objects, &made, "restore --section pre-data and data first").await?;
    let is_new = |object: &&Object| object.kind != ObjectKind::RefreshMaterializedView;
    findings.extend(present.in_the_way(made.iter().copied().filter(is_new), "drop it first"));
    if findings.iter().all(|finding| finding.sort == Sort::Standing) {
        let of: HashSet<ObjectId> = made.iter().filter_map(|object| object.of).collect();
        let touched: Vec<&Table> =
            tables.iter().filter(|table| of.contains(&table.object)).collect();
        findings.extend(tables::without_columns(session, &touched).await?);
    }
    Ok(findings)
}

/// Looks for the materialized views that are filled and not made.
pub(in crate::restore) async fn filled_views(
    session: &Session,
    objects: &[Object],
) -> Result<Vec<Finding>> {
    let is_filled = |object: &&Object| {
        object.kind == ObjectKind::RefreshMaterializedView && !object.statements.is_empty()
    };
    let filled: Vec<&Object> = objects.iter().filter(is_filled).collect();
    let way_out =
        "restore the schema first, with -s or --section pre-data; or leave it out with -T";
    let (findings, _) = missing(session, objects, &filled, way_out).await?;
    Ok(findings)
}

/// What some of the objects need and is neither made with them nor there; and what there is of all.
async fn missing(
    session: &Session,
    objects: &[Object],
    made: &[&Object],
    way_out: &str,
) -> Result<(Vec<Finding>, Present)> {
    let by_id: HashMap<ObjectId, &Object> =
        objects.iter().map(|object| (object.id, object)).collect();
    let ids: HashSet<ObjectId> = made.iter().map(|object| object.id).collect();
    let mut seen = HashSet::new();
    let needed: Vec<&Object> = made
        .iter()
        .flat_map(|object| object.of.iter().chain(&object.depends_on))
        .filter(|id| !ids.contains(id) && seen.insert(**id))
        .filter_map(|id| by_id.get(id).copied())
        .collect();
    let present = Present::read(session, made.iter().chain(&needed).copied()).await?;
    Ok((present.missing(needed.into_iter(), way_out), present))
}
