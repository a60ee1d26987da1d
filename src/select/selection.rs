//! Which objects and rows: what is asked for, and what comes of it.

use std::collections::BTreeMap;

use super::pattern::Pattern;
use crate::archive::manifest::{NotCarried, Object, ObjectKind, Table};
use crate::error::{Error, Kind, Result};
use crate::select::kinds::{carries_data, is_relation};
use crate::sql::ident;

/// What the user chose. The default is everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `-t`: these tables (views, sequences, …) and what belongs to them; `schemas` and
    /// `exclude_schemas` then count for nothing.
    pub tables: Vec<Pattern>,
    /// `-T`: not these.
    pub exclude_tables: Vec<Pattern>,
    /// `-n`: these schemas and all in them.
    pub schemas: Vec<Pattern>,
    /// `-N`: not these.
    pub exclude_schemas: Vec<Pattern>,
    /// `--exclude-table-data`: these tables without their rows.
    pub exclude_table_data: Vec<Pattern>,
    /// `-s`: no rows, no sequence values.
    pub schema_only: bool,
    /// `-a`: nothing but rows, sequence values and large objects.
    pub data_only: bool,
    /// `--no-publications`.
    pub no_publications: bool,
    /// `--no-subscriptions`.
    pub no_subscriptions: bool,
    /// `--statistics`: the planner's, too.
    pub statistics: bool,
    /// The names that schemas have in the archive, by those that they get: patterns are about the
    /// former.
    pub archived_as: BTreeMap<String, String>,
    /// Schemas of markers, see [`crate::pg::marker`]: left out, whatever else is chosen.
    pub markers: Vec<String>,
}

impl Selection {
    /// Whether nothing was chosen, so that all there is is meant.
    pub fn is_everything(&self) -> bool {
        let all_kinds =
            !self.schema_only && !self.data_only && !self.no_publications && !self.no_subscriptions;
        self.all_objects() && all_kinds && self.exclude_table_data.is_empty()
    }

