//! One pattern as psql reads it: `*`, `?`, `schema.name`, double quotes, letters folded to lower
//! case, and regular expressions for the rest.
//!
//! Knows names only; what they name is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use regex::{Regex, RegexBuilder};

use crate::error::{Error, Kind, Result};

/// Longer patterns cannot match a name and are refused.
const PATTERN_BYTES_MAX: usize = 4096;

/// A pattern for tables (`[[database.]schema.]name`) or schemas (`[database.]name`).
///
/// A table pattern without a schema matches in every schema: an archive knows no search path, and a
/// dump and a restore with the same options must mean the same tables.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    database: Option<Regex>,
    schema: Option<Regex>,
    name: Regex,
    takes_children: bool,
    /// Where it was read, if not from an option.
    place: Option<String>,
    /// The tables that descend from those that match, by schema.
    children: BTreeMap<String, BTreeSet<String>>,
}

impl Pattern {
    /// Reads a table's pattern.
    pub fn table(text: &str) -> Result<Self> {
        let parts = translate(text)?;
        let (database, schema, name) = match parts.as_slice() {
            [name] => (None, None, name),
            [schema, name] => (None, Some(schema), name),
            [database, schema, name] => (Some(database), Some(schema), name),
            _ => {
                return Err(wrong(text, "it has more than three parts")
                    .hint("write schema.table; the database is chosen by -d"));
            }
        };
        let part = |part: Option<&String>| part.map(|part| compile(text, part)).transpose();
        Ok(Self {
            database: part(database)?,
            schema: part(schema)?,
            ..Self::named(text, compile(text, name)?)
        })
    }

    /// Reads a schema's pattern.
    pub fn schema(text: &str) -> Result<Self> {
        let parts = translate(text)?;
        let (database, name) = match parts.as_slice() {
            [name] => (None, name),
            [database, name] => (Some(database), name),
            _ => {
                return Err(wrong(text, "it has more than two parts")
                    .hint("write a schema's name; the database is chosen by -d"));
            }
        };
        let database = database.map(|part| compile(text, part)).transpose()?;
        Ok(Self { database, ..Self::named(text, compile(text, name)?) })
    }

    /// Reads an extension's pattern.
    pub fn extension(text: &str) -> Result<Self> {
        match translate(text)?.as_slice() {
            [name] => Ok(Self::named(text, compile(text, name)?)),
            _ => Err(wrong(text, "an extension's name has one part")
                .hint("put double quotes around a name with a point in it")),
        }
    }

    fn named(text: &str, name: Regex) -> Self {
        Self {
            text: text.to_owned(),
            database: None,
            schema: None,
            name,
            takes_children: false,
            place: None,
            children: BTreeMap::new(),
        }
    }

    /// The same, and the tables that inherit from those that match or are their partitions, and so
    /// on; which these are is found by [`Selection::find`](super::Selection::find).
    #[must_use]
    pub fn and_children(self) -> Self {
        Self { takes_children: true, ..self }
    }

    /// The same, read at this place: a line of a file.
    #[must_use]
    pub fn read_at(self, place: &str) -> Self {
        Self { place: Some(place.to_owned()), ..self }
    }

    /// Where it was read, if not from an option.
    pub(super) fn place(&self) -> Option<&str> {
        self.place.as_deref()
    }

    /// Whether it means the children, too.
    pub fn takes_children(&self) -> bool {
        self.takes_children
    }

    /// Means one more table.
    pub(super) fn add_child(&mut self, (schema, name): (String, String)) {
        self.children.entry(schema).or_default().insert(name);
    }

    /// Whether it names no other database than this one.
    pub fn allows_database(&self, name: &str) -> bool {
        self.database.as_ref().is_none_or(|pattern| pattern.is_match(name))
    }

    /// Whether a table of this name is meant.
    pub fn matches_table(&self, schema: &str, name: &str) -> bool {
        let matches = self.schema.as_ref().is_none_or(|pattern| pattern.is_match(schema))
            && self.name.is_match(name);
        matches || self.children.get(schema).is_some_and(|names| names.contains(name))
    }

    /// Whether a table is meant that descends from these.
    pub fn matches_descendant(&self, ancestors: &[(String, String)]) -> bool {
        self.takes_children
            && ancestors.iter().any(|(schema, name)| self.matches_table(schema, name))
    }

    /// Whether a schema, or an extension, of this name is meant.
    pub fn matches_schema(&self, name: &str) -> bool {
        self.name.is_match(name)
    }
}

/// As it was typed.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn wrong(text: &str, cause: impl Into<String>) -> Error {
    Error::new(Kind::Usage, format!("read the pattern {text}"), cause)
}

