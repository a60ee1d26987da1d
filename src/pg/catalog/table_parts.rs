//! What is said of a table by statements of its own: settings of its columns, defaults, late NOT NULLs, row security.

use super::address::{Address, class, own};
use super::columns::{Column, NotNull, parameters};
use super::draft::Draft;
use super::tables::Relation;
use crate::archive::manifest::{ObjectKind, Section};
use crate::pg::ident;

/// What is said of a column only once it stands.
pub(super) fn column_settings(qualified: &str, column: &Column) -> Vec<String> {
    let alter = format!("ALTER TABLE ONLY {qualified} ALTER COLUMN {}", ident::quote(&column.name));
    let mut statements: Vec<String> = column.statistics.map(|target| format!("{alter} SET STATISTICS {target}")).into_iter().collect();
    statements.extend(column.storage.map(|storage| format!("{alter} SET STORAGE {storage}")));
    statements.extend(column.compression.map(|method| format!("{alter} SET COMPRESSION {method}")));
    if !column.options.is_empty() {
        statements.push(format!("{alter} SET ({})", parameters(&column.options, "").join(", ")));
    }
    statements
}

/// The statement for a replica identity that is not the usual one and no index.
pub(super) fn replica_identity(qualified: &str, letter: char) -> Option<String> {
    let word = match letter {
        'f' => "FULL",
        'n' => "NOTHING",
        _ => return None,
    };
    Some(format!("ALTER TABLE ONLY {qualified} REPLICA IDENTITY {word}"))
}

/// A default as an object; `is_inline` says that the table's definition has it.
pub(super) fn default_draft(relation: &Relation, column: &Column, address: Address, expression: &str, is_inline: bool) -> Draft {
    let (qualified, quoted) = (relation.qualified(), ident::quote(&column.name));
    let name = format!("{} {}", relation.name, column.name);
    let draft = Draft::new(address, ObjectKind::Default, Some(&relation.schema), &name, format!("COLUMN {qualified}.{quoted}"));
    let drop = Some(format!("ALTER TABLE {qualified} ALTER COLUMN {quoted} DROP DEFAULT"));
    let host = is_inline.then(|| relation.address());
    let set = format!("ALTER TABLE ONLY {qualified} ALTER COLUMN {quoted} SET DEFAULT {expression}");
    Draft { host, of: Some(relation.address()), drop, ..draft }.made_by(vec![set])
}

pub(super) fn not_valid_not_null(relation: &Relation, column: &Column, constraint: &NotNull) -> Draft {
    let (qualified, name) = (relation.qualified(), ident::quote(&constraint.name));
    let address = Address::new(class::CONSTRAINT, constraint.oid);
    let draft =
        Draft::new(address, ObjectKind::Check, Some(&relation.schema), &constraint.name, format!("CONSTRAINT {name} ON {qualified}"));
    let no_inherit = if constraint.is_inheritable { "" } else { " NO INHERIT" };
    let add = format!("ALTER TABLE {qualified} ADD CONSTRAINT {name} NOT NULL {}{no_inherit} NOT VALID", ident::quote(&column.name));
    let drop = Some(format!("ALTER TABLE {qualified} DROP CONSTRAINT {name}"));
    Draft { section: Section::PostData, of: Some(relation.address()), drop, ..draft }.made_by(vec![add])
}

pub(super) fn row_security(relation: &Relation) -> Option<Draft> {
    if !relation.row_security {
        return None;
    }
    let qualified = relation.qualified();
    let address = Address::new(own::ROW_SECURITY, relation.oid);
    let draft = Draft::new(address, ObjectKind::RowSecurity, Some(&relation.schema), &relation.name, format!("TABLE {qualified}"));
    let drop = Some(format!("ALTER TABLE {qualified} DISABLE ROW LEVEL SECURITY"));
    let enable = format!("ALTER TABLE {qualified} ENABLE ROW LEVEL SECURITY");
    Some(Draft { of: Some(relation.address()), drop, ..draft }.made_by(vec![enable]))
}