    /// Whether a table, view or sequence of this name is meant.
    pub fn picks_table(&self, schema: &str, name: &str) -> bool {
        let archived = self.archived(schema);
        let any = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| pattern.matches_table(archived, name))
        };
        let is_marker = self.markers.iter().any(|marker| marker == schema);
        let included =
            if self.tables.is_empty() { self.picks_schema(schema) } else { any(&self.tables) };
        included && !is_marker && !any(&self.exclude_tables)
    }

    /// The name that a schema has in the archive.
    fn archived<'a>(&'a self, schema: &'a str) -> &'a str {
        self.archived_as.get(schema).map_or(schema, String::as_str)
    }

    /// Whether schemas are chosen whole, and this one is.
    pub fn picks_whole_schema(&self, schema: &str) -> bool {
        self.tables.is_empty() && self.picks_schema(schema)
    }

    /// Whether a table's rows are meant.
    pub fn data_of(&self, schema: &str, name: &str) -> bool {
        let archived = self.archived(schema);
        let excluded =
            self.exclude_table_data.iter().any(|pattern| pattern.matches_table(archived, name));
        !self.schema_only && !excluded && self.picks_table(schema, name)
    }

    /// Whether the rows that the archive lists under a table are meant. No pattern is about large
    /// objects: their bytes go with the objects.
    pub fn rows_of(&self, table: &Table) -> bool {
        if table.is_large_objects() {
            !self.schema_only
        } else {
            self.data_of(&table.schema, &table.name)
        }
    }

    /// Leaves out, of what cannot be carried, what this selection does not want anyhow.
    pub fn not_carried(&self, all: Vec<NotCarried>) -> impl Iterator<Item = NotCarried> + use<'_> {
        all.into_iter().filter(|one| {
            !(self.no_publications && one.kind.starts_with("publication")
                || self.no_subscriptions && one.kind == "subscription")
        })
    }

    pub(super) fn is_unwanted(&self, kind: ObjectKind) -> bool {
        use ObjectKind::{Publication, PublicationSchema, PublicationTable, Subscription};
        match kind {
            Publication | PublicationSchema | PublicationTable => self.no_publications,
            Subscription => self.no_subscriptions,
            _ => false,
        }
    }

    /// The `-t` and `-n` patterns that match nothing in `objects`, as typed.
    pub fn unmatched(&self, objects: &[Object]) -> Vec<String> {
        let missing_table = |pattern: &&Pattern| {
            !objects.iter().any(|object| {
                is_relation(object.kind)
                    && pattern.matches_table(
                        self.archived(object.schema.as_deref().unwrap_or_default()),
                        &object.name,
                    )
            })
        };
        let missing_schema = |pattern: &&Pattern| {
            // A pristine public is no object, and is always there.
            let mut names = objects.iter().filter_map(schema_name).chain(["public"]);
            !names.any(|name| pattern.matches_schema(self.archived(name)))
        };
        let tables = self.tables.iter().filter(missing_table);
        let tables = tables.map(|pattern| format!("{pattern} (-t)"));
        let schemas = self.schemas.iter().filter(missing_schema);
        tables.chain(schemas.map(|pattern| format!("{pattern} (-n)"))).collect()
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
        let missing =
            |option: &str, patterns: &[Pattern], what: &str, is: &dyn Fn(&Pattern) -> bool| {
                let missing = patterns.iter().filter(|pattern| !is(pattern));
                missing
                    .map(|pattern| format!("{option} {pattern} matches no {what}"))
                    .collect::<Vec<_>>()
            };
        [
            missing("-T", &self.exclude_tables, "table, view or sequence", &is_table),
            missing("-N", &self.exclude_schemas, "schema", &is_schema),
            missing("--exclude-table-data", &self.exclude_table_data, "table", &is_table),
        ]
        .concat()
    }

    /// Refuses a pattern that matches nothing: a table that was asked for by name must not be
    /// missing in silence. Refuses one that names another database than that which the objects come
    /// from.
    pub fn check_matched(&self, objects: &[Object], database: &str) -> Result<()> {
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
        let hint = "patterns fold to lower case unless they stand in double quotes; `silverback \
            list` shows what an archive holds";
        Err(Error::new(Kind::Requirement, "select objects", cause).hint(hint))
    }

    /// Whether objects are all meant, be it without rows.
    pub fn all_objects(&self) -> bool {
        let patterns = [&self.tables, &self.exclude_tables, &self.schemas, &self.exclude_schemas];
        self.markers.is_empty() && patterns.iter().all(|patterns| patterns.is_empty())
    }

    fn picks_schema(&self, schema: &str) -> bool {
        let archived = self.archived(schema);
        let any =
            |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches_schema(archived));
        (self.schemas.is_empty() || any(&self.schemas))
            && !any(&self.exclude_schemas)
            && !self.markers.iter().any(|marker| marker == schema)
    }

    /// Whether an object that is a part of no other is meant for its own sake.
    pub(super) fn picks(&self, object: &Object) -> bool {
        match (object.kind, object.schema.as_deref()) {
            (kind, Some(schema)) if is_relation(kind) => self.picks_table(schema, &object.name),
            (ObjectKind::Schema, _) => self.picks_whole_schema(&object.name),
            (ObjectKind::Extension, _) | (_, None) => {
                self.tables.is_empty() && self.schemas.is_empty()
            }
            (_, Some(schema)) => self.picks_whole_schema(schema),
        }
    }

    /// Whether `-s` and `-a` leave such objects in.
    pub(super) fn wants_kind(&self, object: &Object) -> bool {
        if self.schema_only {
            return !carries_data(object);
        }
        // Rows of an extension's tables belong to the extension.
        let names_a_place = is_relation(object.kind)
            || matches!(object.kind, ObjectKind::TableAttach | ObjectKind::Extension);
        !self.data_only || names_a_place || carries_data(object)
    }
}

