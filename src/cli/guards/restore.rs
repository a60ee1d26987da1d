//! Looks at an archive and its target before a restore: what is dangerous becomes a finding, a
//! warning or a note; and says at the end what is to be done with Kong.

use std::path::Path;

use serde_json::{Value, json};

use super::archive::Archived;
use crate::cli::args::kong::KongArgs;
use crate::error::{Error, Kind, Result};
use crate::kong::closing::{Closing, RESTART};
use crate::kong::guards::source::{self, Work};
use crate::kong::guards::target::{self, Into};
use crate::kong::guards::{Guard, Situation, fresh, rows_without_table};
use crate::kong::info::{Facts, Info, Request, live};
use crate::kong::{rights, sync_version};
use crate::pg::connect::Server;
use crate::pg::marker::{self, Marker};
use crate::pg::session::Purpose;
use crate::pg::settings::Transaction;
use crate::profile::Fresh;
use crate::progress::{Level, Progress};
use crate::restore::{self, Finding, Options, Sort};
use crate::select::Selection;
use crate::sql::ident;

/// Where a restore goes, and what is asked for about Kong.
pub(in crate::cli) struct Asked<'a> {
    pub(in crate::cli) archive: &'a Path,
    pub(in crate::cli) server: &'a Server,
    pub(in crate::cli) args: &'a KongArgs,
    /// Kong's `pg_schema`, if it is known.
    pub(in crate::cli) schema: Option<&'a str>,
}

/// The Kong that is restored.
pub(in crate::cli) struct Kong {
    /// Its schema, unquoted.
    schema: String,
    /// What is to be done when it is restored with its rows.
    closing: Option<Closing>,
    /// The version that the incremental sync is raised to.
    sync_version: Option<i64>,
}

/// What the target holds of Kong.
#[derive(Default)]
struct Target {
    info: Option<Info>,
    marker: Option<Marker>,
    fresh: Fresh,
    used: Vec<String>,
}

/// Looks, and adds to the options what is found. None where no Kong is restored. Where there are
/// several, in schemas of their own, each is looked at; what is told at the end is of the first.
pub(in crate::cli) async fn look(
    asked: &Asked<'_>,
    options: &mut Options,
    progress: &dyn Progress,
) -> Result<Option<Kong>> {
    let max_memory = options.limits.max_memory.unwrap_or(0);
    let all = Archived::read(asked.archive, max_memory, asked.schema, &options.rename).await;
    // The restore says what is wrong with the archive.
    let Ok(mut all) = all else { return Ok(None) };
    all.retain(|archived| archived.is_meant(&options.selection));
    let Some(first) = all.first() else {
        return refuse_without_kong(asked, progress).map(|()| None);
    };
    let (mut fresh, mut kong) = (None, None);
    for archived in &all {
        let into = into(asked, options, archived);
        // A stage leaves alone what is live.
        let found = if options.into.makes_database() || options.staged.is_some() {
            Target::default()
        } else {
            look_at_target(asked, options, archived, into).await?
        };
        let told = |guard: Guard| {
            if all.len() > 1 { guard.in_schema(&archived.schema) } else { guard }
        };
        let is_meant = |table: &str| options.selection.picks_table(&archived.schema, table);
        let of_source = source::judge(Work::Restore, &archived.info, is_meant);
        let of_target = of_target(archived, &found, into, &options.selection);
        options.guards.warnings.extend(of_source.into_iter().map(|guard| told(guard).line()));
        for guard in of_target {
            sort_out(asked.args, into, told(guard), options, progress);
        }
        if kong.is_none() {
            kong = Some(closing(asked, options, first, &found, progress)?);
        }
        let replaces = into == Into::Replaced && found.marker.is_none() && found.used.is_empty();
        if replaces && found.info.is_some() && fresh.is_none() {
            fresh = Some(found.fresh);
        }
    }
    if fresh.is_some() {
        options.into = restore::Into::Cleaned { if_exists: true };
        options.fresh = fresh;
    }
    Ok(kong)
}

