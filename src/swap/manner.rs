//! How the objects of each schema change places: one by one where something stays in the schema,
//! or the schemas with all in them, by their names.

use super::sets::Sets;
use crate::error::Result;
use crate::pg::schema_objects;
use crate::pg::session::Session;
use crate::pg::swap_state::SchemaPair;
use crate::sql::ident;

/// How the objects of a schema change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Each goes to the other schema.
    OneByOne,
    /// The two schemas take other names, and keep owner, privileges and all that is said of them.
    WholeSchemas,
    /// The live schema is not there: the copy's takes its name.
    Brought,
}

/// Looks, for each pair.
pub async fn look(session: &Session, sets: &Sets, pairs: &[SchemaPair]) -> Result<Vec<Manner>> {
    let mut manners = Vec::with_capacity(pairs.len());
    for pair in pairs {
        manners.push(of_pair(session, sets, pair).await?);
    }
    Ok(manners)
}

async fn of_pair(session: &Session, sets: &Sets, pair: &SchemaPair) -> Result<Manner> {
    // What an extension has put there, or a publication is of, cannot be told to stay.
    let sql = format!(
        "SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE') AND NOT EXISTS (SELECT FROM \
         pg_catalog.pg_depend d WHERE d.refclassid = \
         'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid AND (d.classid NOT \
         IN ({}) OR EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND \
         e.objid = d.objid AND e.deptype = 'e'))) FROM pg_catalog.pg_namespace n WHERE n.nspname \
         = {}",
        schema_objects::classes()
            .chain(["pg_default_acl"])
            .map(regclass)
            .collect::<Vec<_>>()
            .join(", "),
        ident::literal(&pair.live)
    );
    let rows = session.query("look what is in the live schema", &sql).await?;
    let Some(row) = rows.first() else { return Ok(Manner::Brought) };
    // What a new database's public has is no other schema's.
    let is_whole =
        row.get::<_, bool>(0)? && pair.live != "public" && !sets.staying.contains(&pair.live);
    Ok(if is_whole { Manner::WholeSchemas } else { Manner::OneByOne })
}

fn regclass(catalog: &str) -> String {
    format!("'pg_catalog.{catalog}'::pg_catalog.regclass")
}
