//! What a selection must find in a catalog to choose by: names alone do not tell which tables
//! descend from others, and which are an extension's.

use std::collections::HashMap;

use super::pattern::Pattern;
use super::selection::Selection;
use super::settings::Settings;
use crate::archive::manifest::{Object, ObjectId, ObjectKind, Table};

impl Selection {
    /// Finds it. The schemas have the names that patterns are about.
    pub fn find<'a>(&mut self, objects: &[Object], tables: impl IntoIterator<Item = &'a Table>) {
        self.find_children(objects);
        let extensions: HashMap<ObjectId, &str> = objects
            .iter()
            .filter(|object| object.kind == ObjectKind::Extension)
            .map(|object| (object.id, object.name.as_str()))
            .collect();
        let tables =
            tables.into_iter().map(|table| (table.object, table.schema.as_str(), &table.name));
        let sequences = objects
            .iter()
            .filter(|object| object.kind == ObjectKind::SequenceValue)
            .filter_map(|object| Some((object.of?, object.schema.as_deref()?, &object.name)));
        let mut settings = Settings::default();
        for (maker, schema, name) in tables.chain(sequences) {
            let Some(extension) = extensions.get(&maker) else { continue };
            let are_meant = self.picks_settings(schema, name, &[], extension);
            let has_rows = !self.schema_only
                && !self.exclude_table_data.iter().any(|one| one.matches_table(schema, name));
            if are_meant && has_rows {
                settings.extensions.insert(maker);
            }
            settings.meant.insert((schema.to_owned(), name.clone()), are_meant);
        }
        self.settings = settings;
    }

    /// Whether the rows of an extension's configuration table are meant, which has this name in the
    /// archive: with the extension, or because `-t` names the table or `-n` its schema. What `-e`
    /// does not name or an option excludes keeps its rows, and `-N` counts beside `-t`, too.
    pub fn picks_settings(
        &self,
        schema: &str,
        name: &str,
        ancestors: &[(String, String)],
        extension: &str,
    ) -> bool {
        let table = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| {
                pattern.matches_table(schema, name) || pattern.matches_descendant(ancestors)
            })
        };
        let any = |patterns: &[Pattern], name: &str| {
            patterns.iter().any(|pattern| pattern.matches_schema(name))
        };
        let is_excluded = any(&self.exclude_extensions, extension)
            || any(&self.exclude_schemas, schema)
            || table(&self.exclude_tables);
        let is_named = if self.tables.is_empty() {
            self.named.is_empty() && any(&self.schemas, schema)
        } else {
            table(&self.tables)
        };
        let is_picked = if self.extensions.is_empty() {
            is_named || self.picks_extension(extension)
        } else {
            self.picks_extension(extension)
        };
        is_picked && !is_excluded
    }
}
