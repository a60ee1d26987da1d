//! The roles and tablespaces that an archive names: each must stand in the target, and be the
//! restoring role's to use.
//!
//! Pure: compares what the archive asks for with what was read of the target.

use std::collections::{BTreeMap, BTreeSet};

use super::wanted::{Wanted, made};
use crate::archive::manifest::ObjectKind;
use crate::restore::finding::Finding;
use crate::restore::target::Target;
use crate::sql::ident;

/// Roles and tablespaces that are asked for.
pub(in crate::restore) fn roles_and_places(wanted: Wanted<'_>, target: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !wanted.render.no_owner {
        owners(wanted, target, &mut findings);
    }
    if !wanted.render.no_privileges {
        grantees(wanted, target, &mut findings);
    }
    other_roles(wanted, target, &mut findings);
    if !wanted.render.no_tablespaces {
        tablespaces(wanted, target, &mut findings);
    }
    findings
}

fn owners(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    let mut owned: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    for object in made(wanted).filter(|object| object.kind != ObjectKind::DefaultAcl) {
        if let Some(owner) = object.owner.as_deref() {
            let entry = owned.entry(owner).or_default();
            entry.0 += 1;
            entry.1.extend(object.schema.as_deref());
        }
    }
    for (owner, (count, schemas)) in owned {
        let quoted = ident::quote(owner);
        let objects = if count == 1 { "1 object".to_owned() } else { format!("{count} objects") };
        match target.roles.get(owner) {
            None => {
                let problem =
                    format!("role {quoted} does not exist; it owns {objects} of the archive");
                findings.push(Finding::new(
                    problem,
                    format!("CREATE ROLE {quoted}, or leave owners out with -O"),
                ));
            }
            Some(role) if !(role.set && role.usage) => {
                let user = ident::quote(&target.user);
                let problem = format!(
                    "role {user} may not give objects to role {quoted}, which owns {objects} of \
                     the archive"
                );
                findings.push(Finding::new(
                    problem,
                    format!("GRANT {quoted} TO {user}, or leave owners out with -O"),
                ));
            }
            // Of the role itself it is said already.
            Some(_) if target.superuser || owner == target.user => {}
            Some(_) => {
                for name in schemas {
                    if target
                        .schemas
                        .get(name)
                        .is_some_and(|schema| !schema.creators.contains(owner))
                    {
                        let problem = format!(
                            "role {quoted} may not create in schema {}, which an owner must",
                            ident::quote(name)
                        );
                        let way_out = format!(
                            "GRANT CREATE ON SCHEMA {} TO {quoted}, or leave owners out with -O",
                            ident::quote(name)
                        );
                        findings.push(Finding::new(problem, way_out));
                    }
                }
            }
        }
    }
}

fn grantees(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    let mut foreign: BTreeSet<&str> = BTreeSet::new();
    for object in wanted.objects.iter().filter(|object| wanted.sections.holds(object.section)) {
        let Some(acl) = &object.acl else { continue };
        for grant in acl.granted().chain(acl.revoked()) {
            missing
                .extend(grant.grantee.as_deref().filter(|role| !target.roles.contains_key(*role)));
        }
        let owner = object
            .owner
            .as_deref()
            .or_else(|| acl.initial.first().map(|grant| grant.grantor.as_str()));
        for grantor in acl
            .granted()
            .map(|grant| grant.grantor.as_str())
            .filter(|grantor| owner != Some(grantor))
        {
            match target.roles.get(grantor) {
                None => drop(missing.insert(grantor)),
                Some(role) if !role.set => drop(foreign.insert(grantor)),
                Some(_) => {}
            }
        }
        if object.kind == ObjectKind::DefaultAcl {
            let roles = object.owner.iter().chain(&object.roles).map(String::as_str);
            for role in roles {
                match target.roles.get(role) {
                    None => drop(missing.insert(role)),
                    Some(one) if !(one.set || one.usage) => drop(foreign.insert(role)),
                    Some(_) => {}
                }
            }
        }
    }
    for role in missing {
        let quoted = ident::quote(role);
        let problem = format!("role {quoted} does not exist; privileges of the archive name it");
        findings.push(Finding::new(
            problem,
            format!("CREATE ROLE {quoted}, or leave privileges out with -x"),
        ));
    }
    for role in foreign {
        let (quoted, user) = (ident::quote(role), ident::quote(&target.user));
        let problem = format!(
            "role {user} may not grant in the name of role {quoted}, as the archive's privileges ask"
        );
        findings.push(Finding::new(
            problem,
            format!("GRANT {quoted} TO {user}, or leave privileges out with -x"),
        ));
    }
}

/// Policies and user mappings name roles in their statements.
fn other_roles(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    for object in made(wanted).filter(|object| object.kind != ObjectKind::DefaultAcl) {
        for role in object.roles.iter().filter(|role| !target.roles.contains_key(*role)) {
            let quoted = ident::quote(role);
            findings.push(Finding::new(
                format!("role {quoted} does not exist; {} names it", object.identity),
                format!("CREATE ROLE {quoted}"),
            ));
        }
    }
}

fn tablespaces(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    let names: BTreeSet<&str> =
        made(wanted).filter_map(|object| object.tablespace.as_deref()).collect();
    for name in names {
        let quoted = ident::quote(name);
        let problem = match target.tablespaces.get(name) {
            None => format!("tablespace {quoted} does not exist"),
            Some(false) => {
                format!("role {} may not create in tablespace {quoted}", ident::quote(&target.user))
            }
            Some(true) => continue,
        };
        findings.push(Finding::new(problem, "use the default tablespace with --no-tablespaces"));
    }
}

#[cfg(test)]
mod tests;
