//! The end of a swap by database: the one that is not live is dropped, and what was noted.

use super::pair::{self, Other};
use super::sessions;
use crate::error::Result;
use crate::pg::connect::Server;
use crate::pg::session::Session;
use crate::pg::swap_state::State;
use crate::sql::ident;
use crate::swap::drop_old::Plan;
use crate::swap::note;

/// Looks what is dropped, and what keeps it. `session` is in the live database.
pub(in crate::swap) async fn plan(
    server: &Server,
    session: &Session,
    state: &State,
    role: Option<&str>,
) -> Result<Plan> {
    pair::check_live(session, state).await?;
    let name = state.away_database.clone().unwrap_or_default();
    let identity = format!("database {}", ident::quote(&name));
    let (mut objects, mut findings, mut first) = (Vec::new(), Vec::new(), Vec::new());
    let other = pair::other(server, session, state, role).await?;
    if !state.is_new && matches!(other, Other::Empty(_) | Other::Missing) {
        findings.extend(makers(session).await?);
    }
    let own = match other {
        Other::Counterpart(found) => Some(found.0.backend_pid()),
        Other::Empty(session) => Some(session.backend_pid()),
        Other::Foreign => {
            findings.push(format!("{identity} holds something else than the other copy"));
            None
        }
        // The note is all that is left.
        Other::Missing => None,
    };
    if let Some(own) = own {
        let sql = format!(
            "SELECT oid, datistemplate FROM pg_catalog.pg_database WHERE datname = {}",
            ident::literal(&name)
        );
        let row = session.query_one("look for the other database", &sql).await?;
        let others = sessions::who_stay(session, row.get(0)?, own).await?;
        findings.extend(others.iter().map(|other| format!("{other} is connected to {identity}")));
        if row.get(1)? {
            first.push(format!("ALTER DATABASE {} IS_TEMPLATE false", ident::quote(&name)));
        }
        first.push(format!("DROP DATABASE {}", ident::quote(&name)));
        objects.push(identity);
    }
    let statements = note::remove().into_iter().map(|step| step.sql).collect();
    Ok(Plan { objects, findings, first, statements })
}

/// Who may be about to make the copy's database, and to begin there.
async fn makers(session: &Session) -> Result<Vec<String>> {
    let sql = "SELECT oid FROM pg_catalog.pg_database WHERE datname = \
        pg_catalog.current_database()";
    let live = session.query_one("look for the live database", sql).await?.get(0)?;
    let others = sessions::who_stay(session, live, session.backend_pid()).await?;
    let ours = others.iter().filter(|other| other.is_silverback);
    Ok(ours.map(|other| format!("{other} may be making the copy")).collect())
}
