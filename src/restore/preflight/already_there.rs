//! What the target has already, before a restore makes anything: `public` and other empty schemas,
//! installed extensions.
//!
//! Pure: compares what the archive asks for with what was read of the target.

use crate::archive::manifest::{Acl, Grant, NotCarried, Object, ObjectKind};
use crate::restore::finding::Finding;
use crate::restore::target::{Schema, Target};
use crate::sql::{ident, render};

/// Takes the statements away from what the target has already. Owner, comment and privileges are
/// kept where they are the same, or not ours to change; the latter is told.
pub(in crate::restore) fn leave_present(
    objects: &mut [Object],
    target: &Target,
    render: &render::Options,
) -> Vec<NotCarried> {
    let mut kept = Vec::new();
    for object in objects {
        match object.kind {
            ObjectKind::Extension
                if target
                    .extensions
                    .get(&object.name)
                    .is_some_and(|extension| extension.installed) =>
            {
                object.statements.clear();
                object.comments.clear();
                object.owner = None;
            }
            ObjectKind::Schema => {
                if let Some(schema) = target.schemas.get(&object.name) {
                    kept.extend(leave_schema(object, schema, render));
                }
            }
            _ => {}
        }
    }
    kept
}

/// Extensions that stand in another schema than the archive has them in, where something that is
/// made uses them: its statements say their schema.
pub(in crate::restore) fn elsewhere(objects: &[Object], target: &Target) -> Vec<Finding> {
    let extensions = objects.iter().filter(|object| object.kind == ObjectKind::Extension);
    let finding = |object: &Object| {
        let extension = target.extensions.get(&object.name).filter(|one| one.installed)?;
        let found = ident::quote(extension.schema.as_deref()?);
        let (_, wanted) = object.statements.first()?.split_once(" WITH SCHEMA ")?;
        let uses = |one: &Object| !one.statements.is_empty() && one.depends_on.contains(&object.id);
        if found == wanted || !objects.iter().any(uses) {
            return None;
        }
        let name = ident::quote(&object.name);
        let problem = format!(
            "extension {name} stands in schema {found} of the target, and what is restored uses it \
             in schema {wanted}"
        );
        let way_out = format!(
            "ALTER EXTENSION {name} SET SCHEMA {wanted} there, or DROP EXTENSION {name}, so that \
             it is created anew"
        );
        Some(Finding::new(problem, way_out))
    };
    extensions.filter_map(finding).collect()
}

fn leave_schema(
    object: &mut Object,
    schema: &Schema,
    render: &render::Options,
) -> Option<NotCarried> {
    object.statements.clear();
    object.owner.take_if(|owner| render.no_owner || *owner == schema.owner);
    object.comments.retain(|comment| {
        !render.no_comments && comment.text != schema.comment.as_deref().unwrap_or_default()
    });
    let owner = object.owner.as_ref().unwrap_or(&schema.owner);
    if let Some(acl) = &mut object.acl {
        take_for_initial(acl, schema, owner);
    }
    object.acl.take_if(|acl| render.no_privileges || is_same(acl));
    let changed = object.owner.is_some() || !object.comments.is_empty() || object.acl.is_some();
    if schema.ours || !changed {
        return None;
    }
    object.owner = None;
    object.comments.clear();
    object.acl = None;
    let reason = format!(
        "it keeps the owner, privileges and comment that it has here: it belongs to {}",
        ident::quote(&schema.owner)
    );
    Some(NotCarried { kind: "schema".to_owned(), name: ident::quote(&object.name), reason })
}

/// What the target's schema grants stands for what a new one would, and its owner for the owner
/// that it had where the archive was made: before version 15 everybody could create in `public`,
/// and who had it then is nobody here.
fn take_for_initial(acl: &mut Acl, schema: &Schema, owner: &str) {
    let was_owner = acl.initial.first().map(|grant| grant.grantor.clone());
    let here = |role: &str| {
        if was_owner.as_deref() == Some(role) { owner.to_owned() } else { role.to_owned() }
    };
    let single = |grant: &Grant, privilege: &String| Grant {
        grantee: grant.grantee.as_deref().map(here),
        grantor: here(&grant.grantor),
        privileges: vec![privilege.clone()],
        ..grant.clone()
    };
    acl.items = acl
        .items
        .iter()
        .flat_map(|grant| grant.privileges.iter().map(move |privilege| single(grant, privilege)))
        .collect();
    let granted = schema.privileges.iter().map(|(grantee, privilege, grantable)| Grant {
        column: None,
        // A schema that changes hands takes its owner's privileges along.
        grantee: grantee
            .as_ref()
            .map(|role| if *role == schema.owner { owner.to_owned() } else { role.clone() }),
        grantor: owner.to_owned(),
        privileges: vec![privilege.clone()],
        grantable: *grantable,
    });
    acl.initial = granted.collect();
}