fn compile(text: &str, part: &str) -> Result<Regex> {
    // A name may hold a newline, and `*` means any character.
    RegexBuilder::new(&format!("^(?:{part})$")).dot_matches_new_line(true).build().map_err(
        |source| {
            let cause = source
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .trim_start_matches("error: ")
                .to_owned();
            wrong(text, cause)
                .hint("put double quotes around a name that is to be taken literally")
                .with_source(source)
        },
    )
}

/// The regular expressions of a pattern's parts, as psql's `processSQLNamePattern` makes them:
/// outside quotes all characters but `*`, `?`, `.`, `$` and an empty pair of brackets keep their
/// meaning in regular expressions.
fn translate(text: &str) -> Result<Vec<String>> {
    if text.is_empty() || text.len() > PATTERN_BYTES_MAX {
        return Err(wrong(
            text.get(..40).unwrap_or_default(),
            format!("a pattern has 1 to {PATTERN_BYTES_MAX} bytes"),
        ));
    }
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let part = parts.last_mut().expect("there is always one part");
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                part.push('"');
            }
            '"' => quoted = !quoted,
            '$' => part.push_str("\\$"),
            _ if quoted => part.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            '*' => part.push_str(".*"),
            '?' => part.push('.'),
            '.' => parts.push(String::new()),
            '[' if rest.peek() == Some(&']') => {
                rest.next();
                part.push_str("\\[\\]");
            }
            _ => part.push(c.to_ascii_lowercase()),
        }
    }
    if quoted {
        return Err(wrong(text, "a double quote is not closed"));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let check = |pattern: &str, schema: &str, name: &str, expect: bool| {
            let matched = Pattern::table(pattern).unwrap().matches_table(schema, name);
            assert_eq!(matched, expect, "{pattern} on {schema}.{name}");
        };
        check("routes", "public", "routes", true);
        check("routes", "other", "routes", true);
        check("routes", "public", "routes2", false);
        check("ROUTES", "public", "routes", true);
        check("\"ROUTES\"", "public", "routes", false);
        check("\"ROUTES\"", "public", "ROUTES", true);
        check("Foo\"FOO\"BAR", "public", "fooFOObar", true);
        check("ro*", "public", "routes", true);
        check("ro*", "public", "services", false);
        check("route?", "public", "routes", true);
        check("route?", "public", "route", false);
        check("public.routes", "public", "routes", true);
        check("public.routes", "other", "routes", false);
        check("p*.r*", "public", "routes", true);
        check("*.routes", "x", "routes", true);
        check("\"a.b\"", "public", "a.b", true);
        check("\"a*b\"", "public", "a*b", true);
        check("\"a*b\"", "public", "aXb", false);
        check("\"a\"\"b\"", "public", "a\"b", true);
        check("a$b", "public", "a$b", true);
        check("key(auth|authenc)", "public", "keyauth", true);
        check("routes[0-9]", "public", "routes7", true);
        check("routes|services", "public", "services", true);
        check("routes|services", "public", "services2", false);
        check("int[]", "public", "int[]", true);
        check("a*b", "public", "a\nb", true);
        check("\u{dc}ber", "public", "\u{dc}ber", true);
        check(".routes", "public", "routes", false);
    }

    #[test]
    fn schemas() {
        assert!(Pattern::schema("k*").unwrap().matches_schema("kong"));
        assert!(!Pattern::schema("k*").unwrap().matches_schema("public"));
        assert!(Pattern::schema("\"a.b\"").unwrap().matches_schema("a.b"));
    }

    #[test]
    fn databases() {
        let pattern = Pattern::table("Shop.public.r*").unwrap();
        assert!(
            pattern.matches_table("public", "routes") && !pattern.matches_table("shop", "routes")
        );
        assert!(
            pattern.allows_database("shop")
                && !pattern.allows_database("Shop")
                && !pattern.allows_database("shop2")
        );
        let pattern = Pattern::schema("\"Shop\".public").unwrap();
        assert!(
            pattern.matches_schema("public")
                && pattern.allows_database("Shop")
                && !pattern.allows_database("shop")
        );
        assert!(Pattern::table("public.routes").unwrap().allows_database("any"));
    }

    #[test]
    fn refuses() {
        let check = |result: Result<Pattern>, expect: &str| {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            assert!(error.to_string().contains(expect), "{error}");
        };
        check(Pattern::table("x.db.public.routes"), "more than three parts");
        check(Pattern::schema("x.db.public"), "more than two parts");
        check(Pattern::table("\"routes"), "not closed");
        check(Pattern::table(""), "1 to 4096 bytes");
        check(Pattern::table("(routes"), "unclosed group");
        check(Pattern::table(&"a".repeat(5000)), "1 to 4096 bytes");
    }
}
