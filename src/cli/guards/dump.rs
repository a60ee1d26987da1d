//! Looks at a database before it is dumped: what is dangerous is a warning, and nothing more; and
//! holds Kong's lock for migrations meanwhile, where that is asked for.

use std::future::Future;
use std::sync::OnceLock;

use super::hold::while_held;
use crate::error::{Error, Kind, Result};
use crate::kong::classes;
use crate::kong::guards::source::{self, Work};
use crate::kong::guards::{Situation, counted};
use crate::kong::hold::Hold;
use crate::kong::info::{Info, Request, live};
use crate::pg::connect::Server;
use crate::progress::{Level, Progress};
use crate::select::Selection;
use crate::sql::ident;

/// What is dumped.
pub(in crate::cli) struct Asked<'a> {
    pub(in crate::cli) server: &'a Server,
    pub(in crate::cli) selection: &'a Selection,
    /// Kong's `pg_schema`, if it is known.
    pub(in crate::cli) schema: Option<&'a str>,
    pub(in crate::cli) role: Option<&'a str>,
    /// Whether the lock for migrations is to be held.
    pub(in crate::cli) holds: bool,
}

/// Looks, warns, and dumps; `held` is the lock that is to be let go when a signal comes.
pub(in crate::cli) async fn dump<T>(
    asked: Asked<'_>,
    held: &OnceLock<Vec<Hold>>,
    progress: &dyn Progress,
    dump: impl Future<Output = Result<T>>,
) -> Result<T> {
    let all = match read(asked.server, asked.schema, asked.role).await {
        Ok(all) => all,
        // Without a server there is no dump either.
        Err(error) if asked.holds || matches!(error.kind(), Kind::Connect | Kind::Server) => {
            return Err(error);
        }
        // The dump takes the same role, and says the same.
        Err(error) if asked.role.is_some() && error.kind() == Kind::Requirement => Vec::new(),
        Err(error) => {
            progress
                .message(Level::Warning, &format!("whether this is Kong's is not known: {error}"));
            Vec::new()
        }
    };
    for info in &all {
        warn(info, all.len() > 1, &asked, progress);
    }
    if !asked.holds {
        return dump.await;
    }
    let Some(info) = all.first() else {
        let doing = format!(
            "hold Kong's lock for migrations in database {}",
            ident::quote(asked.server.database())
        );
        return Err(Error::new(Kind::Requirement, doing, "no schema has Kong's table schema_meta")
            .hint("leave --hold-migrations out, or name Kong's database"));
    };
    let lock = held.get_or_init(|| vec![Hold::new(asked.server, &info.facts.schema, asked.role)]);
    while_held(lock, progress, dump).await
}

/// What the database holds of Kong, each in a schema of its own: first the one that is meant, or
/// that Kong would take.
async fn read(server: &Server, schema: Option<&str>, role: Option<&str>) -> Result<Vec<Info>> {
    let request = Request { schema, role, counted: Some(counted), ..Request::default() };
    let Some(first) = live::read_if_there(server, request).await? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for other in first.other_schemas.clone() {
        let request = Request { schema: Some(&other), ..request };
        all.extend(live::read_if_there(server, request).await?.map(Info::of));
    }
    all.insert(0, Info::of(first));
    Ok(all)
}

fn warn(info: &Info, of_several: bool, asked: &Asked<'_>, progress: &dyn Progress) {
    let schema = info.facts.schema.as_str();
    let is_meant = |table: &str| asked.selection.picks_table(schema, table);
    let any = info
        .entities
        .iter()
        .any(|entity| classes::known(&entity.table.name).is_some() && is_meant(&entity.table.name));
    if !any {
        return;
    }
    for guard in source::judge(Work::Dump, info, is_meant) {
        // Whoever holds the lock himself is refused where it is another's.
        if !(asked.holds && guard.situation == Situation::LockedSource) {
            let guard = if of_several { guard.in_schema(schema) } else { guard };
            progress.message(Level::Warning, &guard.line());
        }
    }
}
