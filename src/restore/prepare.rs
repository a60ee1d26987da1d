//! Looks at the target and makes the plan: what is selected, what stands against it, which jobs. Changes nothing.

use std::collections::{BTreeSet, HashSet};

use super::finding::Finding;
use super::live::LiveTriggers;
use super::mark::{self, Mark};
use super::options::{ForeignKeys, Options, Request, Sections, Triggers};
use super::plan::input::{ChunkSize, Input};
use super::plan::{Plan, builder, wanted_statistics};
use super::preflight::{self, Wanted, already_there, older_server, sections};
use super::provision::{Asked, Ground, Room, clean};
use super::resume::course::Course;
use super::resume::{Identity, options_digest};
use super::run::ready;
use super::sessions::set_up;
use super::target::tables::{self, Existing, Manner};
use super::target::{Target, borrowed, marker, post_data};
use crate::archive::manifest::{Manifest, NotCarried, Object, ObjectId, ObjectKind, Table, TableId};
use crate::error::Result;
use crate::pg::marker::Run;
use crate::pg::pooler;
use crate::pg::session::Session;
use crate::pg::statistics::EXTENDED_TAKEN_FROM;
use crate::select::{self, Withheld};
use crate::storage::FileArchive;

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
    /// The marker of an earlier restore that this one begins anew.
    pub(super) anew: Option<clean::Anew>,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// To be shown.
    Show,
    /// To be carried out: until it has begun, no other restore looks at the target.
    CarryOut,
}

