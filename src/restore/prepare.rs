//! Looks at the target and makes the plan: what is selected, what stands against it, which jobs. Changes nothing.

use std::collections::HashSet;
use std::fs::File;

use super::build::{self, ChunkSize, ForeignKeys, Input, Sections};
use super::existing::{self, Existing, LiveTriggers};
use super::mark::{self, Mark};
use super::preflight::{self, Wanted};
use super::room::{Asked, Ground, Room};
use super::target::Target;
use super::{Options, Plan, clean, graph, older, present, ready, set_up, standing, statistics};
use crate::archive::Archive;
use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Table, TableId};
use crate::error::Result;
use crate::kong;
use crate::pg::select::Withheld;
use crate::pg::session::{Purpose, Session};
use crate::pg::statistics::EXTENDED_TAKEN_FROM;
use crate::pg::{render, select};

/// A target that was looked at, and what is to be done to it.
pub(super) struct Prepared {
    /// The session that looked.
    pub(super) session: Session,
    /// What it saw.
    pub(super) target: Target,
    /// What is to be done.
    pub(super) plan: Plan,
    /// The triggers of tables that stand already.
    pub(super) triggers: LiveTriggers,
    /// What is dropped to make room.
    pub(super) drops: Vec<clean::Drop>,
}

/// Opens a session, looks, and plans.
pub(super) async fn prepare(options: &Options, archive: &mut Archive<File>, room: Room) -> Result<Prepared> {
    let session = options.server.patient(options.stall_timeout).open(Purpose::Restore).await?;
    set_up(options, &session).await?;
    let target = Target::read(&session).await?;
    let mut sections = options.sections;
    sections.data &= !options.selection.schema_only;
    let data_only = options.selection.data_only || holds_rows_only(&archive.manifest);
    sections.pre_data &= !data_only;
    sections.post_data &= !data_only;
    ready::check_sections(options, sections)?;
    plan(options, sections, archive, target, session, room).await
}

/// Whether it was dumped with `-a`: then its tables are names without definitions.
fn holds_rows_only(manifest: &Manifest) -> bool {
    let defined: HashSet<ObjectId> =
        manifest.objects.iter().filter(|object| !object.statements.is_empty()).map(|object| object.id).collect();
    !manifest.tables.is_empty() && manifest.tables.iter().all(|table| !defined.contains(&table.object))
}

async fn plan(
    options: &Options,
    sections: Sections,
    archive: &mut Archive<File>,
    mut target: Target,
    session: Session,
    room: Room,
) -> Result<Prepared> {
    let manifest = &mut archive.manifest;
    options.selection.check_matched(&manifest.objects, &manifest.source.database)?;
    let withheld = if options.selection.statistics { options.selection.withheld(&manifest.objects) } else { Withheld::default() };
    // The last plan takes the objects: they may be many, and two lists of them would be held for as long as the restore takes.
    let objects = if room.is_last() { std::mem::take(&mut manifest.objects) } else { manifest.objects.clone() };
    let (manifest, archive) = (&archive.manifest, &*archive);
    let mut selected = options.selection.apply(objects);
    let render = render(options);
    let (databases, objects): (Vec<_>, Vec<_>) = selected.objects.into_iter().partition(|object| object.kind == ObjectKind::Database);
    selected.objects = objects;
    let database = databases.into_iter().next();
    let asked = Asked { database: database.as_ref(), objects: &selected.objects, source: &manifest.source, sections, render: &render };
    let Ground { mut findings, first, at_the_end, drops } = room.survey(options, asked, &mut target)?;
    let mut kept = present::leave_present(&mut selected.objects, &target, &render);
    kept.extend(older::leave_clauses(&mut selected.objects, sections, target.version_num));
    let demands_empty = matches!(room, Room::Empty);
    let wanted = Wanted { objects: &selected.objects, source: &manifest.source, sections, render: &render, demands_empty };
    let uuid = archive.header.archive.to_string();
    // The database is in use already, and the same archive's restore was left undone.
    let may_resume =
        |target: &Target| demands_empty && options.ready_early && target.mark.as_ref().is_some_and(|mark| mark.is_finishing(&uuid));
    if may_resume(&target) {
        findings.extend(preflight::others_at_work(&mark::others_at_work(&session).await?));
        // If one was at work, it may be done now.
        target.mark = mark::read(&session).await?;
    }
    let resumes = may_resume(&target);
    if !resumes {
        findings.extend(preflight::findings(wanted, &target));
        findings.extend(preflight::trust(&target).filter(|_| options.foreign_keys == ForeignKeys::Trust));
        findings.extend(options.ready_file.as_deref().and_then(ready::finding));
    }
    let mut warnings = if room == Room::ToBeCleaned { Vec::new() } else { preflight::warnings(wanted, &target) };
    let left_out =
        std::mem::take(&mut selected.left_out).into_iter().chain(kept.into_iter().filter(|_| room != Room::ToBeCleaned)).collect();
    let wanted_rows = wanted_rows(options, archive, &selected);
    let tables_wanted = if sections.data { wanted_rows.iter().filter(|wanted| **wanted).count() as u64 } else { 0 };
    let chunks = chunks(archive, &wanted_rows);
    let disable_triggers = options.disable_triggers && sections.data && !sections.pre_data;
    let Existing { findings: more, warnings: doubts, triggers, keys } = if resumes {
        Existing::default()
    } else {
        existing(&session, sections, &selected.objects, manifest, &chunks, disable_triggers).await?
    };
    findings.extend(more);
    findings.extend(preflight::disable_triggers(&target).filter(|_| disable_triggers));
    warnings.extend(doubts);
    let (statistics, more) = statistics::wanted(options, sections, manifest, &selected, &withheld, target.version_num);
    warnings.extend(more);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mark = Mark::new(&archive.name, &uuid, &now);
    // Section by section, views stand as they are only once what comes after the rows is made.
    let refresh =
        if options.sections == Sections::ALL { sections.data } else { sections.post_data && (sections.data || !sections.pre_data) };
    let mut graph = build::build(Input {
        objects: &selected.objects,
        tables: &manifest.tables,
        chunks: &chunks,
        last: |table| kong::restore::loads_last(&table.name),
        jobs: options.jobs,
        sections,
        refresh,
        render: &render,
        analyze: !options.no_analyze,
        foreign_keys: options.foreign_keys,
        live_keys: &keys,
        ready: options.ready_early,
        lock_table: lock_table(&session).await?,
        searched: kong::restore::is_searched,
        statistics: &statistics,
        takes_extended: target.version_num >= EXTENDED_TAKEN_FROM,
    })?;
    // A restore that made the database leaves what is said of it, too.
    let left_by_maker = |graph: &graph::Graph| resumes && target.mark.as_ref().is_some_and(|mark| !mark.leaves(graph.rest_digest()));
    if options.create || left_by_maker(&graph) {
        graph.finish.extend(at_the_end);
    }
    let rest = graph.rest_digest();
    if resumes {
        findings.extend(preflight::other_rest(&target, rest));
        graph.keep_from_ready_on();
    }
    let marked = resumes || room == Room::Cleaned;
    let begin = if marked { Vec::new() } else { mark.set() };
    let tables = manifest.tables.clone();
    let usable = mark.finishing(rest);
    let plan =
        Plan { findings, warnings, left_out, first, begin, usable, graph, tables_wanted, statistics, tables, objects: selected.objects };
    Ok(Prepared { session, target, plan, triggers, drops })
}

