//! Passwords in what is printed: somebody gives the address of a database where a file's name is
//! expected, and the error repeats it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

/// A URI's, up to the last `@`, and one behind a keyword. Neither reaches over a double quote or a
/// backslash, so that a line of JSON stays one.
static PASSWORD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)(postgres(?:ql)?://[^\s:/@"\\]*:)[^\s"\\]*@|\b(password\s*=\s*)[^\s"\\]+"#)
        .ok()
});

/// The text without them.
pub(in crate::cli) fn hide(text: &str) -> Cow<'_, str> {
    match PASSWORD.as_ref().filter(|_| text.contains("://") || text.contains('=')) {
        Some(pattern) => pattern.replace_all(text, |found: &regex::Captures<'_>| {
            match (found.get(1), found.get(2)) {
                (Some(uri), _) => format!("{}***@", uri.as_str()),
                (_, keyword) => format!("{}***", keyword.map_or("", |keyword| keyword.as_str())),
            }
        }),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_and_nothing_else() {
        for (text, expect) in [
            ("open postgresql://u:hunter2@h:5/d: no", "open postgresql://u:***@h:5/d: no"),
            ("postgres://:p@ss@h/d", "postgres://:***@h/d"),
            ("postgresql://u@h:5432/d, user@host", "postgresql://u@h:5432/d, user@host"),
            ("postgresql://h:5432/d", "postgresql://h:5432/d"),
            ("open host=x password = hunter2 port=1", "open host=x password = *** port=1"),
            (r#"{"doing":"read password=x","n":1}"#, r#"{"doing":"read password=***","n":1}"#),
            (r#"{"a":"postgres://u:p","b":"c@d"}"#, r#"{"a":"postgres://u:p","b":"c@d"}"#),
            (
                "set PGPASSWORD=x, or require_auth=password",
                "set PGPASSWORD=x, or require_auth=password",
            ),
        ] {
            assert_eq!(hide(text), expect);
        }
    }
}
