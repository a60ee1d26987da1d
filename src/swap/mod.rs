//! Swap: a copy that was staged beside the live one takes its place, or gives it back, or whichever
//! is not live is dropped.
//!
//! Does not know how a restore makes a copy, nor any product.

mod attempts;
pub mod by_database;
pub mod checks;
pub mod drop_old;
pub mod in_place;
pub mod manner;
pub mod moves;
pub mod note;
mod open;
pub mod options;
pub mod raised;
pub mod sets;
pub mod stage;
mod unfinished;
pub mod written;

use std::sync::Arc;
use std::time::Duration;

use self::by_database::pair;
use self::open::{STALL, open_alone};
pub use self::options::Options;
use self::written::Written;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::lock_waits::LockWaits;
use crate::pg::session::{Purpose, Session};
use crate::pg::swap_state::{self, Phase, SchemaPair, State, Way};
use crate::progress::{Level, Progress};
use crate::restore::status::{self as restores, Status};
use crate::restore::step::Step;

/// How often, and how far apart, it is looked whether a stage is still at work.
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

/// What is exchanged and how.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Objects of one database.
    InPlace(in_place::Plan),
    /// Two databases.
    ByDatabase(by_database::Plan),
}

impl Plan {
    /// What is in the way, in words.
    pub fn findings(&self) -> &[String] {
        match self {
            Self::InPlace(plan) => &plan.findings,
            Self::ByDatabase(plan) => &plan.findings,
        }
    }

    /// Adds what somebody else has found.
    pub fn refuse(&mut self, found: Vec<String>) {
        match self {
            Self::InPlace(plan) => plan.findings.extend(found),
            Self::ByDatabase(plan) => plan.findings.extend(found),
        }
    }

    /// What is raised in what becomes live.
    pub fn raises(&self) -> &[Step] {
        match self {
            Self::InPlace(plan) => &plan.raises,
            Self::ByDatabase(plan) => &plan.raises,
        }
    }
}

/// What would be, or was, exchanged.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was noted before.
    pub state: State,
    /// What is exchanged and how.
    pub plan: Plan,
    /// Back only: what was written since.
    pub written: Option<Written>,
}

impl Exchange {
    /// Refuses to go on where something is in the way.
    ///
    /// # Errors
    /// [`Kind::Requirement`] with all of it.
    pub fn check(&self) -> Result<()> {
        refuse("exchange the copies", self.plan.findings())
    }

    /// The schemas whose objects are exchanged, each with the one that holds its counterpart: by
    /// database one of the same name.
    pub fn schemas(&self) -> Vec<SchemaPair> {
        match &self.plan {
            Plan::InPlace(_) => self.state.schemas.clone(),
            Plan::ByDatabase(plan) => {
                let same = |name: &String| SchemaPair { live: name.clone(), away: name.clone() };
                plan.schemas.iter().map(same).collect()
            }
        }
    }
}

/// A swap that was looked at, with its sessions.
pub struct Prepared {
    session: Session,
    /// By database: the sessions that are not in the live one.
    apart: Option<by_database::Apart>,
    /// What it will do.
    pub exchange: Exchange,
}

