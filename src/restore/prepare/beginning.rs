//! How a restore begins: what earlier ones have left in the target, and what is made or dropped
//! first.

use std::collections::BTreeSet;

use super::connected;
use super::said::Said;
use super::task::{Aim, Task};
use crate::archive::manifest::Object;
use crate::error::Result;
use crate::pg::marker::{Marker, Run};
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::restore::options::{Into, Options, Sections};
use crate::restore::provision::drops::{self, Drop};
use crate::restore::provision::{Asked, Ground, Room, clean, missing};
use crate::restore::resume::Identity;
use crate::restore::resume::course::Course;
use crate::restore::step::Step;
use crate::restore::target::leftover::Leftover;
use crate::restore::target::{self, Target, dependents, marker, memberships, of_product, owned};
use crate::restore::{mark, preflight};
use crate::sql::ident;
use crate::storage::FileArchive;

/// What comes before the first object.
pub(super) struct Beginning {
    /// The marker of an earlier restore that this one begins anew.
    pub(super) anew: Option<clean::Anew>,
    /// The statements that make the database, or room in it.
    pub(super) first: Vec<Step>,
    /// What is said of the database when all else is done.
    pub(super) at_the_end: Vec<Step>,
    /// What is dropped to make room.
    pub(super) drops: Vec<Drop>,
    /// Where not all of it can be locked at a time: how many are dropped in one transaction.
    pub(super) batch: Option<usize>,
    /// What an earlier run has left.
    pub(super) course: Course,
    /// The marker's schema, unquoted: that of one that goes on standing, or a free one.
    pub(super) schema: String,
}

impl Beginning {
    /// Looks how this restore begins, and makes the target what it will be then. `schemas` are the
    /// archive's.
    pub(super) async fn look(
        session: &Session,
        Task { options, sections, room, aim }: Task<'_>,
        archive: &FileArchive,
        asked: Asked<'_>,
        schemas: &BTreeSet<String>,
        target: &mut Target,
        said: &mut Said,
    ) -> Result<Self> {
        let this = Identity::of(archive, options);
        let (anew, at_work) = begun_anew(session, (room, aim), target, &this).await?;
        let if_exists = options.into.if_exists() || anew.is_some();
        let Ground { findings, mut first, at_the_end, mut drops } =
            room.survey(options, if_exists, asked, target)?;
        said.findings.extend(findings);
        let (mut locks, mut going) = (0, None);
        if let Some(fresh) = options.fresh.as_ref().filter(|_| room == Room::ToBeCleaned) {
            let leftovers = of_product::of_fresh(fresh);
            said.findings.extend(dependents::look(session, &[], &leftovers).await?);
            let lost = memberships::look(session, &[], &leftovers, asked.objects);
            said.findings.extend(lost.await?);
            going = dependents::roots(&[], &leftovers);
            let not = |schema: &String| format!("nspname <> {}", ident::literal(schema));
            let others = target.before_begun.iter().chain([&fresh.schema]).map(not);
            let others = others.collect::<Vec<_>>().join(" AND ");
            (target.occupied, target.occupied_count) = target::occupied(session, &others).await?;
            drops = drops::of_leftovers(&leftovers);
            first = drops.iter().map(|drop| drop.step.clone()).collect();
        } else if room == Room::ToBeCleaned {
            let is_dropped = |object: &&Object| {
                sections.holds(object.section) && drops::is_dropped(object, target)
            };
            let dropped: Vec<&Object> = asked.objects.iter().filter(is_dropped).collect();
            let also = also_dropped(session, options, sections, asked.objects).await?;
            let needed = dependents::look(session, &dropped, &also.leftovers);
            said.findings.extend(needed.await?);
            let lost = memberships::look(session, &dropped, &also.leftovers, asked.objects);
            said.findings.extend(lost.await?);
            said.findings.extend(dependents::of_others(session, &dropped).await?);
            if sections.pre_data {
                let made = asked.objects;
                let taken = dependents::taken(session, &dropped, &also.leftovers, made);
                said.findings.extend(taken.await?);
            }
            going = dependents::roots(&dropped, &also.leftovers);
            said.findings.extend(also.findings);
            if !if_exists {
                said.findings.extend(missing::look(session, &dropped).await?);
            }
            locks = dependents::locks(session, &dropped, &also.leftovers).await?;
            said.warnings.extend(also.told);
            drops.splice(..0, drops::of_leftovers(&also.leftovers));
            drops.splice(..0, drops::parting(also.foreign_keys));
            first = drops.iter().map(|drop| drop.step.clone()).collect();
        }
        let standing = target.marker.as_ref().map(|marker| marker.schema.clone());
        let free = mark::free_schema(
            &schemas.iter().chain(target.schemas.keys()).map(String::as_str).collect(),
        );
        target.marker.take_if(|_| room == Room::Cleaned);
        let is_dropping = target.marker.as_ref().is_some_and(Marker::is_dropping);
        if room == Room::Empty && options.resume && is_dropping {
            said.findings.push(Finding::new(
                "an earlier run was stopped while it dropped what stood here",
                "go on with -c or --clean=schemas, as it was begun",
            ));
        }
        said.findings.extend(at_work);
        let course =
            Course::look(session, (options, room), target, &this, schemas, &mut said.findings)
                .await?;
        if connected::matters(options, room) && !course.is_ready() {
            // Of a run that is gone on with nothing goes, but what it has made may be used.
            let made = || dependents::roots(&asked.objects.iter().collect::<Vec<_>>(), &[]);
            let going = going.or_else(made);
            let (way, of) = ((options, room), (asked.database, going.as_deref()));
            connected::look(session, way, of, target, said).await?;
        }
        let batch = clean::batch(drops.len(), locks, course.lock_table());
        if batch.is_some() {
            said.warnings.push(format!(
                "{locks} locks are needed to drop what the archive holds, more than half of the \
                 server's lock table (max_locks_per_transaction) has room for: the target is marked \
                 as incomplete first, and it is dropped in several transactions"
            ));
        }
        let schema = standing.unwrap_or(free);
        Ok(Self { anew, first, at_the_end, drops, batch, course, schema })
    }
}

