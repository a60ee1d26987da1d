//! What stands on extensions' objects: it is made where the extension has not brought the same, and
//! what cannot be made there is named.
//!
//! An extension of another version may lack what it is to stand on; a table that was added to an
//! extension by hand is not made at all.

use std::collections::HashSet;

use super::script::transaction;
use crate::archive::manifest::NotCarried;
use crate::error::{Error, Result};
use crate::pg::on_extensions;
use crate::pg::session::Session;
use crate::restore::step::OnExtension;
use crate::sqlstate;

/// Makes what does not stand, each in a transaction of its own, and says what the server refused.
pub(in crate::restore) async fn make(
    session: &Session,
    all: &[OnExtension],
) -> Result<Vec<NotCarried>> {
    let standing = if all.iter().any(|one| one.unless_standing) {
        on_extensions::standing(session).await?
    } else {
        HashSet::new()
    };
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

/// Whether the server has understood and will not: something is missing, of another kind, not
/// allowed or not supported.
fn is_refused(error: &Error) -> bool {
    error.sqlstate().is_some_and(|state| {
        state == sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE
            || ["0A", "3F", "42"].contains(&state.get(..2).unwrap_or_default())
    })
}

fn left_out(one: &OnExtension, error: &Error) -> NotCarried {
    let kind = if one.unless_standing {
        one.kind.to_string()
    } else {
        format!("privileges of {}", one.kind)
    };
    let reason = format!("extension {} has not made what it needs here: {error}", one.extension);
    NotCarried { kind, name: one.identity.clone(), reason }
}
