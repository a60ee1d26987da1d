//! Which way a copy is staged, and so exchanged, where nobody says it: in place wherever the role
//! may and the locks fit, by database else.

use super::parts::Parts;
use crate::archive::manifest::{Object, ObjectKind};
use crate::error::Result;
use crate::pg::schema_objects::{self, Place};
use crate::pg::session::Session;
use crate::pg::swap_state::{SchemaPair, Way};
use crate::swap::checks;

/// Chooses; with why it is not the first choice. `selected`: what is staged of the archive.
pub(super) async fn choose(
    session: &Session,
    parts: &Parts,
    selected: &[Object],
) -> Result<(Way, Option<String>)> {
    let pairs: Vec<SchemaPair> = (parts.schemas.iter())
        .map(|name| SchemaPair { live: name.clone(), away: name.clone() })
        .collect();
    let places: Vec<Place<'_>> =
        parts.schemas.iter().map(|schema| Place { schema, live: schema }).collect();
    let mut found = checks::rights(session, &pairs).await?;
    let live = schema_objects::read(session, &places).await?;
    let needed = checks::locks_of(&live) + selected.iter().map(locks).sum::<usize>();
    found.extend(checks::room(session, needed).await?);
    let sql =
        "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    if found.is_empty() || !session.query_one("read the role's rights", sql).await?.get(0)? {
        return Ok((Way::InPlace, None));
    }
    Ok((Way::ByDatabase, Some(found.join("; "))))
}

/// How many locks an object takes when it is moved, about.
fn locks(object: &Object) -> usize {
    match object.kind {
        ObjectKind::Table => 2,
        ObjectKind::View
        | ObjectKind::MaterializedView
        | ObjectKind::Sequence
        | ObjectKind::Function => 1,
        _ => 0,
    }
}
