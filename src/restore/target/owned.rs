//! All that the role owns in the schemas that the archive fills, for `--clean=schemas`: what an
//! extension has made and what belongs to others is left alone.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::leftover::Leftover;
use crate::archive::manifest::Object;
use crate::error::Result;
use crate::pg::schema_objects::{self, Movable, Place};
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// What stands in the schemas.
#[derive(Debug, Default)]
pub(in crate::restore) struct Owned {
    /// What goes, the newest first.
    pub(in crate::restore) leftovers: Vec<Leftover>,
    /// Of these the ones that the archive does not hold, in words.
    pub(in crate::restore) unasked: Vec<String>,
    /// The statements that part tables which refer to each other.
    pub(in crate::restore) foreign_keys: Vec<String>,
    /// What belongs to others and has the name of something that the archive holds.
    pub(in crate::restore) findings: Vec<Finding>,
}

/// Reads it. `objects`: what of the archive is restored.
pub(in crate::restore) async fn read(session: &Session, objects: &[Object]) -> Result<Owned> {
    let schemas: BTreeSet<&str> =
        objects.iter().filter_map(|object| object.schema.as_deref()).collect();
    let places: Vec<Place<'_>> =
        schemas.iter().map(|&schema| Place { schema, live: schema }).collect();
    let mut found = schema_objects::read(session, &places).await?;
    found.sort_by_key(|object| std::cmp::Reverse(object.oid));
    let schemas: Vec<String> = schemas.into_iter().map(ident::literal).collect();
    if schemas.is_empty() {
        return Ok(Owned::default());
    }
    let schemas = schemas.join(", ");
    let told = routines(session, &schemas).await?;
    let mut owned = judge(&found, &told, objects);
    owned.foreign_keys = foreign_keys(session, &schemas).await?;
    Ok(owned)
}

/// What goes and what prevents that; `told`: names of routines as an archive has them.
fn judge(found: &[Movable], told: &HashMap<u32, String>, objects: &[Object]) -> Owned {
    let held: HashSet<(Option<&str>, &str)> =
        objects.iter().map(|object| (object.schema.as_deref(), object.name.as_str())).collect();
    let mut owned = Owned::default();
    for object in found {
        let name = if object.key.space == "routine" {
            told.get(&object.oid).map_or("", String::as_str)
        } else {
            object.key.name.as_str()
        };
        let is_held = held.contains(&(Some(object.schema.as_str()), name));
        if object.is_ours {
            let leftover = Leftover::found(object);
            if !is_held {
                owned.unasked.push(leftover.to_string());
            }
            owned.leftovers.push(leftover);
        } else if is_held {
            let problem = format!(
                "{} belongs to another role, and the archive holds one of its name",
                object.describe()
            );
            owned.findings.push(Finding::new(
                problem,
                "let its owner drop it, or give the archive's another schema with --rename-schema",
            ));
        }
    }
    owned
}

/// The routines of these schemas, given as SQL literals, by oid.
async fn routines(session: &Session, schemas: &str) -> Result<HashMap<u32, String>> {
    let sql = format!(
        "SELECT p.oid, p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) \
         || ')' FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = \
         p.pronamespace WHERE n.nspname IN ({schemas})"
    );
    let rows = session.query("look what the target holds", &sql).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// The statements that drop the foreign keys of the role's own tables in these schemas: two tables
/// may refer to each other.
async fn foreign_keys(session: &Session, schemas: &str) -> Result<Vec<String>> {
    let sql = format!(
        "SELECT pg_catalog.format('ALTER TABLE IF EXISTS %I.%I DROP CONSTRAINT IF EXISTS %I', \
         n.nspname, c.relname, k.conname) FROM pg_catalog.pg_constraint k JOIN \
         pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = \
         c.relnamespace WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid <> k.conrelid \
         AND n.nspname IN ({schemas}) AND pg_catalog.pg_has_role(c.relowner, 'USAGE') AND NOT \
         EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.deptype = 'e' AND e.classid = \
         'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = c.oid) ORDER BY k.oid"
    );
    let rows = session.query("look what the target holds", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::{ObjectId, ObjectKind};
    use crate::pg::schema_objects::Key;

    fn found(oid: u32, space: &str, name: &str, is_ours: bool) -> Movable {
        Movable {
            class: 1,
            oid,
            key: Key {
                space: space.into(),
                schema: "s".into(),
                name: name.into(),
                signature: String::new(),
            },
            kind: if space == "routine" { "function" } else { "table" }.into(),
            identity: format!("s.{name}"),
            schema: "s".into(),
            is_ours,
            relkind: "r".into(),
            columns: Vec::new(),
            is_trigger_function: false,
            part_of: 0,
        }
    }

    #[test]
    fn what_goes_unasked_is_told_by_its_arguments_and_others_stay() {
        let object = |id, kind, name: &str| Object {
            schema: Some("s".into()),
            name: name.into(),
            ..Object::new(ObjectId(id), kind, String::new())
        };
        let objects = [
            object(0, ObjectKind::Table, "a"),
            object(1, ObjectKind::Table, "taken"),
            object(2, ObjectKind::Function, "f(integer)"),
        ];
        let target = [
            found(9, "relation", "a", true),
            found(8, "relation", "neighbour", true),
            found(7, "routine", "f", true),
            found(6, "routine", "f", true),
            found(5, "relation", "taken", false),
            found(4, "relation", "foreign", false),
        ];
        let told = HashMap::from([(7, "f(integer)".to_owned()), (6, "f(text)".to_owned())]);
        let owned = judge(&target, &told, &objects);
        assert_eq!(owned.unasked, ["TABLE s.neighbour", "ROUTINE s.f"]);
        assert_eq!(owned.leftovers.len(), 4);
        assert_eq!(owned.findings.len(), 1);
        assert!(owned.findings[0].problem.starts_with("table s.taken belongs to another role"));
    }
}
