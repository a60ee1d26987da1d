//! Filter files (`--filter`), as `pg_dump` and `pg_restore` read them: a line for each pattern, `{
//! include | exclude } TYPE PATTERN`, where a name in double quotes may go over several lines.
//!
//! Knows the lines only; what they mean for a command is said by `filters`.

use crate::error::{Error, Kind, Result};

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) include: bool,
    /// One of [`TYPES`].
    pub(super) of: &'static str,
    /// The pattern, its spaces as `pg_dump` leaves them.
    pub(super) pattern: String,
}

/// What a line can be about.
const TYPES: [&str; 11] = [
    "table_data",
    "table_data_and_children",
    "database",
    "extension",
    "foreign_data",
    "function",
    "index",
    "schema",
    "table",
    "table_and_children",
    "trigger",
];

/// Reads a file's text; `name` is what the file is called.
pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Entry>> {
    let mut lines = Lines { name, rest: text.lines(), number: 0 };
    let mut entries = Vec::new();
    while let Some(line) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = lines.number;
        let (command, rest) = keyword(line);
        let include = match command.to_ascii_lowercase().as_str() {
            "include" => true,
            "exclude" => false,
            "" => return Err(lines.wrong("no command is there").hint(SYNTAX)),
            _ => {
                let cause = format!("{command} is no command");
                return Err(lines.wrong(&cause).hint(SYNTAX));
            }
        };
        let (word, rest) = keyword(rest);
        let of = TYPES.into_iter().find(|of| of.eq_ignore_ascii_case(word));
        let Some(of) = of else {
            let cause = match word {
                "" => "the object type is missing".to_owned(),
                word => format!("there is no object type {word}"),
            };
            return Err(lines.wrong(&cause).hint(SYNTAX));
        };
        let pattern = pattern(&mut lines, rest)?;
        entries.push(Entry { line: at, include, of, pattern });
    }
    Ok(entries)
}

const SYNTAX: &str = "write include or exclude, an object type such as table, and a pattern";

struct Lines<'a> {
    name: &'a str,
    rest: std::str::Lines<'a>,
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.rest.next()?;
        self.number += 1;
        Some(line)
    }

    fn wrong(&self, cause: &str) -> Error {
        wrong(self.name, self.number, cause)
    }
}

/// A line, for an error.
pub(super) fn place(name: &str, line: usize) -> String {
    format!("read the filter file {name}, line {line}")
}

fn wrong(name: &str, line: usize, cause: &str) -> Error {
    Error::new(Kind::Usage, place(name, line), cause)
}

/// A word of letters and underscores, and what follows.
fn keyword(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let is_in = |(at, c): &(usize, char)| c.is_ascii_alphabetic() || *at > 0 && *c == '_';
    let end = text.char_indices().find(|one| !is_in(one)).map_or(text.len(), |(at, _)| at);
    let (word, rest) = text.split_at(end);
    // A word that goes on in another way is none.
    if rest.starts_with(char::is_whitespace) || rest.is_empty() {
        return (word, rest);
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at(end)
}

/// A pattern to the end of the line or to a comment. Outside double quotes, several spaces are one,
/// and none stand beside points and brackets.
fn pattern<'a>(lines: &mut Lines<'a>, text: &'a str) -> Result<String> {
    let mut pattern = String::new();
    let mut rest = text.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        return Err(lines.wrong("the pattern is missing").hint(SYNTAX));
    }
    let (mut skip_space, mut found_space) = (true, false);
    while let Some(c) = rest.chars().next().filter(|c| *c != '#') {
        let is_mark = |c: char| c.is_whitespace() || "#,.()\"".contains(c);
        let word = &rest[..rest.find(is_mark).unwrap_or(rest.len())];
        if !word.is_empty() {
            if !skip_space && found_space {
                pattern.push(' ');
            }
            pattern.push_str(word);
            rest = &rest[word.len()..];
            skip_space = false;
        } else if c == '"' {
            if !skip_space && found_space {
                pattern.push(' ');
            }
            rest = quoted(lines, &rest[1..], &mut pattern)?;
            skip_space = false;
        } else {
            pattern.push_str(if c == ',' { ", " } else { &rest[..1] });
            rest = &rest[1..];
            skip_space = true;
        }
        let after = rest.trim_start();
        found_space = after.len() < rest.len();
        rest = after;
    }
    Ok(pattern)
}

