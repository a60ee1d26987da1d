//! Swap: a copy that was staged beside the live one takes its place, or gives it back, or whichever
//! is not live is dropped.
//!
//! Does not know how a restore makes a copy, nor any product.

pub mod checks;
pub mod drop_old;
pub mod in_place;
pub mod manner;
pub mod moves;
pub mod note;
pub mod options;
pub mod raised;
pub mod sets;
pub mod stage;
pub mod written;

use std::sync::Arc;
use std::time::Duration;

pub use self::options::Options;
use self::written::Written;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::lock_waits::LockWaits;
use crate::pg::pooler;
use crate::pg::session::Session;
use crate::pg::swap_state::{self, Phase, State, Way};
use crate::progress::{Level, Progress};
use crate::restore::status::{self as restores, Status};

/// The two halves of the key of the lock that one swap of a database holds: "silv", "swap".
const AT_WORK: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"swap"));

/// How long an answer may take before it is looked whether the server is at work.
const STALL: Duration = Duration::from_secs(300);

/// How often, and how far apart, it is looked whether another stage or swap is still at work.
const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The staged copy becomes live.
    Forth,
    /// What was live before becomes live again.
    Back,
}

/// What would be, or was, exchanged.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was noted before.
    pub state: State,
    /// What is exchanged and how.
    pub plan: in_place::Plan,
    /// Back only: what was written since.
    pub written: Option<Written>,
}

/// A swap that was looked at, in its session.
pub struct Prepared {
    session: Session,
    /// What it will do.
    pub exchange: Exchange,
}

/// What is noted in the database; none where nothing is staged.
pub async fn status(server: &Server) -> Result<Option<State>> {
    let session = server.open(crate::pg::session::Purpose::Probe).await?;
    swap_state::read(&session, false).await
}

/// Looks what is exchanged, and what is in the way; changes nothing.
pub async fn prepare(
    server: &Server,
    direction: Direction,
    options: &Options,
    progress: Arc<dyn Progress>,
) -> Result<Prepared> {
    let waits = LockWaits {
        timeout: options.lock_wait_timeout,
        tell: Arc::new(move |words| progress.message(Level::Info, words)),
    };
    let session = open(&server.patient(STALL).watching(waits), options).await?;
    let state = staged(&session).await?;
    direction.check(state.phase)?;
    if state.way == Way::ByDatabase {
        let cause = "the copy stands in a database of its own";
        return Err(Error::new(Kind::Requirement, "prepare the swap", cause)
            .hint("a newer version of silverback has staged it: swap with that"));
    }
    let moment = jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string();
    let plan = in_place::plan(&session, &state, options, &moment).await?;
    let written = match state.since.filter(|_| direction == Direction::Back) {
        Some(since) => Some(written::count(&session, &plan.sets.live, since).await?),
        None => None,
    };
    Ok(Prepared { session, exchange: Exchange { state, plan, written } })
}

impl Direction {
    fn check(self, phase: Phase) -> Result<()> {
        let (cause, hint) = match (self, phase) {
            (Self::Forth, Phase::Staged) | (Self::Back, Phase::Swapped) => return Ok(()),
            (_, Phase::Staging) => (
                "the staged copy is not complete",
                "stage it again with --resume, which goes on; or drop it (swap --drop-old)",
            ),
            (Self::Forth, Phase::Swapped) => (
                "the staged copy is live already",
                "swap --back exchanges again, swap --drop-old ends it",
            ),
            (Self::Back, Phase::Staged) => {
                ("the staged copy is not live", "silverback swap makes it live")
            }
        };
        Err(Error::new(Kind::Requirement, "prepare the swap", cause).hint(hint))
    }
}

impl Prepared {
    /// Exchanges the copies.
    ///
    /// # Errors
    /// [`Kind::Requirement`] with what is in the way; [`Kind::Consistency`] where the locks were
    /// not to be had. The live copy is untouched then.
    pub async fn carry_out(self, options: &Options, progress: &dyn Progress) -> Result<Exchange> {
        let Self { session, exchange } = self;
        refuse("exchange the copies", &exchange.plan.findings)?;
        progress.phase("exchange the copies");
        in_place::exchange(&session, &exchange.state, &exchange.plan, options, progress).await?;
        Ok(exchange)
    }
}

/// Looks what `--drop-old` drops; drops it unless it is only to be shown.
pub async fn drop_old(server: &Server, options: &Options, dry_run: bool) -> Result<drop_old::Plan> {
    let session = open(server, options).await?;
    let state = staged(&session).await?;
    let mut plan = drop_old::plan(&session, &state).await?;
    if state.phase == Phase::Staging {
        plan.findings.extend(at_work(server).await?);
    }
    if !dry_run {
        refuse("drop the copy that is not live", &plan.findings)?;
        drop_old::carry_out(&session, &plan).await?;
    }
    Ok(plan)
}

/// Who still makes the copy that is to be dropped. A process whose client was killed ends when it
/// notices, so a little time is given to it.
async fn at_work(server: &Server) -> Result<Option<String>> {
    let mut looks = 0;
    loop {
        let restores = restores::status(server).await?;
        let is_at_work = |one: &&Status| one.marker.is_of_stage() && !one.at_work.is_empty();
        let Some(one) = restores.iter().find(is_at_work) else { return Ok(None) };
        looks += 1;
        if looks == LOOKS {
            let processes: Vec<String> = one.at_work.iter().map(i32::to_string).collect();
            let processes = processes.join(", ");
            return Ok(Some(format!("it is being staged (server processes {processes})")));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn refuse(doing: &str, findings: &[String]) -> Result<()> {
    match findings {
        [] => Ok(()),
        [one] => Err(Error::new(Kind::Requirement, doing, one).hint("nothing was changed")),
        many => {
            let cause = format!("{} things are in the way:", many.len());
            Err(Error::new(Kind::Requirement, doing, cause).with_items(many.to_vec()))
        }
    }
}

async fn staged(session: &Session) -> Result<State> {
    swap_state::read(session, false).await?.ok_or_else(|| {
        Error::new(Kind::Requirement, "look for a staged copy", "nothing is staged here")
    })
}

async fn open(server: &Server, options: &Options) -> Result<Session> {
    let session = pooler::open_lasting(server).await?;
    if let Some(role) = &options.role {
        session.set_role(role).await?;
    }
    let (class, object) = AT_WORK;
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({class}, {object})");
    // The session of a run that has just ended may be there for a moment more.
    for _ in 0..LOOKS {
        let row = session.query_one("look for another swap", &sql).await?;
        if row.get::<_, bool>(0)? {
            return Ok(session);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    let cause = "another swap of this database is at work";
    Err(Error::new(Kind::Requirement, "begin the swap", cause).hint("let it end"))
}
