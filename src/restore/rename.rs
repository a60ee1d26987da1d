//! An archive's manifest with other names for schemas: what was dumped from one is restored into
//! another. Everything after this knows the new names only.

mod holders;
mod while_loading;

use std::collections::{BTreeMap, HashSet};

use self::holders::Holders;
use crate::archive::manifest::{
    Acl, Detail, Manifest, Object, ObjectId, ObjectKind, Table, TableName,
};
use crate::error::{Error, Kind, Result};
use crate::select::Selection;
use crate::sql::ident;
use crate::sql::rename::{Reading, Renames};

/// So many of what cannot be renamed are told.
const TOLD_MAX: usize = 10;

/// Renames. Schemas that the archive does not describe stay as they are, and so does what a
/// selection leaves out.
///
/// # Errors
/// [`Kind::Usage`] if the archive has no schema of an old name, or one of a new name beside it;
/// [`Kind::Requirement`] if something that is selected cannot be renamed for sure.
pub(super) fn rename(
    manifest: &mut Manifest,
    selection: &Selection,
    renames: &Renames,
) -> Result<()> {
    if renames.is_empty() {
        return Ok(());
    }
    check_names(manifest, renames)?;
    let holders = Holders::of(manifest);
    // One that holds nothing gives way; a schema of which more is said has been refused.
    manifest.objects.retain(|object| {
        !renames.pairs().any(|(_, new)| is_schema(object, new) && renames.new_name(new).is_none())
    });
    let mut refused = if renames.keep_bodies() {
        while_loading::refused(&manifest.objects, renames)
    } else {
        Vec::new()
    };
    for object in &mut manifest.objects {
        // What is refused keeps its old text: if it is selected, nothing is restored.
        let identity = object.identity.clone();
        if let Err(cause) = rename_object(object, renames) {
            refused.push((object.id, format!("{identity}: {cause}")));
        }
    }
    let mut rows = Vec::new();
    for table in &mut manifest.tables {
        let done = rename_table(table, renames, &holders);
        if selection.rows_of(table)
            && let Err(cause) = done
        {
            rows.push(format!("the rows of {}: {cause}", table.name));
        }
    }
    let selected = if refused.is_empty() {
        HashSet::new()
    } else {
        selection.apply(manifest.objects.clone()).ids()
    };
    let objects = refused.into_iter().filter(|(id, _)| selected.contains(id));
    refuse(&objects.map(|(_, text)| text).chain(rows).collect::<Vec<_>>())?;
    for (_, new) in renames.pairs() {
        describe_schema(manifest, new);
        own_schema(manifest, new);
    }
    Ok(())
}

/// Adds a schema that holds something and is not described: a new database has `public` anyhow,
/// and an archive says nothing of one that is as it was.
fn describe_schema(manifest: &mut Manifest, name: &str) {
    let objects = &mut manifest.objects;
    let is_made = |object: &Object| is_schema(object, name) && !object.statements.is_empty();
    if name == "public" || objects.iter().any(is_made) {
        return;
    }
    let described = objects.extract_if(.., |object| is_schema(object, name)).next();
    let id = ObjectId(objects.iter().map(|object| object.id.0 + 1).max().unwrap_or_default());
    let quoted = ident::quote(name);
    // Rows alone come into a schema that stands.
    let made = objects.iter().any(|object| !object.statements.is_empty());
    let schema = Object {
        name: name.to_owned(),
        statements: made.then(|| format!("CREATE SCHEMA {quoted}")).into_iter().collect(),
        drop: Some(format!("DROP SCHEMA {quoted}")),
        acl: described.and_then(|object| object.acl).filter(|_| made),
        ..Object::new(id, ObjectKind::Schema, format!("SCHEMA {quoted}"))
    };
    for object in objects.iter_mut().filter(|object| object.schema.as_deref() == Some(name)) {
        object.depends_on.push(id);
    }
    let first = objects.iter().take_while(|object| object.kind == ObjectKind::Database).count();
    objects.insert(first, schema);
}

/// Refuses names that would do nothing, or make one schema of two.
fn check_names(manifest: &Manifest, renames: &Renames) -> Result<()> {
    let has = |schema: &str| {
        manifest.objects.iter().any(|object| {
            object.schema.as_deref() == Some(schema)
                || (is_schema(object, schema) && !object.statements.is_empty())
        }) || manifest.tables.iter().any(|table| table.schema == schema)
    };
    for (old, new) in renames.pairs() {
        let refuse = |cause: String| {
            let doing = format!("rename schema {old} to {new}");
            Err(Error::new(Kind::Usage, doing, cause)
                .hint("silverback list shows what the archive has"))
        };
        if !has(old) {
            return refuse(format!("the archive has nothing in a schema {old}"));
        }
        if has(new) && renames.new_name(new).is_none() {
            return refuse(format!("the archive has a schema {new}, too"));
        }
    }
    Ok(())
}

/// Gives a schema that is made, and whose owner nobody says, to the owner of most that is in it: the
/// role must keep its right to create there.
fn own_schema(manifest: &mut Manifest, name: &str) {
    let mut owners: BTreeMap<&str, usize> = BTreeMap::new();
    for object in &manifest.objects {
        if object.schema.as_deref() == Some(name)
            && let Some(owner) = &object.owner
        {
            *owners.entry(owner).or_default() += 1;
        }
    }
    let most = owners.into_iter().max_by_key(|(_, count)| *count);
    let Some(owner) = most.map(|(owner, _)| owner.to_owned()) else { return };
    let is_ownerless = |object: &&mut Object| {
        is_schema(object, name) && object.owner.is_none() && !object.statements.is_empty()
    };
    if let Some(schema) = manifest.objects.iter_mut().find(is_ownerless) {
        if let Some(acl) = &mut schema.acl {
            granted_by(acl, &owner);
        }
        schema.owner = Some(owner);
    }
}

