//! Gives back what a restore that was killed has taken: the connection limit of its database.
//!
//! Does not know how it is told.

use super::others::{limit, reach};
use super::target::marker;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::sql::ident;

/// Gives it back. Tells the limit that the database has again; none where nothing was taken.
///
/// # Errors
/// [`Kind::Requirement`] while the restore is at work, or where the role may not do it.
pub async fn unlock(server: &Server, role: Option<&str>) -> Result<Option<i32>> {
    let (session, _) = reach::open(server, role).await?;
    if let Some(role) = role {
        session.set_role(role).await?;
    }
    marker::wait_to_begin(&session).await?;
    if limit::read(&session, false).await?.owed.is_none() {
        return Ok(None);
    }
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
    Ok(limit::give_back(&session).await?.map(|(_, limit)| limit))
}
