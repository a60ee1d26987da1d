//! Whether an archive's SQL is what makes its objects: one statement each, with a head that makes
//! an object of that kind.
//!
//! Pure. It keeps a forged archive from COPY, DO, CALL, SET ROLE, ALTER SYSTEM and the like; not
//! from what a function, a default or a trigger does when the server runs it.

use super::lexer::{Lexer, Token, TokenKind};
use crate::archive::manifest::{Detail, Object, ObjectKind};

/// What may stand after ALTER and DROP, and after ON.
const NAMED: &[&str] = &[
    "ACCESS METHOD",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "CONVERSION",
    "DATABASE",
    "DOMAIN",
    "EVENT TRIGGER",
    "EXTENSION",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "FUNCTION",
    "INDEX",
    "LANGUAGE",
    "LARGE OBJECT",
    "MATERIALIZED VIEW",
    "OPERATOR",
    "POLICY",
    "PROCEDURAL LANGUAGE",
    "PROCEDURE",
    "PUBLICATION",
    "ROUTINE",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLE",
    "TEXT SEARCH",
    "TRANSFORM",
    "TRIGGER",
    "TYPE",
    "USER MAPPING",
    "VIEW",
];

/// The heads of the statements that make an object of a kind; `_` stands for any name.
fn heads(kind: ObjectKind) -> &'static [&'static str] {
    use ObjectKind as K;
    match kind {
        K::Database => &["CREATE DATABASE", "ALTER DATABASE", "ALTER ROLE _ IN DATABASE"],
        K::Schema => &["CREATE SCHEMA"],
        K::Extension => &["CREATE EXTENSION"],
        K::Language => &["CREATE PROCEDURAL LANGUAGE", "CREATE TRUSTED PROCEDURAL LANGUAGE"],
        K::Collation => &["CREATE COLLATION"],
        K::Conversion => &["CREATE CONVERSION", "CREATE DEFAULT CONVERSION"],
        K::Transform => &["CREATE TRANSFORM"],
        K::Type | K::ShellType => &["CREATE TYPE"],
        K::Domain => &["CREATE DOMAIN", "ALTER DOMAIN"],
        K::Cast => &["CREATE CAST"],
        K::Function => {
            &["CREATE FUNCTION", "CREATE PROCEDURE", "ALTER FUNCTION", "ALTER PROCEDURE"]
        }
        K::Aggregate => &["CREATE AGGREGATE", "ALTER AGGREGATE", "ALTER FUNCTION"],
        K::AccessMethod => &["CREATE ACCESS METHOD"],
        K::Operator => &["CREATE OPERATOR"],
        K::OperatorFamily => &["CREATE OPERATOR FAMILY", "ALTER OPERATOR FAMILY"],
        K::OperatorClass => &["CREATE OPERATOR CLASS"],
        K::TextSearchParser => &["CREATE TEXT SEARCH PARSER"],
        K::TextSearchTemplate => &["CREATE TEXT SEARCH TEMPLATE"],
        K::TextSearchDictionary => &["CREATE TEXT SEARCH DICTIONARY"],
        K::TextSearchConfiguration => {
            &["CREATE TEXT SEARCH CONFIGURATION", "ALTER TEXT SEARCH CONFIGURATION"]
        }
        K::ForeignDataWrapper => &["CREATE FOREIGN DATA WRAPPER"],
        K::ForeignServer => &["CREATE SERVER"],
        K::UserMapping => &["CREATE USER MAPPING"],
        K::Table => &["CREATE TABLE", "CREATE UNLOGGED TABLE", "ALTER TABLE"],
        K::ForeignTable => &["CREATE FOREIGN TABLE", "ALTER TABLE", "ALTER FOREIGN TABLE"],
        K::View => &["CREATE VIEW", "CREATE OR REPLACE VIEW", "ALTER VIEW", "ALTER TABLE"],
        K::MaterializedView => {
            &["CREATE MATERIALIZED VIEW", "ALTER MATERIALIZED VIEW", "ALTER TABLE"]
        }
        K::Sequence => {
            &["CREATE SEQUENCE", "CREATE UNLOGGED SEQUENCE", "ALTER SEQUENCE", "ALTER TABLE"]
        }
        K::SequenceOwner => &["ALTER SEQUENCE"],
        K::Default => &["ALTER TABLE", "ALTER VIEW", "ALTER FOREIGN TABLE"],
        K::SequenceValue => &["SELECT PG_CATALOG . SETVAL ("],
        K::LargeObject => &["SELECT PG_CATALOG . LO_CREATE (", "SELECT PG_CATALOG . LO_UNLINK ("],
        K::Constraint => &["ALTER TABLE", "ALTER INDEX", "CREATE UNIQUE INDEX"],
        K::Check => &["ALTER TABLE", "ALTER DOMAIN", "ALTER FOREIGN TABLE"],
        K::Index => &[
            "CREATE INDEX",
            "CREATE UNIQUE INDEX",
            "ALTER INDEX",
            "ALTER TABLE",
            "ALTER MATERIALIZED VIEW",
        ],
        K::IndexAttach => &["ALTER INDEX"],
        K::Statistics => &["CREATE STATISTICS", "ALTER STATISTICS"],
        K::Rule => &["CREATE RULE", "CREATE OR REPLACE VIEW", "ALTER TABLE", "ALTER RULE"],
        K::Trigger => {
            &["CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER", "ALTER TABLE", "ALTER TRIGGER"]
        }
        K::TableAttach | K::ForeignKey | K::RowSecurity => &["ALTER TABLE"],
        K::Policy => &["CREATE POLICY"],
        K::Publication => &["CREATE PUBLICATION", "ALTER PUBLICATION"],
        K::PublicationTable | K::PublicationSchema => &["ALTER PUBLICATION"],
        K::Subscription => &["CREATE SUBSCRIPTION", "ALTER SUBSCRIPTION"],
        K::DefaultAcl => &["ALTER DEFAULT PRIVILEGES"],
        K::EventTrigger => &["CREATE EVENT TRIGGER", "ALTER EVENT TRIGGER"],
        K::RefreshMaterializedView => &["REFRESH MATERIALIZED VIEW"],
        K::Comment => &["COMMENT ON"],
    }
}

