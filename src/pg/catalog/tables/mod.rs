//! Tables: plain, partitioned, inherited, typed; what their definitions say of columns, checks and
//! defaults, what comes from parents, and what can only be said afterwards.

pub(super) mod columns;
pub(super) mod constraints;
pub(super) mod indexes;
pub(super) mod large_objects;
pub(super) mod matviews;
mod not_null;
pub(super) mod parts;
pub(super) mod policies;
pub(super) mod relations;
pub(super) mod row_encoding;
pub(super) mod sequences;
pub(super) mod statistics;
pub(super) mod triggers;
pub(super) mod views;

use std::collections::HashMap;

use self::columns::{Column, Columns};
use self::constraints::Check;
use self::parts::{
    attach, column_settings, default_draft, extension_row_security, replica_identity, row_security,
};
use self::relations::Relation;
use super::database::foreign::options_words;
use super::draft::address::{Address, class, own};
use super::draft::{Definition, Draft, Item, List};
use crate::archive::manifest::{Detail, ObjectKind};
use crate::sql::ident;

/// Makes the drafts of the tables and of what hangs on them without a catalog of its own; those of
/// extensions only count as parents.
pub(super) fn drafts(relations: &[Relation], columns: &Columns, checks: &[Check]) -> Vec<Draft> {
    let by_oid: HashMap<u32, &Relation> =
        relations.iter().map(|relation| (relation.oid, relation)).collect();
    let mut checks_of: HashMap<u32, Vec<&Check>> = HashMap::new();
    for check in checks {
        checks_of.entry(check.relation).or_default().push(check);
    }
    let mut drafts = Vec::new();
    for relation in relations.iter().filter(|relation| !relation.is_member()) {
        let no_columns = Vec::new();
        let table = Table {
            relation,
            columns: columns.get(&relation.oid).unwrap_or(&no_columns),
            parents: relation
                .parents
                .iter()
                .filter_map(|parent| by_oid.get(parent).copied())
                .collect(),
            all_columns: columns,
            checks: checks_of.remove(&relation.oid).unwrap_or_default(),
        };
        drafts.push(table.draft());
        drafts.extend(table.default_drafts());
        drafts.extend(table.not_valid_not_nulls());
        drafts.extend(attach(relation, table.parents.first().copied(), relations));
        drafts.extend(row_security(relation));
    }
    drafts.extend(
        relations.iter().filter(|relation| relation.is_member()).flat_map(extension_row_security),
    );
    drafts
}

/// A table with all that its `CREATE` needs to see.
struct Table<'a> {
    relation: &'a Relation,
    columns: &'a [Column],
    parents: Vec<&'a Relation>,
    all_columns: &'a Columns,
    checks: Vec<&'a Check>,
}

