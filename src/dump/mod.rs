//! Dump: lock, snapshot, catalog, what may be read, plan, copy, encode, write. Does not know how an
//! archive's bytes are laid out, nor Kong.

mod copy;
mod crew;
mod early;
mod growth;
mod left_out;
mod options;
mod plan;
mod unfinished;
mod words;
mod writer;

use std::sync::Arc;
use std::time::Instant;

use futures_util::try_join;
use uuid::Uuid;

pub use options::Options;

use self::crew::Sessions;
use self::early::{Early, FAR, Opened};
use self::left_out::LeftOut;
use self::plan::Plan;
use crate::archive::Summary;
use crate::archive::manifest::{Manifest, NotCarried, Object, ObjectId, ObjectKind, Table};
use crate::error::Result;
use crate::pg::catalog::{self, Catalog, ReadOptions};
use crate::pg::connect::Server;
use crate::pg::session::Session;
use crate::pg::snapshot::{self, Keeper, Parties, SnapshotOptions};
use crate::pg::{denied, free_sessions, marker, statistics};
use crate::pool::{Budget, Buffers};
use crate::progress::{Level, Progress};
use crate::select::{FoundIn, NOTHING_SELECTED, Sections, Selected};
use crate::storage::Sink;

/// What a dump did.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the archive is called: its path, or the stream it went to.
    pub archive: String,
    /// Its totals and root.
    pub summary: Summary,
    /// The database, unquoted.
    pub database: String,
    /// How many objects of which kind are described; what is only a tie or a setting of others is
    /// not counted.
    pub objects: Vec<(ObjectKind, u64)>,
    /// Names of the tables, in the order of the summary's totals, quoted.
    pub tables: Vec<String>,
    /// What the database holds and the archive does not.
    pub not_carried: Vec<NotCarried>,
    /// From the first connection to the archive in its place.
    pub seconds: f64,
}

/// Dumps a server's database. When this fails or is dropped, the sink is abandoned: nothing is left
/// of a file, and what went into a stream has no footer, and is no archive.
pub async fn run(
    server: &Server,
    sink: Sink,
    options: &Options,
    progress: Arc<dyn Progress>,
) -> Result<Report> {
    let started = Instant::now();
    let archive = sink.name();
    let (keeper, manifest, plan, sessions) = prepare(server, options, progress.as_ref()).await?;
    progress.tables(&plan.totals);
    let uuid = Uuid::new_v4();
    let tables: Vec<String> = plan.totals.iter().map(|table| table.name.clone()).collect();
    let not_carried = manifest.not_carried.clone();
    let (database, objects) = (manifest.source.database.clone(), described(&manifest.objects));
    let buffers = Buffers::new(crew::CHUNK_BYTES);
    let writer = writer::ChunkWriter::start(
        sink,
        uuid,
        &manifest,
        options.codec,
        &plan.pieces(),
        buffers.clone(),
        Arc::clone(&progress),
    )?;
    let context = crew::Context {
        server: server.patient(options.limits.stall_timeout),
        begin: options.begin.clone(),
        is_proxied: keeper.session.is_proxied(),
        encoding: Some(manifest.source.encoding.clone()).filter(|encoding| encoding != "UTF8"),
        snapshot_id: keeper.snapshot_id.clone(),
        uuid,
        codec: options.codec,
        budget: Budget::new(options.limits.memory_for(options.limits.dump_jobs())),
        buffers,
        stall_timeout: options.limits.stall_timeout,
        progress: Arc::clone(&progress),
    };
    progress.phase(&match plan.totals.len() {
        0 => "write the definitions".to_owned(),
        1 => "copy the rows of 1 table".to_owned(),
        tables => format!("copy the rows of {tables} tables"),
    });
    let copied = copy::run(context, keeper, plan, sessions, writer.sender()).await;
    // The writer's own failure (disk full) is the cause of any other.
    let summary = writer.finish(copied).await?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(Report { archive, summary, database, objects, tables, not_carried, seconds })
}

/// How many sessions copy: as many as are asked for; else as the cores suggest, and more if they
/// help, up to half of those that are free, and to what the memory for rows suffices for.
async fn sessions(options: &Options, session: &Session) -> Result<Sessions> {
    let jobs = options.limits.dump_jobs();
    let first = jobs.get();
    if options.limits.jobs.is_some() || session.is_proxied() {
        return Ok(Sessions { first, max: first });
    }
    let half = free_sessions::half(session, true).await?;
    let max = half.unwrap_or(first).min(Sessions::in_memory(options.limits.memory_for(jobs)));
    Ok(Sessions { first: first.min(max).max(1), max })
}

/// How many objects of which kind can be made from what is described.
fn described(objects: &[Object]) -> Vec<(ObjectKind, u64)> {
    let mut counts: Vec<(ObjectKind, u64)> = Vec::new();
    for object in objects {
        if object.statements.is_empty() || !object.kind.stands_alone() {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == object.kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((object.kind, 1)),
        }
    }
    counts
}

