//! What a type's values consist of, by the tokens of the statement that makes it.
//!
//! Does not know which types there are.

use super::tokens::Tokens;
use super::words::name;
use crate::sql::ident;

/// The types that a value of a type consists of: that below a domain, those of the columns of a
/// composite type or a table, the one that a range is of. As [`base_type`] writes them.
pub fn parts_of_type(sql: &str) -> Vec<String> {
    let Ok(tokens) = Tokens::of(sql) else { return Vec::new() };
    (1..tokens.0.len())
        .filter(|at| tokens.begins_type(*at))
        .filter_map(|at| tokens.type_at(at))
        .collect()
}

/// A type without its modifiers and brackets: a name of the server's own, or `schema.name`, quoted.
pub fn base_type(type_name: &str) -> String {
    let tokens = Tokens::of(type_name).ok();
    tokens.and_then(|tokens| tokens.type_at(0)).unwrap_or_else(|| type_name.to_owned())
}

impl Tokens<'_> {
    /// Whether a column's type stands there: behind a name that stands behind a bracket or a comma;
    /// or a domain's, a typed table's, a range's.
    fn begins_type(&self, at: usize) -> bool {
        let is_column = at > 1
            && name(&self.0[at - 1]).is_some()
            && (self.symbol(at - 2, "(") || self.symbol(at - 2, ","));
        let is_subtype = at > 1 && self.symbol(at - 1, "=") && self.0[at - 2].is_word("subtype");
        is_column || is_subtype || ["as", "of"].iter().any(|word| self.0[at - 1].is_word(word))
    }

    fn type_at(&self, at: usize) -> Option<String> {
        let first = name(self.0.get(at)?)?;
        let second = if self.symbol(at + 1, ".") { name(self.0.get(at + 2)?) } else { None };
        Some(match second {
            Some(second) if first == "pg_catalog" => second,
            Some(second) => ident::qualified(&first, &second),
            None => first,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_types_consist_of() {
        let check = |sql: &str, expect: &[&str]| {
            let parts = parts_of_type(sql);
            for part in expect {
                assert!(parts.iter().any(|found| found == part), "{sql}: {parts:?}");
            }
            let names = parts.iter().filter(|part| part.starts_with("reg")).count();
            let wanted = expect.iter().filter(|part| part.starts_with("reg")).count();
            assert_eq!(names, wanted, "{sql}: {parts:?}");
        };
        check("CREATE DOMAIN a.d AS regclass", &["regclass"]);
        check("CREATE DOMAIN a.d AS pg_catalog.regtype", &["regtype"]);
        check("CREATE DOMAIN a.d AS text CHECK (VALUE <> 'x'::regclass::text)", &["text"]);
        check(
            "CREATE TYPE a.c AS (a integer, b regclass[], \"C\" a.\"D\")",
            &["integer", "regclass", "a.\"D\""],
        );
        check("CREATE TYPE a.c AS (regclass integer)", &["integer"]);
        check("CREATE TYPE a.r AS RANGE (subtype = regproc)", &["regproc"]);
        check("CREATE TABLE a.t OF a.c", &["a.c"]);
        check(
            "CREATE TABLE a.t (a numeric(8,2), b regclass DEFAULT 'x'::regclass)",
            &["numeric", "regclass"],
        );
        check("CREATE TYPE a.e AS ENUM ('regclass')", &[]);
    }

    #[test]
    fn types_without_modifiers() {
        for (type_name, expect) in [
            ("regclass[]", "regclass"),
            ("a.mood[]", "a.mood"),
            ("\"Ty pes\".\"X\"", "\"Ty pes\".\"X\""),
            ("numeric(8,2)", "numeric"),
        ] {
            assert_eq!(base_type(type_name), expect);
        }
    }
}
