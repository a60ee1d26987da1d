//! A look at the target for a plan, compared with what of the archive is asked for.

use super::beginning::Beginning;
use super::chosen::{self, Chosen};
use super::said::Said;
use super::standing;
use super::task::Task;
use crate::archive::manifest::{Detail, Object};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::{self, Finding, Sort};
use crate::restore::plan::input::ChunkSize;
use crate::restore::preflight::{self, Wanted, already_there, home, older_server};
use crate::restore::provision::{Asked, Room};
use crate::restore::target::tables::Existing;
use crate::restore::target::{Target, borrowed, expected, memberships, named, post_data, present};
use crate::select::{Selected, Withheld};
use crate::storage::FileArchive;

/// All that the plan is made of.
pub(super) struct Looked {
    /// The objects that are asked for, less what stands already and what the server does not know.
    pub(super) selected: Selected,
    /// The statistics that would tell what is not restored.
    pub(super) withheld: Withheld,
    /// What comes before the first object.
    pub(super) beginning: Beginning,
    /// Which tables' rows are asked for.
    pub(super) rows_of: Vec<bool>,
    /// Each table's chunks.
    pub(super) chunks: Vec<Vec<ChunkSize>>,
    /// What the rows meet in tables that stand; what it says is said.
    pub(super) existing: Existing,
    /// What there is to say.
    pub(super) said: Said,
}

impl Looked {
    /// Looks at the target for the plan, compares it with what is asked for, and makes it what it
    /// will be when the first object is made.
    pub(super) async fn at(
        task: Task<'_>,
        archive: &mut FileArchive,
        session: &Session,
        target: &mut Target,
    ) -> Result<Self> {
        let Task { options, sections, room, .. } = task;
        let (mut said, render) = (Said::default(), &options.render);
        let chosen = Chosen::of(options, archive, room)?;
        let Chosen { mut selected, database, withheld, schemas, domains } = chosen;
        let (manifest, archive) = (&archive.manifest, &*archive);
        let (database, source) = (database.as_ref(), &manifest.source);
        let asked = Asked { database, objects: &selected.objects, source, sections, render };
        let mut beginning =
            Beginning::look(session, task, archive, asked, &schemas, target, &mut said).await?;
        if let Some(home) = &options.home {
            let objects = &selected.objects;
            let live = |schema| options.live_name(schema);
            said.findings.extend(home::elsewhere(home, &options.profile, objects, live));
        }
        let rows_of = chosen::rows_of(options, archive, &selected);
        // Another plan is made for the same beginning once the target is made or cleaned.
        if room == Room::of(options) {
            said.warnings.extend(chosen::nothing(options, sections, &selected.objects, &rows_of));
            said.findings.extend(options.guards.findings.iter().cloned());
            said.warnings.extend(options.guards.warnings.iter().cloned());
        }
        let course = &mut beginning.course;
        if sections.pre_data {
            said.findings.extend(already_there::elsewhere(&selected.objects, target));
        }
        let mut kept = already_there::leave_present(&mut selected.objects, target, render);
        let version = target.version_num;
        kept.extend(older_server::leave_clauses(&mut selected.objects, sections, version));
        said.left_out.extend(selected.left_out.iter().cloned());
        said.left_out.extend(options.staged.iter().flat_map(|staged| staged.left_out.clone()));
        if room != Room::ToBeCleaned {
            said.left_out.extend(kept);
        }
        let chunks = chosen::chunks(archive, &rows_of);
        let rows_of: Vec<bool> =
            rows_of.into_iter().map(|wanted| wanted && sections.data).collect();
        if sections.data {
            let findings = &mut said.findings;
            course.look_what_is_lost(session, archive, &selected.objects, findings).await?;
        }
        let manner = standing::manner(options, sections, course.is_stopped());
        let mut existing = if course.is_ready() {
            Existing::default()
        } else {
            let left = course.left_of(&chunks, archive);
            let of = (&selected.objects[..], manifest);
            standing::look(session, sections, of, &left, manner, course.lost()).await?
        };
        if !course.is_ready() && !course.is_stopped() {
            let findings = before_the_first(session, task, target, &selected).await?;
            existing.findings.extend(findings);
            if room == Room::ToBeCleaned && sections.pre_data {
                let emptied = chosen::emptied(&selected.objects, manifest, &rows_of);
                said.warnings.extend(memberships::rows(session, emptied).await?);
            }
            if sections.data && !sections.pre_data {
                let loaded = manifest.tables.iter().zip(&rows_of).filter(|(_, wanted)| **wanted);
                let tables = loaded.map(|(table, _)| table);
                existing.findings.extend(domains.compare(session, tables).await?);
            }
        }
        if room == Room::ToBeCleaned {
            existing.findings.retain(|finding| finding.sort != Sort::Standing);
        }
        let is_of_named_alone = options.selection.is_of_named_alone();
        if is_of_named_alone && room == Room::Empty {
            let objects = &selected.objects;
            let is_compared = !sections.pre_data || course.is_stopped();
            existing.findings.extend(named::examine(session, objects, is_compared).await?);
        }
        let is_borrowed = !existing.borrowed.is_empty();
        let wanted = Wanted {
            objects: &selected.objects,
            source,
            sections,
            render,
            demands_empty: (room == Room::Empty && !is_of_named_alone)
                || (room == Room::ToBeCleaned && options.fresh.is_some()),
            marks: !is_borrowed && !is_of_named_alone,
            cleans: room == Room::ToBeCleaned,
            resumes: options.resume,
        };
        said.against(options, wanted, target, !course.is_ready());
        finding::without_repetition(&mut said.findings);
        if options.staged.is_some() && !options.resume {
            finding::beside_another_stage(&mut said.findings);
        }
        said.findings.append(&mut existing.findings);
        finding::told_once(&mut said.findings);
        if manner.disable_triggers {
            said.findings.extend(preflight::disable_triggers(target));
        }
        said.warnings.append(&mut existing.warnings);
        if is_borrowed {
            let left = borrowed::leave_owners_work(session, &mut selected.objects).await?;
            said.left_out.extend(left);
            said.warnings.push(borrowed::told(&target.user));
        }
        Ok(Self { selected, withheld, beginning, rows_of, chunks, existing, said })
    }
}

