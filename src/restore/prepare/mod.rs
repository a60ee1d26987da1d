//! Looks at the target and makes the plan: what is selected, what stands against it, which jobs.
//! Changes nothing.

mod beginning;
mod chosen;
mod standing;

use self::beginning::Beginning;
use self::chosen::Chosen;
use super::finding::Finding;
use super::live::LiveTriggers;
use super::mark::Mark;
use super::options::{ForeignKeys, Options, Request, Sections};
use super::plan::input::Input;
use super::plan::{Plan, builder, wanted_statistics};
use super::preflight::{self, Wanted, already_there, older_server, sections};
use super::provision::{Asked, Room, clean};
use super::resume::options_digest;
use super::run::ready;
use super::sessions::set_up;
use super::target::tables::Existing;
use super::target::{Target, borrowed, marker};
use crate::archive::manifest::NotCarried;
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
pub(super) async fn prepare(
    request: &Request,
    archive: &mut FileArchive,
    room: Room,
    aim: Aim,
) -> Result<Prepared> {
    let options = &request.options;
    options.check()?;
    let session =
        pooler::open_lasting(&request.server.patient(options.limits.stall_timeout)).await?;
    set_up(request, &session).await?;
    if aim == Aim::CarryOut {
        marker::wait_to_begin(&session).await?;
        marker::show_at_work(&session).await?;
    }
    let target = Target::read(&session).await?;
    let mut sections = options.sections;
    sections.data &= !options.selection.schema_only;
    let data_only = options.selection.data_only || chosen::holds_rows_only(&archive.manifest);
    sections.pre_data &= !data_only;
    sections.post_data &= !data_only;
    sections::check_sections(options, sections)?;
    plan((options, sections), archive, target, session, (room, aim)).await
}

/// What there is to say before the first statement.
#[derive(Default)]
struct Said {
    /// What keeps the restore from beginning.
    findings: Vec<Finding>,
    /// What may surprise.
    warnings: Vec<String>,
    /// What was selected and cannot be made.
    left_out: Vec<NotCarried>,
}

async fn plan(
    (options, sections): (&Options, Sections),
    archive: &mut FileArchive,
    mut target: Target,
    session: Session,
    (room, aim): (Room, Aim),
) -> Result<Prepared> {
    let Chosen { mut selected, database, withheld, schemas } = Chosen::of(options, archive, room)?;
    let (manifest, archive) = (&archive.manifest, &*archive);
    let (mut said, render) = (Said::default(), options.render.clone());
    let asked = Asked {
        database: database.as_ref(),
        objects: &selected.objects,
        source: &manifest.source,
        sections,
        render: &render,
    };
    let looks = (options, room, aim);
    let Beginning { anew, first, at_the_end, drops, mut course, schema } =
        Beginning::look(&session, looks, archive, asked, &schemas, &mut target, &mut said).await?;
    let mut kept = already_there::leave_present(&mut selected.objects, &target, &render);
    kept.extend(older_server::leave_clauses(&mut selected.objects, sections, target.version_num));
    said.left_out.extend(
        selected
            .left_out
            .iter()
            .cloned()
            .chain(kept.into_iter().filter(|_| room != Room::ToBeCleaned)),
    );
    let rows_of = chosen::rows_of(options, archive, &selected);
    let tables_wanted =
        if sections.data { rows_of.iter().filter(|wanted| **wanted).count() as u64 } else { 0 };
    let chunks = chosen::chunks(archive, &rows_of);
    if sections.data {
        course.look_what_is_lost(&session, archive, &selected.objects, &mut said.findings).await?;
    }
    let manner = standing::manner(options, sections, course.is_stopped());
    let Existing { findings: standing, warnings: doubts, triggers, keys, borrowed } =
        if course.is_ready() {
            Existing::default()
        } else {
            let left = course.left_of(&chunks, archive);
            standing::look(
                &session,
                sections,
                (&selected.objects, manifest),
                &left,
                manner,
                course.lost(),
            )
            .await?
        };
    let is_borrowed = !borrowed.is_empty();
    let wanted = Wanted {
        objects: &selected.objects,
        source: &manifest.source,
        sections,
        render: &render,
        demands_empty: room == Room::Empty,
        marks: !is_borrowed,
        cleans: room == Room::ToBeCleaned,
        resumes: options.resume,
    };
    said.against(options, wanted, &target, !course.is_ready());
    said.findings.extend(standing);
    said.findings.extend(preflight::disable_triggers(&target).filter(|_| manner.disable_triggers));
    said.warnings.extend(doubts);
    let (statistics, more) = wanted_statistics::wanted(
        options,
        sections,
        manifest,
        &selected,
        &withheld,
        target.version_num,
    );
    said.warnings.extend(more);
    if is_borrowed {
        said.left_out.extend(borrowed::leave_owners_work(&session, &mut selected.objects).await?);
        said.warnings.push(borrowed::told(&target.user));
    }
    let filled = chosen::filled(&selected.objects, manifest, &chunks);
    let mark = (!is_borrowed).then(|| mark_for(archive, &target, schema, options, filled));
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
    let rest = course.end(&mut graph, at_the_end, options, &target, &mut said.findings);
    let settled =
        course.settle(&mut graph, archive, (mark.as_ref(), anew.as_ref()), &mut said.findings)?;
    let plan = Plan {
        findings: said.findings,
        warnings: said.warnings,
        left_out: said.left_out,
        first,
        begin: settled.begin,
        known: settled.known,
        resumed: settled.resumed,
        usable: mark.as_ref().map(|mark| mark.ready(rest)).unwrap_or_default(),
        unmark: mark.as_ref().map(Mark::remove).unwrap_or_default(),
        mark,
        ledger: settled.ledger,
        whole: sections.pre_data,
        graph,
        tables_wanted,
        statistics,
        tables: manifest.tables.clone(),
        objects: selected.objects,
    };
    Ok(Prepared { session, target, plan, triggers, drops, anew })
}

impl Said {
    /// Compares what is wanted with the target. `begins`: nobody has begun this restore before, or
    /// it is not as good as done.
    fn against(&mut self, options: &Options, wanted: Wanted<'_>, target: &Target, begins: bool) {
        if begins {
            self.findings.extend(preflight::findings(wanted, target));
            self.findings.extend(
                preflight::trust(target).filter(|_| options.foreign_keys == ForeignKeys::Trust),
            );
            self.findings.extend(options.ready.file().and_then(ready::finding));
        }
        if !wanted.cleans {
            self.warnings.extend(preflight::warnings(wanted, target));
        }
    }
}

/// Whether materialized views are filled. Section by section, views stand as they are only once
/// what comes after the rows is made.
fn refreshes(options: &Options, sections: Sections) -> bool {
    if options.sections == Sections::ALL {
        sections.data
    } else {
        sections.post_data && (sections.data || !sections.pre_data)
    }
}

/// What marks the target.
fn mark_for(
    archive: &FileArchive,
    target: &Target,
    schema: String,
    options: &Options,
    schemas: Vec<String>,
) -> Mark {
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