/// Checks all the SQL of an object.
///
/// # Errors
/// What is wrong, as a clause of its own.
pub fn check(object: &Object) -> Result<(), String> {
    let heads = heads(object.kind);
    object.statements.iter().try_for_each(|sql| statement(object.kind, sql, heads))?;
    match &object.detail {
        Detail::Key { using_index: Some(index), .. } => {
            statement(object.kind, &index.create_index, &["CREATE UNIQUE INDEX"])?;
            statement(object.kind, &index.add_constraint, &["ADD CONSTRAINT"])?;
        }
        Detail::ForeignKey { add_not_valid, validate, .. } => {
            add_not_valid
                .iter()
                .chain(validate)
                .try_for_each(|sql| statement(object.kind, sql, heads))?;
        }
        _ => {}
    }
    if let Some(drop) = &object.drop {
        let tokens = tokens(object.kind, drop)?;
        let drops = tokens.first().is_some_and(|first| first.is_word("DROP"))
            && NAMED.iter().any(|head| begins(&tokens[1..], head));
        if !drops {
            begins_with(object.kind, &tokens, heads)?;
        }
    }
    words(object)
}

/// What is put behind ALTER, ON and GRANT.
fn words(object: &Object) -> Result<(), String> {
    if object.kind == ObjectKind::DefaultAcl {
        name(&object.identity, &["ALTER DEFAULT PRIVILEGES"])?;
    } else if object.owner.is_some() {
        name(&object.identity, NAMED)?;
    }
    if let Some(acl) = &object.acl {
        // What default privileges are on has no name: TABLES, FUNCTIONS.
        name(&acl.on, if object.kind == ObjectKind::DefaultAcl { &[""] } else { NAMED_IN_GRANT })?;
        for privilege in acl.initial.iter().chain(&acl.items).flat_map(|grant| &grant.privileges) {
            let is_word = !privilege.is_empty()
                && privilege.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ');
            if !is_word {
                return Err(format!("{} is no privilege", shown(privilege)));
            }
        }
    }
    let labels = object.security_labels.iter().map(|label| &label.on);
    object
        .comments
        .iter()
        .map(|comment| &comment.on)
        .chain(labels)
        .try_for_each(|on| name(on, &[""]))
}

