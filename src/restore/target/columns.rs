//! The columns of a table that stands, beside those of the archive's.
//!
//! Pure: does not know how they are read.

use crate::archive::manifest::Table;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// What to do where rows meet other tables than their own.
pub(super) const OTHER_TABLES: &str = "-a loads into the tables that the archive was made from; \
    compare with `silverback list --sql`";

/// A column of a table that is there, as `format_type` tells its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) type_name: String,
    pub(super) not_null: bool,
    pub(super) generated: bool,
    /// Whether the role may fill it.
    pub(super) fills: bool,
}

/// Whether the archive's columns are the table's: name, type and NOT NULL, none missing and none
/// more.
pub(super) fn compare(name: &str, table: &Table, found: &[Found]) -> Vec<Finding> {
    let mut problems = Vec::new();
    for column in &table.columns {
        let quoted = ident::quote(&column.name);
        match found.iter().find(|one| one.name == column.name) {
            None => problems.push(format!("table {name} has no column {quoted}")),
            Some(one) if one.generated => {
                problems.push(format!("column {quoted} of table {name} is generated"));
            }
            Some(one) if one.type_name != column.type_name => problems.push(format!(
                "column {quoted} of table {name} is of type {}, the archive's is {}",
                one.type_name, column.type_name
            )),
            Some(one) if one.not_null != column.not_null => {
                let (here, there) = if one.not_null {
                    ("is NOT NULL", "may be NULL")
                } else {
                    ("may be NULL", "is NOT NULL")
                };
                problems
                    .push(format!("column {quoted} of table {name} {here}, the archive's {there}"));
            }
            Some(_) => {}
        }
    }
    for one in found
        .iter()
        .filter(|one| !one.generated && !table.columns.iter().any(|column| column.name == one.name))
    {
        problems.push(format!(
            "table {name} has a column {} that the archive has not",
            ident::quote(&one.name)
        ));
    }
    problems.into_iter().map(|problem| Finding::new(problem, OTHER_TABLES)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::testing::column;
    use crate::archive::manifest::{Column, ObjectId, RowEncoding};

    fn found(name: &str, type_name: &str, not_null: bool) -> Found {
        Found {
            name: name.into(),
            type_name: type_name.into(),
            not_null,
            generated: false,
            fills: true,
        }
    }

    #[test]
    fn differences_are_named() {
        let table = Table::new(
            ObjectId(1),
            "public",
            "t",
            vec![
                Column { not_null: true, ..column("a", "text") },
                column("b", "uuid"),
                column("c", "integer"),
            ],
            RowEncoding::Binary,
        );
        let check = |there: &[Found], expect: &[&str]| {
            let problems: Vec<String> = compare("public.t", &table, there)
                .into_iter()
                .map(|finding| finding.problem)
                .collect();
            assert_eq!(problems, expect);
        };
        let (a, b, c) =
            (found("a", "text", true), found("b", "uuid", false), found("c", "integer", false));
        check(&[c.clone(), a.clone(), b.clone()], &[]);
        check(&[a.clone(), b.clone()], &["table public.t has no column c"]);
        check(
            &[a.clone(), b.clone(), found("c", "bigint", false)],
            &["column c of table public.t is of type bigint, the archive's is integer"],
        );
        check(
            &[found("a", "text", false), b.clone(), c.clone()],
            &["column a of table public.t may be NULL, the archive's is NOT NULL"],
        );
        check(
            &[a, b, c, found("D", "text", false)],
            &["table public.t has a column \"D\" that the archive has not"],
        );
    }
}
