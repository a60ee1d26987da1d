//! Names on the command line: text, whatever bytes the terminal sends for it.
//!
//! Paths are taken as they are, and never come here.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::pg::connect::secret::Secret;
use crate::select::{Pattern, Signature, TriggerName};

/// The locale's variables, the first of which that is set counts.
const LOCALE: [&str; 3] = ["LC_ALL", "LC_CTYPE", "LANG"];

/// The character sets of locales in which bytes that are no UTF-8 are taken for LATIN1: itself, and
/// those that name none.
const AS_LATIN1: &[&str] = &["", "iso88591", "latin1", "ascii", "ansix341968", "utf8"];

/// Reads a name.
pub(in crate::cli) fn name() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().try_map(|word| text(&word, &locale()))
}

/// Reads a name that means something only where there is one.
pub(in crate::cli) fn given_name() -> impl TypedValueParser<Value = String> {
    name().try_map(|text| if text.is_empty() { Err("it is empty") } else { Ok(text) })
}

/// Reads what may hold a password.
pub(in crate::cli) fn secret() -> impl TypedValueParser<Value = Secret> {
    OsStringValueParser::new().try_map(|word| text(&word, &locale()).map(Secret::from))
}

/// Reads a pattern for tables.
pub(in crate::cli) fn table_pattern() -> impl TypedValueParser<Value = Pattern> {
    name().try_map(|text| Pattern::table(&text))
}

/// Reads a pattern for schemas.
pub(in crate::cli) fn schema_pattern() -> impl TypedValueParser<Value = Pattern> {
    name().try_map(|text| Pattern::schema(&text))
}

/// Reads a pattern for tables and what descends from them.
pub(in crate::cli) fn family_pattern() -> impl TypedValueParser<Value = Pattern> {
    name().try_map(|text| Pattern::table(&text).map(Pattern::and_children))
}

/// Reads a pattern for extensions.
pub(in crate::cli) fn extension_pattern() -> impl TypedValueParser<Value = Pattern> {
    name().try_map(|text| Pattern::extension(&text))
}

/// Reads a function's name and argument types.
pub(in crate::cli) fn signature() -> impl TypedValueParser<Value = Signature> {
    name().try_map(|text| Signature::parse(&text))
}

/// Reads a trigger's name.
pub(in crate::cli) fn trigger() -> impl TypedValueParser<Value = TriggerName> {
    name().try_map(|text| TriggerName::parse(&text))
}

/// UTF-8 as it is; other bytes are LATIN1, unless the locale names a character set in which they
/// would mean something else.
fn text(word: &OsStr, locale: &str) -> Result<String, String> {
    if let Some(text) = word.to_str() {
        return Ok(text.to_owned());
    }
    let character_set =
        locale.split_once('.').map_or("", |(_, rest)| rest.split('@').next().unwrap_or_default());
    let plain: String = character_set
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if AS_LATIN1.contains(&plain.as_str()) {
        return Ok(word.as_bytes().iter().copied().map(char::from).collect());
    }
    Err(format!(
        "it is neither UTF-8 nor LATIN1, and {character_set} is not known: write it in UTF-8"
    ))
}

fn locale() -> String {
    let values = LOCALE.iter().filter_map(|name| std::env::var(name).ok());
    values.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf_8_are_latin1() {
        let check = |word: &[u8], locale: &str, expect: Option<&str>| {
            assert_eq!(text(OsStr::from_bytes(word), locale).ok().as_deref(), expect, "{locale}");
        };
        check("café".as_bytes(), "ru_RU.KOI8-R", Some("café"));
        check(b"caf\xe9", "", Some("café"));
        check(b"caf\xe9", "C.UTF-8", Some("café"));
        check(b"caf\xe9", "de_DE.ISO-8859-1", Some("café"));
        check(b"caf\xe9", "de_DE", Some("café"));
        check(b"caf\xe9", "ru_RU.KOI8-R", None);
        check(b"caf\xa4", "de_DE.ISO-8859-15@euro", None);
    }
}
