//! Lists of `name = value` within a statement that a dump has written: one item is taken out or
//! changed, the rest stays as it is.
//!
//! Knows quotes, and no grammar.

/// The statement with what `change` makes of each item of its first list after ` WITH (` that has
/// this name: nothing takes the item out, and the list where it was the last. None where there is
/// no such item, or where nothing changes.
pub(super) fn change_option(
    sql: &str,
    name: &str,
    change: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let opening = [" WITH (", "\nWITH ("]
        .iter()
        .filter_map(|words| Some((find(sql, words)?, words.len())))
        .min()?;
    let (before, start) = (opening.0, opening.0 + opening.1);
    let end = start + find(&sql[start..], ")")?;
    let mut items = Vec::new();
    let mut rest = &sql[start..end];
    loop {
        let at = find(rest, ", ");
        let item = &rest[..at.unwrap_or(rest.len())];
        let (own, value) = item.split_once('=').unwrap_or((item, ""));
        if own.trim() == name {
            let value = value.trim();
            items.extend(
                change(value).map(|new| {
                    if new == value { item.to_owned() } else { format!("{name} = {new}") }
                }),
            );
        } else {
            items.push(item.to_owned());
        }
        let Some(at) = at else { break };
        rest = &rest[at + 2..];
    }
    let list = if items.is_empty() {
        String::new()
    } else {
        format!("{}{})", &sql[before..start], items.join(", "))
    };
    let changed = format!("{}{list}{}", &sql[..before], &sql[end + 1..]);
    (changed != sql).then_some(changed)
}

/// The statement without the item.
pub(super) fn without_option(sql: &str, name: &str) -> Option<String> {
    change_option(sql, name, |_| None)
}

/// Where `words` stand outside of quotes for the first time.
pub(super) fn find(sql: &str, words: &str) -> Option<usize> {
    let bytes = sql.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(words.as_bytes()) {
            return Some(at);
        }
        at = match bytes[at] {
            quote @ (b'\'' | b'"') => {
                let escapes = quote == b'\'' && at > 0 && bytes[at - 1] == b'E';
                closing(bytes, at, quote, escapes)? + 1
            }
            _ => at + 1,
        };
    }
    None
}

/// Where a quoted text ends that begins at `at`.
fn closing(bytes: &[u8], at: usize, quote: u8, escapes: bool) -> Option<usize> {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            // Doubled, it is one more quoted text that begins at once.
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_goes_and_the_rest_stays() {
        let check = |sql: &str, name: &str, expect: Option<&str>| {
            assert_eq!(without_option(sql, name).as_deref(), expect, "{sql}");
        };
        check(
            "CREATE x WITH (a = 1, b = ', c = 2)', c = 3)",
            "c",
            Some("CREATE x WITH (a = 1, b = ', c = 2)')"),
        );
        check(
            "CREATE x WITH (a = 1, b = ', c = 2)', c = 3)",
            "b",
            Some("CREATE x WITH (a = 1, c = 3)"),
        );
        check("CREATE x WITH (a = 1)", "a", Some("CREATE x"));
        check(
            "CREATE x\nWITH (toast.a='1', a='2') TABLESPACE s",
            "toast.a",
            Some("CREATE x\nWITH (a='2') TABLESPACE s"),
        );
        check("CREATE \" WITH (a = 1)\" WITH (b = 1)", "a", None);
        check("CREATE x CONNECTION E'\\' WITH (a = 1)' WITH (b = 1)", "a", None);
        check("CREATE x WITH (b = 'it''s, a = 1')", "a", None);
        check("CREATE x", "a", None);
        check("CREATE x WITH (a = 'open", "a", None);
        check("CREATE x CONNECTION E'\\", "a", None);
        let parallel = change_option("CREATE x WITH (s = parallel)", "s", |value| {
            Some(if value == "parallel" { "on" } else { value }.to_owned())
        });
        assert_eq!(parallel.as_deref(), Some("CREATE x WITH (s = on)"));
    }
}
