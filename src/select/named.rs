//! Single objects that are asked for by name: indexes, functions, triggers. Nothing comes along
//! with them, and what they need is expected to stand.

use std::fmt;

use super::pattern::Pattern;
use crate::archive::manifest::{Object, ObjectKind};
use crate::error::{Error, Kind, Result};

/// What is asked for; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// `-I`: indexes that no constraint has.
    pub indexes: Vec<Pattern>,
    /// `-P`: functions, procedures and aggregates.
    pub functions: Vec<Signature>,
    /// `--trigger`.
    pub triggers: Vec<TriggerName>,
}

impl Named {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.indexes.is_empty() && self.functions.is_empty() && self.triggers.is_empty()
    }

    /// Whether an object is one of them. `of` is what it is a part of, `schema` its schema in the
    /// archive.
    pub(super) fn picks(&self, object: &Object, of: Option<&Object>, schema: &str) -> bool {
        match object.kind {
            ObjectKind::Index => {
                self.indexes.iter().any(|pattern| pattern.matches_table(schema, &object.name))
            }
            ObjectKind::Function | ObjectKind::Aggregate => {
                self.functions.iter().any(|one| one.matches(schema, &object.name))
            }
            ObjectKind::Trigger => of.is_some_and(|table| {
                self.triggers.iter().any(|one| one.matches(schema, &table.name, &object.name))
            }),
            _ => false,
        }
    }

    /// The names that match nothing, as typed, each with its option.
    pub(super) fn unmatched<'a>(
        &self,
        objects: &(impl Iterator<Item = (&'a Object, Option<&'a Object>, &'a str)> + Clone),
    ) -> Vec<String> {
        let missing = |named: Self, words: String| {
            let mut all = objects.clone();
            (!all.any(|(object, of, schema)| named.picks(object, of, schema))).then_some(words)
        };
        let indexes = self.indexes.iter().filter_map(|one| {
            let named = Self { indexes: vec![one.clone()], ..Self::default() };
            missing(named, format!("{one} ({})", one.place().unwrap_or("-I")))
        });
        let functions = self.functions.iter().filter_map(|one| {
            let named = Self { functions: vec![one.clone()], ..Self::default() };
            missing(named, format!("{one} ({})", one.name.place().unwrap_or("-P")))
        });
        let triggers = self.triggers.iter().filter_map(|one| {
            let named = Self { triggers: vec![one.clone()], ..Self::default() };
            missing(named, format!("{one} ({})", one.name.place().unwrap_or("--trigger")))
        });
        indexes.chain(functions).chain(triggers).collect()
    }
}

/// A function's name, with or without its schema, and the types of its arguments.
#[derive(Clone, Debug)]
pub struct Signature {
    text: String,
    /// The name as it was typed, which `pg_restore` prints without quotes.
    bare: String,
    name: Pattern,
    arguments: Vec<String>,
}

impl Signature {
    /// Reads `[schema.]name(type, …)`, as `pg_restore -P` takes it.
    pub fn parse(text: &str) -> Result<Self> {
        let split = text.trim_end().strip_suffix(')').and_then(split_at_bracket);
        let Some((name, arguments)) = split else {
            let cause = "it does not end with the types of the arguments in brackets";
            return Err(Error::new(Kind::Usage, format!("read the function {text}"), cause)
                .hint("write NAME(TYPE, ...), as restore -l shows it; without arguments NAME()"));
        };
        Ok(Self {
            text: text.to_owned(),
            bare: name.trim().to_owned(),
            name: Pattern::table(name.trim())?,
            arguments: parted(arguments),
        })
    }

    /// The same, read at this place: a line of a file.
    #[must_use]
    pub fn read_at(self, place: &str) -> Self {
        Self { name: self.name.read_at(place), ..self }
    }

    fn matches(&self, schema: &str, signature: &str) -> bool {
        // A name stands there without quotes, whatever brackets it has.
        let Some(signature) = signature.strip_suffix(')') else { return false };
        signature.match_indices('(').any(|(at, _)| {
            let (name, arguments) = (&signature[..at], &signature[at + 1..]);
            (name == self.bare || self.name.matches_table(schema, name))
                && are_of_types(&parted(arguments), &self.arguments)
        })
    }
}

