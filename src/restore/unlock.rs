//! Gives back what a restore that was killed has taken: the connection limit of its database.
//!
//! Does not know how it is told.

use super::others::{limit, reach};
use super::target::marker;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::marker::Marker;
use crate::sql::ident;

/// Gives it back. Tells the limit that the database has again; none where nothing was taken.
///
/// # Errors
/// [`Kind::Requirement`] while the restore is at work, or where the role may not do it.
pub async fn unlock(server: &Server, role: Option<&str>) -> Result<Option<i32>> {
    let (session, is_raised) = reach::open(server, role).await?;
    if let Some(role) = role {
        session.set_role(role).await?;
    }
    marker::wait_to_begin(&session).await?;
    let standing = limit::read(&session, false).await?;
    if standing.owed.is_none() {
        return Ok(None);
    }
    // What was only raised to get in.
    let is_own = is_raised && standing.marker.as_ref().and_then(Marker::connection_limit).is_none();
    let processes = marker::others_at_work(&session).await?;
    if !processes.is_empty() {
        let processes: Vec<String> = processes.iter().map(i32::to_string).collect();
        let name = ident::quote(server.database());
        let doing = format!("give back the connection limit of database {name}");
        let cause =
            format!("a restore is at work there (server processes {})", processes.join(", "));
        return Err(Error::new(Kind::Requirement, doing, cause)
            .hint("it gives the limit back when it ends"));
    }
    let given_back = limit::give_back(&session).await?;
    Ok(given_back.map(|(_, limit)| limit).filter(|_| !is_own))
}
