//! An object's statements as steps: what makes it, and what is said of it afterwards.

use crate::archive::manifest::{Detail, Object, ObjectKind};
use crate::restore::step::Step;
use crate::sql::{ident, render};

/// The steps that make an object and give it to its owner, so that what follows finds it as it will
/// be.
pub(in crate::restore) fn create(object: &Object, options: &render::Options) -> Vec<Step> {
    let doing = format!("create {}", object.identity);
    let made = render::in_tablespace(object, options, object.statements.clone())
        .into_iter()
        .map(|sql| Step::new(&doing, sql));
    let first = object.statements.first();
    let made = made.map(|step| {
        if Some(&step.sql) == first { step.making(object.id) } else { step.of(object.id) }
    });
    let owned = if object.kind == ObjectKind::DefaultAcl {
        Vec::new()
    } else {
        render::owner_statements(object, options)
    };
    let role = ident::quote(object.owner.as_deref().unwrap_or_default());
    let owned = owned
        .into_iter()
        .map(|sql| Step::new(format!("give {} to {role}", object.identity), sql).of(object.id));
    made.chain(owned).collect()
}

/// Privileges, comments and security labels.
pub(in crate::restore) fn describe(object: &Object, options: &render::Options) -> Vec<Step> {
    let steps = |doing: &str, statements: Vec<String>| {
        let doing = format!("{doing} {}", object.identity);
        statements.into_iter().map(move |sql| Step::new(&doing, sql).of(object.id))
    };
    steps("set the privileges of", render::acl_statements(object, options))
        .chain(steps("comment on", render::comment_statements(object, options)))
        .chain(steps("label", render::label_statements(object, options)))
        .collect()
}

/// One statement of an object, in the object's tablespace.
pub(in crate::restore) fn in_tablespace(
    object: &Object,
    options: &render::Options,
    step: Step,
) -> Vec<Step> {
    let first = step.clone();
    let steps = render::in_tablespace(object, options, vec![step.sql])
        .into_iter()
        .map(|sql| Step { sql, ..first.clone() });
    steps
        .map(|step| if step.sql == first.sql { step.making(object.id) } else { step.of(object.id) })
        .collect()
}

/// `schema.name`, quoted.
pub(in crate::restore) fn qualified(object: &Object) -> String {
    match &object.schema {
        Some(schema) => ident::qualified(schema, &object.name),
        None => ident::quote(&object.name),
    }
}

pub(in crate::restore) fn is_built(object: &Object) -> bool {
    matches!(object.detail, Detail::Key { .. } | Detail::Index { .. })
}
