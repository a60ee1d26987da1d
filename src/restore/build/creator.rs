//! A role that must be allowed to create in a schema while the restore gives it what it owns there.
//!
//! `ALTER … OWNER TO` demands that of the new owner, unless a superuser says it. Does not know whose the schema is.

use crate::pg::ident;
use crate::restore::graph::Step;

/// A new owner, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Creator {
    /// The schema's name, unquoted.
    pub(super) schema: String,
    /// The role's name, unquoted.
    pub(super) role: String,
}

impl Creator {
    /// Before the first object changes hands.
    pub(super) fn allow(&self) -> Step {
        let (schema, role) = self.quoted();
        Step::new(format!("let {role} own what is in schema {schema}"), format!("GRANT CREATE ON SCHEMA {schema} TO {role}"))
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
