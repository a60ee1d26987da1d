//! A text's tokens, and what stands where among them.

use super::body;
use super::names::Renames;
use super::words::name;
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

/// A text's tokens without comments.
pub(super) struct Tokens<'a>(pub(super) Vec<Token<'a>>);

impl<'a> Tokens<'a> {
    /// Cuts a text.
    pub(super) fn of(sql: &'a str) -> Result<Self, String> {
        let tokens: Result<Vec<_>, _> = Lexer::new(sql).collect();
        let tokens = tokens.map_err(|_| "it ends within a string or a name".to_owned())?;
        Ok(Self(tokens.into_iter().filter(|token| token.kind != TokenKind::Comment).collect()))
    }

    /// Whether a name stands before a point, and not behind one.
    pub(super) fn is_qualifier(&self, at: usize) -> bool {
        self.symbol(at + 1, ".") && !(at > 0 && self.symbol(at - 1, "."))
    }

    /// Whether what a schema's name at this place qualifies stays where it is.
    pub(super) fn keeps(&self, at: usize, schema: &str, renames: &Renames) -> bool {
        self.0.get(at + 2).is_some_and(|token| {
            let operator = (token.kind == TokenKind::Symbol).then(|| token.text.to_owned());
            operator.or_else(|| name(token)).is_some_and(|kept| renames.keeps(schema, &kept))
        })
    }

    pub(super) fn symbol(&self, at: usize, symbol: &str) -> bool {
        self.0.get(at).is_some_and(|token| token.is_symbol(symbol))
    }

    pub(super) fn follows(&self, at: usize, word: &str) -> bool {
        at > 0 && self.0[at - 1].is_word(word)
    }

    /// Whether a query gives this name to a table, a row or a column, as far as tokens tell: it
    /// stands somewhere not before a point, other than behind AS, which gives a column's name.
    pub(super) fn is_given(&self, wanted: &str) -> bool {
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
    pub(super) fn in_search_path(&self, at: usize) -> bool {
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
    pub(super) fn text_body(&self) -> Option<usize> {
        (1..self.0.len())
            .find(|at| self.0[*at].kind == TokenKind::Text && self.0[at - 1].is_word("as"))
    }

    /// Whether a function is one in SQL.
    pub(super) fn is_in_sql(&self) -> bool {
        (1..self.0.len())
            .any(|at| self.follows(at, "language") && name(&self.0[at]).as_deref() == Some("sql"))
    }

    /// Whether the statement's texts are only said, or are an enum's labels.
    pub(super) fn is_comment_or_enum(&self) -> bool {
        let is = |at: usize, word: &str| self.0.get(at).is_some_and(|token| token.is_word(word));
        let makes_type = is(0, "create") && is(1, "type");
        is(0, "comment") || (makes_type && (2..self.0.len()).any(|at| is(at, "enum")))
    }

    /// Whether a text is an argument of a trigger: what stands after `EXECUTE`.
    pub(super) fn is_trigger_argument(&self, at: usize) -> bool {
        let is = |at: usize, word: &str| self.0.get(at).is_some_and(|token| token.is_word(word));
        let makes_trigger = is(0, "create") && (1..4).any(|at| is(at, "trigger"));
        makes_trigger && (0..at).any(|at| is(at, "execute"))
    }

    /// Whether a text is the sequence that a function is told: `setval('…', …)`.
    pub(super) fn is_sequence(&self, at: usize) -> bool {
        at > 1 && self.symbol(at - 1, "(") && self.0[at - 2].is_word("setval")
    }

    /// Whether a text is cast to a type of names: `'…'::regclass`.
    pub(super) fn is_cast_to_name(&self, at: usize) -> bool {
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

    /// Whether a schema's name stands before points only: it is no parameter, no alias, no table.
    pub(super) fn only_qualifies(&self, schema: &str) -> bool {
        (0..self.0.len()).all(|at| match name(&self.0[at]) {
            Some(name) if name == schema => self.is_qualifier(at) && !self.symbol(at + 2, "*"),
            Some(_) => true,
            // What a name with escapes is, is not known here.
            None => self.0[at].kind != TokenKind::QuotedName,
        })
    }

    /// Whether a body may name the schema in another way: within a text, whose characters may be
    /// written as numbers, or as the path to search.
    pub(super) fn tells(&self, schema: &str) -> bool {
        (0..self.0.len()).any(|at| {
            let token = &self.0[at];
            token.is_word("search_path")
                || (token.kind == TokenKind::Text
                    && (body::has_word(token.text, schema) || token.text.starts_with(['u', 'U']))
                    && !self.is_cast_to_name(at))
        })
    }
}