/// What this run needs of tables that it does not make.
async fn existing(
    session: &Session,
    sections: Sections,
    objects: &[Object],
    manifest: &Manifest,
    chunks: &[Vec<ChunkSize>],
    disable_triggers: bool,
) -> Result<Existing> {
    if sections.pre_data {
        return Ok(Existing::default());
    }
    let tables = || (0..).map(TableId).zip(&manifest.tables).filter(|(_, table)| !table.is_large_objects());
    let loaded: Vec<(TableId, &Table)> = tables().filter(|(id, _)| !chunks[id.0 as usize].is_empty()).collect();
    if sections.data {
        return existing::examine(session, &loaded, disable_triggers).await;
    }
    let mut findings = standing::examine(session, objects).await?;
    if findings.is_empty() {
        let filled: Vec<&Table> = loaded.into_iter().map(|(_, table)| table).collect();
        findings = existing::examine_filled(session, &filled).await?;
    }
    Ok(Existing { findings, ..Existing::default() })
}

/// How many locks the server's lock table has room for.
async fn lock_table(session: &Session) -> Result<u64> {
    let sql = "SELECT pg_catalog.current_setting('max_locks_per_transaction')::int8 \
               * (pg_catalog.current_setting('max_connections')::int8 + pg_catalog.current_setting('max_prepared_transactions')::int8)";
    let row = session.query_one("read the server's settings", sql).await?;
    Ok(row.get::<_, i64>(0)?.max(0).unsigned_abs())
}

fn render(options: &Options) -> render::Options {
    render::Options {
        no_owner: options.no_owner,
        no_privileges: options.no_privileges,
        no_comments: options.no_comments,
        no_security_labels: options.no_security_labels,
        no_tablespaces: options.no_tablespaces,
        role: options.role.clone(),
    }
}

/// Which tables' rows are wanted.
fn wanted_rows(options: &Options, archive: &Archive<File>, selected: &select::Selected) -> Vec<bool> {
    let kept = selected.ids();
    let wanted = |table: &Table| kept.contains(&table.object) && options.selection.rows_of(table);
    archive.manifest.tables.iter().map(wanted).collect()
}

/// Each table's chunks; none where its rows are not wanted.
fn chunks(archive: &Archive<File>, wanted: &[bool]) -> Vec<Vec<ChunkSize>> {
    let mut chunks = vec![Vec::new(); wanted.len()];
    for (chunk, entry) in archive.index.chunks.iter().enumerate() {
        let table = entry.table.0 as usize;
        if wanted[table] && entry.rows > 0 {
            chunks[table].push(ChunkSize { chunk, rows: entry.rows, raw_bytes: entry.raw_bytes });
        }
    }
    chunks
}