/// Opens a session, looks, and plans.
pub(super) async fn prepare(request: &Request, archive: &mut FileArchive, room: Room, aim: Aim) -> Result<Prepared> {
    let options = &request.options;
    options.check()?;
    let session = pooler::open_lasting(&request.server.patient(options.limits.stall_timeout)).await?;
    set_up(request, &session).await?;
    if aim == Aim::CarryOut {
        marker::wait_to_begin(&session).await?;
    }
    let target = Target::read(&session).await?;
    let mut sections = options.sections;
    sections.data &= !options.selection.schema_only;
    let data_only = options.selection.data_only || holds_rows_only(&archive.manifest);
    sections.pre_data &= !data_only;
    sections.post_data &= !data_only;
    sections::check_sections(options, sections)?;
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
    archive: &mut FileArchive,
    mut target: Target,
    session: Session,
    room: Room,
) -> Result<Prepared> {
    let manifest = &mut archive.manifest;
    options.selection.check_matched(&manifest.objects, &manifest.source.database)?;
    let taken: BTreeSet<String> = manifest.objects.iter().filter_map(schema_of).map(str::to_owned).collect();
    let withheld = if options.selection.statistics { options.selection.withheld(&manifest.objects) } else { Withheld::default() };
    // The last plan takes the objects: they may be many, and two lists of them would be held for as long as the restore takes.
    let objects = if room.is_last() { std::mem::take(&mut manifest.objects) } else { manifest.objects.clone() };
    let (manifest, archive) = (&archive.manifest, &*archive);
    let mut selected = options.selection.apply(objects);
    let render = options.render.clone();
    let database = take_database(&mut selected.objects);
    let asked = Asked { database: database.as_ref(), objects: &selected.objects, source: &manifest.source, sections, render: &render };
    let this = Identity::of(archive, options);
    let (anew, at_work) = begun_anew(&session, room, &mut target, &this).await?;
    let if_exists = options.into.if_exists() || anew.is_some();
    let Ground { mut findings, first, at_the_end, drops } = room.survey(options, if_exists, asked, &mut target)?;
    // A marker that stands already goes on standing.
    let standing = target.marker.as_ref().map(|marker| marker.schema.clone());
    let free_schema = mark::free_schema(&taken.iter().chain(target.schemas.keys()).map(String::as_str).collect());
    target.marker.take_if(|_| room == Room::Cleaned);
    findings.extend(at_work);
    let mut course = Course::look(&session, (options, room), &mut target, &this, &taken, &mut findings).await?;
    let mut kept = already_there::leave_present(&mut selected.objects, &target, &render);
    kept.extend(older_server::leave_clauses(&mut selected.objects, sections, target.version_num));
    let wanted_rows = wanted_rows(options, archive, &selected);
    let tables_wanted = if sections.data { wanted_rows.iter().filter(|wanted| **wanted).count() as u64 } else { 0 };
    let chunks = chunks(archive, &wanted_rows);
    if sections.data {
        course.look_what_is_lost(&session, archive, &selected.objects, &mut findings).await?;
    }
    let manner = manner(options, sections, course.is_stopped());
    let Existing { findings: more, warnings: doubts, triggers, keys, borrowed } = if course.is_ready() {
        Existing::default()
    } else {
        let left = course.left_of(&chunks, archive);
        existing(&session, sections, (&selected.objects, manifest), &left, manner, course.lost()).await?
    };
    let is_borrowed = !borrowed.is_empty();
    let (demands_empty, marks, cleans, source) = (room == Room::Empty, !is_borrowed, room == Room::ToBeCleaned, &manifest.source);
    let wanted = Wanted { objects: &selected.objects, source, sections, render: &render, demands_empty, marks, cleans };
    if !course.is_ready() {
        findings.extend(against(options, wanted, &target));
    }
    let mut warnings = if room == Room::ToBeCleaned { Vec::new() } else { preflight::warnings(wanted, &target) };
    let mut left_out: Vec<NotCarried> =
        selected.left_out.iter().cloned().chain(kept.into_iter().filter(|_| room != Room::ToBeCleaned)).collect();
    findings.extend(more);
    findings.extend(preflight::disable_triggers(&target).filter(|_| manner.disable_triggers));
    warnings.extend(doubts);
    let (statistics, more) = wanted_statistics::wanted(options, sections, manifest, &selected, &withheld, target.version_num);
    warnings.extend(more);
    if is_borrowed {
        left_out.extend(borrowed::leave_owners_work(&session, &mut selected.objects).await?);
        warnings.push(borrowed::told(&target.user));
    }
    let schemas = filled(&selected.objects, manifest, &chunks);
    let mark = (!is_borrowed).then(|| mark_for(archive, &target, standing.unwrap_or(free_schema), options, schemas));
    let mut graph = builder::build(Input {
        objects: &selected.objects,
        tables: &manifest.tables,
        chunks: &chunks,
        last: options.profile.loads_last,
        jobs: options.jobs(),
        sections,
        refresh: refreshes(options, sections),
        render: &render,
        analyze: !options.no_analyze && !is_borrowed,
        foreign_keys: options.foreign_keys,
        live_keys: &keys,
        borrowed: &borrowed,
        ready: options.ready.is_early(),
        lock_table: course.lock_table(),
        searched: options.profile.is_searched,
        statistics: &statistics,
        takes_extended: target.version_num >= EXTENDED_TAKEN_FROM,
    })?;
    let rest = course.end(&mut graph, at_the_end, options, &target, &mut findings);
    let settled = course.settle(&mut graph, archive, (mark.as_ref(), anew.as_ref()), &mut findings)?;
    let unmark = mark.as_ref().map(Mark::remove).unwrap_or_default();
    let usable = mark.as_ref().map(|mark| mark.ready(rest)).unwrap_or_default();
    let (tables, objects, whole) = (manifest.tables.clone(), selected.objects, sections.pre_data);
    let plan = Plan {
        findings,
        warnings,
        left_out,
        first,
        begin: settled.begin,
        known: settled.known,
        resumed: settled.resumed,
        usable,
        unmark,
        mark,
        ledger: settled.ledger,
        whole,
        graph,
        tables_wanted,
        statistics,
        tables,
        objects,
    };
    Ok(Prepared { session, target, plan, triggers, drops, anew })
}

/// The restore that this one begins anew, where that is asked for, and whether it is over.
async fn begun_anew(session: &Session, room: Room, target: &mut Target, this: &Identity) -> Result<(Option<clean::Anew>, Option<Finding>)> {
    let same = |run: &Run| run.archive_id == this.archive_id && run.options_digest == this.options_digest;
    let anew = if room == Room::ToBeCleaned { clean::Anew::of(target, same) } else { None };
    let at_work = if anew.is_some() { preflight::others_at_work(&marker::others_at_work(session).await?) } else { None };
    Ok((anew, at_work))
}

/// What keeps a restore from beginning that nobody began before.
fn against(options: &Options, wanted: Wanted<'_>, target: &Target) -> Vec<Finding> {
    let mut findings = preflight::findings(wanted, target);
    findings.extend(preflight::trust(target).filter(|_| options.foreign_keys == ForeignKeys::Trust));
    findings.extend(options.ready.file().and_then(ready::finding));
    findings
}

/// The database itself is no object like the others.
fn take_database(objects: &mut Vec<Object>) -> Option<Object> {
    let (databases, others): (Vec<_>, Vec<_>) = std::mem::take(objects).into_iter().partition(|object| object.kind == ObjectKind::Database);
    *objects = others;
    databases.into_iter().next()
}

