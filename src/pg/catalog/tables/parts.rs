//! What is said of a table by statements of its own: settings of its columns, defaults, late NOT
//! NULLs, row security, whose partition it is.

use super::columns::{Column, NotNull, parameters};
use super::relations::Relation;
use crate::archive::manifest::{ObjectKind, Section};
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, class, own};
use crate::pg::on_extensions;
use crate::sql::ident;

/// What is said of a column only once it stands.
pub(in crate::pg::catalog) fn column_settings(qualified: &str, column: &Column) -> Vec<String> {
    let alter = format!("ALTER TABLE ONLY {qualified} ALTER COLUMN {}", ident::quote(&column.name));
    let mut statements: Vec<String> = column
        .statistics
        .map(|target| format!("{alter} SET STATISTICS {target}"))
        .into_iter()
        .collect();
    statements.extend(column.storage.map(|storage| format!("{alter} SET STORAGE {storage}")));
    statements.extend(column.compression.map(|method| format!("{alter} SET COMPRESSION {method}")));
    if !column.options.is_empty() {
        statements.push(format!("{alter} SET ({})", parameters(&column.options, "").join(", ")));
    }
    statements
}

/// The statement for a replica identity that is not the usual one and no index.
pub(in crate::pg::catalog) fn replica_identity(qualified: &str, letter: char) -> Option<String> {
    let word = match letter {
        'f' => "FULL",
        'n' => "NOTHING",
        _ => return None,
    };
    Some(format!("ALTER TABLE ONLY {qualified} REPLICA IDENTITY {word}"))
}

/// A default as an object; `is_inline` says that the table's definition has it.
pub(in crate::pg::catalog) fn default_draft(
    relation: &Relation,
    column: &Column,
    address: Address,
    expression: &str,
    is_inline: bool,
) -> Draft {
    let (qualified, quoted) = (relation.qualified(), ident::quote(&column.name));
    let name = format!("{} {}", relation.name, column.name);
    let draft = Draft::new(
        address,
        ObjectKind::Default,
        Some(&relation.schema),
        &name,
        format!("COLUMN {qualified}.{quoted}"),
    );
    let drop = Some(format!("ALTER TABLE {qualified} ALTER COLUMN {quoted} DROP DEFAULT"));
    let host = is_inline.then(|| relation.address());
    let set =
        format!("ALTER TABLE ONLY {qualified} ALTER COLUMN {quoted} SET DEFAULT {expression}");
    Draft { host, of: Some(relation.address()), drop, ..draft }.made_by(vec![set])
}

pub(in crate::pg::catalog) fn not_valid_not_null(
    relation: &Relation,
    column: &Column,
    constraint: &NotNull,
) -> Draft {
    let (qualified, name) = (relation.qualified(), ident::quote(&constraint.name));
    let address = Address::new(class::CONSTRAINT, constraint.oid);
    let draft = Draft::new(
        address,
        ObjectKind::Check,
        Some(&relation.schema),
        &constraint.name,
        format!("CONSTRAINT {name} ON {qualified}"),
    );
    let no_inherit = if constraint.is_inheritable { "" } else { " NO INHERIT" };
    let add = format!(
        "ALTER TABLE {qualified} ADD CONSTRAINT {name} NOT NULL {}{no_inherit} NOT VALID",
        ident::quote(&column.name)
    );
    let drop = Some(format!("ALTER TABLE {qualified} DROP CONSTRAINT {name}"));
    Draft { section: Section::PostData, of: Some(relation.address()), drop, ..draft }
        .made_by(vec![add])
}

pub(in crate::pg::catalog) fn row_security(relation: &Relation) -> Option<Draft> {
    if !relation.row_security {
        return None;
    }
    let qualified = relation.qualified();
    let address = Address::new(own::ROW_SECURITY, relation.oid);
    let draft = Draft::new(
        address,
        ObjectKind::RowSecurity,
        Some(&relation.schema),
        &relation.name,
        format!("TABLE {qualified}"),
    );
    let drop = Some(format!("ALTER TABLE {qualified} DISABLE ROW LEVEL SECURITY"));
    let enable = format!("ALTER TABLE {qualified} ENABLE ROW LEVEL SECURITY");
    Some(Draft { of: Some(relation.address()), drop, ..draft }.made_by(vec![enable]))
}

/// What an extension's table says of row security: the extension may have said so itself, or
/// somebody who wrote a policy for it.
pub(in crate::pg::catalog) fn extension_row_security(relation: &Relation) -> Vec<Draft> {
    let (qualified, extension) = (relation.qualified(), relation.extension.as_deref());
    let forced = relation.row_security && relation.force_row_security;
    let said =
        [(relation.row_security, own::ROW_SECURITY, "ENABLE"), (forced, own::FORCED, "FORCE")];
    let said = said.into_iter().filter(|(is_on, ..)| *is_on);
    said.map(|(_, class, word)| {
        let identity = on_extensions::row_security(class == own::FORCED, &qualified);
        let address = Address::new(class, relation.oid);
        let draft = Draft::new(
            address,
            ObjectKind::RowSecurity,
            Some(&relation.schema),
            &relation.name,
            identity,
        );
        let say = format!("ALTER TABLE {qualified} {word} ROW LEVEL SECURITY");
        Draft { of: Some(relation.address()), ..draft }.made_by(vec![say]).on_extension(extension)
    })
    .collect()
}

/// What makes a partition one.
pub(in crate::pg::catalog) fn attach(
    relation: &Relation,
    parent: Option<&Relation>,
    relations: &[Relation],
) -> Option<Draft> {
    let (bound, parent) = (relation.bound.as_ref()?, parent?);
    let address = Address::new(own::TABLE_ATTACH, relation.oid);
    let identity = format!("TABLE {}", relation.qualified());
    let draft = Draft::new(
        address,
        ObjectKind::TableAttach,
        Some(&relation.schema),
        &relation.name,
        identity,
    );
    let attach = format!(
        "ALTER TABLE ONLY {} ATTACH PARTITION {} {bound}",
        parent.qualified(),
        relation.qualified()
    );
    let drop = Some(format!(
        "ALTER TABLE {} DETACH PARTITION {}",
        parent.qualified(),
        relation.qualified()
    ));
    let mut needs = vec![parent.address()];
    let mut section = draft.section;
    if parent.is_member() {
        // The extension's indexes are there from the start, and ATTACH makes parts for them under
        // names of its own unless there are some that are valid: that of a partitioned table is
        // when it has all its parts.
        needs.extend(
            relation.attached_indexes.iter().map(|&index| Address::new(class::CLASS, index)),
        );
        let below = partitions_below(relation, relations)
            .into_iter()
            .flat_map(|partition| &partition.attached_indexes);
        needs.extend(below.map(|&index| Address::new(own::INDEX_ATTACH, index)));
        section = Section::PostData;
    }
    Some(
        Draft { of: Some(relation.address()), needs, section, drop, ..draft }.made_by(vec![attach]),
    )
}

/// The partitions of a table, and theirs.
fn partitions_below<'a>(table: &Relation, relations: &'a [Relation]) -> Vec<&'a Relation> {
    let mut found: Vec<&Relation> = Vec::new();
    let mut above = vec![table.oid];
    while let Some(parent) = above.pop() {
        let partitions = relations
            .iter()
            .filter(|one| one.is_partition() && one.parents.first() == Some(&parent));
        for partition in partitions {
            above.push(partition.oid);
            found.push(partition);
        }
    }
    found
}
