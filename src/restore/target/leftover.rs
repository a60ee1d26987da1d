//! What is dropped to make room although the archive does not hold it, or not as it stands.

use std::fmt;

use crate::pg::schema_objects::Movable;
use crate::sql::ident;

/// Something in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::restore) struct Leftover {
    /// Kind and name, as `DROP` takes them.
    what: String,
    /// Catalog and oid, as an SQL row.
    address: String,
    /// Whether it stays where somebody else needs it.
    pub(in crate::restore) may_stay: bool,
}

impl Leftover {
    /// A table, by its name.
    pub(in crate::restore) fn table(schema: &str, name: &str) -> Self {
        Self::named("TABLE", &ident::qualified(schema, name), ("pg_class", "to_regclass"), false)
    }

    /// A trigger function, which has no declared arguments, by its name. It stays where somebody
    /// else's trigger runs it.
    pub(in crate::restore) fn trigger_function(schema: &str, name: &str) -> Self {
        let identity = format!("{}()", ident::qualified(schema, name));
        Self::named("FUNCTION", &identity, ("pg_proc", "to_regprocedure"), true)
    }

    fn named(word: &str, identity: &str, (class, find): (&str, &str), may_stay: bool) -> Self {
        let address = format!(
            "('pg_catalog.{class}'::pg_catalog.regclass::oid, pg_catalog.{find}({})::oid)",
            ident::literal(identity)
        );
        Self { what: format!("{word} {identity}"), address, may_stay }
    }

    /// An object that was found.
    pub(in crate::restore) fn found(object: &Movable) -> Self {
        let address = format!("({}::oid, {}::oid)", object.class, object.oid);
        Self { what: object.in_statement(), address, may_stay: false }
    }

    /// Catalog and oid, as an SQL row.
    pub(in crate::restore) fn address(&self) -> &str {
        &self.address
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
