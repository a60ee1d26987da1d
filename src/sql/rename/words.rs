//! Names as SQL writes them.

use crate::sql::lexer::{Lexer, Token, TokenKind};

/// Whether a text might name a schema: a quick look.
pub(super) fn may_name(sql: &str, schema: &str) -> bool {
    // Within a text a quote is written in more than one way.
    if schema.contains(['\'', '\\']) {
        return true;
    }
    let quoted = schema.replace('"', "\"\"");
    let (sql, schema) = (sql.as_bytes(), quoted.as_bytes());
    schema.is_empty() || sql.windows(schema.len()).any(|part| part.eq_ignore_ascii_case(schema))
}

/// Reads `OLD=NEW`.
pub(super) fn pair(text: &str) -> Option<(String, String)> {
    let tokens: Vec<Token<'_>> = Lexer::new(text).collect::<Result<_, _>>().ok()?;
    match &tokens[..] {
        [old, equals, new] if equals.is_symbol("=") => Some((name(old)?, name(new)?)),
        _ => None,
    }
}

/// What a token names, if it is a name.
pub(super) fn name(token: &Token<'_>) -> Option<String> {
    match token.kind {
        // Only ASCII letters are folded: what others would become depends on the server's locale,
        // and its own texts quote them.
        TokenKind::Word => Some(token.text.to_ascii_lowercase()),
        TokenKind::QuotedName => {
            let inner = token.text.strip_prefix('"')?.strip_suffix('"')?;
            Some(inner.replace("\"\"", "\""))
        }
        _ => None,
    }
}
