//! Room for the restore: an empty target, one that is made or cleaned first, and what that takes.

pub(super) mod clean;
pub(super) mod create_database;
pub(super) mod drops;
pub(super) mod missing;

use self::create_database::Creation;
use self::drops::Drop;
use super::finding::Finding;
use super::options::{Into, Options, Sections};
use super::preflight::{self, Wanted};
use super::step::Step;
use super::target::Target;
use crate::archive::manifest::{Object, Source};
use crate::error::{Error, Kind, Result};
use crate::sql::render;

/// What the target is, or will be, before the first object is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It must be empty.
    Empty,
    /// It does not exist yet.
    ToBeMade,
    /// What the archive holds will be dropped.
    ToBeCleaned,
    /// What the archive holds is dropped, and the target is marked.
    Cleaned,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The database itself, if the archive describes it.
    pub(super) database: Option<&'a Object>,
    /// All else that is selected.
    pub(super) objects: &'a [Object],
    /// Where the archive came from.
    pub(super) source: &'a Source,
    /// Sections.
    pub(super) sections: Sections,
    /// What is left out.
    pub(super) render: &'a render::Options,
}

/// What comes before and after all else, and what stands against it.
#[derive(Default)]
pub(super) struct Ground {
    /// What keeps it from beginning.
    pub(super) findings: Vec<Finding>,
    /// The statements that make the database, or room in it.
    pub(super) first: Vec<Step>,
    /// What is said of the database when all else is done, by a restore that made it.
    pub(super) at_the_end: Vec<Step>,
    /// What is dropped to make room.
    pub(super) drops: Vec<Drop>,
}

impl Room {
    /// Makes the target the room that it will be, and tells how it becomes so.
    pub(super) fn survey(
        self,
        options: &Options,
        if_exists: bool,
        asked: Asked<'_>,
        target: &mut Target,
    ) -> Result<Ground> {
        let Asked { objects, source, sections, render, .. } = asked;
        let mut ground = Ground::default();
        match self {
            Self::Empty => {
                let of_target = asked.database.filter(|database| database.name == target.database);
                ground.at_the_end = of_target
                    .map(|database| create_database::finish(database, render))
                    .unwrap_or_default();
            }
            Self::ToBeMade => {
                let database = asked.database.ok_or_else(no_database)?;
                let creation = Creation {
                    database,
                    clean: options.into.drops(),
                    if_exists: options.into.if_exists(),
                    render,
                };
                ground.findings = creation.findings(target);
                (ground.first, ground.at_the_end) =
                    (creation.steps(target), create_database::finish(database, render));
                *target = creation.foresee(target);
                let wanted = Wanted {
                    objects: std::slice::from_ref(database),
                    source,
                    sections,
                    render,
                    demands_empty: false,
                    marks: true,
                    cleans: false,
                    resumes: false,
                };
                ground.findings.extend(preflight::roles_and_places(wanted, target));
            }
            // What that is, the caller says.
            Self::ToBeCleaned if options.fresh.is_some() => {}
            Self::ToBeCleaned => {
                ground.drops = drops::drops(objects, sections, target, if_exists);
                ground.first = ground.drops.iter().map(|drop| drop.step.clone()).collect();
                let is_gone = |object: &&Object| {
                    sections.holds(object.section) && drops::is_dropped(object, target)
                };
                let gone: Vec<&Object> = objects.iter().filter(is_gone).collect();
                target.forget(&gone);
            }
            Self::Cleaned => {}
        }
        Ok(ground)
    }

    /// Whether no other plan is made after that for it.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::Empty | Self::Cleaned)
    }

    /// What is asked for.
    pub(super) fn of(options: &Options) -> Self {
        match options.into {
            Into::New | Into::Anew { .. } => Self::ToBeMade,
            Into::Cleaned { .. } | Into::Cleared => Self::ToBeCleaned,
            Into::AsItIs => Self::Empty,
        }
    }
}

fn no_database() -> Error {
    Error::new(Kind::Archive, "make the database", "the archive does not describe it")
        .hint("make it by hand, and restore into it without -C")
}
