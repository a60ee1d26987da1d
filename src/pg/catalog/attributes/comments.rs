//! Comments and security labels, of objects, their parts and their columns.

use std::collections::HashMap;

use futures_util::try_join;

use crate::archive::manifest::{Comment, ObjectKind, SecurityLabel};
use crate::error::Result;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::Address;
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::ident;

/// What a new database says of `public`.
const PUBLIC: &str = "standard public schema";

/// What is said of all objects.
pub(in crate::pg::catalog) struct Said {
    comments: Vec<Row>,
    labels: Vec<Row>,
}

/// Asks for it.
pub(in crate::pg::catalog) async fn read(reader: &Reader<'_>) -> Result<Said> {
    let comments = "SELECT d.classoid, d.objoid, a.attname::text AS column, d.description AS text FROM \
        pg_catalog.pg_description d \
         LEFT JOIN pg_catalog.pg_attribute a ON d.classoid = \
         'pg_catalog.pg_class'::pg_catalog.regclass AND a.attrelid = d.objoid \
           AND a.attnum = d.objsubid AND d.objsubid <> 0 \
         WHERE d.objoid >= 16384 OR d.objoid = 2200 OR d.classoid = \
         'pg_catalog.pg_largeobject'::pg_catalog.regclass ORDER BY d.classoid, d.objoid, \
         d.objsubid";
    let labels = "SELECT l.classoid, l.objoid, a.attname::text AS column, l.provider, l.label FROM \
        pg_catalog.pg_seclabel l \
         LEFT JOIN pg_catalog.pg_attribute a ON l.classoid = \
         'pg_catalog.pg_class'::pg_catalog.regclass AND a.attrelid = l.objoid \
           AND a.attnum = l.objsubid AND l.objsubid <> 0 ORDER BY l.classoid, l.objoid, \
           l.objsubid, l.provider";
    let (comments, labels) =
        try_join!(reader.rows("comments", comments), reader.rows("security labels", labels))?;
    Ok(Said { comments, labels })
}

/// Gives each draft its comments and labels. Those on an extension's member are the extension's.
pub(in crate::pg::catalog) fn attach(
    reader: &Reader<'_>,
    said: &Said,
    drafts: &mut [Draft],
) -> Result<()> {
    let mut speakers = HashMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        // Kinds that stand for a moment in an object's life, not for the object, have no words of
        // their own.
        let is_member = reader.is_member(draft.address.class, draft.address.object);
        if draft.address.is_row() && draft.kind != ObjectKind::Default && !is_member {
            speakers.insert(draft.address, (at, draft.identity.clone()));
        }
        let parts = draft
            .parts
            .iter()
            .filter_map(|(part, words)| words.as_ref().map(|words| (*part, (at, words.clone()))));
        speakers.extend(parts);
    }
    for row in &said.comments {
        let Some((at, words)) =
            speakers.get(&Address::new(row.get("classoid")?, row.get("objoid")?))
        else {
            continue;
        };
        let on = column_or_whole(words, row.get("column")?);
        drafts[*at].comments.push(Comment { on, text: row.get("text")? });
    }
    compare_public(drafts);
    for row in &said.labels {
        let Some((at, words)) =
            speakers.get(&Address::new(row.get("classoid")?, row.get("objoid")?))
        else {
            continue;
        };
        let on = column_or_whole(words, row.get("column")?);
        drafts[*at].labels.push(SecurityLabel {
            on,
            provider: row.get("provider")?,
            label: row.get("label")?,
        });
    }
    Ok(())
}

/// Leaves of what is said of `public` the difference to a new one.
fn compare_public(drafts: &mut [Draft]) {
    for draft in
        drafts.iter_mut().filter(|draft| draft.kind == ObjectKind::Schema && draft.name == "public")
    {
        match draft.comments.iter().position(|comment| comment.text == PUBLIC) {
            Some(standard) => drop(draft.comments.remove(standard)),
            None if draft.comments.is_empty() => {
                draft.comments.push(Comment { on: draft.identity.clone(), text: String::new() });
            }
            None => {}
        }
    }
}

/// `TABLE s.t` becomes `COLUMN s.t.c`.
fn column_or_whole(words: &str, column: Option<&str>) -> String {
    let Some(column) = column else { return words.to_owned() };
    let relation = RELATIONS.iter().find_map(|prefix| words.strip_prefix(prefix)).unwrap_or(words);
    format!("COLUMN {relation}.{}", ident::quote(column))
}

const RELATIONS: &[&str] =
    &["TABLE ", "VIEW ", "MATERIALIZED VIEW ", "FOREIGN TABLE ", "TYPE ", "SEQUENCE ", "INDEX "];

#[cfg(test)]
mod tests;
