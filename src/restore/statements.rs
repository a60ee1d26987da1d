//! An object's statements as steps: what makes it, and what is said of it afterwards.

use super::graph::Step;
use crate::archive::manifest::{Object, ObjectKind};
use crate::pg::{ident, render};

/// Makes the object and gives it to its owner, so that what follows finds it as it will be.
pub(super) fn create(object: &Object, options: &render::Options) -> Vec<Step> {
    let doing = format!("create {}", object.identity);
    let made = render::in_tablespace(object, options, object.statements.clone()).into_iter().map(|sql| Step::new(&doing, sql));
    let owned = if object.kind == ObjectKind::DefaultAcl { Vec::new() } else { render::owner_statements(object, options) };
    let role = ident::quote(object.owner.as_deref().unwrap_or_default());
    made.chain(owned.into_iter().map(|sql| Step::new(format!("give {} to {role}", object.identity), sql))).collect()
}

/// Privileges, comments and security labels.
pub(super) fn describe(object: &Object, options: &render::Options) -> Vec<Step> {
    let steps = |doing: &str, statements: Vec<String>| {
        let doing = format!("{doing} {}", object.identity);
        statements.into_iter().map(move |sql| Step::new(&doing, sql))
    };
    steps("set the privileges of", render::acl_statements(object, options))
        .chain(steps("comment on", render::comment_statements(object, options)))
        .chain(steps("label", render::label_statements(object, options)))
        .collect()
}

/// One statement of an object, in the object's tablespace.
pub(super) fn in_tablespace(object: &Object, options: &render::Options, step: Step) -> Vec<Step> {
    let doing = step.doing;
    render::in_tablespace(object, options, vec![step.sql]).into_iter().map(|sql| Step::new(&doing, sql)).collect()
}

/// `schema.name`, quoted.
pub(super) fn qualified(object: &Object) -> String {
    match &object.schema {
        Some(schema) => ident::qualified(schema, &object.name),
        None => ident::quote(&object.name),
    }
}