/// What of the target keeps a restore that begins from making what is selected: what it needs and
/// nobody makes, and what is there already.
async fn before_the_first(
    session: &Session,
    task: Task<'_>,
    target: &Target,
    selected: &Selected,
) -> Result<Vec<Finding>> {
    let Task { options, sections, room, .. } = task;
    let objects = &selected.objects;
    let mut findings = Vec::new();
    let is_here = matches!(room, Room::Empty | Room::ToBeCleaned) && options.staged.is_none();
    if is_here && (sections.pre_data || !options.selection.named.is_empty()) {
        let left = &selected.left_to_target;
        findings.extend(expected::examine(session, target, objects, left).await?);
    }
    if !sections.pre_data {
        if sections.data && chosen::refreshes(options, sections) {
            findings.extend(post_data::filled_views(session, objects).await?);
        }
        let is_made = |object: &&Object| {
            sections.holds(object.section)
                && !object.statements.is_empty()
                && matches!(object.detail, Detail::LargeObjects { .. })
        };
        let made: Vec<&Object> = objects.iter().filter(is_made).collect();
        findings.extend(present::beside_tables(session, &made).await?);
        return Ok(findings);
    }
    if room == Room::Empty && target.occupied_count == 0 {
        let is_made = |object: &&Object| {
            sections.holds(object.section)
                && !object.statements.is_empty()
                && object.extension.is_none()
        };
        let made: Vec<&Object> = objects.iter().filter(is_made).collect();
        findings.extend(present::beside_tables(session, &made).await?);
    }
    Ok(findings)
}
