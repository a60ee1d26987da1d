//! A statement's tokens, and where in it a schema's name stands.

use std::borrow::Cow;
use std::ops::Range;

use super::body;
use super::names::{Bodies, Reading, Renames};
use super::words::{may_name, name};
use crate::sql::ident;
use crate::sql::lexer::{Lexer, Token, TokenKind};

/// The server's types whose values are names of objects, as texts show them.
pub const NAME_TYPES: &[&str] = &[
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regtype",
];

/// What stands at a place of the text instead.
type Edit = (Range<usize>, String);

/// A text's tokens without comments.
struct Tokens<'a>(Vec<Token<'a>>);

/// Rewrites a text.
///
/// # Errors
/// Why it cannot be rewritten for sure.
pub(super) fn rewrite<'a>(
    renames: &Renames,
    sql: &'a str,
    reading: Reading,
) -> Result<Cow<'a, str>, String> {
    // Most texts name no such schema at all.
    if !renames.pairs().any(|(old, _)| may_name(sql, old)) {
        return Ok(Cow::Borrowed(sql));
    }
    let edits = Tokens::of(sql)?.edits(renames, reading)?;
    Ok(replace(sql, edits))
}

/// The schema that a function keeps naming, by its old name.
pub(super) fn kept_by<'a>(renames: &'a Renames, sql: &str) -> Option<&'a str> {
    let mut named = renames.pairs().map(|(old, _)| old).filter(|old| may_name(sql, old));
    let tokens = Tokens::of(sql).ok()?;
    let body = tokens.text_body().and_then(|at| body::inner(tokens.0[at].text));
    named.find(|old| {
        let in_path = (0..tokens.0.len()).any(|at| {
            let token = &tokens.0[at];
            let text = if token.kind == TokenKind::Text { body::inner(token.text) } else { None };
            text.or_else(|| name(token)).as_deref() == Some(old) && tokens.in_search_path(at)
        });
        in_path || body.as_ref().is_some_and(|body| body::names(body, old))
    })
}

/// Puts the edits, which are in order, into the text.
fn replace(sql: &str, edits: Vec<Edit>) -> Cow<'_, str> {
    if edits.is_empty() {
        return Cow::Borrowed(sql);
    }
    let (mut text, mut at) = (String::with_capacity(sql.len() + 64), 0);
    for (range, with) in edits {
        text.push_str(&sql[at..range.start]);
        text.push_str(&with);
        at = range.end;
    }
    text.push_str(&sql[at..]);
    Cow::Owned(text)
}

impl<'a> Tokens<'a> {
    /// Cuts a text.
    fn of(sql: &'a str) -> Result<Self, String> {
        let tokens: Result<Vec<_>, _> = Lexer::new(sql).collect();
        let tokens = tokens.map_err(|_| "it ends within a string or a name".to_owned())?;
        Ok(Self(tokens.into_iter().filter(|token| token.kind != TokenKind::Comment).collect()))
    }

    /// Where names of schemas stand, and what will.
    fn edits(&self, renames: &Renames, reading: Reading) -> Result<Vec<Edit>, String> {
        let has_text_body = reading == Reading::Function && self.text_body().is_some();
        let may_give_names = match reading {
            Reading::Plain => false,
            Reading::Query => true,
            Reading::Function => !has_text_body,
        };
        let mut edits = Vec::new();
        for at in 0..self.0.len() {
            let token = &self.0[at];
            let range = token.start..token.start + token.text.len();
            if token.kind == TokenKind::Text {
                if let Some(with) = self.text(at, renames, reading, has_text_body)? {
                    edits.push((range, with));
                }
                continue;
            }
            let Some(name) = name(token) else { continue };
            let Some(new) = renames.new_name(&name) else { continue };
            if self.is_qualifier(at) {
                if self.keeps(at, &name, renames) {
                    continue;
                }
                if may_give_names && self.is_given(&name) {
                    return Err(format!("something in it is called {name}, as the schema is"));
                }
                if ["old", "new", "excluded"].contains(&name.as_str()) {
                    return Err(format!("{name} may be the row or the schema"));
                }
                edits.push((range, ident::quote(new)));
            } else if (!may_give_names && self.follows(at, "schema")) || self.in_search_path(at) {
                if self.in_search_path(at) && renames.bodies == Bodies::Kept {
                    continue;
                }
                edits.push((range, ident::quote(new)));
            }
        }
        Ok(edits)
    }