fn schema_name(object: &Object) -> Option<&str> {
    match object.kind {
        ObjectKind::Schema => Some(&object.name),
        _ => object.schema.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::{ObjectId, RowEncoding};

    /// An archive's schema `old`, which is called `new` by now, and `swapped`, which was `new`.
    fn renamed() -> Selection {
        let pairs = [("new", "old"), ("swapped", "new")];
        Selection {
            archived_as: pairs.map(|(new, old)| (new.to_owned(), old.to_owned())).into(),
            ..Selection::default()
        }
    }

    fn tables(patterns: &[&str]) -> Vec<Pattern> {
        patterns.iter().map(|pattern| Pattern::table(pattern).unwrap()).collect()
    }

    fn schemas(patterns: &[&str]) -> Vec<Pattern> {
        patterns.iter().map(|pattern| Pattern::schema(pattern).unwrap()).collect()
    }

    fn picked(selection: &Selection) -> String {
        let all = ["new", "swapped", "other"];
        all.into_iter()
            .filter(|schema| selection.picks_table(schema, "t"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn patterns_are_about_the_archives_names() {
        for (selection, expect) in [
            (renamed(), "new swapped other"),
            (Selection { tables: tables(&["old.t"]), ..renamed() }, "new"),
            (Selection { tables: tables(&["new.t"]), ..renamed() }, "swapped"),
            (Selection { tables: tables(&["swapped.t"]), ..renamed() }, ""),
            (Selection { exclude_tables: tables(&["old.*"]), ..renamed() }, "swapped other"),
            (Selection { schemas: schemas(&["old"]), ..renamed() }, "new"),
            (Selection { schemas: schemas(&["new", "other"]), ..renamed() }, "swapped other"),
            (Selection { exclude_schemas: schemas(&["new"]), ..renamed() }, "new other"),
            // Markers are the target's, under the name that they have there.
            (Selection { markers: vec!["new".into()], ..renamed() }, "swapped other"),
            (Selection { markers: vec!["old".into()], ..renamed() }, "new swapped other"),
        ] {
            assert_eq!(picked(&selection), expect, "{selection:?}");
        }
    }

    #[test]
    fn rows_follow_the_archives_names_and_large_objects_no_pattern() {
        let data =
            Selection { exclude_table_data: tables(&["old.t", "pg_catalog.*"]), ..renamed() };
        let rows = |selection: &Selection, (schema, name): (&str, &str)| {
            let table = Table::new(ObjectId(0), schema, name, vec![], RowEncoding::Binary);
            selection.rows_of(&table)
        };
        assert!(!rows(&data, ("new", "t")) && rows(&data, ("new", "u")));
        assert!(rows(&data, ("swapped", "t")) && rows(&data, Table::LARGE_OBJECTS));
        let none = Selection { schema_only: true, ..renamed() };
        assert!(!rows(&none, ("new", "t")) && !rows(&none, Table::LARGE_OBJECTS));
    }

    #[test]
    fn whole_schemas_are_told_by_the_archives_names() {
        let chosen = Selection { schemas: schemas(&["old"]), ..renamed() };
        assert!(chosen.picks_whole_schema("new") && !chosen.picks_whole_schema("swapped"));
        let one = Selection { tables: tables(&["old.t"]), ..renamed() };
        assert!(!one.picks_whole_schema("new"), "a table is not its schema");
        assert!(!chosen.is_everything() && renamed().is_everything());
    }

    #[test]
    fn what_matches_nothing_is_told_by_the_archives_names() {
        let mut table = Object::new(ObjectId(1), ObjectKind::Table, "TABLE new.t");
        (table.schema, table.name) = (Some("new".into()), "t".into());
        let unmatched = |selection: Selection| selection.unmatched(std::slice::from_ref(&table));
        let by_table = |names| unmatched(Selection { tables: tables(names), ..renamed() });
        assert_eq!(by_table(&["old.t", "new.t", "old.u"]), ["new.t (-t)", "old.u (-t)"]);
        let by_schema = |names| unmatched(Selection { schemas: schemas(names), ..renamed() });
        assert_eq!(by_schema(&["old", "new", "public"]), ["new (-n)"], "public is always there");
    }
}
