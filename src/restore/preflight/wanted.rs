//! What a restore asks for, as far as its target is compared with it.

use crate::archive::manifest::{Object, Source};
use crate::restore::options::Sections;
use crate::sql::render;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Wanted<'a> {
    /// The objects wanted; one without statements stands already.
    pub(in crate::restore) objects: &'a [Object],
    /// Where the archive came from.
    pub(in crate::restore) source: &'a Source,
    /// Sections.
    pub(in crate::restore) sections: Sections,
    /// What is left out.
    pub(in crate::restore) render: &'a render::Options,
    /// Whether there may be nothing in the target.
    pub(in crate::restore) demands_empty: bool,
    /// Whether the target is marked meanwhile.
    pub(in crate::restore) marks: bool,
    /// Whether what the archive holds is dropped first.
    pub(in crate::restore) cleans: bool,
    /// Whether an earlier restore is to be gone on with.
    pub(in crate::restore) resumes: bool,
}

/// The objects that this run makes.
pub(super) fn made(wanted: Wanted<'_>) -> impl Iterator<Item = &Object> {
    wanted.objects.iter().filter(move |object| {
        wanted.sections.holds(object.section) && !object.statements.is_empty()
    })
}
