//! Statements as psql reads them: each with its end, and none that psql would obey itself.

use std::io::Write;

use crate::error::{Error, Kind, Result};
use crate::sql::lexer::{Lexer, TokenKind};

/// Where text goes.
pub(super) struct Out<'a>(&'a mut dyn Write);

impl<'a> Out<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self(out)
    }

    /// Bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|error| Error::file("write the SQL text", error))
    }

    pub(super) fn text(&mut self, text: &str) -> Result<()> {
        self.bytes(text.as_bytes())
    }

    /// A line that says what follows; whatever is in it stays in it.
    pub(super) fn comment(&mut self, text: &str) -> Result<()> {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.text(&format!("-- {text}\n"))
    }

    /// One statement.
    ///
    /// # Errors
    /// [`Kind::Archive`] for a backslash outside quotes: no statement has one, and psql would take
    /// it for a command of its own, which may be one of the shell.
    pub(super) fn statement(&mut self, sql: &str) -> Result<()> {
        let mut ends_in_comment = false;
        for token in Lexer::new(sql) {
            let refuse = |cause: &str| Err(Error::new(Kind::Archive, "write a statement", cause));
            let Ok(token) = token else {
                return refuse("it ends within a string, a name or a comment");
            };
            if token.kind == TokenKind::Symbol && token.text.contains('\\') {
                return refuse("it holds a backslash, which psql would obey");
            }
            ends_in_comment = token.kind == TokenKind::Comment;
        }
        self.text(sql)?;
        self.text(if ends_in_comment { "\n;\n" } else { ";\n" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(sql: &str) -> Result<String> {
        let mut bytes = Vec::new();
        Out::new(&mut bytes).statement(sql)?;
        Ok(String::from_utf8(bytes).expect("it was text"))
    }

    #[test]
    fn each_statement_has_its_end() {
        assert_eq!(written("SELECT 1").expect("SQL"), "SELECT 1;\n");
        assert_eq!(written("SELECT 1 -- one").expect("SQL"), "SELECT 1 -- one\n;\n");
        assert_eq!(
            written("SELECT '\\! id', $$\\!$$").expect("SQL"),
            "SELECT '\\! id', $$\\!$$;\n"
        );
    }

    #[test]
    fn what_psql_would_obey_is_refused() {
        for sql in ["SELECT 1\n\\! id", "\\i file", "SELECT 'a", "SELECT 1 /*"] {
            assert_eq!(written(sql).expect_err(sql).kind(), Kind::Archive);
        }
    }

    #[test]
    fn a_comment_stays_one_line() {
        let mut bytes = Vec::new();
        Out::new(&mut bytes).comment("a\n\\! id\r\\! id").expect("memory takes all");
        assert_eq!(bytes, b"-- a \\! id \\! id\n");
    }
}
