//! The sessions of a swap.

use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::pooler;
use crate::pg::session::Session;

/// The first half of the key of the lock that one swap holds: "silv".
const AT_WORK: i32 = i32::from_be_bytes(*b"silv");
/// The second half, in the database whose swap it is: "swap".
const OF_THIS_DATABASE: u32 = u32::from_be_bytes(*b"swap");

/// How often, and how far apart, it is asked for.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// How long an answer may take before it is looked whether the server is at work.
pub(super) const STALL: Duration = Duration::from_secs(300);

/// Opens a session in the role's place.
pub(super) async fn open(server: &Server, role: Option<&str>) -> Result<Session> {
    let session = pooler::open_lasting(server).await?;
    if let Some(role) = role {
        session.set_role(role).await?;
    }
    Ok(session)
}

/// The same, in the database whose swap it is: one at a time.
pub(super) async fn open_alone(server: &Server, role: Option<&str>) -> Result<Session> {
    let session = open(server, role).await?;
    alone(&session, OF_THIS_DATABASE).await?;
    Ok(session)
}

/// Holds the lock until the session ends. `of`: elsewhere, the database whose swap it is. One whose
/// client was killed ends when it notices, so a little time is given to it.
pub(super) async fn alone(session: &Session, of: u32) -> Result<()> {
    let of = of.cast_signed();
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({AT_WORK}, {of})");
    for _ in 0..TRIES {
        if session.query_one("look for another swap", &sql).await?.get::<_, bool>(0)? {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    let cause = "another swap of this database is at work";
    Err(Error::new(Kind::Requirement, "begin the swap", cause).hint("let it end"))
}
