//! The exchange of two databases: one transaction, in a third database, gives the live one another
//! name and the copy the live one's.
//!
//! The first rename locks newcomers out and waits for the sessions that are in, which a second
//! session ends meanwhile. Nothing is disallowed and nothing has to be given back: whatever ends
//! this, the server rolls back.

mod drop;
mod outside;
pub mod pair;
mod properties;
mod rename;
mod sessions;

use std::collections::HashSet;

use self::pair::Other;
use super::options::Options;
use super::raised::{self, Raised};
use super::sets::Sets;
use super::written::{self, Written};
use super::{in_place, note, open, unfinished};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::schema_objects::{self, Place};
use crate::pg::session::Session;
use crate::pg::swap_state::{Phase, Since, State};
use crate::progress::{Level, Progress};
use crate::restore::step::Step;
use crate::sql::ident;

pub(super) use self::drop::plan as plan_drop;

/// The databases that a session may stand in meanwhile; one of the two cannot be renamed from
/// within.
const STANDS: &[&str] = &["postgres", "template1"];

/// A database that takes another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// By what it is known, whatever it is called.
    pub oid: u32,
    /// Its name now, unquoted.
    pub from: String,
    /// Its name then, unquoted.
    pub to: String,
}

impl Renamed {
    /// The statement.
    pub fn step(&self) -> Step {
        let (from, to) = (ident::quote(&self.from), ident::quote(&self.to));
        Step::new(
            format!("rename database {from} to {to}"),
            format!("ALTER DATABASE {from} RENAME TO {to}"),
        )
    }
}

/// An exchange that was looked at.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is in the one and in the other.
    pub sets: Sets,
    /// The live database, and what it will be called.
    pub live: Renamed,
    /// The other one, and what it will be called.
    pub copy: Renamed,
    /// What is in the way.
    pub findings: Vec<String>,
    /// Whose sessions end.
    pub ended: Vec<String>,
    /// What makes the copy what the live database is, beside what is in it.
    pub properties: Vec<Step>,
    /// What is raised in what becomes live, before it does.
    pub raises: Vec<Step>,
    /// The schemas whose objects are exchanged, unquoted.
    pub schemas: Vec<String>,
}

/// The sessions that are not in the live database.
pub struct Apart {
    copy: Session,
    /// In the third database.
    stand: Session,
}

/// An exchange that was looked at, with its sessions.
pub struct Prepared {
    /// None, if there is no third database, which is a finding.
    pub apart: Option<Apart>,
    /// What will be done.
    pub plan: Plan,
    /// Back only: what was written since.
    pub written: Option<Written>,
}

/// Looks what is exchanged, and what is in the way. `live`: a session in the live database, in which
/// `state` was read.
pub async fn prepare(
    server: &Server,
    live: &Session,
    other: Other,
    state: &State,
    options: &Options,
    moment: &str,
) -> Result<Prepared> {
    let Other::Counterpart(other) = other else {
        let cause = "there is no copy in the other database";
        return Err(Error::new(Kind::Requirement, "prepare the swap", cause));
    };
    let copy = other.0;
    let mut plan = names(live, &copy, state, moment).await?;
    let objects = objects_in(live).await?;
    // The whole database goes, whatever of it is the role's.
    plan.sets =
        Sets::choose(objects.clone(), objects_in(&copy).await?, state, &options.profile, false);
    plan.schemas = outside::schemas(live).await?;
    if let Some(raised) = options.raised {
        plan.raises = raises(live, raised, &plan).await?;
    }
    plan.findings = rights(live, &plan).await?;
    plan.findings.extend(plan.sets.left_over.iter().cloned());
    for session in [live, &copy] {
        plan.findings.extend(unfinished::look(session).await?);
    }
    let other = (&copy, plan.copy.from.as_str());
    plan.findings.extend(outside::look(live, other, &objects, &plan.sets).await?);
    let own = [live.backend_pid(), copy.backend_pid()];
    for other in sessions::others(live, &[plan.live.oid, plan.copy.oid], &own).await? {
        if other.may_end {
            plan.ended.push(other.to_string());
        } else {
            plan.findings.push(format!("{other} is connected, and this role may not end it"));
        }
    }
    let apart = match stand(server, options, &plan).await {
        Ok(stand) => {
            let (properties, findings) = rename::rehearse(&stand, &plan, options.role()).await?;
            plan.properties = properties;
            plan.findings.extend(findings);
            Some(Apart { copy, stand })
        }
        Err(finding) => {
            plan.findings.push(finding);
            None
        }
    };
    let written = match state.since.filter(|_| state.phase == Phase::Swapped) {
        Some(since) => Some(written::count(live, &plan.sets.live, since, &options.profile).await?),
        None => None,
    };
    Ok(Prepared { apart, plan, written })
}

/// A plan of the names only.
async fn names(live: &Session, copy: &Session, state: &State, moment: &str) -> Result<Plan> {
    let word = if state.phase == Phase::Swapped { "staged" } else { "before" };
    let (live_name, copy_name) = (pair::current(live).await?, pair::current(copy).await?);
    let away = in_place::away_schema(&live_name, word, moment);
    let found = rename::oids(live, &[&live_name, &copy_name]).await?;
    let [Some(live_oid), Some(copy_oid)] = found[..] else {
        let cause = "the databases were renamed meanwhile";
        return Err(Error::new(Kind::Consistency, "prepare the swap", cause));
    };
    Ok(Plan {
        sets: Sets::default(),
        live: Renamed { oid: live_oid, from: live_name.clone(), to: away },
        copy: Renamed { oid: copy_oid, from: copy_name, to: live_name },
        findings: Vec::new(),
        ended: Vec::new(),
        properties: Vec::new(),
        raises: Vec::new(),
        schemas: Vec::new(),
    })
}

