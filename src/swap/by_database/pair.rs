//! The two databases: which of them is live is told by their names, which of them is the copy by
//! the row that each bears. No row says both, for none can be changed in the transaction that
//! changes the names.

use super::outside;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::schema_objects::{self, Place};
use crate::pg::session::Session;
use crate::pg::swap_state::{self, Phase, State, Way};
use crate::sql::ident;
use crate::swap::open;

/// What is found under the name that the other database is to have.
#[derive(Debug)]
pub enum Other {
    /// The counterpart, with what is noted in it.
    Counterpart(Box<(Session, State)>),
    /// A database that nothing is in yet.
    Empty(Box<Session>),
    /// One that does not belong to this swap.
    Foreign,
    /// None.
    Missing,
}

/// The database that the session is in.
pub async fn current(session: &Session) -> Result<String> {
    let sql = "SELECT pg_catalog.current_database()::text";
    session.query_one("look for the database's name", sql).await?.get(0)
}

/// Refuses to go on in a database that is not the live one.
pub async fn check_live(session: &Session, state: &State) -> Result<()> {
    let current = current(session).await?;
    if state.live_database == current {
        return Ok(());
    }
    let cause = format!("database {} is the copy that is not live", ident::quote(&current));
    Err(Error::new(Kind::Requirement, "look for a staged copy", cause)
        .hint(format!("connect to database {}", ident::quote(&state.live_database))))
}

/// What was noted in the live database, with how far it has come, and the other database.
pub async fn find(
    server: &Server,
    session: &Session,
    state: State,
    role: Option<&str>,
) -> Result<(State, Other)> {
    check_live(session, &state).await?;
    let other = other(server, session, &state, role).await?;
    if matches!(other, Other::Foreign | Other::Missing) {
        let name = state.away_database.as_deref().map_or_else(String::new, ident::quote);
        let cause = format!("the other copy is not there, which is to be database {name}");
        return Err(Error::new(Kind::Requirement, "look for the other database", cause)
            .hint("give it back its name, or end the swap (swap --drop-old)"));
    }
    Ok((State { phase: phase(&state, &other), ..state }, other))
}

/// Looks for the other database of a state that was read in the live one.
pub async fn other(
    server: &Server,
    session: &Session,
    state: &State,
    role: Option<&str>,
) -> Result<Other> {
    let Some(name) = &state.away_database else { return Ok(Other::Missing) };
    let sql =
        format!("SELECT FROM pg_catalog.pg_database WHERE datname = {}", ident::literal(name));
    if session.query("look for the other database", &sql).await?.is_empty() {
        return Ok(Other::Missing);
    }
    let opened = open::open(&server.with_database(name), role).await;
    let session = opened.map_err(|error| error.within("look into the other database"))?;
    Ok(match swap_state::read(&session, false).await? {
        Some(found) if are_counterparts(state, &found) => {
            Other::Counterpart(Box::new((session, found)))
        }
        None if is_empty(&session).await? => Other::Empty(Box::new(session)),
        _ => Other::Foreign,
    })
}

fn are_counterparts(one: &State, other: &State) -> bool {
    other.way == Way::ByDatabase
        && one.archive_id == other.archive_id
        && one.live_database == other.live_database
        && one.is_new != other.is_new
}

/// Whether nobody has made anything in it.
async fn is_empty(session: &Session) -> Result<bool> {
    let schemas = outside::schemas(session).await?;
    if schemas.iter().any(|schema| schema != "public") {
        return Ok(false);
    }
    let places = [Place { schema: "public", live: "public" }];
    Ok(schema_objects::read(session, &places).await?.is_empty())
}

/// How far it has come, as what is noted in the live database and what was found beside it say.
fn phase(state: &State, other: &Other) -> Phase {
    match other {
        _ if state.is_new => Phase::Swapped,
        Other::Counterpart(found) if found.1.phase != Phase::Staging => Phase::Staged,
        _ => Phase::Staging,
    }
}

/// What is noted in whichever of the two databases, with what their names say of it. The other one's
/// name is left out where it is not there.
pub async fn resolve(server: &Server, session: &Session, state: State) -> Result<State> {
    let current = current(session).await?;
    if current != state.live_database {
        let phase = match state.phase {
            _ if !state.is_new => Phase::Swapped,
            Phase::Staging => Phase::Staging,
            _ => Phase::Staged,
        };
        return Ok(State { phase, away_database: Some(current), ..state });
    }
    let other = other(server, session, &state, None).await?;
    let phase = phase(&state, &other);
    let is_there = matches!(other, Other::Counterpart(_) | Other::Empty(_));
    let away_database = state.away_database.clone().filter(|_| is_there);
    Ok(State { phase, away_database, ..state })
}