/// Puts another role in the place of the owner whose grants these are.
fn granted_by(acl: &mut Acl, owner: &str) {
    let Some(before) = acl.initial.first().map(|grant| grant.grantor.clone()) else { return };
    for grant in acl.initial.iter_mut().chain(&mut acl.items) {
        for role in grant.grantee.iter_mut().chain([&mut grant.grantor]) {
            if *role == before {
                owner.clone_into(role);
            }
        }
    }
}

fn is_schema(object: &Object, name: &str) -> bool {
    object.kind == ObjectKind::Schema && object.name == name
}

fn refuse(all: &[String]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let more = all.len().saturating_sub(TOLD_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let shown = all[..all.len().min(TOLD_MAX)].join("; ");
    Err(Error::new(
        Kind::Requirement,
        "rename schemas",
        format!("what cannot be renamed for sure: {shown}{more}"),
    )
    .hint(
        "leave these out (-T, --exclude-table-data, or a dump without them) and make them by hand \
         afterwards, or restore under the old name into a database of its own and ALTER SCHEMA … \
         RENAME there",
    ))
}

fn rename_object(object: &mut Object, renames: &Renames) -> Result<(), String> {
    let pristine = object.kind == ObjectKind::Schema && object.name == "public";
    if let Some(new) = object.schema.as_deref().and_then(|schema| renames.new_name(schema)) {
        object.schema = Some(new.to_owned());
    }
    let reading = reading(object.kind);
    if object.kind == ObjectKind::Schema {
        let Some(new) = renames.new_name(&object.name) else { return Ok(()) };
        object.name = new.to_owned();
    } else if matches!(object.kind, ObjectKind::Function | ObjectKind::Aggregate) {
        // With the types of its arguments.
        plain(&mut object.name, renames)?;
    }
    plain(&mut object.identity, renames)?;
    if let Some(acl) = &mut object.acl {
        plain(&mut acl.on, renames)?;
    }
    let comments = object.comments.iter_mut().map(|comment| &mut comment.on);
    for on in comments.chain(object.security_labels.iter_mut().map(|label| &mut label.on)) {
        plain(on, renames)?;
    }
    if let Some(drop) = &mut object.drop {
        plain(drop, renames)?;
    }
    for statement in &mut object.statements {
        text(statement, renames, reading)?;
    }
    rename_detail(&mut object.detail, renames)?;
    if object.kind == ObjectKind::Schema && (pristine || object.name == "public") {
        // What a new database's public has (its owner, its comment) is no other schema's, and no
        // other's is its.
        object.owner = None;
        object.comments.clear();
    }
    if object.kind == ObjectKind::Schema && object.name == "public" {
        object.acl = None;
        object.statements.clear();
    } else if pristine && let Some(acl) = &mut object.acl {
        // A new schema is its owner's alone; who else might use public is granted that here.
        let owner = acl.initial.first().map(|grant| grant.grantor.clone());
        acl.initial.retain(|grant| grant.grantee == owner);
    }
    Ok(())
}

fn rename_detail(detail: &mut Detail, renames: &Renames) -> Result<(), String> {
    match detail {
        Detail::Key { using_index: Some(using), .. } => {
            plain(&mut using.create_index, renames)?;
            plain(&mut using.add_constraint, renames)
        }
        Detail::ForeignKey { add_not_valid, validate, .. } => {
            add_not_valid.iter_mut().chain(validate).try_for_each(|sql| plain(sql, renames))
        }
        _ => Ok(()),
    }
}

fn rename_table(table: &mut Table, renames: &Renames, holders: &Holders) -> Result<(), String> {
    // Such a value travels as a name, which may have the schema in it.
    let holder = table.columns.iter().find(|column| holders.holds(&column.type_name));
    let refused = holder
        .map(|column| format!("its column {} holds names ({})", column.name, column.type_name));
    let new = |schema: &mut String| {
        if let Some(new) = renames.new_name(schema) {
            new.clone_into(schema);
        }
    };
    new(&mut table.schema);
    for TableName { schema, .. } in table.root.iter_mut().chain(&mut table.after) {
        new(schema);
    }
    for column in &mut table.columns {
        plain(&mut column.type_name, renames)?;
    }
    table.filter.iter_mut().try_for_each(|filter| text(filter, renames, Reading::Query))?;
    refused.map_or(Ok(()), Err)
}

fn plain(sql: &mut String, renames: &Renames) -> Result<(), String> {
    text(sql, renames, Reading::Plain)
}

fn text(sql: &mut String, renames: &Renames, reading: Reading) -> Result<(), String> {
    if let std::borrow::Cow::Owned(new) = renames.rewrite(sql, reading)? {
        *sql = new;
    }
    Ok(())
}

/// How the statements that make an object of a kind are read.
fn reading(kind: ObjectKind) -> Reading {
    use ObjectKind as K;
    match kind {
        K::View | K::MaterializedView | K::Rule | K::Policy | K::PublicationTable => Reading::Query,
        K::Function => Reading::Function,
        _ => Reading::Plain,
    }
}

#[cfg(test)]
mod tests;