/// What is dropped besides the archive's objects.
#[derive(Default)]
struct Also {
    leftovers: Vec<Leftover>,
    /// Statements that part tables of these which refer to each other.
    foreign_keys: Vec<String>,
    /// What goes that nobody asked for by name.
    told: Option<String>,
    findings: Vec<Finding>,
}

/// Looks what is to go besides the archive's objects.
async fn also_dropped(
    session: &Session,
    options: &Options,
    sections: Sections,
    objects: &[Object],
) -> Result<Also> {
    if options.into == Into::Cleared {
        let owned = owned::read(session, objects).await?;
        return Ok(Also {
            told: told("because of --clean=schemas", &owned.unasked),
            leftovers: owned.leftovers,
            foreign_keys: owned.foreign_keys,
            findings: owned.findings,
        });
    }
    if !options.selection.is_everything() || !sections.pre_data {
        return Ok(Also::default());
    }
    let leftovers = of_product::read(session, &options.profile, objects).await?;
    let why = format!("because another version of {} has made it", options.profile.name);
    let names: Vec<String> = leftovers.iter().map(Leftover::to_string).collect();
    Ok(Also { told: told(&why, &names), leftovers, ..Also::default() })
}

fn told(why: &str, names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("dropped too, {why}: {}", names.join(", ")))
}

/// The restore that this one begins anew, where that is asked for, and whether another is at work
/// beside this one: that one, or one by who may only insert, which has left no marker.
async fn begun_anew(
    session: &Session,
    (room, aim): (Room, Aim),
    target: &mut Target,
    this: &Identity,
) -> Result<(Option<clean::Anew>, Option<Finding>)> {
    let same =
        |run: &Run| run.archive_id == this.archive_id && run.options_digest == this.options_digest;
    let unmarked = aim == Aim::CarryOut && room != Room::ToBeMade && target.marker.is_none();
    let anew = if room == Room::ToBeCleaned { clean::Anew::of(target, same) } else { None };
    let looks = unmarked || anew.is_some();
    let at_work = if looks {
        preflight::others_at_work(&marker::others_at_work(session).await?)
    } else {
        None
    };
    Ok((anew, at_work))
}

#[cfg(test)]
mod tests;
