//! How a restore begins: what earlier ones have left in the target, and what is made or dropped
//! first.

use std::collections::BTreeSet;

use super::said::Said;
use super::task::{Aim, Task};
use crate::archive::manifest::Object;
use crate::error::Result;
use crate::pg::marker::Run;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::restore::provision::drops::{self, Drop};
use crate::restore::provision::{Asked, Ground, Room, clean};
use crate::restore::resume::Identity;
use crate::restore::resume::course::Course;
use crate::restore::step::Step;
use crate::restore::target::of_product::{self, Leftover};
use crate::restore::target::{self, Target, dependents, marker};
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
        if let Some(fresh) = options.fresh.as_ref().filter(|_| room == Room::ToBeCleaned) {
            let leftovers = of_product::of_fresh(fresh);
            said.findings.extend(dependents::look(session, &[], &leftovers).await?);
            let others = format!("nspname <> {}", ident::literal(&fresh.schema));
            (target.occupied, target.occupied_count) = target::occupied(session, &others).await?;
            drops = drops::of_leftovers(&leftovers);
            first = drops.iter().map(|drop| drop.step.clone()).collect();
        } else if room == Room::ToBeCleaned {
            let is_dropped = |object: &&Object| {
                sections.holds(object.section) && drops::is_dropped(object, target)
            };
            let dropped: Vec<&Object> = asked.objects.iter().filter(is_dropped).collect();
            let whole = options.selection.is_everything() && sections.pre_data;
            let leftovers = if whole {
                of_product::read(session, &options.profile, asked.objects).await?
            } else {
                Vec::new()
            };
            let needed = dependents::look(session, &dropped, &leftovers);
            said.findings.extend(needed.await?);
            said.warnings.extend(also_dropped(&leftovers, options.profile.name));
            drops.splice(..0, drops::of_leftovers(&leftovers));
            first = drops.iter().map(|drop| drop.step.clone()).collect();
        }
        let standing = target.marker.as_ref().map(|marker| marker.schema.clone());
        let free = mark::free_schema(
            &schemas.iter().chain(target.schemas.keys()).map(String::as_str).collect(),
        );
        target.marker.take_if(|_| room == Room::Cleaned);
        said.findings.extend(at_work);
        let course =
            Course::look(session, (options, room), target, &this, schemas, &mut said.findings)
                .await?;
        Ok(Self { anew, first, at_the_end, drops, course, schema: standing.unwrap_or(free) })
    }
}

/// What goes that nobody asked for by name.
fn also_dropped(leftovers: &[Leftover], product: &str) -> Option<String> {
    let names: Vec<String> = leftovers.iter().map(Leftover::to_string).collect();
    let names = names.join(", ");
    (!leftovers.is_empty())
        .then(|| format!("dropped too, because another version of {product} has made it: {names}"))
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