/// As it was typed.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Name and arguments, where the bracket that ends the arguments is gone: at the bracket that
/// begins them, for a name and a type may have brackets of their own in double quotes.
fn split_at_bracket(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let brackets = text.char_indices().filter(|(_, c)| {
        quoted ^= *c == '"';
        *c == '(' && !quoted
    });
    let at = brackets.last()?.0;
    Some((&text[..at], &text[at + 1..]))
}

/// Whether arguments, of which an archive says names and modes too, are of these types: all of
/// them, or as `pg_restore` prints them, without those that are OUT.
fn are_of_types(arguments: &[String], types: &[String]) -> bool {
    let [all, types] = [arguments, types]
        .map(|list| list.iter().map(|one| without_mode(one)).collect::<Vec<(Mode, &str)>>());
    let taken: Vec<(Mode, &str)> =
        all.iter().copied().filter(|(mode, _)| *mode != Mode::Out).collect();
    let is_of_type = |(argument, of): (&(Mode, &str), &(Mode, &str))| {
        let (mode, argument) = argument;
        let is_of_mode = of.0 == Mode::Unsaid || of.0 == mode.said();
        is_of_mode && (*argument == of.1 || without_name(argument) == Some(of.1))
    };
    [all, taken].iter().any(|arguments| {
        arguments.len() == types.len() && arguments.iter().zip(&types).all(is_of_type)
    })
}

/// How a value goes through an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Unsaid,
    In,
    InOut,
    Out,
    Variadic,
}

impl Mode {
    /// What is meant where nothing is said.
    fn said(self) -> Self {
        if self == Self::Unsaid { Self::In } else { self }
    }
}

/// An argument less its mode.
fn without_mode(argument: &str) -> (Mode, &str) {
    const WORDS: [(&str, Mode); 4] = [
        ("IN ", Mode::In),
        ("INOUT ", Mode::InOut),
        ("OUT ", Mode::Out),
        ("VARIADIC ", Mode::Variadic),
    ];
    let said = |(word, mode): (&str, Mode)| Some((mode, strip_word(argument, word)?));
    WORDS.into_iter().find_map(said).unwrap_or((Mode::Unsaid, argument))
}

/// What follows a word, in whatever case it is typed.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (first, rest) = text.split_at_checked(word.len())?;
    first.eq_ignore_ascii_case(word).then_some(rest)
}

/// The type of an argument that begins with its name.
fn without_name(argument: &str) -> Option<&str> {
    let Some(quoted) = argument.strip_prefix('"') else {
        return argument.split_once(' ').map(|(_, rest)| rest);
    };
    quoted.split_once("\" ").map(|(_, rest)| rest)
}

/// Arguments one by one, nowhere two spaces; of an ordered-set aggregate, direct ones and others
/// alike.
fn parted(arguments: &str) -> Vec<String> {
    let mut quoted = false;
    let is_end = |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    };
    let arguments = arguments.replace(" ORDER BY ", ", ");
    let words = arguments.split(is_end).map(|one| {
        let one = one.split_whitespace().collect::<Vec<_>>().join(" ");
        one.strip_prefix("ORDER BY ").map(ToOwned::to_owned).unwrap_or(one)
    });
    words.filter(|one| !one.is_empty()).collect()
}

/// A trigger's name, with or without its table's.
#[derive(Clone, Debug)]
pub struct TriggerName {
    text: String,
    table: Option<Pattern>,
    name: Pattern,
}

impl TriggerName {
    /// Reads `name` or, as `pg_restore -T` has it, `table name`. A trigger is in no schema of its
    /// own; the table may have one.
    pub fn parse(text: &str) -> Result<Self> {
        let mut quoted = false;
        let spaces = text.trim().char_indices().filter(|(_, c)| {
            quoted ^= *c == '"';
            *c == ' ' && !quoted
        });
        let (table, name) = match spaces.last() {
            Some((at, _)) => (Some(Pattern::table(text.trim()[..at].trim())?), &text.trim()[at..]),
            None => (None, text),
        };
        let name = Pattern::extension(name.trim()).map_err(|error| {
            error.hint("write NAME, or \"TABLE NAME\" with the schema before the table's name")
        })?;
        Ok(Self { text: text.to_owned(), table, name })
    }

