//! What of an archive is staged: what stands in schemas. What exists once in a database is not, and
//! is named, or must be there where something staged needs it.
//!
//! Pure: judges a manifest's objects and what was read of the database.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::here::{Here, is_within};
use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind};
use crate::restore::Finding;
use crate::sql::ident;

/// What is staged, and what is not.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// The schemas, by their names in the archive, unquoted.
    pub(super) schemas: BTreeSet<String>,
    /// The objects that are not.
    pub(super) left: HashSet<ObjectId>,
    /// Those that are named.
    pub(super) left_out: Vec<NotCarried>,
    /// What is needed and not there.
    pub(super) findings: Vec<Finding>,
}

impl Parts {
    /// Divides an archive's objects, of which these are selected.
    pub(super) fn of(all: &[Object], selected: &[Object], here: &Here) -> Self {
        let stands_in = |object: &&Object| {
            object.kind != ObjectKind::Schema && !exists_once(object) && object.schema.is_some()
        };
        let mut schemas: BTreeSet<String> =
            selected.iter().filter(stands_in).filter_map(|object| object.schema.clone()).collect();
        let is_new = |object: &&Object| {
            object.kind == ObjectKind::Schema
                && !object.statements.is_empty()
                && !here.schemas.contains(&object.name)
                && !selected.iter().any(|other| places_extension(other, &object.name))
        };
        schemas.extend(selected.iter().filter(is_new).map(|object| object.name.clone()));
        let types: HashSet<(&Option<String>, &String)> = (all.iter())
            .filter(|object| object.kind == ObjectKind::Type)
            .map(|object| (&object.schema, &object.name))
            .collect();
        let is_left = |object: &&Object| match object.kind {
            ObjectKind::Database => false,
            // Nothing moves a type that is never made whole.
            ObjectKind::ShellType if !types.contains(&(&object.schema, &object.name)) => true,
            ObjectKind::Schema => !schemas.contains(&object.name),
            _ => {
                exists_once(object)
                    || object.schema.as_ref().is_some_and(|schema| !schemas.contains(schema))
            }
        };
        let left: HashSet<ObjectId> = all.iter().filter(is_left).map(|object| object.id).collect();
        let needed = needed(selected, &left);
        let mut parts = Self::default();
        for object in selected.iter().filter(|object| left.contains(&object.id)) {
            parts.judge(object, needed.get(&object.id).copied(), here);
        }
        parts.findings.extend(clashes(selected, &left, here));
        parts.findings.extend(selected.iter().filter_map(|object| default_for(object, &schemas)));
        Self { schemas, left, ..parts }
    }

    /// Says what becomes of an object that is not staged.
    fn judge(&mut self, object: &Object, needed_by: Option<&Object>, here: &Here) {
        use ObjectKind as K;
        let what = format!("{} {}", object.kind, ident::quote(&object.name));
        if here.stands(object) {
            if let (Some(needed_by), true) = (needed_by, here.is_elsewhere(object)) {
                let problem = format!(
                    "{what} stands in another schema here than in the archive, and {} needs it",
                    needed_by.identity
                );
                let way_out = "move it (ALTER EXTENSION … SET SCHEMA), or restore into a \
                    database of its own";
                self.findings.push(Finding::new(problem, way_out));
            }
            return;
        }
        if let Some(needed_by) = needed_by {
            let problem = format!(
                "{what} exists once in a database and is not staged, and {} needs it",
                needed_by.identity
            );
            let way_out = match object.kind {
                K::Extension
                | K::Language
                | K::ForeignServer
                | K::ForeignDataWrapper
                | K::AccessMethod => "create it in the database first",
                _ => "restore into a database of its own",
            };
            self.findings.push(Finding::new(problem, way_out));
            return;
        }
        let reason = match object.kind {
            // Parts of what is named, and a schema that stands.
            K::PublicationTable | K::PublicationSchema | K::Schema => return,
            K::ShellType => "it is a shell, which cannot be moved",
            K::DefaultAcl => "what is live keeps its own",
            _ if object.schema.as_deref().is_some_and(is_servers) => {
                "its schema is the server's own, and is not staged"
            }
            _ if object.extension.is_some() => "it is on an extension's object",
            _ => "it exists once in a database, and is not staged",
        };
        self.left_out.push(NotCarried {
            kind: object.kind.to_string(),
            name: ident::quote(&object.name),
            reason: reason.to_owned(),
        });
    }
}

/// Whether there can be only one of an object in a database, however many schemas there are.
fn exists_once(object: &Object) -> bool {
    use ObjectKind as K;
    // Where objects are moved out of a schema, what it gives new ones stays behind.
    let stays_behind = object.kind == K::DefaultAcl
        && object.schema.as_deref().is_none_or(|schema| schema == "public");
    object.extension.is_some()
        || stays_behind
        || object.schema.as_deref().is_some_and(is_servers)
        || matches!(
            object.kind,
            K::Database
                | K::Extension
                | K::Language
                | K::Cast
                | K::Transform
                | K::AccessMethod
                | K::ForeignDataWrapper
                | K::ForeignServer
                | K::UserMapping
                | K::LargeObject
                | K::Publication
                | K::PublicationTable
                | K::PublicationSchema
                | K::Subscription
                | K::EventTrigger
                | K::Comment
        )
}

