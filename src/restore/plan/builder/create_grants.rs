//! A role that must be allowed to create in a schema while the restore gives it what it owns there.
//!
//! `ALTER … OWNER TO` demands that of the new owner, unless a superuser says it. Does not know
//! whose the schema is.

use std::collections::{BTreeSet, HashMap};

use crate::archive::manifest::{Object, ObjectKind};
use crate::restore::plan::input::Input;
use crate::restore::step::Step;
use crate::sql::ident;

/// A new owner, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Creator {
    /// The schema's name, unquoted.
    pub(super) schema: String,
    /// The role's name, unquoted.
    pub(super) role: String,
}

/// Who is given something in a schema of another, which this run makes; its own privileges come too
/// late for that, or not at all.
pub(super) fn creators(input: &Input<'_>) -> BTreeSet<Creator> {
    if input.render.no_owner || !input.sections.pre_data {
        return BTreeSet::new();
    }
    let made =
        |object: &&Object| !object.statements.is_empty() && object.kind != ObjectKind::DefaultAcl;
    let schemas: HashMap<&str, Option<&str>> = (input.objects.iter().filter(made))
        .filter(|object| object.kind == ObjectKind::Schema)
        .map(|schema| (schema.name.as_str(), schema.owner.as_deref()))
        .collect();
    let given = input
        .objects
        .iter()
        .filter(made)
        .filter_map(|object| Some((object.schema.as_deref()?, object.owner.as_deref()?)));
    given
        .filter(|(schema, owner)| {
            schemas.get(schema).is_some_and(|schema_owner| *schema_owner != Some(*owner))
        })
        .map(|(schema, owner)| Creator { schema: schema.to_owned(), role: owner.to_owned() })
        .collect()
}

impl Creator {
    /// Before the first object changes hands.
    pub(super) fn allow(&self) -> Step {
        let (schema, role) = self.quoted();
        Step::new(
            format!("let {role} own what is in schema {schema}"),
            format!("GRANT CREATE ON SCHEMA {schema} TO {role}"),
        )
    }

    /// Before the schema's own privileges are set.
    pub(super) fn forbid(&self) -> Step {
        let (schema, role) = self.quoted();
        let doing = format!("take back from {role} what it got to own objects in schema {schema}");
        Step::new(doing, format!("REVOKE CREATE ON SCHEMA {schema} FROM {role}"))
    }

    fn quoted(&self) -> (String, String) {
        (ident::quote(&self.schema), ident::quote(&self.role))
    }
}