/// Whether materialized views are filled. Section by section, views stand as they are only once what comes after the rows is made.
fn refreshes(options: &Options, sections: Sections) -> bool {
    if options.sections == Sections::ALL { sections.data } else { sections.post_data && (sections.data || !sections.pre_data) }
}

/// What becomes of triggers, and whose tables may be filled.
fn manner(options: &Options, sections: Sections, resumes: bool) -> Manner {
    let into_standing = sections.data && !sections.pre_data;
    Manner {
        disable_triggers: options.triggers == Triggers::DisableAll && into_standing,
        fire_triggers: options.triggers == Triggers::Fire && into_standing,
        borrows: into_standing && !sections.post_data && !resumes,
        resumes,
    }
}

/// What marks the target.
fn mark_for(archive: &FileArchive, target: &Target, schema: String, options: &Options, schemas: Vec<String>) -> Mark {
    Mark {
        schema,
        archive_id: archive.header.archive.to_string(),
        archive_name: archive.name.clone(),
        archive_root: archive.footer.root.to_string(),
        options_digest: options_digest::of(options),
        options: options_digest::words(options),
        made_database: options.into.makes_database(),
        schemas,
        server_version: target.version.clone(),
        now: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

fn schema_of(object: &Object) -> Option<&str> {
    if object.kind == ObjectKind::Schema { Some(&object.name) } else { object.schema.as_deref() }
}

/// The schemas in which this run makes something, or fills it.
fn filled(objects: &[Object], manifest: &Manifest, chunks: &[Vec<ChunkSize>]) -> Vec<String> {
    let loaded = manifest.tables.iter().zip(chunks).filter(|(_, chunks)| !chunks.is_empty()).map(|(table, _)| table.schema.as_str());
    let schemas: BTreeSet<&str> = objects.iter().filter_map(schema_of).chain(loaded).collect();
    schemas.into_iter().map(str::to_owned).collect()
}

/// What this run needs of tables that it does not make.
async fn existing(
    session: &Session,
    sections: Sections,
    (objects, manifest): (&[Object], &Manifest),
    chunks: &[Vec<ChunkSize>],
    manner: Manner,
    lost: &HashSet<TableId>,
) -> Result<Existing> {
    if sections.pre_data {
        let lost: Vec<(TableId, &Table)> = lost.iter().map(|id| (*id, &manifest.tables[id.0 as usize])).collect();
        return if lost.is_empty() { Ok(Existing::default()) } else { tables::examine(session, &lost, &[], manner).await };
    }
    // An extension's own rows are in its tables from the start.
    let extensions: HashSet<ObjectId> =
        objects.iter().filter(|object| object.kind == ObjectKind::Extension).map(|object| object.id).collect();
    let tables = (0..).map(TableId).zip(&manifest.tables).filter(|(_, table)| !table.is_large_objects());
    let all_loaded = tables.filter(|(id, _)| !chunks[id.0 as usize].is_empty());
    let (theirs, loaded): (Vec<_>, Vec<_>) = all_loaded.partition(|(_, table)| extensions.contains(&table.object));
    if sections.data {
        return tables::examine(session, &loaded, &theirs, manner).await;
    }
    if manner.resumes {
        // It was so when it began, and is half done now.
        return Ok(Existing::default());
    }
    let mut findings = post_data::examine(session, objects).await?;
    if findings.is_empty() {
        let filled: Vec<&Table> = loaded.into_iter().map(|(_, table)| table).collect();
        findings = tables::examine_filled(session, &filled).await?;
    }
    Ok(Existing { findings, ..Existing::default() })
}

/// Which tables' rows are wanted.
fn wanted_rows(options: &Options, archive: &FileArchive, selected: &select::Selected) -> Vec<bool> {
    let kept = selected.ids();
    let wanted = |table: &Table| kept.contains(&table.object) && options.selection.rows_of(table);
    archive.manifest.tables.iter().map(wanted).collect()
}

/// Each table's chunks; none where its rows are not wanted.
fn chunks(archive: &FileArchive, wanted: &[bool]) -> Vec<Vec<ChunkSize>> {
    let mut chunks = vec![Vec::new(); wanted.len()];
    for (chunk, entry) in archive.index.chunks.iter().enumerate() {
        let table = entry.table.0 as usize;
        if wanted[table] && entry.rows > 0 {
            chunks[table].push(ChunkSize { chunk, rows: entry.rows, raw_bytes: entry.raw_bytes });
        }
    }
    chunks
}