/// A name in double quotes, whose first is read already; gives what follows the last.
fn quoted<'a>(lines: &mut Lines<'a>, text: &'a str, pattern: &mut String) -> Result<&'a str> {
    let begun = lines.number;
    let mut rest = text;
    pattern.push('"');
    loop {
        let mut chars = rest.chars();
        match chars.next() {
            Some('"') if chars.as_str().starts_with('"') => {
                pattern.push_str("\"\"");
                rest = &chars.as_str()[1..];
            }
            Some('"') => {
                pattern.push('"');
                return Ok(chars.as_str());
            }
            Some('\\') => {
                match chars.next() {
                    Some('n') => pattern.push('\n'),
                    Some('\\') => pattern.push('\\'),
                    _ => {
                        return Err(lines
                            .wrong("a backslash is followed by neither n nor a backslash")
                            .hint("write \\\\ for a backslash in a name"));
                    }
                }
                rest = chars.as_str();
            }
            Some(c) => {
                pattern.push(c);
                rest = chars.as_str();
            }
            None => {
                let Some(next) = lines.next() else {
                    return Err(wrong(lines.name, begun, "a double quote is not closed")
                        .hint("close the name with a double quote; two stand for one in it"));
                };
                pattern.push('\n');
                rest = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let check = |text: &str, expect: &[(usize, bool, &str, &str)]| {
            let entries = parse("f", text).unwrap();
            let found: Vec<_> = entries
                .iter()
                .map(|entry| (entry.line, entry.include, entry.of, entry.pattern.as_str()))
                .collect();
            assert_eq!(found, expect, "{text}");
        };
        check("", &[]);
        check("# nothing\n\n   # here\n", &[]);
        check("include table routes", &[(1, true, "table", "routes")]);
        check("INCLUDE Table Routes # ours", &[(1, true, "table", "Routes")]);
        check("\n exclude\ttable_data  s.t ", &[(2, false, "table_data", "s.t")]);
        check("include table s . t", &[(1, true, "table", "s.t")]);
        check("include function f( integer ,text )", &[(1, true, "function", "f(integer, text)")]);
        check(
            "include function f(double   precision)",
            &[(1, true, "function", "f(double precision)")],
        );
        check("include table \"a#b\" # c", &[(1, true, "table", "\"a#b\"")]);
        check("include table \"a\"\"b\\nc\\\\d\"", &[(1, true, "table", "\"a\"\"b\nc\\d\"")]);
        check(
            "include table \"a\nb\" .\"c\n\nd\"\nexclude schema x",
            &[(1, true, "table", "\"a\nb\".\"c\n\nd\""), (5, false, "schema", "x")],
        );
        check("exclude table_data_and_children p*", &[(1, false, TYPES[1], "p*")]);
        check("include trigger t  g", &[(1, true, "trigger", "t g")]);
    }

    #[test]
    fn refuses() {
        let check = |text: &str, line: usize, cause: &str| {
            let error = parse("f", text).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            let told = error.to_string();
            assert!(told.contains(&format!("f, line {line}")) && told.contains(cause), "{told}");
        };
        check("\ntable x", 2, "table is no command");
        check("include", 1, "the object type is missing");
        check("include table", 1, "the pattern is missing");
        check("include table # x", 1, "the pattern is missing");
        check("include tables x", 1, "no object type tables");
        check("include table-data x", 1, "no object type table-data");
        check("- table x", 1, "- is no command");
        check("\ninclude table \"x\n\n", 2, "not closed");
        check("include table \"a\\b\"", 1, "backslash");
    }
}