/// What is done and told when the rest is done.
fn closing(
    asked: &Asked<'_>,
    options: &mut Options,
    archived: &Archived,
    found: &Target,
    progress: &dyn Progress,
) -> Result<Kong> {
    let schema = archived.schema.clone();
    let sync_version = bump(asked.args, options, archived, found, progress)?;
    options.afterwards = sync_version.map(|version| sync_version::afterwards(&schema, version));
    let has_rows = options.sections.data && options.selection.data_of(&schema, "schema_meta");
    let goes_live = has_rows && options.staged.is_none();
    let closing = goes_live.then(|| Closing::of(&archived.info));
    Ok(Kong { schema, closing, sync_version })
}

/// What is about Kong alone cannot be done without it.
fn refuse_without_kong(asked: &Asked<'_>, progress: &dyn Progress) -> Result<()> {
    if asked.args.replace_bootstrap {
        let cause = "no table of Kong's is restored";
        return Err(Error::new(Kind::Requirement, "replace what bootstrap has made", cause)
            .hint("leave --replace-bootstrap out"));
    }
    if asked.args.bump_sync_version.is_some() {
        progress.message(Level::Info, "no table of Kong's is restored: no version is raised");
    }
    Ok(())
}

fn into(asked: &Asked<'_>, options: &Options, archived: &Archived) -> Into {
    if options.selection.data_only || archived.rows_alone || !options.sections.pre_data {
        Into::Rows
    } else if options.into.drops() {
        Into::Cleaned
    } else if asked.args.replace_bootstrap {
        Into::Replaced
    } else {
        Into::AsItIs
    }
}

async fn look_at_target(
    asked: &Asked<'_>,
    options: &Options,
    archived: &Archived,
    into: Into,
) -> Result<Target> {
    let (server, role) = (asked.server, options.render.role.as_deref());
    let (schema, lock_wait) = (archived.schema.as_str(), options.lock_wait_timeout);
    let request = Request {
        schema: Some(schema),
        role,
        counted: Some(|_| false),
        lock_wait: Some(lock_wait),
        ..Request::default()
    };
    let facts = live::read_if_there(server, request).await?;
    let marker = marker_of(server, schema).await?;
    let mut found = Target { marker, ..Target::default() };
    // What it holds is what an earlier restore has brought, as far as it has come.
    if let Some(facts) = facts.filter(|_| found.marker.is_none()) {
        if matches!(into, Into::AsItIs | Into::Replaced) {
            (found.fresh, found.used) =
                fresh::look(server, schema, &archived.tables, role, lock_wait).await?;
        }
        found.info = Some(Info::of(facts));
    } else if let Some(marker) = &found.marker
        && !marker.is_ready()
    {
        let sessions = live::read_sessions(server).await?;
        found.info = Some(Info::of(Facts { sessions, ..Facts::default() }));
    }
    Ok(found)
}

/// The marker of an earlier restore of this schema.
async fn marker_of(server: &Server, schema: &str) -> Result<Option<Marker>> {
    let session = server.open(Purpose::Dump(&Transaction::default())).await?;
    let markers = marker::read(&session, true).await?;
    session.batch("end the transaction", "COMMIT").await?;
    Ok(markers.into_iter().find(|marker| marker.has_begun() && marker.concerns([schema])))
}

/// Of a database that a restore was stopped in, only who is there counts.
fn of_target(archived: &Archived, found: &Target, into: Into, selection: &Selection) -> Vec<Guard> {
    let Some(kong) = &found.info else { return Vec::new() };
    let mut all = target::judge(into, &archived.info, kong, &found.used);
    if into == Into::Rows {
        let is_meant = |table: &str| selection.data_of(&archived.schema, table);
        all.extend(rows_without_table(&archived.info, kong, is_meant));
    }
    let counts = |guard: &Guard| found.marker.is_none() || guard.situation == Situation::Connected;
    all.into_iter().filter(counts).collect()
}

