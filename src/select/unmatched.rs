//! The patterns of a selection that match nothing: what is asked for by name is not left out in
//! silence, and what is to be kept back is not let through by a slip of the pen.

use std::collections::HashMap;

use super::kinds::is_relation;
use super::pattern::Pattern;
use super::selection::Selection;
use crate::archive::manifest::{Object, ObjectId, ObjectKind, Table};
use crate::error::{Error, Kind, Result};
use crate::sql::ident;

/// What is told where choices are made and nothing is left.
pub const NOTHING_SELECTED: &str = "nothing is selected: see what -t, -n, -L, --section and the like \
    name, and what -T, -N and the like leave out of it";

/// Where the objects are that a selection is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundIn {
    /// On the server.
    Database,
    /// In an archive.
    Archive,
}

impl Selection {
    /// The `-t` and `-n` patterns that match nothing in `objects`, as typed.
    pub fn unmatched(&self, objects: &[Object]) -> Vec<String> {
        let missing_table = |pattern: &&Pattern| {
            let is_matched = objects.iter().any(|object| {
                is_relation(object.kind)
                    && pattern.matches_table(
                        self.archived(object.schema.as_deref().unwrap_or_default()),
                        &object.name,
                    )
            });
            !is_matched && !self.settings.are_matched_by(pattern)
        };
        let missing_schema = |pattern: &&Pattern| {
            // A pristine public is no object, and is always there.
            let mut names = objects.iter().filter_map(schema_name).chain(["public"]);
            !names.any(|name| pattern.matches_schema(self.archived(name)))
        };
        let missing_extension =
            |pattern: &&Pattern| !extensions(objects).any(|name| pattern.matches_schema(name));
        let tables =
            self.tables.iter().filter(missing_table).map(|pattern| with_place("-t", pattern));
        let schemas = self.schemas.iter().filter(missing_schema);
        let extensions = self.extensions.iter().filter(missing_extension);
        let mut all: Vec<String> = tables
            .chain(schemas.map(|pattern| with_place("-n", pattern)))
            .chain(extensions.map(|pattern| with_place("-e", pattern)))
            .collect();
        if !self.named.is_empty() {
            let by_id: HashMap<ObjectId, &Object> =
                objects.iter().map(|object| (object.id, object)).collect();
            all.extend(self.named.unmatched(&objects.iter().filter_map(|object| {
                let of = object.of.and_then(|of| by_id.get(&of).copied());
                let is_meant = self.picks_named_in(object, of);
                is_meant.then(|| (object, of, self.schema_of(object, of)))
            })));
        }
        all
    }

    /// The patterns that leave something out and match nothing, each with its option, in words: a
    /// slip of the pen lets through what was to be kept back.
    pub fn without_effect(&self, objects: &[Object], tables: &[&Table]) -> Vec<String> {
        let is_table = |pattern: &Pattern| {
            let relations = objects
                .iter()
                .filter(|object| is_relation(object.kind))
                .map(|object| (object.schema.as_deref().unwrap_or_default(), object.name.as_str()));
            let loaded = tables.iter().map(|table| (table.schema.as_str(), table.name.as_str()));
            let mut names = relations.chain(loaded);
            names.any(|(schema, name)| pattern.matches_table(self.archived(schema), name))
        };
        let is_schema = |pattern: &Pattern| {
            // These are no objects, and always there.
            let always = ["public", "pg_catalog", "information_schema"];
            let mut names = objects.iter().filter_map(schema_name).chain(always);
            names.any(|name| pattern.matches_schema(self.archived(name)))
        };
        let is_extension =
            |pattern: &Pattern| extensions(objects).any(|name| pattern.matches_schema(name));
        let missing =
            |option: &str, patterns: &[Pattern], what: &str, is: &dyn Fn(&Pattern) -> bool| {
                let missing = patterns.iter().filter(|pattern| !is(pattern));
                missing
                    .map(|pattern| format!("{} matches no {what}", as_given(option, pattern)))
                    .collect::<Vec<_>>()
            };
        [
            missing("-T", &self.exclude_tables, "table, view or sequence", &is_table),
            missing("-N", &self.exclude_schemas, "schema", &is_schema),
            missing("--exclude-table-data", &self.exclude_table_data, "table", &is_table),
            missing("--exclude-extension", &self.exclude_extensions, "extension", &is_extension),
            self.without_partitions(objects),
        ]
        .concat()
    }

    /// Refuses a pattern that matches nothing: a table that was asked for by name must not be
    /// missing in silence. Refuses one that names another database than that which the objects come
    /// from.
    pub fn check_matched(
        &self,
        objects: &[Object],
        database: &str,
        found_in: FoundIn,
    ) -> Result<()> {
        let lists = [
            &self.tables,
            &self.exclude_tables,
            &self.schemas,
            &self.exclude_schemas,
            &self.exclude_table_data,
        ];
        if let Some(pattern) =
            lists.into_iter().flatten().find(|pattern| !pattern.allows_database(database))
        {
            let cause =
                format!("its first part names another database than {}", ident::quote(database));
            return Err(Error::new(Kind::Usage, format!("read the pattern {pattern}"), cause)
                .hint("write -t SCHEMA.TABLE or -n SCHEMA"));
        }
        let unmatched = self.unmatched(objects);
        if unmatched.is_empty() {
            return Ok(());
        }
        let cause = format!("no object matches {}", unmatched.join(", "));
        let hint = match found_in {
            _ if unmatched.iter().any(|pattern| pattern.contains(',')) => {
                "each name goes after an option of its own: -t ONE -t TWO"
            }
            FoundIn::Database => "patterns fold to lower case unless they stand in double quotes",
            FoundIn::Archive => {
                "patterns fold to lower case unless they stand in double quotes; `silverback list` \
                 shows what an archive holds"
            }
        };
        Err(Error::new(Kind::Requirement, "select objects", cause).hint(hint))
    }
}

/// A pattern behind what gave it: its option, or its place in a file.
pub(super) fn as_given(option: &str, pattern: &Pattern) -> String {
    match pattern.place() {
        Some(place) => format!("{place}: {pattern}"),
        None => format!("{} {pattern}", with_children(option, pattern)),
    }
}

/// A pattern with what gave it in brackets.
fn with_place(option: &str, pattern: &Pattern) -> String {
    let option = with_children(option, pattern);
    format!("{pattern} ({})", pattern.place().unwrap_or(&option))
}

/// An option as it is typed for a pattern that means children, too.
pub fn with_children(option: &str, pattern: &Pattern) -> String {
    let option = option.to_owned();
    match (option.as_str(), pattern.takes_children()) {
        (_, false) => option,
        ("-t", true) => "--table-and-children".to_owned(),
        ("-T", true) => "--exclude-table-and-children".to_owned(),
        (_, true) => format!("{option}-and-children"),
    }
}

/// The names of extensions; that of every new database is no object, and always there.
fn extensions(objects: &[Object]) -> impl Iterator<Item = &str> {
    let extensions = objects.iter().filter(|object| object.kind == ObjectKind::Extension);
    extensions.map(|object| object.name.as_str()).chain(["plpgsql"])
}

fn schema_name(object: &Object) -> Option<&str> {
    match object.kind {
        ObjectKind::Schema => Some(&object.name),
        _ => object.schema.as_deref(),
    }
}
