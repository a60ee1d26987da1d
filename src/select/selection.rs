//! Which objects and rows: what is asked for, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};

use super::listed::Listed;
use super::named::Named;
use super::pattern::Pattern;
use super::settings::Settings;
use crate::archive::manifest::{NotCarried, Object, ObjectKind, Table};
use crate::select::kinds::{carries_data, is_relation};

/// Which large objects are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LargeObjects {
    /// All, unless tables, schemas or extensions are chosen.
    #[default]
    WithAll,
    /// All.
    Taken,
    /// None.
    LeftOut,
}

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
    /// `-e`: these extensions and, unless `-t` or `-n` is given too, what is in schemas.
    pub extensions: Vec<Pattern>,
    /// `--exclude-extension`: these are expected in the target.
    pub exclude_extensions: Vec<Pattern>,
    /// `-I`, `-P`, `--trigger`: these single objects; without `-t`, nothing else.
    pub named: Named,
    /// `-L`: of all this, what the list has.
    pub listed: Option<Listed>,
    /// `-b`, `-B`.
    pub large_objects: LargeObjects,
    /// Tables, materialized views and sequences whose rows and values are left out for another
    /// reason than a pattern, by schema and name.
    pub without_rows: BTreeSet<(String, String)>,
    /// `-s`: no rows, no sequence values.
    pub schema_only: bool,
    /// `-a`: nothing but rows, sequence values and large objects.
    pub data_only: bool,
    /// `--no-publications`.
    pub no_publications: bool,
    /// `--no-subscriptions`.
    pub no_subscriptions: bool,
    /// `--no-policies`: neither policies nor the switch that lets them count.
    pub no_policies: bool,
    /// `--statistics`: the planner's, too.
    pub statistics: bool,
    /// The names that schemas have in the archive, by those that they get: patterns are about the
    /// former.
    pub archived_as: BTreeMap<String, String>,
    /// The rows of extensions' configuration tables, see [`Selection::find`].
    pub settings: Settings,
    /// Schemas of markers, see [`crate::pg::marker`]: left out, whatever else is chosen.
    pub markers: Vec<String>,
}

impl Selection {
    /// Whether nothing was chosen, so that all there is is meant.
    pub fn is_everything(&self) -> bool {
        let all_kinds =
            !self.schema_only && !self.data_only && !self.no_publications && !self.no_subscriptions;
        let all_rows = self.exclude_table_data.is_empty() && self.without_rows.is_empty();
        self.all_objects()
            && all_kinds
            && all_rows
            && !self.no_policies
            && self.exclude_extensions.is_empty()
    }

    /// Whether a table, view or sequence of this name is meant.
    pub fn picks_table(&self, schema: &str, name: &str) -> bool {
        self.picks_descendant(schema, name, &[])
    }