impl Table<'_> {
    fn draft(&self) -> Draft {
        let relation = self.relation;
        let address = relation.address();
        let (kind, word) = if relation.kind == 'f' {
            (ObjectKind::ForeignTable, "FOREIGN TABLE")
        } else {
            (ObjectKind::Table, "TABLE")
        };
        let identity = format!("{word} {}", relation.qualified());
        let draft = Draft::new(address, kind, Some(&relation.schema), &relation.name, identity);
        let mut parts: Vec<(Address, Option<String>)> = Vec::new();
        for column in self.columns {
            if let Some(default) =
                column.default.as_ref().filter(|default| default.generated.is_some())
            {
                parts.push((Address::new(class::ATTRDEF, default.oid), None));
            }
            if let Some(constraint) = column
                .not_null_constraint
                .as_ref()
                .filter(|constraint| !constraint.is_added_later())
            {
                parts.push((
                    Address::new(class::CONSTRAINT, constraint.oid),
                    self.not_null_words(column, constraint),
                ));
            }
        }
        let inherited = self.checks.iter().filter(|check| !self.makes(check));
        parts.extend(inherited.map(|check| (Address::new(class::CONSTRAINT, check.oid), None)));
        let detail = Detail::Table {
            relkind: relation.kind,
            partition: relation.is_partition(),
            force_row_security: relation.force_row_security,
        };
        // A partition is made whole, and ATTACH makes it one: without its parent it still is a
        // table.
        let apart =
            self.parents.iter().filter(|parent| relation.is_partition() && !parent.is_member());
        Draft {
            definition: Definition::List(Box::new(self.definition())),
            ignores: apart.map(|parent| parent.address()).collect(),
            owner: Some(relation.owner.clone()),
            tablespace: relation.tablespace.clone(),
            detail,
            parts,
            ..draft
        }
    }

    fn definition(&self) -> List {
        let relation = self.relation;
        let mut items: Vec<Item> =
            self.columns.iter().filter_map(|column| self.column_item(column)).collect();
        items.extend(self.columns.iter().filter_map(|column| self.table_not_null(column)));
        for check in self.checks.iter().filter(|check| self.makes(check)) {
            let clause = Some((Address::new(class::CONSTRAINT, check.oid), check.clause()));
            items.push(Item { clause, ..Item::default() });
        }
        // It means nothing on a partitioned table, and 18 does not take it there.
        let unlogged =
            if relation.persistence == 'u' && relation.kind != 'p' { "UNLOGGED " } else { "" };
        let of = relation.of_type.as_ref().map_or_else(String::new, |of| format!(" OF {of}"));
        // A typed table without a word on its columns has no brackets.
        let (open, close) = if relation.of_type.is_some() && items.is_empty() {
            ("", "")
        } else {
            (" (\n    ", "\n)")
        };
        let mut tail = vec![close.to_owned()];
        if !self.parents.is_empty() && !relation.is_partition() && !self.inherits_later() {
            let parents: Vec<String> =
                self.parents.iter().map(|parent| parent.qualified()).collect();
            tail.push(format!("\nINHERITS ({})", parents.join(", ")));
        }
        if let Some(key) = &relation.partition_key {
            tail.push(format!("\nPARTITION BY {key}"));
        }
        // A partitioned table that names none leaves the choice to whoever makes a partition.
        if let Some(method) = relation
            .access_method
            .as_deref()
            .filter(|&method| method != "heap" || relation.kind == 'p')
        {
            tail.push(format!("\nUSING {}", ident::quote(method)));
        }
        if let Some(server) = &relation.server {
            tail.push(format!(
                "\nSERVER {}{}",
                ident::quote(server),
                options_words(&relation.foreign_options)
            ));
        }
        if !relation.parameters.is_empty() {
            tail.push(format!("\nWITH ({})", relation.parameters.join(", ")));
        }
        let foreign = if relation.kind == 'f' { "FOREIGN " } else { "" };
        let head = format!("CREATE {unlogged}{foreign}TABLE {}{of}{open}", relation.qualified());
        List { head, items, separator: ",\n    ", tail: tail.concat(), after: self.afterwards() }
    }

    /// A column in the list, unless the table has it only from a parent that will be named.
    fn column_item(&self, column: &Column) -> Option<Item> {
        if !self.prints(column) {
            return None;
        }
        let not_null = self.column_not_null(column);
        let clause = column.default_clause().filter(|_| !self.inherits_generation(column));
        let name = ident::quote(&column.name);
        let before = if self.relation.of_type.is_some() {
            if not_null.is_empty() && clause.is_none() {
                return None;
            }
            format!("{name} WITH OPTIONS")
        } else {
            let collation = column
                .collation
                .as_ref()
                .map_or_else(String::new, |collation| format!(" COLLATE {collation}"));
            format!("{name} {}{collation}", column.type_name)
        };
        match (&column.default, clause) {
            (Some(default), Some(clause)) if default.generated.is_none() => {
                let clause = Some((Address::new(class::ATTRDEF, default.oid), clause));
                Some(Item { before, clause, after: not_null })
            }
            (_, clause) => Some(Item {
                before: format!("{before}{}{not_null}", clause.unwrap_or_default()),
                ..Item::default()
            }),
        }
    }

    fn prints(&self, column: &Column) -> bool {
        column.is_local || self.relation.is_partition()
    }

    fn inherited<'b>(&'b self, column: &'b Column) -> impl Iterator<Item = &'b Column> {
        let of_parent = |parent: &&Relation| self.all_columns.get(&parent.oid);
        self.parents
            .iter()
            .filter_map(of_parent)
            .flatten()
            .filter(|other| other.name == column.name)
    }

    /// Whether this table is made on its own and given its parents afterwards, so that its columns
    /// keep their order: it was so, and all that it inherits is its own too.
    fn inherits_later(&self) -> bool {
        if self.parents.is_empty() || self.relation.is_partition() {
            return false;
        }
        let of_parents =
            self.parents.iter().filter_map(|parent| self.all_columns.get(&parent.oid)).flatten();
        let mut merged: Vec<&str> = Vec::new();
        for column in of_parents.chain(self.columns) {
            if !merged.contains(&column.name.as_str()) {
                merged.push(&column.name);
            }
        }
        let is_own = |column: &Column| {
            column.is_local && column.not_null_constraint.as_ref().is_none_or(|one| one.is_local)
        };
        let is_moved =
            !merged.iter().copied().eq(self.columns.iter().map(|column| column.name.as_str()));
        is_moved
            && self.columns.iter().all(is_own)
            && self.checks.iter().all(|check| check.is_local)
    }

    /// Whether this table's parents compute the column in the same way, so that its definition need
    /// not say it again; older servers do not even take it. A partition is made on its own and says
    /// it.
    fn inherits_generation(&self, column: &Column) -> bool {
        let generation = |column: &Column| {
            column.default.as_ref().map(|default| (default.generated, default.expression.clone()))
        };
        let mut parents = self.inherited(column).peekable();
        column.is_generated()
            && !self.relation.is_partition()
            && !self.inherits_later()
            && parents.peek().is_some()
            && parents.all(|parent| generation(parent) == generation(column))
    }

    /// Whether this table's definition says the check: a partition has all of them from the start,
    /// because ATTACH looks for them.
    fn makes(&self, check: &Check) -> bool {
        check.is_local || self.relation.is_partition() && check.is_valid
    }

    /// What has no place in `CREATE TABLE`.
    fn afterwards(&self) -> Vec<String> {
        let relation = self.relation;
        let qualified = relation.qualified();
        let mut statements = Vec::new();
        if self.inherits_later() {
            statements.extend(self.parents.iter().map(|parent| {
                format!("ALTER TABLE ONLY {qualified} INHERIT {}", parent.qualified())
            }));
        }
        for column in self.columns {
            let alter =
                format!("ALTER TABLE ONLY {qualified} ALTER COLUMN {}", ident::quote(&column.name));
            let is_own_not_null = column.not_null
                && column.not_null_constraint.is_none()
                && !self.inherits_not_null(column);
            if is_own_not_null && !self.prints(column) {
                statements.push(format!("{alter} SET NOT NULL"));
            }
            statements.extend(column_settings(&qualified, column));
            if !column.foreign_options.is_empty() {
                let quoted = ident::quote(&column.name);
                let options = options_words(&column.foreign_options);
                statements.push(format!(
                    "ALTER FOREIGN TABLE ONLY {qualified} ALTER COLUMN {quoted}{options}"
                ));
            }
        }
        // It is a sign that any relation has, and that only these obey and take.
        statements.extend(
            replica_identity(&qualified, relation.replica_identity)
                .filter(|_| relation.kind != 'f'),
        );
        if relation.force_row_security {
            statements.push(format!("ALTER TABLE ONLY {qualified} FORCE ROW LEVEL SECURITY"));
        }
        statements
    }

    /// This table's defaults as objects of their own, which stand in its definition as long as they
    /// can.
    fn default_drafts(&self) -> Vec<Draft> {
        let mut drafts = Vec::new();
        for column in self.columns.iter().filter(|column| !column.is_generated()) {
            let (address, expression) = match &column.default {
                Some(default) => {
                    (Address::new(class::ATTRDEF, default.oid), default.expression.as_str())
                }
                None if self.lost_default(column) => (self.lost_default_address(column), "NULL"),
                None => continue,
            };
            let is_inline = self.prints(column) && column.default.is_some();
            drafts.push(default_draft(self.relation, column, address, expression, is_inline));
        }
        drafts
    }

    /// A parent has a default where this table has none.
    fn lost_default(&self, column: &Column) -> bool {
        let has_default = |parents: &Column| parents.default.is_some() && !parents.is_generated();
        !self.relation.is_partition() && self.inherited(column).any(has_default)
    }

    /// The address of a default that this table's column has lost, which has no row in any catalog:
    /// told apart from others by number and table.
    fn lost_default_address(&self, column: &Column) -> Address {
        let number =
            self.columns.iter().position(|other| other.name == column.name).unwrap_or_default()
                as u32;
        Address::new(own::MISSING_DEFAULT + number, self.relation.oid)
    }
}
