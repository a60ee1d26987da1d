//! Which way a copy is staged, and so exchanged, where nobody says it: in place wherever the role
//! may and the locks fit, by database else; and whether it can be gone at all.

use super::course::DOING;
use super::parts::Parts;
use crate::archive::manifest::{Object, ObjectKind};
use crate::error::{Error, Kind, Result};
use crate::pg::schema_objects::{self, Place};
use crate::pg::session::Session;
use crate::pg::swap_state::{SchemaPair, Way};
use crate::sql::ident;
use crate::swap::checks;

/// Chooses; with why it is not the first choice. `selected`: what is staged of the archive;
/// `asked`: the way that is asked for.
///
/// # Errors
/// [`Kind::Requirement`] where there is no way, or not the one that is asked for.
pub(super) async fn choose(
    session: &Session,
    parts: &Parts,
    selected: &[Object],
    asked: Option<Way>,
) -> Result<(Way, Option<String>)> {
    check_note(session).await?;
    if asked == Some(Way::ByDatabase) {
        return Ok((Way::ByDatabase, None));
    }
    let pairs: Vec<SchemaPair> = (parts.schemas.iter())
        .map(|name| SchemaPair { live: name.clone(), away: name.clone() })
        .collect();
    let places: Vec<Place<'_>> =
        parts.schemas.iter().map(|schema| Place { schema, live: schema }).collect();
    let mut found = checks::rights(session, &pairs).await?;
    let live = schema_objects::read(session, &places).await?;
    let needed = checks::locks_of(&live) + selected.iter().map(locks).sum::<usize>();
    found.extend(checks::room(session, needed).await?);
    if found.is_empty() {
        return Ok((Way::InPlace, None));
    }
    let found = found.join("; ");
    let sql =
        "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    let may_make: bool = session.query_one("read the role's rights", sql).await?.get(0)?;
    if asked.is_none() && may_make {
        return Ok((Way::ByDatabase, Some(found)));
    }
    let cause = format!("the copy could not be exchanged in place: {found}");
    let hint = if may_make {
        "--by-database makes it in a database of its own"
    } else {
        "--by-database makes it in a database of its own, for which the role needs CREATEDB"
    };
    Err(Error::new(Kind::Requirement, DOING, cause).hint(hint))
}

/// Whichever way, a schema of the live database says what is staged.
async fn check_note(session: &Session) -> Result<()> {
    let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), \
        pg_catalog.current_database()::text, current_user::text";
    let row = session.query_one("read the role's rights", sql).await?;
    if row.get(0)? {
        return Ok(());
    }
    let (database, role) = (ident::quote(row.get(1)?), ident::quote(row.get(2)?));
    let cause = format!(
        "role {role} may not create schemas in database {database}, and in one it is noted what is \
         staged, by database too"
    );
    let hint = format!("GRANT CREATE ON DATABASE {database} TO {role}, or make it the owner");
    Err(Error::new(Kind::Requirement, DOING, cause).hint(hint))
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
