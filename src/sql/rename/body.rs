//! Texts within SQL: what they hold, and whether that names a schema.

use super::words::name;
use crate::sql::lexer::{Lexer, Token, TokenKind};

/// What a string holds: `'…'`, `E'…'` without escapes, `$tag$…$tag$`. None for bit strings and
/// what has escapes other than of the quote.
pub(super) fn inner(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$')? + 2;
        return Some(text[tag..text.len() - tag].to_owned());
    }
    let (text, escapes) = match text.strip_prefix(['e', 'E']) {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let inner = inner.replace("''", "'");
    Some(if escapes { inner.replace("\\\\", "\\").replace("\\'", "'") } else { inner })
}

/// Whether a function's body may name a schema: before a point, as a word of a string, or in a
/// setting of the `search_path`.
pub(super) fn names(body: &str, schema: &str) -> bool {
    let tokens: Result<Vec<Token<'_>>, _> = Lexer::new(body).collect();
    // The body of another language.
    let Ok(tokens) = tokens else { return has_word(body, schema) };
    let path = tokens.iter().any(|token| token.is_word("search_path"));
    tokens.iter().enumerate().any(|(at, token)| match token.kind {
        TokenKind::Comment => false,
        TokenKind::Text => has_word(token.text, schema),
        _ if name(token).as_deref() == Some(schema) => {
            let behind = at > 0 && tokens[at - 1].is_symbol(".");
            let before = tokens.get(at + 1).is_some_and(|next| next.is_symbol("."));
            (before && !behind) || path || (at > 0 && tokens[at - 1].is_word("schema"))
        }
        _ => false,
    })
}

/// Whether a text is a qualified name in the schema, and nothing else.
pub(super) fn is_qualified(text: &str, schema: &str) -> bool {
    let tokens: Result<Vec<Token<'_>>, _> = Lexer::new(text).collect();
    let Ok(tokens) = tokens else { return false };
    match &tokens[..] {
        [first, point, last, ..] => {
            name(first).as_deref() == Some(schema)
                && point.is_symbol(".")
                && name(last).is_some()
                && first.start + first.text.len() == point.start
                && point.start + 1 == last.start
        }
        _ => false,
    }
}

/// Whether a word of a text is this, whatever stands around it.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (folded, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    folded.match_indices(&word).any(|(at, _)| {
        let before = folded[..at].chars().next_back();
        let after = folded[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