async fn prepare(
    server: &Server,
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Keeper, Manifest, Plan, (Sessions, Opened))> {
    let snapshot_options = SnapshotOptions {
        lock_wait_timeout: options.lock_wait_timeout,
        serializable_deferrable: options.serializable_deferrable,
        given: options.snapshot.clone(),
        begin: options.begin.clone(),
        read: ReadOptions {
            via_partition_root: options.via_partition_root,
            ..ReadOptions::default()
        },
    };
    let mut selection = options.selection.clone();
    let server = server.patient(options.limits.stall_timeout);
    let session = snapshot::open(&server, &snapshot_options).await?;
    let began = Instant::now();
    let left_out = unfinished::look(options, &session).await?;
    // That takes two ways there and back.
    let is_far = began.elapsed() > 2 * FAR;
    left_out.tell(progress);
    let sessions = sessions(options, &session).await?;
    let ahead = if is_far && !session.is_proxied() { sessions.first } else { 0 };
    let early = Early::new(server.clone(), options.begin.clone(), ahead);
    selection.markers = left_out.schemas;
    let picks = |table: &catalog::ListedTable| {
        let catalog::ListedTable { schema, name, ancestors, extension, .. } = table;
        match extension {
            Some(extension) => selection.picks_settings(schema, name, ancestors, extension),
            None => selection.picks_descendant(schema, name, ancestors),
        }
    };
    let exported = |snapshot: &str| early.join(snapshot);
    let parties = Parties { picks: &picks, exported: &exported, progress };
    let mut keeper = snapshot::take(session, &snapshot_options, parties).await?;
    let (markers, source) = try_join!(
        marker::read(&keeper.session, true),
        catalog::source(&keeper.session, keeper.snapshot_time.clone())
    )?;
    let copies = LeftOut::read(&keeper.session, &options.selection).await?;
    selection.markers =
        markers.iter().map(|marker| marker.schema.clone()).chain(copies.schemas).collect();
    let Catalog { objects, tables, not_carried, unreadable, unlogged, warnings } =
        std::mem::take(&mut keeper.catalog);
    selection.find(&objects, tables.iter().map(|source| &source.table));
    if options.no_unlogged_table_data {
        selection.without_rows = unlogged;
    }
    for warning in source.newer_than_known().iter().chain(&warnings) {
        progress.message(Level::Warning, warning);
    }
    selection.check_matched(&objects, &source.database, FoundIn::Database)?;
    let loaded: Vec<&Table> = tables.iter().map(|source| &source.table).collect();
    for warning in selection.without_effect(&objects, &loaded) {
        progress.message(Level::Warning, &warning);
    }
    let withheld = selection.withheld(&objects);
    let mut selected = selection.apply(objects);
    selected.keep_sections(options.sections);
    let unfinished =
        unfinished::judge(&markers, &selected.objects, options.allow_incomplete, &source.database)?;
    let kept = selected.ids();
    let takes_values = options.sections.data && !selection.schema_only;
    check_sequences(takes_values, &selected, unreadable, progress)?;
    let mut carried: Vec<Table> = (tables.iter().map(|source| &source.table))
        .filter(|table| {
            options.sections.data && kept.contains(&table.object) && selection.rows_of(table)
        })
        .cloned()
        .collect();
    selected.cut_roots(&mut carried);
    let not_carried =
        selection.not_carried(not_carried).chain(selected.left_out).chain(unfinished).collect();
    let statistics = if selection.statistics && takes_values {
        progress.phase("read planner statistics");
        statistics::read(&keeper.session, &selected.objects).await?
    } else {
        Vec::new()
    };
    let statistics = statistics.into_iter().filter_map(|one| withheld.keep(one)).collect();
    let mut manifest =
        Manifest { source, objects: selected.objects, tables: carried, not_carried, statistics };
    leave_out(options, &mut manifest.objects);
    let is_chosen = !options.selection.is_everything() || options.sections != Sections::ALL;
    let is_empty = manifest.tables.is_empty()
        && (manifest.objects.iter())
            .all(|object| object.kind == ObjectKind::Database || object.is_bare());
    if is_chosen && is_empty {
        progress.message(Level::Warning, NOTHING_SELECTED);
    }
    let plan = plan::make(&manifest, &tables, options.limits.dump_jobs().get())?;
    Ok((keeper, manifest, plan, (sessions, early.opened())))
}

/// Takes away what the options leave out of every object.
fn leave_out(options: &Options, objects: &mut [Object]) {
    for object in objects {
        if options.no_owner {
            object.owner = None;
        }
        if options.no_privileges {
            object.acl = None;
        }
        if options.no_comments {
            object.comments.clear();
        }
        if options.no_security_labels {
            object.security_labels.clear();
        }
    }
}

/// Refuses a dump if sequences are selected that may not be read. Of one that was not selected, and
/// that a default needs, the value is left out.
fn check_sequences(
    takes_values: bool,
    selected: &Selected,
    unreadable: Vec<(ObjectId, String)>,
    progress: &dyn Progress,
) -> Result<()> {
    let kept = selected.ids();
    let wanted = unreadable.into_iter().filter(|(maker, _)| takes_values && kept.contains(maker));
    let (along, denied): (Vec<_>, Vec<_>) =
        wanted.partition(|(maker, _)| selected.brought_along.contains(maker));
    for (_, sequence) in along {
        let text = format!(
            "sequence {sequence} is not selected and may not be read: it comes without its value, \
             and will begin anew"
        );
        progress.message(Level::Warning, &text);
    }
    if denied.is_empty() {
        return Ok(());
    }
    let items =
        denied.iter().map(|(_, sequence)| denied::item("sequence", sequence, "-T")).collect();
    Err(denied::error("read the catalog of sequence values", items))
}
