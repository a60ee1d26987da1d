//! All that stands in the way between an archive and a target, other restores included, found
//! before the first statement and told at once.
//!
//! Pure: compares what the archive asks for with what was read of the target.

pub(super) mod already_there;
pub(super) mod home;
pub(super) mod older_server;
mod roles;
pub(super) mod sections;
mod superuser;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::roles::roles_and_places;
pub(super) use self::wanted::Wanted;
use self::wanted::made;
use super::mark;
use super::target::Target;
use crate::archive::manifest::{Object, ObjectKind, Section, newer_than_known};
use crate::error::{Error, Kind};
use crate::pg::marker::Marker;
use crate::restore::finding::{Finding, Sort};
use crate::sql::ident;

/// Findings as one error; none is no error.
pub(super) fn refuse(findings: &[Finding], target: &Target) -> Option<Error> {
    let doing = format!("prepare to restore into database {}", ident::quote(&target.database));
    match findings {
        [] => None,
        [one] => Some(Error::new(Kind::Requirement, doing, &one.problem).hint(&one.way_out)),
        many => {
            let cause = format!("{} problems prevent this restore:", many.len());
            Some(
                Error::new(Kind::Requirement, doing, cause)
                    .with_items(many.iter().map(Finding::to_string).collect()),
            )
        }
    }
}

/// What keeps the restore from beginning.
pub(super) fn findings(wanted: Wanted<'_>, target: &Target) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(marker) = &target.marker {
        findings.push(unfinished(wanted, marker));
    } else if wanted.sections.pre_data && wanted.demands_empty && target.occupied_count > 0 {
        findings.push(occupied(wanted, target));
    }
    encoding(wanted, target, &mut findings);
    schemas(wanted, target, &mut findings);
    create_rights(wanted, target, &mut findings);
    findings.extend(roles_and_places(wanted, target));
    extensions(wanted, target, &mut findings);
    superuser::needed(wanted, target, &mut findings);
    findings
}

/// Something is there that this run has not made.
fn occupied(wanted: Wanted<'_>, target: &Target) -> Finding {
    let more = if target.occupied_count > target.occupied.len() as u64 { ", …" } else { "" };
    let noun = if target.occupied_count == 1 { "object" } else { "objects" };
    let objects =
        format!("it holds {} {noun}: {}{more}", target.occupied_count, target.occupied.join(", "));
    let comes_after = |object: &Object| object.section == Section::PostData;
    let way_out = if made(wanted).next().is_some() && made(wanted).all(comes_after) {
        "add --section post-data, which makes keys, indexes and triggers on tables that stand"
    } else {
        "restore into an empty database, or let -c drop what the archive holds"
    };
    if wanted.resumes {
        let problem =
            format!("no unfinished restore is in the target, which is not empty, {objects}");
        return Finding::new(
            problem,
            format!("one that was stopped after its last commit is done; else {way_out}"),
        )
        .sort(Sort::NotEmpty);
    }
    Finding::new(format!("the target is not empty, {objects}"), way_out).sort(Sort::NotEmpty)
}

/// An earlier restore was left undone, or is at work.
fn unfinished(wanted: Wanted<'_>, marker: &Marker) -> Finding {
    let problem = format!("the target holds {}", marker.describe());
    let schema = ident::quote(&marker.schema);
    let way_out = match (marker.is_ready(), wanted.cleans) {
        _ if marker.is_of_stage() => mark::STAGE_LEFT.to_owned(),
        (true, true) => "it may be in use: run the same command again without -c, or with \
            --resume, which makes what is missing"
            .to_owned(),
        (true, false) => "run the command of the first time again (--ready-early), which makes \
            what is missing"
            .to_owned(),
        // What it has made is dropped; so this is about what cannot be.
        (false, _) if wanted.sections.pre_data => {
            "restore again with --resume, which goes on, or with -c, which begins anew, or into a \
             new, empty database"
                .to_owned()
        }
        (false, _) => {
            format!(
                "restore again with --resume, which goes on; or empty the tables that it \
                 filled, drop schema {schema}, and begin anew"
            )
        }
    };
    Finding::new(problem, way_out)
}

/// Stands in the way: another restore is at work in the target. What it makes is neither filled nor
/// finished beside it.
pub(super) fn others_at_work(processes: &[i32]) -> Option<Finding> {
    let processes: Vec<String> = processes.iter().map(i32::to_string).collect();
    let problem = format!(
        "another restore is at work in the target (server processes {})",
        processes.join(", ")
    );
    (!processes.is_empty()).then(|| {
        Finding::new(problem, "let it end; pg_terminate_backend ends what a killed one left behind")
    })
}

/// Stands in the way of finishing: what an earlier run has left to do is not what this one would
/// leave.
pub(super) fn other_rest(target: &Target, rest: u64) -> Option<Finding> {
    let marker = target.marker.as_ref().filter(|marker| !mark::leaves(marker, rest))?;
    let problem = format!(
        "the interrupted restore used other options (or another version): the target holds {}",
        marker.describe()
    );
    Some(Finding::new(
        problem,
        "restore with the options of the first time: which objects and rows, --fk, --no-analyze, \
         --no-owner and the like",
    ))
}

