//! Looks at the target and makes the plan: what is selected, what stands against it, which jobs,
//! which views are filled. Changes nothing.

mod beginning;
pub(super) mod chosen;
mod connected;
mod left_behind;
mod looked;
mod said;
mod standing;
mod task;

use self::beginning::Beginning;
use self::looked::Looked;
pub(super) use self::task::Aim;
use self::task::Task;
use super::live::LiveTriggers;
use super::mark::{self, Extent, Mark};
use super::options::{Into, Options, Request, Sections};
use super::plan::input::Input;
use super::plan::{Plan, builder, comparison, wanted_statistics};
use super::preflight::sections;
use super::provision::drops::Drop;
use super::provision::{Room, clean};
use super::resume::options_digest;
use super::sessions::set_up;
use super::staged::Staged;
use super::target::{self, Target, marker};
use crate::archive::manifest::{Manifest, TableId};
use crate::error::Result;
use crate::pg::pooler;
use crate::pg::session::Session;
use crate::pg::statistics::EXTENDED_TAKEN_FROM;
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
    pub(super) drops: Vec<Drop>,
    /// Where not all of it can be locked at a time: how many are dropped in one transaction.
    pub(super) batch: Option<usize>,
    /// The marker of an earlier restore that this one begins anew.
    pub(super) anew: Option<clean::Anew>,
    /// Whether the database may be in use, and only the end is made.
    pub(super) is_ready: bool,
}

/// Opens a session, looks, and plans.
pub(super) async fn prepare(
    request: &Request,
    archive: &mut FileArchive,
    room: Room,
    aim: Aim,
) -> Result<Prepared> {
    let options = &request.options;
    options.check()?;
    let session = if let Some(session) = options.held.take() {
        session
    } else {
        pooler::open_lasting(&request.server.patient(options.limits.stall_timeout)).await?
    };
    set_up(request, &session).await?;
    if aim == Aim::CarryOut {
        marker::wait_to_begin(&session).await?;
        marker::show_at_work(&session).await?;
    }
    let left_behind = left_behind::look(&session, request, room, aim).await?;
    let mut target = Target::read(&session).await?;
    if let Some(condition) = options.staged.as_ref().and_then(Staged::condition) {
        (target.occupied, target.occupied_count) = target::occupied(&session, &condition).await?;
    }
    let sections = sections_of(options, &archive.manifest);
    sections::check_sections(options, sections)?;
    let task = Task { options, sections, room, aim };
    let looked = Looked::at(task, archive, &session, &mut target).await?;
    let mut prepared = plan(task, archive, session, target, looked)?;
    prepared.plan.warnings.splice(..0, left_behind);
    Ok(prepared)
}

/// The sections that are wanted and can be had.
pub(super) fn sections_of(options: &Options, manifest: &Manifest) -> Sections {
    let mut sections = options.sections;
    sections.data &= !options.selection.schema_only;
    let lacks = chosen::lacks(manifest);
    let data_only = options.selection.data_only;
    sections.pre_data &= !(data_only || lacks.pre_data);
    sections.post_data &= !(data_only || lacks.post_data);
    if options.selection.is_of_named_alone() {
        // Of these, only functions come before rows.
        sections.data = false;
        sections.pre_data &= !options.selection.named.functions.is_empty();
    }
    sections
}

