//! The work of what stands on extensions' objects.

use super::graph::Work;
use super::statements;
use crate::archive::manifest::Object;
use crate::restore::step::OnExtension;
use crate::sql::render;

/// The work of these objects, each of which names an extension; none where nothing is to be done.
pub(in crate::restore) fn work<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
    options: &render::Options,
) -> Option<Work> {
    let one = |object: &Object| {
        let unless_standing = !object.statements.is_empty();
        let mut steps = statements::create(object, options);
        steps.extend(statements::describe(object, options));
        let extension = object.extension.clone().filter(|_| !steps.is_empty())?;
        Some(OnExtension {
            kind: object.kind,
            identity: object.identity.clone(),
            extension,
            unless_standing,
            steps,
        })
    };
    let all: Vec<OnExtension> = objects.into_iter().filter_map(one).collect();
    (!all.is_empty()).then_some(Work::OnExtensions(all))
}
