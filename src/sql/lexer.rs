//! PostgreSQL's SQL cut into tokens, as the server's scanner cuts it under
//! `standard_conforming_strings = on`.
//!
//! Pure, and never fails on anything but an end in the middle of a token. Knows no grammar: what
//! the words mean is not known here.

/// One token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// As it stands in the text, quotes included.
    pub text: &'a str,
    /// The byte that it begins at.
    pub start: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A key word or a name without quotes.
    Word,
    /// A name in quotes, `U&"…"` included.
    QuotedName,
    /// A string of any form: `'…'`, `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`, `$tag$…$tag$`.
    Text,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// One of `( ) [ ] , ; : .`, `::`, an operator, or any other single character.
    Symbol,
    /// `-- …` or `/* … */`.
    Comment,
}

impl Token<'_> {
    /// Whether it is this key word, written in upper case, without quotes.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is this symbol.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }
}

/// The text ends within a string, a name, or a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unterminated {
    /// The byte that it begins at.
    pub start: usize,
}

/// The tokens of a text, one after the other; white space is between them.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Begins at the text's first byte.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The kind of the token that begins at `at`, and the byte after it; none where the text ends
    /// before it does.
    fn token(&self, first: u8) -> Option<(TokenKind, usize)> {
        let bytes = self.text.as_bytes();
        let at = self.at;
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        Some(match first {
            b'\'' => (TokenKind::Text, quoted(bytes, at + 1, b'\'', false)?),
            b'"' => (TokenKind::QuotedName, quoted(bytes, at + 1, b'"', false)?),
            b'$' => match dollar_tag(bytes, at) {
                Some(body) => {
                    (TokenKind::Text, body + find(&bytes[body..], &bytes[at..body])? + (body - at))
                }
                None if next.is_ascii_digit() => {
                    (TokenKind::Parameter, end_of(bytes, at + 1, |byte| byte.is_ascii_digit()))
                }
                None => (TokenKind::Symbol, at + 1),
            },
            b'-' if next == b'-' => {
                (TokenKind::Comment, end_of(bytes, at, |byte| byte != b'\n' && byte != b'\r'))
            }
            b'/' if next == b'*' => (TokenKind::Comment, block_comment(bytes, at)?),
            b'e' | b'E' if next == b'\'' => (TokenKind::Text, quoted(bytes, at + 2, b'\'', true)?),
            b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if next == b'\'' => {
                (TokenKind::Text, quoted(bytes, at + 2, b'\'', false)?)
            }
            b'u' | b'U' if next == b'&' && bytes.get(at + 2) == Some(&b'\'') => {
                (TokenKind::Text, quoted(bytes, at + 3, b'\'', false)?)
            }
            b'u' | b'U' if next == b'&' && bytes.get(at + 2) == Some(&b'"') => {
                (TokenKind::QuotedName, quoted(bytes, at + 3, b'"', false)?)
            }
            byte if begins_word(byte) => (
                TokenKind::Word,
                end_of(bytes, at, |byte| {
                    begins_word(byte) || byte.is_ascii_digit() || byte == b'$'
                }),
            ),
            byte if byte.is_ascii_digit() || (byte == b'.' && next.is_ascii_digit()) => {
                (TokenKind::Number, number(bytes, at))
            }
            b':' if next == b':' => (TokenKind::Symbol, at + 2),
            byte if is_operator(byte) => (TokenKind::Symbol, operator(bytes, at)),
            _ => (TokenKind::Symbol, at + 1),
        })
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Result<Token<'a>, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        self.at = end_of(bytes, self.at, |byte| {
            matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
        });
        let (start, first) = (self.at, *bytes.get(self.at)?);
        let Some((kind, end)) = self.token(first) else {
            self.at = bytes.len();
            return Some(Err(Unterminated { start }));
        };
        self.at = end;
        Some(Ok(Token { kind, text: &self.text[start..end], start }))
    }
}

fn begins_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_operator(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}

/// The first byte from `at` on that `belongs` does not hold for.
fn end_of(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| at + length)
}

/// Where a string or name ends whose first byte after the quote is at `at`; a quote in it is
/// doubled, or, with `escapes`, behind a backslash.
fn quoted(bytes: &[u8], mut at: usize, quote: u8, escapes: bool) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Where the body of `$tag$…$tag$` begins, if one begins at `at`.
fn dollar_tag(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at + 1)?;
    let end = if begins_word(first) {
        end_of(bytes, at + 1, |byte| begins_word(byte) || byte.is_ascii_digit())
    } else {
        at + 1
    };
    (bytes.get(end) == Some(&b'$')).then_some(end + 1)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