/// Makes of what was found in the target what it comes to: a finding, a warning or a note.
fn sort_out(
    args: &KongArgs,
    into: Into,
    guard: Guard,
    options: &mut Options,
    progress: &dyn Progress,
) {
    use Situation::{Bootstrapped, Connected, HalfMigratedTarget, Used};
    // Where something is dropped, the restore itself looks who may use that; and who is
    // disconnected is in nobody's way.
    let is_looked_for = matches!(into, Into::Cleaned | Into::Replaced) || options.disconnect_others;
    if guard.situation == Connected && is_looked_for {
        return;
    }
    let goes_past = match guard.situation {
        Connected => options.while_connected,
        situation => args.ignores(situation),
    };
    if guard.situation == HalfMigratedTarget && into == Into::Cleaned {
        progress.message(Level::Info, &guard.line());
    } else if goes_past {
        options.guards.warnings.push(format!("{}; gone past, as asked", guard.problem));
    } else {
        let is_occupant = matches!(guard.situation, HalfMigratedTarget | Bootstrapped | Used)
            && matches!(into, Into::AsItIs | Into::Replaced);
        let sort = if is_occupant { Sort::Occupant } else { Sort::Requirement };
        options.guards.findings.push(Finding::new(guard.problem, guard.next).sort(sort));
    }
}

/// The version that the incremental sync is raised to, where that is asked for and can be done.
fn bump(
    args: &KongArgs,
    options: &Options,
    archived: &Archived,
    found: &Target,
    progress: &dyn Progress,
) -> Result<Option<i64>> {
    let Some(given) = &args.bump_sync_version else { return Ok(None) };
    let given = given.first().copied();
    let schema = archived.schema.as_str();
    let Some(column) = &archived.sync_column else {
        let text = format!(
            "the archive's Kong ({}) has no incremental sync: --bump-sync-version has nothing to \
             raise",
            archived.info.told.version
        );
        progress.message(Level::Info, &text);
        return Ok(None);
    };
    let has_rows = options.sections.data && !options.selection.schema_only;
    if !has_rows || !options.selection.data_of(schema, sync_version::TABLE) {
        let table = ident::qualified(schema, sync_version::TABLE);
        let cause = format!("no rows are restored into {table}");
        return Err(Error::new(Kind::Usage, "raise the version of the incremental sync", cause)
            .hint("leave --bump-sync-version out, or restore that table with its rows"));
    }
    let run = found.marker.as_ref().filter(|_| options.resume).and_then(|one| one.run.as_ref());
    let before = run.and_then(|run| sync_version::chosen_before(&run.later.options));
    if options.into.makes_database() && options.into.drops() && given.is_none() {
        let cause = "the database that is dropped is not looked at";
        return Err(Error::new(Kind::Usage, "raise the version of the incremental sync", cause)
            .hint("give it: --bump-sync-version=N, beyond what the data planes have"));
    }
    let of_target = found.info.as_ref().and_then(|info| info.facts.sync_version);
    let known = [of_target, archived.info.facts.sync_version];
    sync_version::choose(given.or(before), &known, column).map(Some)
}

impl Kong {
    /// Warns of what Kong's role may not do with what was restored.
    pub(in crate::cli) async fn warn(&self, server: &Server, user: &str, progress: &dyn Progress) {
        match rights::look(server, &self.schema, user).await {
            Ok(told) => told.iter().for_each(|text| progress.message(Level::Warning, text)),
            Err(error) => {
                let text = format!("what Kong's role may do was not looked at: {error}");
                progress.message(Level::Warning, &text);
            }
        }
    }

    /// What is to be done now, in lines; none where there is nothing.
    pub(in crate::cli) fn lines(&self) -> Option<String> {
        let closing = self.closing.as_ref()?;
        let raised = self.sync_version.map_or_else(String::new, |version| {
            format!("; the incremental sync's version is {version} or more")
        });
        Some(format!("{RESTART}; {}{raised}", closing.words))
    }

    /// The same for machines.
    pub(in crate::cli) fn as_json(&self) -> Value {
        json!({
            "schema": self.schema,
            "restart": self.closing.as_ref().map(|_| "every node"),
            "next_start": self.closing.as_ref().map(|closing| closing.next.word()),
            "sync_version": self.sync_version,
        })
    }
}

#[cfg(test)]
mod tests;
