//! Looks at a live Kong before another copy takes its place, and says afterwards what is to be done
//! with its nodes.

use std::future::Future;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::error::{Error, Kind, Result};
use crate::kong::closing::{Closing, RESTART};
use crate::kong::guards::{Situation, target};
use crate::kong::hold::Hold;
use crate::kong::info::{Info, Request, live};
use crate::kong::rights;
use crate::pg::connect::Server;
use crate::pg::swap_state::SchemaPair;
use crate::progress::{Level, Progress};

/// What is asked about Kong.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Asked<'a> {
    pub(in crate::cli) server: &'a Server,
    /// Kong's `pg_schema`, if it is known.
    pub(in crate::cli) schema: Option<&'a str>,
    /// Kong's `pg_user`, if it is known.
    pub(in crate::cli) user: Option<&'a str>,
    pub(in crate::cli) role: Option<&'a str>,
    /// Whether it is gone past that migrations may be running.
    pub(in crate::cli) ignores_lock: bool,
}

/// What is to be held while the copies are exchanged: the lock for migrations of both.
pub(in crate::cli) async fn holds(asked: Asked<'_>, pairs: &[SchemaPair]) -> Result<Vec<Hold>> {
    let info = read(asked, pairs).await?;
    let is_kong =
        |pair: &&SchemaPair| info.as_ref().is_some_and(|info| info.facts.schema == pair.live);
    let Some(pair) = pairs.iter().find(is_kong) else {
        let cause = "no schema that is exchanged has Kong's table schema_meta";
        return Err(Error::new(Kind::Requirement, "hold Kong's lock for migrations", cause)
            .hint("leave --hold-migrations out"));
    };
    let mut holds = Vec::new();
    for schema in [&pair.live, &pair.away] {
        holds.push(Hold::of_copy(asked.server, schema, asked.role).await?);
    }
    Ok(holds)
}

/// Exchanges while the locks are held; `held` are those that are to be let go when a signal comes.
pub(in crate::cli) async fn while_held<T>(
    held: &OnceLock<Vec<Hold>>,
    holds: Vec<Hold>,
    progress: &dyn Progress,
    exchange: impl Future<Output = Result<T>>,
) -> Result<T> {
    super::hold::while_held(held.get_or_init(|| holds), progress, exchange).await
}

/// Looks at what is live in the schemas that are exchanged: what prevents it; the rest is
/// said.
pub(in crate::cli) async fn look(
    asked: Asked<'_>,
    pairs: &[SchemaPair],
    progress: &dyn Progress,
) -> Result<Vec<String>> {
    let Some(info) = read(asked, pairs).await? else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    for guard in target::judge_exchange(&info) {
        match guard.situation {
            Situation::LockedTarget if asked.ignores_lock => {
                let text = format!("{}; gone past, as asked", guard.problem);
                progress.message(Level::Warning, &text);
            }
            Situation::LockedTarget => findings.push(guard.line()),
            _ => progress.message(Level::Info, &guard.line()),
        }
    }
    Ok(findings)
}

/// What is to be done with the Kong that is live now, in one line and for machines; none where
/// there is none. Warns of what Kong's role may not do with it.
pub(in crate::cli) async fn closing(
    asked: Asked<'_>,
    pairs: &[SchemaPair],
    progress: &dyn Progress,
) -> Result<Option<(String, Value)>> {
    let Some(info) = read(asked, pairs).await? else { return Ok(None) };
    if let Some(user) = asked.user {
        let told = rights::look(asked.server, &info.facts.schema, user).await?;
        for text in told {
            progress.message(Level::Warning, &text);
        }
    }
    let closing = Closing::of(&info);
    let fields = json!({
        "schema": info.facts.schema,
        "restart": "every node",
        "next_start": closing.next.word(),
        "sync_version": info.facts.sync_version,
    });
    let raised = info.facts.sync_version.map_or_else(String::new, |version| {
        format!("; the incremental sync's version is {version}")
    });
    Ok(Some((format!("{RESTART}; {}{raised}", closing.words), fields)))
}

/// None where no schema of Kong's is exchanged.
async fn read(asked: Asked<'_>, pairs: &[SchemaPair]) -> Result<Option<Info>> {
    let Asked { server, schema, role, .. } = asked;
    let request = Request { schema, role, counted: Some(|_| false), ..Request::default() };
    let facts = live::read_if_there(server, request).await?;
    let is_exchanged = |schema: &str| pairs.iter().any(|pair| pair.live == schema);
    Ok(facts.filter(|facts| is_exchanged(&facts.schema)).map(Info::of))
}
