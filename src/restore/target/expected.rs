//! What a choice leaves to the target: the relations that chosen views read, the extensions that
//! are left out.

use std::collections::{BTreeSet, HashMap};

use super::Target;
use super::present::Present;
use crate::archive::manifest::{Object, ObjectId, ObjectKind};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// Looks for them. `objects` are those that are restored: extensions among them that are bare names
/// were left out of the archive.
pub(in crate::restore) async fn examine(
    session: &Session,
    target: &Target,
    objects: &[Object],
    left_to_target: &[Object],
) -> Result<Vec<Finding>> {
    let (extensions, relations): (Vec<&Object>, Vec<&Object>) =
        left_to_target.iter().partition(|object| object.kind == ObjectKind::Extension);
    let is_installed = |name: &str| target.extensions.get(name).is_some_and(|one| one.installed);
    let mut findings: Vec<Finding> = extensions
        .into_iter()
        .chain(bare_and_needed(objects))
        .filter(|extension| !is_installed(&extension.name))
        .map(|extension| {
            let name = ident::quote(&extension.name);
            let problem = format!("extension {name}, which is left out, is not in the target");
            Finding::new(problem, format!("CREATE EXTENSION {name} there, or choose it too"))
        })
        .collect();
    let present = Present::read(session, relations.iter().copied()).await?;
    findings.extend(present.missing(relations.into_iter(), "make it first, or choose it too (-t)"));
    Ok(findings)
}

/// The extensions that are bare names, and that something which is made needs.
fn bare_and_needed(objects: &[Object]) -> Vec<&Object> {
    let is_bare =
        |object: &&Object| object.kind == ObjectKind::Extension && object.statements.is_empty();
    let bare: HashMap<ObjectId, &Object> =
        objects.iter().filter(is_bare).map(|object| (object.id, object)).collect();
    let is_made = |object: &&Object| !object.statements.is_empty() && object.extension.is_none();
    let made = objects.iter().filter(is_made);
    let needs: BTreeSet<ObjectId> = made
        .flat_map(|object| &object.depends_on)
        .filter(|id| bare.contains_key(id))
        .copied()
        .collect();
    needs.iter().filter_map(|id| bare.get(id).copied()).collect()
}