    /// The same, read at this place: a line of a file.
    #[must_use]
    pub fn read_at(self, place: &str) -> Self {
        Self { name: self.name.read_at(place), ..self }
    }

    fn matches(&self, schema: &str, table: &str, name: &str) -> bool {
        self.table.as_ref().is_none_or(|pattern| pattern.matches_table(schema, table))
            && self.name.matches_schema(name)
    }
}

/// As it was typed.
impl fmt::Display for TriggerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions() {
        let check = |typed: &str, schema: &str, signature: &str, expect: bool| {
            let one = Signature::parse(typed).unwrap();
            assert_eq!(one.matches(schema, signature), expect, "{typed} on {schema}.{signature}");
        };
        check("f()", "public", "f()", true);
        check("f( )", "public", "f()", true);
        check("f()", "public", "f(integer)", false);
        check("F(integer,text)", "public", "f(integer, text)", true);
        check("f(character  varying)", "public", "f(character varying)", true);
        check("f(integer, text)", "public", "f(IN a integer, VARIADIC \"B\" text)", true);
        check("f(text)", "public", "f(a integer, b text)", false);
        check("f(VARIADIC text[])", "public", "f(VARIADIC b text[])", true);
        check("f(variadic text[])", "public", "f(VARIADIC b text[])", true);
        check("f(text[])", "public", "f(VARIADIC text[])", true);
        check("f(VARIADIC text[])", "public", "f(b text[])", false);
        check("f(integer)", "public", "f(a integer, OUT b text)", true);
        check("f(integer, OUT text)", "public", "f(a integer, OUT b text)", true);
        check("f(IN a integer, OUT b text)", "public", "f(a integer, OUT b text)", true);
        check("f(integer, text)", "public", "f(a integer, OUT b text)", true);
        check("f()", "public", "f(OUT a integer)", true);
        check("f(INOUT integer)", "public", "f(INOUT a integer)", true);
        check("f(integer, \"my b\" text)", "public", "f(a integer, \"my b\" text)", true);
        check("f(text)", "public", "f(\"my b\" text)", true);
        check("f(integer, text)", "public", "f(integer ORDER BY text)", true);
        check("f(integer ORDER BY text)", "public", "f(integer ORDER BY text)", true);
        check("f(text)", "public", "f(ORDER BY text)", true);
        check("MyFn(integer)", "public", "MyFn(a integer)", true);
        check("MyFn(integer)", "public", "myfn(a integer)", true);
        check("\"a\"\"q\"(integer)", "public", "a\"q(integer)", true);
        check("\"We(i,r)d\"(integer, text)", "public", "We(i,r)d(\"a,b\" integer, c text)", true);
        check("We(i,r)d(\"a,b\" integer)", "public", "We(i,r)d(\"a,b\" integer)", true);
        check("f(b\" integer)", "public", "f(\"a,b\" integer)", false);
        check("public.f(int)", "public", "f(integer)", false);
        check("public.f(integer)", "other", "f(integer)", false);
        check("\"F(x\"(integer)", "public", "F(x(integer)", true);
        check("f(public.\"a(b)\")", "s", "f(public.\"a(b)\")", true);
        assert_eq!(Signature::parse("f").unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn triggers() {
        let check = |typed: &str, table: &str, name: &str, expect: bool| {
            let one = TriggerName::parse(typed).unwrap();
            assert_eq!(one.matches("public", table, name), expect, "{typed} on {table} {name}");
        };
        check("touch", "routes", "touch", true);
        check("routes touch", "routes", "touch", true);
        check("services touch", "routes", "touch", false);
        check("public.routes touch", "routes", "touch", true);
        check("other.routes touch", "routes", "touch", false);
        check("\"to uch\"", "routes", "to uch", true);
        check("\"my routes\" touch", "my routes", "touch", true);
        assert!(TriggerName::parse("routes.touch").is_err());
    }
}
