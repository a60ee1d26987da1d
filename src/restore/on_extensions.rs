//! What stands on extensions' objects: it is made where the extension has not brought the same, and what cannot be made there is named.
//!
//! An extension of another version may lack what it is to stand on; a table that was added to an extension by hand is not made at all.

use std::collections::HashSet;

use super::graph::{Step, Work};
use super::statements;
use super::transaction::transaction;
use crate::archive::manifest::{NotCarried, Object, ObjectKind};
use crate::error::{Error, Result};
use crate::pg::session::Session;
use crate::pg::{on_extensions, render};

/// One thing on an extension's object, or the privileges of such an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnExtension {
    /// What it is.
    pub kind: ObjectKind,
    /// The words that name it.
    pub identity: String,
    /// Whose object it is on.
    pub extension: String,
    /// Whether it is made only where nothing of this kind and identity stands; privileges are set in any case.
    pub unless_standing: bool,
    /// What makes it.
    pub steps: Vec<Step>,
}

/// The work of these objects, each of which names an extension; none where nothing is to be done.
pub(super) fn work<'a>(objects: impl IntoIterator<Item = &'a Object>, options: &render::Options) -> Option<Work> {
    let one = |object: &Object| {
        let unless_standing = !object.statements.is_empty();
        let mut steps = statements::create(object, options);
        steps.extend(statements::describe(object, options));
        let extension = object.extension.clone().filter(|_| !steps.is_empty())?;
        Some(OnExtension { kind: object.kind, identity: object.identity.clone(), extension, unless_standing, steps })
    };
    let all: Vec<OnExtension> = objects.into_iter().filter_map(one).collect();
    (!all.is_empty()).then_some(Work::OnExtensions(all))
}

/// Makes what does not stand, each in a transaction of its own, and says what the server refused.
pub(super) async fn make(session: &Session, all: &[OnExtension]) -> Result<Vec<NotCarried>> {
    let standing = if all.iter().any(|one| one.unless_standing) { on_extensions::standing(session).await? } else { HashSet::new() };
    let mut refused = Vec::new();
    for one in all {
        if one.unless_standing && standing.contains(&(one.kind, one.identity.clone())) {
            continue;
        }
        match transaction(session, &one.steps).await {
            Ok(()) => {}
            Err(error) if is_refused(&error) => {
                session.batch("roll back", "ROLLBACK").await?;
                refused.push(left_out(one, &error));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(refused)
}

/// Whether the server has understood and will not: something is missing, of another kind, not allowed or not supported.
fn is_refused(error: &Error) -> bool {
    error.sqlstate().is_some_and(|state| state == "55000" || ["0A", "3F", "42"].contains(&state.get(..2).unwrap_or_default()))
}

fn left_out(one: &OnExtension, error: &Error) -> NotCarried {
    let kind = if one.unless_standing { one.kind.to_string() } else { format!("privileges of {}", one.kind) };
    let reason = format!("extension {} has not made what it needs here: {error}", one.extension);
    NotCarried { kind, name: one.identity.clone(), reason }
}