/// What raises a number in what becomes live beyond that of the live one.
async fn raises(live: &Session, raised: Raised, plan: &Plan) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for schema in &plan.schemas {
        let largest = match raised::largest(raised, &plan.sets, schema) {
            Some(sql) => live.query_one("read the number that is raised", &sql).await?.get(0)?,
            None => 0,
        };
        steps.extend(raised::steps_apart(raised, &plan.sets, schema, largest));
    }
    Ok(steps)
}

async fn objects_in(session: &Session) -> Result<Vec<schema_objects::Movable>> {
    let schemas = outside::schemas(session).await?;
    let places: Vec<Place<'_>> =
        schemas.iter().map(|schema| Place { schema, live: schema }).collect();
    schema_objects::read(session, &places).await
}

async fn rights(live: &Session, plan: &Plan) -> Result<Vec<String>> {
    let sql =
        "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    let mut found = Vec::new();
    if !live.query_one("read the role's rights", sql).await?.get::<_, bool>(0)? {
        let cause = "this role may not rename databases: it has no CREATEDB";
        found.push(cause.to_owned());
    }
    for database in [&plan.live, &plan.copy] {
        let sql = format!(
            "SELECT pg_catalog.pg_has_role(datdba, 'USAGE') FROM pg_catalog.pg_database WHERE oid \
             = {}",
            database.oid
        );
        if !live.query_one("read the role's rights", &sql).await?.get::<_, bool>(0)? {
            found.push(format!("this role does not own database {}", ident::quote(&database.from)));
        }
    }
    Ok(found)
}

/// A session in a third database, or why there is none.
async fn stand(server: &Server, options: &Options, plan: &Plan) -> Result<Session, String> {
    let mut causes = Vec::new();
    let renamed = [plan.live.from.as_str(), plan.copy.from.as_str()];
    for name in STANDS.iter().filter(|name| !renamed.contains(name)) {
        match open::open(&server.with_database(name), options.role()).await {
            Ok(session) => return Ok(session),
            Err(error) => causes.push(format!("{name}: {}", error.cause())),
        }
    }
    Err(format!("there is no third database to rename them from ({})", causes.join("; ")))
}

/// Exchanges; gives up after the retries, the live database untouched.
pub async fn exchange(
    live: Session,
    apart: Option<Apart>,
    plan: &Plan,
    options: &Options,
    progress: &dyn Progress,
) -> Result<()> {
    let Some(Apart { copy, stand }) = apart else {
        let cause = "there is no third database to rename them from";
        return Err(Error::new(Kind::Requirement, "exchange the databases", cause));
    };
    let ender = open::open(stand.server(), options.role()).await?;
    // The lock in the live database goes with its session.
    open::alone(&stand, plan.live.oid.min(plan.copy.oid)).await?;
    for session in [&live, &copy] {
        unfinished::refuse(session, "exchange the databases", false).await?;
    }
    note(&copy, plan, options).await.map_err(rename::explain)?;
    // They would be in the way like any other.
    let own = [live.backend_pid(), copy.backend_pid()];
    drop((live, copy));
    rename::exchange(&stand, &ender, plan, &own, options, progress).await?;
    if let Ok(made) = made_meanwhile(stand.server(), plan, options).await
        && !made.is_empty()
    {
        let away = ident::quote(&plan.live.to);
        let text = format!("made meanwhile, and in database {away} now: {}", made.join(", "));
        progress.message(Level::Warning, &text);
    }
    Ok(())
}

/// What somebody has made in the live database after it was looked at: nobody can look into it once
/// it is locked.
async fn made_meanwhile(server: &Server, plan: &Plan, options: &Options) -> Result<Vec<String>> {
    let session = open::open(&server.with_database(&plan.live.to), options.role()).await?;
    let known: HashSet<(u32, u32)> =
        plan.sets.live.iter().map(|object| (object.class, object.oid)).collect();
    let objects = objects_in(&session).await?;
    let made = objects.iter().filter(|object| !known.contains(&(object.class, object.oid)));
    Ok(made.map(schema_objects::Movable::describe).collect())
}

const NOTE: &str = "note the swap";

/// Notes in the copy what it is once it is live. It is not believed before: the names say which one
/// is live.
async fn note(copy: &Session, plan: &Plan, options: &Options) -> Result<()> {
    copy.execute(NOTE, "BEGIN").await?;
    let sql = "SELECT pg_catalog.txid_current()";
    let xid = copy.query_one("read the transaction's number", sql).await?.get(0)?;
    let rows_deleted = written::deleted(copy, &plan.sets.away, &options.profile).await?;
    let since = Since { xid, rows_deleted };
    let step = note::exchanged(&note::Exchanged {
        phase: Phase::Staged,
        schemas: &[],
        away_database: Some(&plan.live.to),
        live: &plan.sets.away,
        away: &plan.sets.live,
        since: Some(since),
    });
    for step in plan.raises.iter().chain([&step]) {
        copy.execute(&step.doing, &step.sql).await?;
    }
    copy.execute(NOTE, "COMMIT").await.map(drop)
}
