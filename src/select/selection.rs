//! Which objects and rows: what is asked for, and what comes of it.

use std::collections::HashSet;

use super::pattern::Pattern;
use crate::archive::manifest::{NotCarried, Object, ObjectId, ObjectKind, Table};
use crate::error::{Error, Kind, Result};
use crate::select::kinds::is_relation;
use crate::select::needs;
use crate::sql::ident;

/// What the user chose. The default is everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `-t`: these tables (views, sequences, …) and what belongs to them; `schemas` and `exclude_schemas` then count for nothing.
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
    /// Schemas of markers, see [`crate::pg::marker`]: left out, whatever else is chosen.
    pub markers: Vec<String>,
}

/// What a selection leaves of a list of objects.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The objects kept, in their old order and with their old numbers; what they depend on is kept too, or is expected to stand already.
    pub objects: Vec<Object>,
    /// What was selected and cannot be made, because it needs what was not selected.
    pub left_out: Vec<NotCarried>,
    /// The objects that were not selected, and are kept because others need them.
    pub brought_along: HashSet<ObjectId>,
}

impl Selected {
    /// Lets the rows of partitions that are not attached go to the partitions themselves.
    pub fn cut_roots(&self, tables: &mut [Table]) {
        needs::cut_roots(&self.objects, tables);
    }

    /// The numbers of the objects kept.
    pub fn ids(&self) -> HashSet<ObjectId> {
        self.objects.iter().map(|object| object.id).collect()
    }
}

impl Selection {
    /// Whether nothing was chosen, so that all there is is meant.
    pub fn is_everything(&self) -> bool {
        let all_kinds = !self.schema_only && !self.data_only && !self.no_publications && !self.no_subscriptions;
        self.all_objects() && all_kinds && self.exclude_table_data.is_empty()
    }