    /// Whether a name stands before a point, and not behind one.
    fn is_qualifier(&self, at: usize) -> bool {
        self.symbol(at + 1, ".") && !(at > 0 && self.symbol(at - 1, "."))
    }

    /// Whether what a schema's name at this place qualifies stays where it is.
    fn keeps(&self, at: usize, schema: &str, renames: &Renames) -> bool {
        self.0.get(at + 2).is_some_and(|token| {
            let operator = (token.kind == TokenKind::Symbol).then(|| token.text.to_owned());
            operator.or_else(|| name(token)).is_some_and(|kept| renames.keeps(schema, &kept))
        })
    }

    fn symbol(&self, at: usize, symbol: &str) -> bool {
        self.0.get(at).is_some_and(|token| token.is_symbol(symbol))
    }

    fn follows(&self, at: usize, word: &str) -> bool {
        at > 0 && self.0[at - 1].is_word(word)
    }

    /// Whether a query gives this name to a table, a row or a column, as far as tokens tell: it
    /// stands somewhere not before a point, other than behind AS, which gives a column's name.
    fn is_given(&self, wanted: &str) -> bool {
        (0..self.0.len()).any(|at| {
            name(&self.0[at]).as_deref() == Some(wanted)
                && !self.is_qualifier(at)
                && !self.follows(at, "as")
        }) || (0..self.0.len()).any(|at| {
            // A whole row: `name.*`.
            name(&self.0[at]).as_deref() == Some(wanted)
                && self.is_qualifier(at)
                && self.symbol(at + 2, "*")
        })
    }

    /// Whether the token is among the values of `SET search_path TO …, …`.
    fn in_search_path(&self, at: usize) -> bool {
        let mut first = at;
        while first > 1 && self.symbol(first - 1, ",") {
            first -= 2;
        }
        first > 2
            && (self.0[first - 1].is_word("to") || self.symbol(first - 1, "="))
            && self.0[first - 2].is_word("search_path")
            && self.0[first - 3].is_word("set")
    }

    /// The body of a function that is a text: what follows AS.
    fn text_body(&self) -> Option<usize> {
        (1..self.0.len())
            .find(|at| self.0[*at].kind == TokenKind::Text && self.0[at - 1].is_word("as"))
    }

    /// What becomes of a text.
    fn text(
        &self,
        at: usize,
        renames: &Renames,
        reading: Reading,
        has_text_body: bool,
    ) -> Result<Option<String>, String> {
        let token = &self.0[at];
        let Some(inner) = body::inner(token.text) else {
            return Ok(None);
        };
        if has_text_body && self.text_body() == Some(at) {
            return match renames.pairs().find(|(old, _)| body::names(&inner, old)) {
                Some((old, _)) if renames.bodies == Bodies::Refused => {
                    Err(format!("its body names the schema {old}"))
                }
                _ => Ok(None),
            };
        }
        if self.in_search_path(at) {
            let new = renames.new_name(&inner).filter(|_| renames.bodies == Bodies::Refused);
            return Ok(new.map(ident::literal));
        }
        if self.is_cast_to_name(at) || self.is_sequence(at) {
            let rewritten = rewrite(renames, &inner, Reading::Plain)?;
            return Ok(match rewritten {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(ident::literal(&text)),
            });
        }
        // What a comment says, and a value that is a name by chance, is left; one that is a
        // qualified name may be read as one.
        let may_be_read = reading != Reading::Plain || !self.0[0].is_word("comment");
        match renames.pairs().find(|(old, _)| body::is_qualified(&inner, old)) {
            Some((old, _)) if may_be_read => {
                Err(format!("a text in it may name something in the schema {old}"))
            }
            _ => Ok(None),
        }
    }

    /// Whether a text is the sequence that a function is told: `setval('…', …)`.
    fn is_sequence(&self, at: usize) -> bool {
        at > 1 && self.symbol(at - 1, "(") && self.0[at - 2].is_word("setval")
    }

    /// Whether a text is cast to a type of names: `'…'::regclass`.
    fn is_cast_to_name(&self, at: usize) -> bool {
        let mut next = at + 1;
        if !self.symbol(next, "::") {
            return false;
        }
        next += 1;
        if self.0.get(next).is_some_and(|token| token.is_word("pg_catalog")) {
            next += 2;
        }
        self.0.get(next).is_some_and(|token| NAME_TYPES.iter().any(|word| token.is_word(word)))
    }
}
