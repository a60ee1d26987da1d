//! The exchange in one database: one transaction locks every table of both copies, moves the live
//! objects to a schema of their own and the others to where those stood.
//!
//! A client keeps its connection. One whose transaction has read a table of either copy keeps this
//! transaction waiting, so that none ever sees a mixture; a statement that waits for the lock
//! resolves its names anew.

use std::time::Duration;

use super::objects::{self, Movable, Place};
use super::options::Options;
use super::sets::Sets;
use super::{checks, note, raised, written};
use crate::error::{Error, Kind, Result};
use crate::pg::session::Session;
use crate::pg::swap_state::{Phase, SchemaPair, Since, State};
use crate::progress::{Level, Progress};
use crate::restore::step::Step;
use crate::sql::ident;
use crate::sqlstate;

/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(3);
const DOING: &str = "exchange the copies";

/// An exchange that was looked at.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is exchanged for what.
    pub sets: Sets,
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
    let findings = checks::look(session, &sets, &state.schemas).await?;
    let word = if state.phase == Phase::Swapped { "staged" } else { "before" };
    let away: Vec<SchemaPair> = state
        .schemas
        .iter()
        .map(|pair| SchemaPair {
            live: pair.live.clone(),
            away: away_schema(&pair.live, word, moment),
        })
        .collect();
    let missing = missing(session, &state.schemas).await?;
    let moves = moves(&sets, &state.schemas, &away, &missing);
    let raises = options.raised.map_or_else(Vec::new, |one| raised::steps(one, &sets, &away));
    Ok(Plan { sets, away, findings, moves, raises })
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
    let live = objects::read(session, &live).await?;
    let away = objects::read(session, &away).await?;
    Ok(Sets::choose(live, away, state, &options.profile))
}

/// The live schemas that are not there: what the copy brings along.
async fn missing(session: &Session, pairs: &[SchemaPair]) -> Result<Vec<String>> {
    let names: Vec<String> = pairs.iter().map(|pair| ident::literal(&pair.live)).collect();
    let sql = format!(
        "SELECT name FROM pg_catalog.unnest(ARRAY[{}]::text[]) name WHERE NOT EXISTS (SELECT FROM \
         pg_catalog.pg_namespace WHERE nspname = name)",
        names.join(", ")
    );
    let rows = session.query("look which schemas are there", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

fn moves(sets: &Sets, now: &[SchemaPair], then: &[SchemaPair], missing: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    for pair in then {
        let sql = format!("CREATE SCHEMA {}", ident::quote(&pair.away));
        steps.push(Step::new("make room for the live objects", sql));
    }
    let step = |object: &Movable, schema: &str| {
        Step::new(
            format!("move {} to schema {}", object.describe(), ident::quote(schema)),
            object.set_schema(schema),
        )
    };
    // What names types in its arguments goes before these move: its name is told with theirs.
    let names_types =
        |object: &Movable| matches!(object.key.space.as_str(), "routine" | "operator");
    let in_order = |objects: &'_ [Movable]| {
        let mut objects = objects.to_vec();
        objects.sort_by_key(|object| !names_types(object));
        objects
    };
    let away_of = |live: &str| then.iter().find(|pair| pair.live == live);
    steps.extend(
        in_order(&sets.live)
            .iter()
            .filter_map(|object| Some(step(object, &away_of(&object.key.schema)?.away))),
    );
    let is_missing = |live: &String| missing.contains(live);
    steps.extend(
        in_order(&sets.away)
            .iter()
            .filter(|object| !is_missing(&object.key.schema))
            .map(|object| step(object, &object.key.schema)),
    );
    steps.extend(now.iter().map(|pair| {
        let (schema, live) = (ident::quote(&pair.away), ident::quote(&pair.live));
        if is_missing(&pair.live) {
            // Last, because it gives all in it another name than the steps before know.
            let doing = format!("rename schema {schema} to {live}");
            return Step::new(doing, format!("ALTER SCHEMA {schema} RENAME TO {live}"));
        }
        // Nothing of the copy is in it any more.
        Step::new(format!("drop schema {schema}"), format!("DROP SCHEMA {schema}"))
    }));
    steps
}

/// Exchanges; gives up after the retries, the live copy untouched.
pub async fn exchange(
    session: &Session,
    state: &State,
    plan: &Plan,
    options: &Options,
    progress: &dyn Progress,
) -> Result<()> {
    let mut pause = PAUSE;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(error) = attempt_once(session, state, plan, options).await else { return Ok(()) };
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
        if attempt > options.retries {
            let hint = "nothing was changed; end the transactions that hold the tables, or raise \
                --retries or --lock-wait-timeout";
            return Err(error.as_kind(Kind::Consistency).hint(hint));
        }
        progress.message(
            Level::Info,
            &format!("{}; attempt {attempt} of {}", error.cause(), options.retries + 1),
        );
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
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
    state: &State,
    plan: &Plan,
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
    let sets = sets(session, state, options).await?;
    if !sets.is_same(&plan.sets) {
        let cause = "objects were made or dropped meanwhile";
        return Err(Error::new(Kind::Consistency, DOING, cause).hint("run the same command again"));
    }
    if let Some(found) = checks::look(session, &sets, &state.schemas).await?.first() {
        return Err(Error::new(Kind::Requirement, DOING, found));
    }
    for step in plan.moves.iter().chain(&plan.raises) {
        session.execute(&step.doing, &step.sql).await?;
    }
    let phase = if state.phase == Phase::Swapped { Phase::Staged } else { Phase::Swapped };
    let since = if phase == Phase::Swapped { Some(since(session, &sets).await?) } else { None };
    let words = |objects: &[Movable]| {
        objects.iter().map(|object| object.key.to_string()).collect::<Vec<_>>()
    };
    let step =
        note::exchanged(phase.word(), &plan.away, &words(&sets.away), &words(&sets.live), since);
    session.execute(&step.doing, &step.sql).await?;
    session.execute(DOING, "COMMIT").await.map(drop)
}

/// From now on rows count as written.
async fn since(session: &Session, sets: &Sets) -> Result<Since> {
    let sql = "SELECT pg_catalog.txid_current()";
    let xid = session.query_one("read the transaction's number", sql).await?.get(0)?;
    Ok(Since { xid, rows_deleted: written::deleted(session, &sets.away).await? })
}