/// What is noted in the database, and what the names of databases say of it; none where nothing is
/// staged.
pub async fn status(server: &Server) -> Result<Option<State>> {
    let session = server.open(Purpose::Probe).await?;
    let Some(state) = swap_state::read(&session, false).await? else { return Ok(None) };
    if state.way == Way::InPlace {
        return Ok(Some(state));
    }
    pair::resolve(server, &session, state).await.map(Some)
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
    let server = server.patient(STALL).watching(waits);
    let session = open_alone(&server, options.role()).await?;
    let state = staged(&session).await?;
    let moment = jiff::Timestamp::now().strftime("%Y%m%d_%H%M%S").to_string();
    if state.way == Way::ByDatabase {
        if options.takes_all_owned {
            let cause = "the copy is a database of its own, which is exchanged with all in it";
            return Err(Error::new(Kind::Usage, "prepare the swap", cause)
                .hint("leave --clean=schemas out"));
        }
        let (state, other) = pair::find(&server, &session, state, options.role()).await?;
        direction.check(state.phase)?;
        let prepared =
            by_database::prepare(&server, &session, other, &state, options, &moment).await?;
        let by_database::Prepared { apart, plan, written } = prepared;
        let plan = Plan::ByDatabase(plan);
        return Ok(Prepared { session, apart, exchange: Exchange { state, plan, written } });
    }
    direction.check(state.phase)?;
    let mut plan = in_place::plan(&session, &state, options, &moment).await?;
    plan.findings.extend(unfinished::look(&session).await?);
    let written = match state.since.filter(|_| direction == Direction::Back) {
        Some(since) => {
            Some(written::count(&session, &plan.sets.live, since, &options.profile).await?)
        }
        None => None,
    };
    let plan = Plan::InPlace(plan);
    Ok(Prepared { session, apart: None, exchange: Exchange { state, plan, written } })
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
    /// Looks whether nothing is in the way.
    ///
    /// # Errors
    /// [`Kind::Requirement`] with what is.
    pub fn check(&self) -> Result<()> {
        refuse("exchange the copies", self.exchange.plan.findings())
    }

    /// Exchanges the copies.
    ///
    /// # Errors
    /// [`Kind::Requirement`] with what is in the way; [`Kind::Consistency`] where the locks were
    /// not to be had. The live copy is untouched then.
    pub async fn carry_out(self, options: &Options, progress: &dyn Progress) -> Result<Exchange> {
        self.check()?;
        let Self { session, apart, exchange } = self;
        progress.phase("exchange the copies");
        match &exchange.plan {
            Plan::InPlace(plan) => {
                let agreed = exchange.written.filter(|_| !options.gives_up);
                let what = (&exchange.state, plan, agreed);
                in_place::exchange(&session, what, options, progress).await?;
            }
            Plan::ByDatabase(plan) => {
                Box::pin(by_database::exchange(session, apart, plan, options, progress)).await?;
            }
        }
        Ok(exchange)
    }
}

/// Looks what `--drop-old` drops; drops it unless it is only to be shown.
pub async fn drop_old(server: &Server, options: &Options, dry_run: bool) -> Result<drop_old::Plan> {
    let session = open_alone(server, options.role()).await?;
    let state = staged(&session).await?;
    let mut plan = match state.way {
        Way::InPlace => {
            let mut plan = drop_old::plan(&session, &state).await?;
            if state.phase == Phase::Staging {
                plan.findings.extend(being_staged(server).await?);
            }
            plan
        }
        Way::ByDatabase => by_database::plan_drop(server, &session, &state, options.role()).await?,
    };
    if plan.findings.is_empty() {
        plan.findings.extend(unfinished::at_work(&session).await?);
    }
    if !dry_run {
        refuse("drop the copy that is not live", &plan.findings)?;
        drop_old::carry_out(&session, &plan).await?;
    }
    Ok(plan)
}

/// Who still makes the copy that is to be dropped. A process whose client was killed ends when it
/// notices, so a little time is given to it.
async fn being_staged(server: &Server) -> Result<Option<String>> {
    let mut looks = 0;
    loop {
        let restores = restores::status(server).await?.restores;
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
        [one] => Err(Error::new(Kind::Requirement, doing, one)
            .hint("nothing was changed; put that right, and run silverback swap again")),
        many => {
            let cause = format!("{} problems prevent this swap:", many.len());
            Err(Error::new(Kind::Requirement, doing, cause).with_items(many.to_vec()))
        }
    }
}

async fn staged(session: &Session) -> Result<State> {
    swap_state::read(session, false).await?.ok_or_else(|| {
        Error::new(Kind::Requirement, "look for a staged copy", "nothing is staged here")
            .hint("silverback restore --stage ARCHIVE makes a copy")
    })
}