/// Comments of this kind may hold others.
fn block_comment(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start + 2, 1_usize);
    while depth > 0 {
        match (*bytes.get(at)?, bytes.get(at + 1)) {
            (b'*', Some(b'/')) => (at, depth) = (at + 2, depth - 1),
            (b'/', Some(b'*')) => (at, depth) = (at + 2, depth + 1),
            _ => at += 1,
        }
    }
    Some(at)
}

/// Digits, a point and an exponent; letters that follow at once, as in `0x1f` or `1_000`, belong to
/// it.
fn number(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(&byte) = bytes.get(at) {
        let before = bytes[at - usize::from(at > start)];
        let is_range = byte == b'.' && bytes.get(at + 1) == Some(&b'.');
        let is_sign = matches!(byte, b'+' | b'-')
            && matches!(before, b'e' | b'E')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let is_part = byte.is_ascii_alphanumeric()
            || byte == b'_'
            || (byte == b'.' && !is_range)
            || (is_sign && at > start);
        if !is_part {
            break;
        }
        at += 1;
    }
    at
}

/// An operator ends where a comment begins.
fn operator(bytes: &[u8], start: usize) -> usize {
    let end = end_of(bytes, start, is_operator);
    let comment =
        (start + 1..end).find(|&at| matches!(&bytes[at..end], [b'-', b'-', ..] | [b'/', b'*', ..]));
    comment.unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::TokenKind::{Comment, Number, Parameter, QuotedName, Symbol, Text, Word};
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let tokens: Vec<&str> =
            Lexer::new(text).map(|token| token.expect("it ends").text).collect();
        assert_eq!(tokens, expect, "{text}");
    }

    fn kinds(text: &str) -> Vec<TokenKind> {
        Lexer::new(text).map(|token| token.expect("it ends").kind).collect()
    }

    #[test]
    fn strings_and_names() {
        check("'it''s' \"a\"\"b\" x", &["'it''s'", "\"a\"\"b\"", "x"]);
        check(
            r"'\' ; e'\'' ; E'\\' b'0' U&'x' u&",
            &[r"'\'", ";", r"e'\''", ";", r"E'\\'", "b'0'", "U&'x'", "u", "&"],
        );
        check(
            "$$;$$ $a$ $$ ; $b$ $a$ $1 a$1 $ä$;$ä$",
            &["$$;$$", "$a$ $$ ; $b$ $a$", "$1", "a$1", "$ä$;$ä$"],
        );
        check("a$$b$$", &["a$$b$$"]);
        check("Ünï.\"ö\"", &["Ünï", ".", "\"ö\""]);
        assert_eq!(
            kinds("a \"a\" 'a' 1 $1 , --"),
            [Word, QuotedName, Text, Number, Parameter, Symbol, Comment]
        );
    }

    #[test]
    fn comments_nest_and_end_operators() {
        check("a /* b /* c */ d */ e -- f\ng", &["a", "/* b /* c */ d */", "e", "-- f", "g"]);
        check("1+--x\n2", &["1", "+", "--x", "2"]);
        check("a<>/*x*/b", &["a", "<>", "/*x*/", "b"]);
        check(
            "a->>'b' @> c::int4[1]",
            &["a", "->>", "'b'", "@>", "c", "::", "int4", "[", "1", "]"],
        );
    }

    #[test]
    fn numbers() {
        check("1.5e-3 .5 1e5+2 0x1F 1_000", &["1.5e-3", ".5", "1e5", "+", "2", "0x1F", "1_000"]);
    }

    #[test]
    fn what_does_not_end_is_told() {
        for (text, start) in [
            ("a 'b", 2),
            ("\"a\"\"", 0),
            ("$a$ $b$", 0),
            ("x /* /* */", 2),
            (r"E'\'", 0),
            ("$$", 0),
        ] {
            let last = Lexer::new(text).last().expect("a token");
            assert_eq!(last, Err(Unterminated { start }), "{text}");
        }
    }

    #[test]
    fn every_byte_is_in_a_token_or_between_two() {
        let text = "CREATE TABLE s.t (\n    a integer DEFAULT 'x;y'::text, \"B\" int CHECK ((\"B\" \
            > 0.5)))";
        let tokens: Vec<Token> = Lexer::new(text).map(|token| token.expect("it ends")).collect();
        let mut at = 0;
        for token in tokens {
            assert!(text[at..token.start].trim().is_empty());
            assert_eq!(&text[token.start..token.start + token.text.len()], token.text);
            at = token.start + token.text.len();
        }
        assert_eq!(at, text.len());
    }
}