/// Also a server is called otherwise there.
const NAMED_IN_GRANT: &[&str] = &[
    "DATABASE",
    "DOMAIN",
    "FOREIGN DATA WRAPPER",
    "FOREIGN SERVER",
    "FUNCTION",
    "LANGUAGE",
    "LARGE OBJECT",
    "PARAMETER",
    "PROCEDURE",
    "ROUTINE",
    "SCHEMA",
    "SEQUENCE",
    "TABLE",
    "TABLESPACE",
    "TYPE",
];

/// Words that name an object: names and signs, no text, no comment, no end of a statement.
fn name(words: &str, heads: &[&str]) -> Result<(), String> {
    let mut tokens = Vec::new();
    for token in Lexer::new(words) {
        match token {
            Ok(token)
                if matches!(
                    token.kind,
                    TokenKind::Word | TokenKind::QuotedName | TokenKind::Number | TokenKind::Symbol
                ) =>
            {
                tokens.push(token);
            }
            _ => return Err(format!("{} names no object", shown(words))),
        }
    }
    let is_one = !tokens.is_empty() && !tokens.iter().any(|token| token.is_symbol(";"));
    let is_named = heads.iter().any(|head| begins(&tokens, head));
    if is_one && is_named { Ok(()) } else { Err(format!("{} names no object", shown(words))) }
}

fn statement(kind: ObjectKind, sql: &str, heads: &[&str]) -> Result<(), String> {
    begins_with(kind, &tokens(kind, sql)?, heads)
}

fn begins_with(kind: ObjectKind, tokens: &[Token<'_>], heads: &[&str]) -> Result<(), String> {
    if heads.iter().any(|head| begins(tokens, head)) {
        return Ok(());
    }
    let head: Vec<&str> = tokens.iter().take(3).map(|token| token.text).collect();
    Err(format!("its statement begins with {}, by which no {kind} is made", shown(&head.join(" "))))
}

fn begins(tokens: &[Token<'_>], head: &str) -> bool {
    let mut tokens = tokens.iter();
    head.split_ascii_whitespace().all(|word| {
        tokens.next().is_some_and(|token| match word {
            "_" => matches!(token.kind, TokenKind::Word | TokenKind::QuotedName),
            word => token.is_word(word) || token.is_symbol(word),
        })
    })
}

/// The beginning of a statement's tokens, as many as a head has; the rest is looked at for the end
/// of a statement. A semicolon may stand in the brackets of a rule and in a function's body.
fn tokens(kind: ObjectKind, sql: &str) -> Result<Vec<Token<'_>>, String> {
    let mut kept = Vec::with_capacity(HEAD_TOKENS);
    let (mut brackets, mut blocks, mut ended, mut after_begin) = (0_usize, 0_usize, false, false);
    for token in Lexer::new(sql) {
        let token = token.map_err(|_| format!("its statement {} does not end", shown(sql)))?;
        if token.kind == TokenKind::Comment {
            return Err(format!("its statement {} holds a comment", shown(sql)));
        }
        if ended {
            return Err(format!("{} is more than one statement", shown(sql)));
        }
        match token.text {
            "(" => brackets += 1,
            ")" => brackets = brackets.checked_sub(1).ok_or_else(|| unmatched(sql))?,
            ";" => ended = brackets == 0 && blocks == 0,
            "\0" => return Err(format!("its statement {} holds a NUL", shown(sql))),
            _ if kind == ObjectKind::Function => blocks = blocks_after(blocks, &token, after_begin),
            _ => {}
        }
        after_begin = token.is_word("BEGIN");
        if kept.len() < HEAD_TOKENS {
            kept.push(token);
        }
    }
    Ok(kept)
}

/// How deep in the blocks of a body (`BEGIN ATOMIC … END`, and `CASE … END` in it) what follows the
/// token is.
fn blocks_after(blocks: usize, token: &Token<'_>, after_begin: bool) -> usize {
    if blocks == 0 {
        return usize::from(after_begin && token.is_word("ATOMIC"));
    }
    if token.is_word("END") {
        return blocks - 1;
    }
    blocks + usize::from(token.is_word("CASE") || token.is_word("BEGIN"))
}

fn unmatched(sql: &str) -> String {
    format!("the brackets of its statement {} do not match", shown(sql))
}

/// More than the longest head has.
const HEAD_TOKENS: usize = 8;

/// The beginning of a text, for a message.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("\"{short}\"")
}

#[cfg(test)]
#[path = "statement_tests.rs"]
mod tests;