/// Makes the plan of what was found.
fn plan(
    Task { options, sections, room, .. }: Task<'_>,
    archive: &FileArchive,
    session: Session,
    target: Target,
    looked: Looked,
) -> Result<Prepared> {
    let Looked { selected, withheld, beginning, rows_of, chunks, existing, mut said } = looked;
    let Beginning { anew, first, at_the_end, drops, batch, course, schema } = beginning;
    let manifest = &archive.manifest;
    let (is_borrowed, is_ready) = (!existing.borrowed.is_empty(), course.is_ready());
    let taken_by = target.version_num;
    let (statistics, more) =
        wanted_statistics::wanted(options, sections, manifest, &selected, &withheld, taken_by);
    said.warnings.extend(more);
    let filled = chosen::filled(&selected.objects, manifest, &chunks);
    let is_marked = !is_borrowed && !options.selection.is_of_named_alone();
    let mark = is_marked.then(|| mark_for(archive, &target, schema, options, filled, batch));
    let compared = if options.checks() {
        let (compared, cannot) =
            comparison::comparisons(&selected.objects, &manifest.tables, &rows_of);
        let told = |one| format!("not compared with the archive: {one}");
        said.warnings.extend(cannot.into_iter().map(told));
        compared
    } else {
        Vec::new()
    };
    let mut graph = builder::build(Input {
        objects: &selected.objects,
        tables: &manifest.tables,
        chunks: &chunks,
        last: options.profile.loads_last,
        afterwards: options.afterwards.as_ref().map_or(&[][..], |afterwards| &afterwards.steps),
        compared: &compared,
        jobs: options.jobs(),
        sections,
        refresh: chosen::refreshes(options, sections),
        render: &options.render,
        analyze: !options.no_analyze && !is_borrowed,
        foreign_keys: options.foreign_keys,
        live_keys: &existing.keys,
        borrowed: &existing.borrowed,
        ready: options.ready.is_early(),
        lock_table: course.lock_table(),
        searched: options.profile.is_searched,
        statistics: &statistics,
        takes_extended: taken_by >= EXTENDED_TAKEN_FROM,
    })?;
    let rest = course.end(&mut graph, at_the_end, options, &target, &mut said.findings);
    let marks = (mark.as_ref(), anew.as_ref());
    let mut settled = course.settle(&mut graph, archive, marks, &mut said.findings)?;
    let before_begun = target.before_begun.iter().flat_map(|schema| mark::remove(schema));
    settled.begin.splice(..0, before_begun);
    let mut before = match &options.staged {
        Some(staged) if room == Room::ToBeMade => staged.before.clone(),
        _ => Vec::new(),
    };
    before.extend(first);
    let mut unmark = match &mark {
        // What is given back is given back by then.
        Some(mark) if options.ready.is_early() => mark::remove(&mark.schema),
        mark => mark.as_ref().map(Mark::remove).unwrap_or_default(),
    };
    if let Some(staged) = &options.staged {
        unmark.extend(staged.complete.iter().cloned());
        if settled.known.is_none() {
            settled.begin.extend(staged.note.iter().cloned());
        }
    }
    let plan = Plan {
        findings: said.findings,
        warnings: said.warnings,
        notes: said.notes,
        left_out: said.left_out,
        first: before,
        begin: settled.begin,
        known: settled.known,
        resumed: settled.resumed,
        usable: mark.as_ref().map(|mark| mark.ready(rest)).unwrap_or_default(),
        unmark,
        mark,
        ledger: settled.ledger,
        extent: extent(options, sections),
        graph,
        // Whoever makes only what comes after the report restores no table anew.
        tables_wanted: rows_of.iter().filter(|wanted| **wanted && !is_ready).count() as u64,
        without_rows: (0..)
            .map(TableId)
            .zip(rows_of.iter().zip(&chunks))
            .filter(|(_, (wanted, chunks))| **wanted && !is_ready && chunks.is_empty())
            .map(|(id, _)| id)
            .collect(),
        statistics,
        tables: manifest.tables.clone(),
        objects: selected.objects,
    };
    Ok(Prepared {
        session,
        target,
        plan,
        triggers: existing.triggers,
        drops,
        batch,
        anew,
        is_ready,
    })
}

/// What is made, as far as it matters where it is left undone.
fn extent(options: &Options, sections: Sections) -> Extent {
    match sections {
        _ if options.selection.is_of_named_alone() => Extent::Named,
        Sections { pre_data: true, .. } => Extent::Whole,
        Sections { data: true, .. } => Extent::Rows,
        Sections { .. } => Extent::AfterRows,
    }
}

/// What marks the target.
fn mark_for(
    archive: &FileArchive,
    target: &Target,
    schema: String,
    options: &Options,
    schemas: Vec<String>,
    batch: Option<usize>,
) -> Mark {
    // A run that is stopped before all is dropped can go on only so.
    let word = if options.into == Into::Cleared { "--clean=schemas" } else { "-c" };
    let dropping = batch.map(|_| word.to_owned());
    Mark {
        schema,
        archive_id: archive.header.archive.to_string(),
        archive_name: archive.name.clone(),
        archive_root: archive.footer.root.to_string(),
        options_digest: options_digest::of(options),
        options: options_digest::words(options).into_iter().chain(dropping).collect(),
        made_database: options.into.makes_database(),
        taken: options.held.taken(),
        stages: options.staged.is_some(),
        schemas,
        server_version: target.version.clone(),
        now: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