/// Whether a schema is the server's own, of which there is one.
fn is_servers(schema: &str) -> bool {
    schema.starts_with("pg_") || schema == "information_schema"
}

/// Whether an object is an extension that is made in this schema.
fn places_extension(object: &Object, schema: &str) -> bool {
    object.kind == ObjectKind::Extension
        && object.statements.iter().any(|sql| is_within(sql, schema))
}

/// Of what is left, what something staged needs, with one that does.
fn needed<'a>(selected: &'a [Object], left: &HashSet<ObjectId>) -> HashMap<ObjectId, &'a Object> {
    let staged = selected.iter().filter(|object| !left.contains(&object.id));
    staged
        .flat_map(|object| object.depends_on.iter().map(move |id| (*id, object)))
        .filter(|(id, object)| left.contains(id) && object.kind != ObjectKind::Schema)
        .collect()
}

/// Of a type that is not staged there can be one default operator class: that which is live.
fn default_for(object: &Object, staged: &BTreeSet<String>) -> Option<Finding> {
    if object.kind != ObjectKind::OperatorClass {
        return None;
    }
    let sql = object.statements.first()?;
    let (_, of) = sql.split_once(" DEFAULT FOR TYPE ")?;
    let is_staged =
        staged.iter().any(|schema| of.starts_with(&format!("{}.", ident::quote(schema))));
    let problem = format!("{} is the default one of a type that is not staged", object.identity);
    (!is_staged).then(|| Finding::new(problem, "restore into a database of its own"))
}

/// Staged objects that have the name of an extension's member in the same live schema: which is
/// meant, a text would not tell.
fn clashes(selected: &[Object], left: &HashSet<ObjectId>, here: &Here) -> Vec<Finding> {
    let staged = selected.iter().filter(|object| !left.contains(&object.id) && object.of.is_none());
    let clash = |object: &Object| {
        let members = here.members.get(object.schema.as_ref()?)?;
        let name = object.name.split('(').next().unwrap_or_default();
        members.contains(name).then(|| {
            let problem =
                format!("{} has the name of something that is an extension's", object.identity);
            Finding::new(problem, "restore into a database of its own")
        })
    };
    staged.filter_map(clash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: u32, kind: ObjectKind, schema: Option<&str>, name: &str) -> Object {
        Object {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            statements: vec!["CREATE".to_owned()],
            ..Object::new(ObjectId(id), kind, format!("{kind} {name}"))
        }
    }

    fn here() -> Here {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Here {
            schemas: names(&["public", "ext"]),
            standing: [(("extension".to_owned(), "citext".to_owned()), "ext".to_owned())].into(),
            members: [("public".to_owned(), names(&["digest"]))].into(),
        }
    }

    #[test]
    fn what_stands_in_schemas_is_staged() {
        use ObjectKind as K;
        let mut citext = object(1, K::Extension, None, "citext");
        citext.statements = vec!["CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA ext".into()];
        let mut publication = object(2, K::PublicationTable, None, "p");
        publication.of = Some(ObjectId(5));
        let mut table = object(5, K::Table, Some("public"), "t");
        table.depends_on = vec![ObjectId(1), ObjectId(3)];
        let objects = [
            object(0, K::Schema, None, "ext"),
            citext,
            publication,
            object(3, K::Schema, None, "public"),
            object(4, K::Schema, None, "empty"),
            table,
            object(6, K::Publication, None, "p"),
            object(7, K::DefaultAcl, Some("public"), "tables of a"),
            object(8, K::EventTrigger, None, "e"),
        ];
        let parts = Parts::of(&objects, &objects, &here());
        assert_eq!(
            parts.schemas.iter().map(String::as_str).collect::<Vec<_>>(),
            ["empty", "public"]
        );
        let mut left: Vec<u32> = parts.left.iter().map(|id| id.0).collect();
        left.sort_unstable();
        assert_eq!(left, [0, 1, 2, 6, 7, 8]);
        let named: Vec<&str> = parts.left_out.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(named, ["publication", "default acl", "event trigger"]);
        assert_eq!(parts.findings, []);
    }

    #[test]
    fn what_is_needed_must_be_there() {
        use ObjectKind as K;
        let mut table = object(5, K::Table, Some("public"), "t");
        table.depends_on = vec![ObjectId(1)];
        let check = |name: &str, schema: &str, expect: &str| {
            let mut extension = object(1, K::Extension, None, name);
            extension.statements = vec![format!("CREATE EXTENSION {name} WITH SCHEMA {schema}")];
            let objects = [extension, table.clone()];
            let findings = Parts::of(&objects, &objects, &here()).findings;
            assert!(findings[0].to_string().contains(expect), "{findings:?}");
        };
        check("hstore", "public", "extension hstore exists once in a database");
        check("citext", "public", "extension citext stands in another schema here");
    }

    #[test]
    fn a_name_that_an_extension_has_too() {
        let objects = [object(1, ObjectKind::Function, Some("public"), "digest(text)")];
        let findings = Parts::of(&objects, &objects, &here()).findings;
        assert!(findings[0].problem.contains("digest(text) has the name of"), "{findings:?}");
    }
}