    /// Whether a table, view or sequence of this name is meant.
    pub fn picks_table(&self, schema: &str, name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches_table(schema, name));
        let is_marker = self.markers.iter().any(|marker| marker == schema);
        let included = if self.tables.is_empty() { self.picks_schema(schema) } else { any(&self.tables) };
        included && !is_marker && !any(&self.exclude_tables)
    }

    /// Whether schemas are chosen whole, and this one is.
    pub fn picks_whole_schema(&self, schema: &str) -> bool {
        self.tables.is_empty() && self.picks_schema(schema)
    }

    /// Whether a table's rows are meant.
    pub fn data_of(&self, schema: &str, name: &str) -> bool {
        let excluded = self.exclude_table_data.iter().any(|pattern| pattern.matches_table(schema, name));
        !self.schema_only && !excluded && self.picks_table(schema, name)
    }

    /// Whether the rows that the archive lists under a table are meant. No pattern is about large objects: their bytes go with the objects.
    pub fn rows_of(&self, table: &Table) -> bool {
        if table.is_large_objects() { !self.schema_only } else { self.data_of(&table.schema, &table.name) }
    }

    /// Leaves out of what cannot be carried what is not wanted anyhow.
    pub fn not_carried(&self, all: Vec<NotCarried>) -> impl Iterator<Item = NotCarried> + use<'_> {
        all.into_iter().filter(|one| {
            !(self.no_publications && one.kind.starts_with("publication") || self.no_subscriptions && one.kind == "subscription")
        })
    }

    fn is_unwanted(&self, kind: ObjectKind) -> bool {
        use ObjectKind::{Publication, PublicationSchema, PublicationTable, Subscription};
        match kind {
            Publication | PublicationSchema | PublicationTable => self.no_publications,
            Subscription => self.no_subscriptions,
            _ => false,
        }
    }

    /// Keeps what is selected and what that needs. The database itself is no part of any choice, and stays. A relation that is not selected
    /// is never brought along for another's sake: what needs it is left out and named. Types, functions, extensions and sequences are.
    ///
    /// With `-a`, tables, sequences and extensions stay as bare names, without statements, owner or privileges, so that rows and values know where they
    /// belong, and what attaches partitions, whose locks reach each other.
    pub fn apply(&self, objects: Vec<Object>) -> Selected {
        if self.is_everything() {
            return Selected { objects, left_out: Vec::new(), brought_along: HashSet::new() };
        }
        let (databases, mut objects): (Vec<Object>, Vec<Object>) =
            objects.into_iter().partition(|object| object.kind == ObjectKind::Database);
        objects.retain(|object| !self.is_unwanted(object.kind));
        let (objects, left_out, brought_along) =
            if self.all_objects() { (objects, Vec::new(), HashSet::new()) } else { needs::apply(self, objects) };
        let mut objects: Vec<Object> = objects.into_iter().filter(|object| self.wants_kind(object)).collect();
        if self.data_only {
            objects.iter_mut().filter(|object| !carries_data(object)).for_each(strip);
        }
        needs::drop_dangling(&mut objects);
        let objects = databases.into_iter().chain(objects).collect();
        Selected { objects, left_out, brought_along }
    }

    /// The `-t` and `-n` patterns that match nothing in `objects`, as typed.
    pub fn unmatched(&self, objects: &[Object]) -> Vec<String> {
        let missing_table = |pattern: &&Pattern| {
            !objects
                .iter()
                .any(|object| is_relation(object.kind) && pattern.matches_table(object.schema.as_deref().unwrap_or_default(), &object.name))
        };
        let missing_schema = |pattern: &&Pattern| {
            // A pristine public is no object, and is always there.
            let mut names = objects.iter().filter_map(schema_name).chain(["public"]);
            !names.any(|name| pattern.matches_schema(name))
        };
        let tables = self.tables.iter().filter(missing_table);
        tables.chain(self.schemas.iter().filter(missing_schema)).map(ToString::to_string).collect()
    }

    /// Refuses a pattern that matches nothing: a table that was asked for by name must not be missing in silence. Refuses one that names
    /// another database than that which the objects come from.
    pub fn check_matched(&self, objects: &[Object], database: &str) -> Result<()> {
        let lists = [&self.tables, &self.exclude_tables, &self.schemas, &self.exclude_schemas, &self.exclude_table_data];
        if let Some(pattern) = lists.into_iter().flatten().find(|pattern| !pattern.allows_database(database)) {
            let cause = format!("the database is {}", ident::quote(database));
            return Err(Error::new(Kind::Usage, format!("read the pattern {pattern}"), cause)
                .hint("write schema.table; only one database is ever meant"));
        }
        let unmatched = self.unmatched(objects);
        if unmatched.is_empty() {
            return Ok(());
        }
        let cause = format!("nothing matches {}", unmatched.join(", "));
        let hint = "patterns fold to lower case unless they stand in double quotes; `silverback list` shows what an archive holds";
        Err(Error::new(Kind::Requirement, "select what was asked for", cause).hint(hint))
    }

    /// Whether objects are all meant, be it without rows.
    fn all_objects(&self) -> bool {
        let patterns = [&self.tables, &self.exclude_tables, &self.schemas, &self.exclude_schemas];
        self.markers.is_empty() && patterns.iter().all(|patterns| patterns.is_empty())
    }

    fn picks_schema(&self, schema: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches_schema(schema));
        (self.schemas.is_empty() || any(&self.schemas))
            && !any(&self.exclude_schemas)
            && !self.markers.iter().any(|marker| marker == schema)
    }

    /// Whether an object that is a part of no other is meant for its own sake.
    pub(super) fn picks(&self, object: &Object) -> bool {
        match (object.kind, object.schema.as_deref()) {
            (kind, Some(schema)) if is_relation(kind) => self.picks_table(schema, &object.name),
            (ObjectKind::Schema, _) => self.tables.is_empty() && self.picks_schema(&object.name),
            (ObjectKind::Extension, _) | (_, None) => self.tables.is_empty() && self.schemas.is_empty(),
            (_, Some(schema)) => self.tables.is_empty() && self.picks_schema(schema),
        }
    }

    /// Whether `-s` and `-a` leave such objects in.
    fn wants_kind(&self, object: &Object) -> bool {
        if self.schema_only {
            return !carries_data(object);
        }
        // Rows of an extension's tables belong to the extension.
        let names_a_place = is_relation(object.kind) || matches!(object.kind, ObjectKind::TableAttach | ObjectKind::Extension);
        !self.data_only || names_a_place || carries_data(object)
    }
}

fn schema_name(object: &Object) -> Option<&str> {
    match object.kind {
        ObjectKind::Schema => Some(&object.name),
        _ => object.schema.as_deref(),
    }
}

fn carries_data(object: &Object) -> bool {
    matches!(object.kind, ObjectKind::SequenceValue | ObjectKind::LargeObject | ObjectKind::RefreshMaterializedView)
}

/// Leaves an object's name and takes what would make or change it.
fn strip(object: &mut Object) {
    object.statements.clear();
    object.comments.clear();
    object.security_labels.clear();
    object.roles.clear();
    object.owner = None;
    object.acl = None;
    object.tablespace = None;
    object.drop = None;
}
