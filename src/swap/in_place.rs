//! The exchange in one database: one transaction locks every table of both copies, moves the live
//! objects to a schema of their own and the others to where those stood.
//!
//! A client keeps its connection. One whose transaction has read a table of either copy keeps this
//! transaction waiting, so that none ever sees a mixture; a statement that waits for the lock
//! resolves its names anew.

use super::attempts::Attempts;
use super::manner::Manner;
use super::options::Options;
use super::sets::Sets;
use super::written::Written;
use super::{checks, manner, moves, note, raised, unfinished, written};
use crate::error::{Error, Kind, Result};
use crate::pg::schema_objects::{self, Place};
use crate::pg::session::Session;
use crate::pg::swap_state::{Phase, SchemaPair, Since, State};
use crate::profile::Profile;
use crate::progress::Progress;
use crate::restore::step::Step;
use crate::sqlstate;

const DOING: &str = "exchange the copies";

/// An exchange that was looked at.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is exchanged for what.
    pub sets: Sets,
    /// How, for each schema.
    pub manners: Vec<Manner>,
    /// Where the other copy will stand.
    pub away: Vec<SchemaPair>,
    /// What is in the way.
    pub findings: Vec<String>,
    /// The moves, in order.
    pub moves: Vec<Step>,
    /// What is raised then in what has become live.
    pub raises: Vec<Step>,
}

/// Looks what is exchanged, and what is in the way. `moment`: goes into the name of the schema that
/// takes the live objects.
pub async fn plan(
    session: &Session,
    state: &State,
    options: &Options,
    moment: &str,
) -> Result<Plan> {
    let sets = sets(session, state, options).await?;
    let manners = manner::look(session, &sets, &state.schemas).await?;
    let findings = checks::look(session, &sets, &state.schemas, &manners).await?;
    let word = if state.phase == Phase::Swapped { "staged" } else { "before" };
    let away: Vec<SchemaPair> = state
        .schemas
        .iter()
        .map(|pair| SchemaPair {
            live: pair.live.clone(),
            away: away_schema(&pair.live, word, moment),
        })
        .collect();
    let moves = moves::steps(&sets, &state.schemas, &away, &manners);
    let raises = options.raised.map_or_else(Vec::new, |one| raised::steps(one, &sets, &away));
    Ok(Plan { sets, manners, away, findings, moves, raises })
}

/// `public_before_20261129_071500`, cut where it would be too long for a name.
pub fn away_schema(live: &str, word: &str, moment: &str) -> String {
    const NAME_BYTES_MAX: usize = 63;
    let end = format!("_{word}_{moment}");
    let mut length = live.len().min(NAME_BYTES_MAX.saturating_sub(end.len()));
    while !live.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{end}", &live[..length])
}

async fn sets(session: &Session, state: &State, options: &Options) -> Result<Sets> {
    let live: Vec<Place<'_>> =
        state.schemas.iter().map(|pair| Place { schema: &pair.live, live: &pair.live }).collect();
    let away: Vec<Place<'_>> =
        state.schemas.iter().map(|pair| Place { schema: &pair.away, live: &pair.live }).collect();
    let live = schema_objects::read(session, &live).await?;
    let away = schema_objects::read(session, &away).await?;
    Ok(Sets::choose(live, away, state, &options.profile, options.takes_all_owned))
}

/// Exchanges; gives up after the retries, the live copy untouched. With what was noted, what was
/// looked at, and which rows may be given up, if not all.
pub async fn exchange(
    session: &Session,
    what: (&State, &Plan, Option<Written>),
    options: &Options,
    progress: &dyn Progress,
) -> Result<()> {
    let mut attempts = Attempts::new(options.retries);
    loop {
        let Err(error) = attempt_once(session, what, options).await else { return Ok(()) };
        // The first error is the one that is told.
        let _ = session.execute("roll back", "ROLLBACK").await;
        let is_lock = matches!(
            error.sqlstate(),
            Some(
                sqlstate::LOCK_NOT_AVAILABLE
                    | sqlstate::QUERY_CANCELED
                    | sqlstate::DEADLOCK_DETECTED
            )
        );
        if !is_lock {
            return Err(explain(error));
        }
        let hint = "nothing was changed; end the transactions that hold the tables, or raise \
            --retries or --lock-wait-timeout";
        attempts.failed(error, hint, progress).await?;
    }
}

fn explain(error: Error) -> Error {
    let kind = if error.kind() == Kind::Unexpected { Kind::Requirement } else { error.kind() };
    if kind == Kind::Server {
        return error.hint("silverback swap --status tells which copy is live");
    }
    let hint = error.hint_text().map_or_else(String::new, |hint| format!("{hint}; "));
    error.as_kind(kind).hint(format!("{hint}nothing was changed"))
}

async fn attempt_once(
    session: &Session,
    (state, plan, agreed): (&State, &Plan, Option<Written>),
    options: &Options,
) -> Result<()> {
    session.execute(DOING, "BEGIN").await?;
    let wait = options.lock_wait_timeout.as_millis();
    // As a whole it waits no longer than twice: a client that waits behind it has waited less than
    // the server's deadlock_timeout then, and is not the one that is cancelled.
    let set = format!(
        "SET LOCAL lock_timeout = {wait}; SET LOCAL statement_timeout = {}",
        wait.saturating_mul(2)
    );
    session.batch(DOING, &set).await?;
    let tables: Vec<&str> = (plan.sets.all().filter(|object| object.is_lockable()))
        .map(|object| object.identity.as_str())
        .collect();
    if !tables.is_empty() {
        let lock = format!("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE", tables.join(", ONLY "));
        session.execute("lock the tables of both copies", &lock).await?;
    }
    session.execute(DOING, "SET LOCAL statement_timeout = 0").await?;
    // What was looked at before the locks may have changed since.
    unfinished::refuse(session, DOING, true).await?;
    let sets = sets(session, state, options).await?;
    let manners = manner::look(session, &sets, &state.schemas).await?;
    if !sets.is_same(&plan.sets) || manners != plan.manners {
        let cause = "objects were made or dropped meanwhile";
        return Err(Error::new(Kind::Consistency, DOING, cause).hint("run the same command again"));
    }
    let found = checks::look(session, &sets, &state.schemas, &manners).await?;
    if let Some(found) = found.first() {
        return Err(Error::new(Kind::Requirement, DOING, found));
    }
    // Whoever has kept the locks may have written.
    if let (Some(agreed), Some(since)) = (agreed, state.since) {
        let now = written::count(session, &sets.live, since, &options.profile).await?;
        now.check_within(agreed, DOING)?;
    }
    for step in plan.moves.iter().chain(&plan.raises) {
        session.execute(&step.doing, &step.sql).await?;
    }
    let phase = if state.phase == Phase::Swapped { Phase::Staged } else { Phase::Swapped };
    let since = if phase == Phase::Swapped {
        Some(since(session, &sets, &options.profile).await?)
    } else {
        None
    };
    let step = note::exchanged(&note::Exchanged {
        phase,
        schemas: &plan.away,
        away_database: None,
        live: &sets.away,
        away: &sets.live,
        since,
    });
    session.execute(&step.doing, &step.sql).await?;
    session.execute(DOING, "COMMIT").await.map(drop)
}

/// From now on rows count as written.
async fn since(session: &Session, sets: &Sets, profile: &Profile) -> Result<Since> {
    let sql = "SELECT pg_catalog.txid_current()";
    let xid = session.query_one("read the transaction's number", sql).await?.get(0)?;
    Ok(Since { xid, rows_deleted: written::deleted(session, &sets.away, profile).await? })
}
