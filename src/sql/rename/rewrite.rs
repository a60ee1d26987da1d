//! Where in a text a schema's name stands, and what stands there instead.

use std::borrow::Cow;
use std::ops::Range;

use super::body;
use super::names::{Bodies, Reading, Renames};
use super::tokens::Tokens;
use super::words::{may_name, name};
use crate::sql::ident;
use crate::sql::lexer::TokenKind;

/// What stands at a place of the text instead.
type Edit = (Range<usize>, String);

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

impl Tokens<'_> {
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
            if renames.bodies == Bodies::Refused && self.is_in_sql() {
                return body_in_sql(renames, self, token.text, &inner);
            }
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
        if renames.new_name(&inner).is_some() && self.is_trigger_argument(at) {
            return Err(format!("an argument of it is the name of the schema {inner}"));
        }
        // What a comment says, an enum's label, and a value that is a name by chance, is left; one
        // that is a qualified name may be read as one.
        let may_be_read = reading != Reading::Plain || !self.is_comment_or_enum();
        match renames.pairs().find(|(old, _)| body::is_qualified(&inner, old)) {
            Some((old, _)) if may_be_read => {
                Err(format!("a text in it may name something in the schema {old}"))
            }
            _ => Ok(None),
        }
    }
}

/// The body of a function in SQL, whose statement's tokens are `head`: it is rewritten as a statement
/// is, where nobody but the schema can be meant. `text` is the body as it stands, `inner` what it
/// holds. None where it stays.
fn body_in_sql(
    renames: &Renames,
    head: &Tokens<'_>,
    text: &str,
    inner: &str,
) -> Result<Option<String>, String> {
    let named: Vec<&str> =
        renames.pairs().map(|(old, _)| old).filter(|old| body::names(inner, old)).collect();
    let Some(first) = named.first() else { return Ok(None) };
    let unsure = |old: &str| format!("its body names the schema {old}");
    let Ok(body) = Tokens::of(inner) else { return Err(unsure(first)) };
    for old in named {
        if !head.only_qualifies(old) || !body.only_qualifies(old) || body.tells(old) {
            return Err(unsure(old));
        }
    }
    let edits = body.edits(renames, Reading::Query)?;
    Ok(Some(requoted(text, &replace(inner, edits))))
}

/// Another body in the same quotes, or in others where it would end within them.
fn requoted(text: &str, body: &str) -> String {
    let tag = text.strip_prefix('$').and_then(|rest| Some(&text[..rest.find('$')? + 2]));
    match tag {
        Some(tag) if format!("{body}{tag}").find(tag) == Some(body.len()) => {
            format!("{tag}{body}{tag}")
        }
        _ => ident::literal(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_what_is_in_them() {
        for (text, body, expect) in [
            ("$$x$$", "y", "$$y$$"),
            ("$f$x$f$", "y $$ z", "$f$y $$ z$f$"),
            ("$$x$$", "y $$ z", "'y $$ z'"),
            ("$f$x$f$", "y$f", "'y$f'"),
            ("'x'", "it's", "'it''s'"),
        ] {
            assert_eq!(requoted(text, body), expect);
        }
    }
}