    /// The same, where children are not yet found: of a table that descends from these others.
    pub fn picks_descendant(
        &self,
        schema: &str,
        name: &str,
        ancestors: &[(String, String)],
    ) -> bool {
        let archived = self.archived(schema);
        let any = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| {
                pattern.matches_table(archived, name) || pattern.matches_descendant(ancestors)
            })
        };
        let is_marker = self.markers.iter().any(|marker| marker == schema);
        let included = if self.tables.is_empty() {
            self.named.is_empty() && self.picks_schema(schema)
        } else {
            any(&self.tables)
        };
        included && !is_marker && !any(&self.exclude_tables)
    }

    /// Whether single objects are asked for and nothing else, whose tables are expected to stand.
    pub fn is_of_named_alone(&self) -> bool {
        self.tables.is_empty() && !self.named.is_empty()
    }

    /// The name that a schema has in the archive.
    pub(super) fn archived<'a>(&'a self, schema: &'a str) -> &'a str {
        self.archived_as.get(schema).map_or(schema, String::as_str)
    }

    /// Whether schemas are chosen whole, and this one is.
    pub fn picks_whole_schema(&self, schema: &str) -> bool {
        self.tables.is_empty() && self.named.is_empty() && self.picks_schema(schema)
    }

    /// Whether a table's rows are meant.
    pub fn data_of(&self, schema: &str, name: &str) -> bool {
        let archived = self.archived(schema);
        let is_listed = self.listed.as_ref().is_none_or(|listed| listed.holds_rows(archived, name));
        !self.schema_only
            && is_listed
            && !self.excludes_data(schema, name)
            && self
                .settings
                .are_meant(archived, name)
                .unwrap_or_else(|| self.picks_table(schema, name))
    }

    /// Whether rows, or a sequence's value, are left out although the table is meant.
    pub(super) fn excludes_data(&self, schema: &str, name: &str) -> bool {
        let archived = self.archived(schema);
        self.exclude_table_data.iter().any(|pattern| pattern.matches_table(archived, name))
            || !self.without_rows.is_empty()
                && self.without_rows.contains(&(schema.to_owned(), name.to_owned()))
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
                || self.no_subscriptions && one.kind == "subscription"
                || self.no_policies && one.kind == "policy")
        })
    }

    pub(super) fn is_unwanted(&self, kind: ObjectKind) -> bool {
        use ObjectKind::{
            Policy, Publication, PublicationSchema, PublicationTable, RowSecurity, Subscription,
        };
        match kind {
            Policy | RowSecurity => self.no_policies,
            Publication | PublicationSchema | PublicationTable => self.no_publications,
            Subscription => self.no_subscriptions,
            _ => false,
        }
    }

    /// The name in the archive of the schema that an object, or what it is a part of, is in.
    pub(super) fn schema_of<'a>(&'a self, object: &'a Object, of: Option<&'a Object>) -> &'a str {
        let schema = object.schema.as_deref().or_else(|| of?.schema.as_deref());
        self.archived(schema.unwrap_or_default())
    }

    /// Whether objects are all meant, be it without rows.
    pub fn all_objects(&self) -> bool {
        let patterns = [
            &self.tables,
            &self.exclude_tables,
            &self.schemas,
            &self.exclude_schemas,
            &self.extensions,
        ];
        self.markers.is_empty()
            && self.named.is_empty()
            && self.listed.is_none()
            && self.large_objects != LargeObjects::LeftOut
            && patterns.iter().all(|patterns| patterns.is_empty())
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
            (ObjectKind::Extension, _) => self.picks_extension(&object.name),
            (ObjectKind::LargeObject, _) => match self.large_objects {
                LargeObjects::WithAll => self.includes_all(),
                LargeObjects::Taken => true,
                LargeObjects::LeftOut => false,
            },
            (_, None) => self.includes_all(),
            (_, Some(schema)) => self.picks_whole_schema(schema),
        }
    }

    /// Whether the schemas that are chosen, if any are, have a single object that is asked for.
    pub(super) fn picks_named_in(&self, object: &Object, of: Option<&Object>) -> bool {
        let schema = object.schema.as_deref().or_else(|| of?.schema.as_deref());
        self.picks_schema(schema.unwrap_or_default())
    }

    /// Whether nothing is chosen to be meant alone, so that what is in no schema is meant, too.
    fn includes_all(&self) -> bool {
        self.tables.is_empty()
            && self.schemas.is_empty()
            && self.extensions.is_empty()
            && self.named.is_empty()
    }

    pub(super) fn picks_extension(&self, name: &str) -> bool {
        if self.extensions.is_empty() {
            self.includes_all()
        } else {
            self.extensions.iter().any(|pattern| pattern.matches_schema(name))
        }
    }

    /// Whether an extension is expected in the target.
    pub(super) fn excludes_extension(&self, object: &Object) -> bool {
        object.kind == ObjectKind::Extension
            && self.exclude_extensions.iter().any(|pattern| pattern.matches_schema(&object.name))
    }

    /// Whether `-s`, `-a` and `--exclude-table-data` leave such objects in.
    pub(super) fn wants_kind(&self, object: &Object) -> bool {
        if self.schema_only {
            return !carries_data(object);
        }
        let (schema, name) = (object.schema.as_deref().unwrap_or_default(), &object.name);
        if carries_data(object)
            && object.kind != ObjectKind::LargeObject
            && (self.excludes_data(schema, name)
                || self.settings.are_meant(self.archived(schema), name) == Some(false))
        {
            return false;
        }
        // Rows of an extension's tables belong to the extension.
        let names_a_place = is_relation(object.kind)
            || matches!(object.kind, ObjectKind::TableAttach | ObjectKind::Extension);
        !self.data_only || names_a_place || carries_data(object)
    }
}

#[cfg(test)]
mod tests;
