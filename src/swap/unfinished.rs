//! Restores into what is exchanged that are not done: their markers stay where they are, and what
//! they speak of would move away, so that whoever goes on with one would empty the other copy.

use crate::error::{Error, Kind, Result};
use crate::pg::marker;
use crate::pg::session::Session;
use crate::restore::status as restores;

const NEXT: &str = "finish it with restore --resume, or begin anew with restore -c; silverback \
    restore --status tells more";

/// What is unfinished in the session's database, in words; a stage is not meant, of which the note
/// tells.
pub(super) async fn look(session: &Session) -> Result<Vec<String>> {
    let found = found(session, false).await?;
    if found.is_empty() {
        return Ok(at_work(session).await?.into_iter().collect());
    }
    Ok(found)
}

/// The same as it is at this moment.
///
/// # Errors
/// [`Kind::Requirement`] with the first of it.
pub(super) async fn refuse(session: &Session, doing: &str, in_transaction: bool) -> Result<()> {
    let mut found = found(session, in_transaction).await?;
    if found.is_empty() {
        found.extend(words(&restores::at_work_now(session).await?));
    }
    found.into_iter().next().map_or(Ok(()), |one| Err(Error::new(Kind::Requirement, doing, one)))
}

/// Who restores into the session's database. A process whose client was killed ends when it
/// notices, so a little time is given to it.
pub(super) async fn at_work(session: &Session) -> Result<Option<String>> {
    Ok(words(&restores::at_work(session).await?))
}

async fn found(session: &Session, in_transaction: bool) -> Result<Vec<String>> {
    let markers = marker::read(session, in_transaction).await?;
    let others = markers.iter().filter(|marker| !marker.is_of_stage());
    Ok(others.map(|marker| format!("the database holds {}: {NEXT}", marker.describe())).collect())
}

fn words(processes: &[i32]) -> Option<String> {
    let named: Vec<String> = processes.iter().map(i32::to_string).collect();
    let words = format!(
        "a restore into the database is at work (server processes {}): let it end",
        named.join(", ")
    );
    (!processes.is_empty()).then_some(words)
}
