//! How a server takes planner statistics. They never make a restore fail: what a server does not
//! take is gathered.

use crate::archive::statistics::Statistics;
use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;
use crate::pg::statistics::{self, Name};
use crate::progress::{Level, Progress};
use crate::restore::step::Step;

/// Gives the server some statistics; those that it does not take whole, it gathers.
pub(in crate::restore) async fn take(
    session: &Session,
    (all, source): (&[Statistics], u32),
    (label, taken, gather): (&str, &[(usize, Name)], Option<&Step>),
    progress: &dyn Progress,
) -> Result<()> {
    let wanted = taken.iter().map(|(place, name)| (&all[*place], name));
    let mut why = None;
    for sql in statistics::statements(wanted, source, session.version()) {
        match session.query(label, &sql).await {
            Ok(rows) if rows.iter().all(|row| matches!(row.get(0), Ok(Some(true)))) => {}
            Ok(_) => why = Some("the server did not take them whole".to_owned()),
            Err(error) if is_answer(&error) => why = Some(error.cause().to_owned()),
            Err(error) => return Err(error),
        }
    }
    let Some(why) = why else { return Ok(()) };
    let instead = if gather.is_some() { "ANALYZE gathers them" } else { "run ANALYZE" };
    progress.message(Level::Warning, &format!("{label}: {why}: {instead}"));
    match gather {
        Some(step) => session.execute(&step.doing, &step.sql).await.map(drop),
        None => Ok(()),
    }
}

/// Whether the server is there and has refused.
fn is_answer(error: &Error) -> bool {
    error.sqlstate().is_some() && error.kind() != Kind::Server
}