/// What may surprise and keeps nothing from working.
pub(super) fn warnings(wanted: Wanted<'_>, target: &Target) -> Vec<String> {
    let mut warnings = Vec::new();
    let source = wanted.source;
    if target.version_num / 10_000 < source.server_version_num / 10_000 {
        warnings.push(format!(
            "the archive comes from PostgreSQL {}, the target is the older {}: a statement may be refused",
            source.server_version, target.version
        ));
    }
    warnings.extend(newer_than_known(target.version_num, &target.version));
    if source.encoding != target.encoding {
        warnings.push(format!(
            "the archive's encoding is {}, the target's is {}: texts are converted, and one that \
             cannot be is refused",
            source.encoding, target.encoding
        ));
    }
    if (&source.collate, &source.ctype) != (&target.collate, &target.ctype) {
        warnings.push(format!(
            "the archive's database sorts by {} (ctype {}), the target by {} (ctype {}): text may \
             come in another order",
            source.collate, source.ctype, target.collate, target.ctype
        ));
    }
    warnings
}

/// Stands in the way of `--fk trust`: it asks for a right that a plain owner has not.
pub(super) fn trust(target: &Target) -> Option<Finding> {
    if target.sets_replica {
        return None;
    }
    let user = ident::quote(&target.user);
    let problem =
        format!("role {user} may not set session_replication_role, which --fk trust needs");
    let way_out = if target.version_num >= 150_000 {
        format!(
            "GRANT SET ON PARAMETER session_replication_role TO {user}, or leave --fk trust out"
        )
    } else {
        "restore as a superuser, or leave --fk trust out".to_owned()
    };
    Some(Finding::new(problem, way_out))
}

/// The triggers of foreign keys are the server's.
pub(super) fn disable_triggers(target: &Target) -> Option<Finding> {
    let problem = format!(
        "role {} is no superuser, which --disable-triggers needs for those of foreign keys",
        ident::quote(&target.user)
    );
    (!target.superuser)
        .then(|| Finding::new(problem, "restore as a superuser, or leave --disable-triggers out"))
}

fn encoding(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    let source = &wanted.source.encoding;
    // Into another, the server converts; what the bytes of SQL_ASCII mean nobody knows.
    let of_unknown_bytes =
        source == "SQL_ASCII" || (target.encoding == "SQL_ASCII" && source != "UTF8");
    if *source != target.encoding && of_unknown_bytes {
        let problem =
            format!("the archive's encoding is {source}, the target's is {}", target.encoding);
        findings.push(Finding::new(
            problem,
            format!(
                "create the database with ENCODING {} TEMPLATE template0",
                ident::literal(source)
            ),
        ));
    }
}

/// Where tables, functions or a list are chosen, schemas are expected to stand.
fn schemas(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    let is_of_product = |schema: &str| matches!(schema, "pg_catalog" | "information_schema");
    let made_here: BTreeSet<&str> = made(wanted)
        .filter(|object| object.kind == ObjectKind::Schema)
        .map(|object| object.name.as_str())
        .collect();
    let mut missing: BTreeMap<&str, u64> = BTreeMap::new();
    for schema in made(wanted).filter_map(|object| object.schema.as_deref()) {
        let stands = target.schemas.contains_key(schema) || made_here.contains(schema);
        if !(stands || is_of_product(schema)) {
            *missing.entry(schema).or_default() += 1;
        }
    }
    for (schema, count) in missing {
        let quoted = ident::quote(schema);
        let objects =
            if count == 1 { "1 object goes".into() } else { format!("{count} objects go") };
        findings.push(Finding::new(
            format!("schema {quoted} does not exist in the target, and {objects} there"),
            format!("CREATE SCHEMA {quoted}, or choose it too, with all in it (-n)"),
        ));
    }
}

fn create_rights(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    let user = ident::quote(&target.user);
    if wanted.marks && !target.creates_schemas {
        let database = ident::quote(&target.database);
        let problem = format!("role {user} may not create schemas in database {database}");
        findings.push(Finding::new(
            problem,
            format!("GRANT CREATE ON DATABASE {database} TO {user}, or make it the owner"),
        ));
    }
    let schemas: BTreeSet<&str> = made(wanted)
        .filter(|object| object.section == Section::PreData)
        .filter_map(|object| object.schema.as_deref())
        .collect();
    for name in schemas {
        if let Some(schema) = target.schemas.get(name).filter(|schema| !schema.creates) {
            let quoted = ident::quote(name);
            let problem = format!(
                "role {user} may not create in schema {quoted}, which belongs to {}",
                ident::quote(&schema.owner)
            );
            findings.push(Finding::new(
                problem,
                format!(
                    "GRANT CREATE ON SCHEMA {quoted} TO {user}, or make it the database's owner"
                ),
            ));
        }
    }
}

fn extensions(wanted: Wanted<'_>, target: &Target, findings: &mut Vec<Finding>) {
    for object in made(wanted).filter(|object| object.kind == ObjectKind::Extension) {
        let quoted = ident::quote(&object.name);
        match target.extensions.get(&object.name) {
            None => {
                let problem = format!("extension {quoted} is not available on the target's server");
                findings.push(Finding::new(problem, "install its package there"));
            }
            Some(extension) if extension.superuser && !extension.installed && !target.superuser => {
                let problem = format!("extension {quoted} can only be created by a superuser");
                findings.push(Finding::new(
                    problem,
                    format!("let a superuser run CREATE EXTENSION {quoted} in the target first"),
                ));
            }
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