/// Whether both sides allow the same, whoever granted it.
fn is_same(acl: &Acl) -> bool {
    let same = |one: &Grant, other: &Grant| {
        (&one.grantee, &one.privileges, one.grantable)
            == (&other.grantee, &other.privileges, other.grantable)
    };
    let within = |some: &[Grant], all: &[Grant]| {
        some.iter().all(|one| all.iter().any(|other| same(one, other)))
    };
    within(&acl.items, &acl.initial) && within(&acl.initial, &acl.items)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::archive::manifest::testing::grant;
    use crate::archive::manifest::{Comment, ObjectId};
    use crate::restore::target::Extension;

    fn object(kind: ObjectKind, name: &str, owner: Option<&str>) -> Object {
        Object {
            name: name.into(),
            owner: owner.map(str::to_owned),
            statements: vec!["CREATE …".into()],
            ..Object::new(ObjectId(0), kind, format!("SCHEMA {name}"))
        }
    }

    /// `public` as a new database of version 15 has it.
    fn target(ours: bool) -> Target {
        let owner = "pg_database_owner".to_owned();
        let mut privileges = BTreeSet::from([(None, "USAGE".to_owned(), false)]);
        privileges
            .extend(["CREATE", "USAGE"].map(|word| (Some(owner.clone()), word.to_owned(), false)));
        let schema = Schema {
            owner,
            ours,
            comment: Some("standard public schema".into()),
            privileges,
            ..Schema::default()
        };
        let mut target = Target::default();
        target.schemas.insert("public".into(), schema);
        target.extensions.insert(
            "plpgsql".into(),
            Extension { installed: true, superuser: false, ..Extension::default() },
        );
        target
    }

    /// `public` of an older server, where it belongs to `postgres` and `everybody` has some
    /// privileges.
    fn public(everybody: &[&str]) -> Object {
        let mut public = object(ObjectKind::Schema, "public", None);
        let initial = vec![
            grant(Some("postgres"), "postgres", &["USAGE", "CREATE"]),
            grant(None, "postgres", &["USAGE"]),
        ];
        let items = vec![
            grant(Some("postgres"), "postgres", &["USAGE", "CREATE"]),
            grant(None, "postgres", everybody),
        ];
        public.acl = Some(Acl { on: "SCHEMA public".into(), initial, items });
        public
    }

    fn check(mut object: Object, ours: bool, expect_acl: &[&str], expect_kept: usize) {
        let options = render::Options::default();
        let kept = leave_present(std::slice::from_mut(&mut object), &target(ours), &options);
        assert_eq!(kept.len(), expect_kept, "{kept:?}");
        assert!(object.statements.is_empty());
        assert_eq!(render::acl_statements(&object, &options), expect_acl);
    }

    #[test]
    fn a_schemas_privileges_become_the_sources() {
        check(public(&["USAGE"]), true, &[], 0);
        check(public(&["USAGE", "CREATE"]), true, &["GRANT CREATE ON SCHEMA public TO PUBLIC"], 0);
        check(public(&[]), true, &["REVOKE USAGE ON SCHEMA public FROM PUBLIC"], 0);
    }

    #[test]
    fn a_schema_of_another_role_keeps_what_it_has_and_that_is_told() {
        check(public(&["USAGE"]), false, &[], 0);
        check(public(&["USAGE", "CREATE"]), false, &[], 1);
    }

    #[test]
    fn what_is_left_out_is_not_told() {
        let mut object = public(&["CREATE"]);
        object.owner = Some("kong".into());
        let options =
            render::Options { no_owner: true, no_privileges: true, ..render::Options::default() };
        assert_eq!(leave_present(std::slice::from_mut(&mut object), &target(false), &options), []);
    }

    #[test]
    fn an_extension_elsewhere_is_in_the_way_of_what_uses_it() {
        let mut hstore = object(ObjectKind::Extension, "hstore", None);
        hstore.statements = vec!["CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA there".into()];
        let user = Object {
            id: ObjectId(1),
            depends_on: vec![hstore.id],
            ..object(ObjectKind::Table, "t", None)
        };
        let found = |schema: &str, installed: bool, objects: &[Object]| {
            let mut target = target(true);
            let schema = Some(schema.to_owned());
            let extension = Extension { installed, schema, ..Extension::default() };
            target.extensions.insert("hstore".into(), extension);
            elsewhere(objects, &target).len()
        };
        let both = [hstore.clone(), user.clone()];
        assert_eq!(found("public", true, &both), 1);
        assert_eq!(found("there", true, &both), 0);
        assert_eq!(found("public", false, &both), 0);
        assert_eq!(found("public", true, &[hstore.clone()]), 0);
        let stands = Object { statements: vec![], ..user };
        assert_eq!(found("public", true, &[hstore, stands]), 0);
    }

    #[test]
    fn what_stands_is_left_alone() {
        let comment = |text: &str| Comment { on: "SCHEMA public".into(), text: text.into() };
        let mut public = object(ObjectKind::Schema, "public", Some("pg_database_owner"));
        public.comments = vec![comment("standard public schema")];
        let mut changed = object(ObjectKind::Schema, "public", Some("kong"));
        changed.comments = vec![comment("mine")];
        let mut plpgsql = object(ObjectKind::Extension, "plpgsql", None);
        plpgsql.comments = vec![comment("PL/pgSQL procedural language")];
        let mut objects =
            [public, changed, plpgsql, object(ObjectKind::Schema, "new", Some("kong"))];
        assert_eq!(leave_present(&mut objects, &target(true), &render::Options::default()), []);
        assert!(
            objects[0].statements.is_empty()
                && objects[0].comments.is_empty()
                && objects[0].owner.is_none()
        );
        assert!(
            objects[1].statements.is_empty()
                && objects[1].comments.len() == 1
                && objects[1].owner.is_some()
        );
        assert!(objects[2].statements.is_empty() && objects[2].comments.is_empty());
        assert_eq!(objects[3].statements.len(), 1);
    }
}
