//! The connection limit that a restore which was killed has left lowered: given back before
//! another looks at the target.

use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::options::Request;
use crate::restore::others::limit;
use crate::restore::prepare::task::Aim;
use crate::restore::provision::Room;
use crate::restore::sessions::set_up;
use crate::restore::target::marker;
use crate::sql::ident;

/// Looks, and gives it back if this is no mere look. A run that keeps others out goes on with what
/// is noted, and another that is at work has it noted for itself. Tells what was done.
pub(super) async fn look(
    session: &Session,
    request: &Request,
    room: Room,
    aim: Aim,
) -> Result<Option<String>> {
    if room == Room::ToBeMade || request.options.disconnect_others {
        return Ok(None);
    }
    let standing = limit::read(session, false).await?;
    let Some(owed) = standing.owed else { return Ok(None) };
    if !marker::others_at_work(session).await?.is_empty() {
        return Ok(None);
    }
    let name = ident::quote(&standing.database);
    if aim == Aim::Show {
        return Ok(Some(format!(
            "a restore that was stopped has left database {name} with CONNECTION LIMIT {}, which \
             was {owed}: the next restore gives that back, and so does silverback unlock",
            standing.limit
        )));
    }
    limit::give_back(session).await?;
    set_up(request, session).await?;
    Ok(Some(format!(
        "database {name} has got its CONNECTION LIMIT {owed} back, which a restore that was \
         stopped had taken"
    )))
}
