//! What single objects that are asked for by name must find: their tables, and nothing of what they
//! are.

use super::post_data;
use super::present::Present;
use crate::archive::manifest::{Object, Section};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;

/// Compares the objects with what is there; `is_compared` says that what is made after the rows is,
/// by others.
pub(in crate::restore) async fn examine(
    session: &Session,
    objects: &[Object],
    is_compared: bool,
) -> Result<Vec<Finding>> {
    let mut findings =
        if is_compared { Vec::new() } else { post_data::examine(session, objects, &[]).await? };
    let is_made =
        |object: &&Object| object.section == Section::PreData && !object.statements.is_empty();
    let made = || objects.iter().filter(is_made);
    let present = Present::read(session, made()).await?;
    findings.extend(present.in_the_way(made(), "drop it first, or give -c"));
    Ok(findings)
}
