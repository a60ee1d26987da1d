//! Connection strings as libpq reads them: URIs and `key = 'value'` lists, taken apart into
//! keywords and values.
//!
//! Does not know which keywords exist, and never repeats a connection string in an error: it may
//! hold a password.

use crate::error::{Error, Kind, Result};

/// Keywords and values in the order of the text.
pub type Pairs = Vec<(String, String)>;

/// Whether a database "name" is really a connection string, by libpq's rule.
pub fn is_connection_string(text: &str) -> bool {
    uri_rest(text).is_some() || text.contains('=')
}

/// Takes a connection string apart.
pub fn parse(text: &str) -> Result<Pairs> {
    match uri_rest(text) {
        Some(rest) => parse_uri(rest),
        None => parse_list(text),
    }
}

fn refuse(cause: impl Into<String>) -> Error {
    Error::new(Kind::Usage, "read the connection string", cause)
}

fn uri_rest(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))
}

/// `[user[:password]@][host[:port],…][/dbname][?key=value&…]`
fn parse_uri(rest: &str) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    // A password may hold a "?", so the credentials are cut off first.
    let rest = match rest.find(['@', '/']) {
        Some(at) if rest[at..].starts_with('@') => {
            let (user, password) = rest[..at].split_once(':').unwrap_or((&rest[..at], ""));
            push(&mut pairs, "user", user)?;
            push(&mut pairs, "password", password)?;
            &rest[at + 1..]
        }
        _ => rest,
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let (hosts, database) = path.split_once('/').unwrap_or((path, ""));
    parse_uri_hosts(hosts, &mut pairs)?;
    push(&mut pairs, "dbname", database)?;
    for parameter in query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter(|parameter| !parameter.is_empty())
    {
        let (key, value) = parameter.split_once('=').ok_or_else(|| {
            refuse("a parameter of the URI has no \"=\"").hint("write ?NAME=VALUE&NAME=VALUE")
        })?;
        if value.contains('=') {
            return Err(refuse("a parameter of the URI has a second \"=\"")
                .hint("write = inside a value as %3D"));
        }
        let (key, value) = (decode(key)?, decode(value)?);
        // What JDBC calls it.
        pairs.push(if key == "ssl" && value == "true" {
            ("sslmode".into(), "require".into())
        } else {
            (key, value)
        });
    }
    Ok(pairs)
}

/// `host:port,[v6]:port`; both lists keep their empty entries, so that they stay in step.
fn parse_uri_hosts(hosts: &str, pairs: &mut Pairs) -> Result<()> {
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for entry in hosts.split(',') {
        let (name, port) = if let Some(rest) = entry.strip_prefix('[') {
            let (name, after) = rest.split_once(']').ok_or_else(|| {
                refuse("an IPv6 address of the URI has no closing \"]\"")
                    .hint("write postgresql://[::1]:5432/DBNAME")
            })?;
            if name.is_empty() {
                return Err(refuse("an IPv6 address of the URI is empty"));
            }
            match after.strip_prefix(':') {
                Some(port) => (name, port),
                None if after.is_empty() => (name, ""),
                None => {
                    return Err(refuse(
                        "unexpected text after the \"]\" of an IPv6 address in the URI",
                    ));
                }
            }
        } else {
            entry.split_once(':').unwrap_or((entry, ""))
        };
        // Neither is repeated: it may be the rest of a password.
        if name.contains('@') || !port.trim_matches(' ').bytes().all(|byte| byte.is_ascii_digit()) {
            let hint = "write @ as %40, / as %2F and : as %3A inside a user name or password";
            return Err(refuse("the host and port of the URI are not well formed").hint(hint));
        }
        names.push(name);
        ports.push(port);
    }
    if names.iter().any(|name| !name.is_empty()) {
        push(pairs, "host", &names.join(","))?;
    }
    if ports.iter().any(|port| !port.is_empty()) {
        push(pairs, "port", &ports.join(","))?;
    }
    Ok(())
}

fn push(pairs: &mut Pairs, key: &str, value: &str) -> Result<()> {
    if !value.is_empty() {
        pairs.push((key.to_owned(), decode(value)?));
    }
    Ok(())
}

/// Undoes percent-encoding; `+` is itself. Spaces around it do not count, as in libpq, and none may
/// stand inside.
fn decode(text: &str) -> Result<String> {
    let text = text.trim_matches(' ');
    if text.contains(|c: char| c.is_ascii_whitespace()) {
        return Err(
            refuse("a part of the URI holds a space").hint("write a space inside a URI as %20")
        );
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(0), Some(0)) => return Err(refuse("%00 is not allowed in a URI")),
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => {
                return Err(refuse("a \"%\" of the URI is not followed by two hexadecimal digits")
                    .hint("write % as %25"));
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| refuse("a percent-encoded part of the URI is not UTF-8"))
}

/// Whether what should be one value goes on with another part, as other programs write them.
fn joins_parts(key: &str, value: &str) -> bool {
    // Of these there may be several, and one of them empty.
    let is_list = matches!(key, "host" | "hostaddr" | "port");
    let goes_on = |part: &str| {
        let key = part.split('=').next().unwrap_or_default().trim();
        part.contains('=') && KEYS.contains(&key.to_ascii_lowercase().as_str())
    };
    value.ends_with(';')
        || (value.ends_with(',') && !is_list)
        || value.split([',', ';']).skip(1).any(goes_on)
}

/// What parts of other programs' connection strings are called.
const KEYS: [&str; 11] = [
    "database", "dbname", "host", "password", "port", "pwd", "server", "sslmode", "uid", "user",
    "username",
];

/// `key = value key2 = 'quoted \' value'`
fn parse_list(text: &str) -> Result<Pairs> {
    let mut pairs = Pairs::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        // What stands here may be part of a password that lacks its quotes, so it is not repeated.
        let after = rest[end..].trim_start().strip_prefix('=');
        let after = after.ok_or_else(|| {
            refuse("a keyword has no \"=\" after it")
                .hint("quote values that hold spaces: key='a value'")
        })?;
        if key.is_empty() {
            return Err(refuse("a \"=\" has no keyword before it"));
        }
        let (value, remaining) = take_value(after.trim_start())?;
        if key != "password" && joins_parts(key, &value) {
            return Err(refuse("its parts are joined by \";\" or \",\"")
                .hint("put spaces between them: \"host=HOST dbname=DBNAME user=ROLE\""));
        }
        pairs.push((key.to_owned(), value));
        rest = remaining.trim_start();
    }
    Ok(pairs)
}

/// One value, quoted or not, and what follows it. A backslash takes the next character as it is.
fn take_value(text: &str) -> Result<(String, &str)> {
    let quoted = text.starts_with('\'');
    let body = if quoted { &text[1..] } else { text };
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &body[at + 1..])),
            space if !quoted && space.is_ascii_whitespace() => return Ok((value, &body[at..])),
            other => value.push(other),
        }
    }
    if quoted {
        Err(refuse("a quoted value has no closing quote").hint("close it: key='a value'"))
    } else {
        Ok((value, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[(&str, &str)]) {
        let found = parse(text).expect(text);
        let found: Vec<(&str, &str)> =
            found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(found, expect, "{text}");
    }

    fn check_refused(text: &str, cause: &str) {
        let error = parse(text).expect_err(text);
        assert!(error.to_string().contains(cause), "{text}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn reads_uris() {
        check("postgresql://", &[]);
        check("postgres://h", &[("host", "h")]);
        check(
            "postgresql://u@h:1/d",
            &[("user", "u"), ("host", "h"), ("port", "1"), ("dbname", "d")],
        );
        check("postgresql://u:p%40%3a@h", &[("user", "u"), ("password", "p@:"), ("host", "h")]);
        check(
            "postgresql://u:p?x@h/d",
            &[("user", "u"), ("password", "p?x"), ("host", "h"), ("dbname", "d")],
        );
        check("postgresql:///d?host=/tmp", &[("dbname", "d"), ("host", "/tmp")]);
        check("postgresql://%2Fvar%2Frun/d", &[("host", "/var/run"), ("dbname", "d")]);
        check("postgresql://a:1,b,c:3/", &[("host", "a,b,c"), ("port", "1,,3")]);
        check(
            "postgresql://[::1]:5433,[fe80::1]/d",
            &[("host", "::1,fe80::1"), ("port", "5433,"), ("dbname", "d")],
        );
        check("postgresql://:5433", &[("port", "5433")]);
        check(
            "postgresql://h?sslmode=verify-full&options=-c%20a%3Db",
            &[("host", "h"), ("sslmode", "verify-full"), ("options", "-c a=b")],
        );
        check("postgresql://h?ssl=true", &[("host", "h"), ("sslmode", "require")]);
        check("postgresql://h/d%C3%A9", &[("host", "h"), ("dbname", "dé")]);
        check(
            "postgresql://h/d?sslmode= require & application_name=a ",
            &[("host", "h"), ("dbname", "d"), ("sslmode", "require"), ("application_name", "a")],
        );
        check(
            "postgresql:// u @h:1 /d ?options=-c%20a",
            &[("user", "u"), ("host", "h"), ("port", "1"), ("dbname", "d"), ("options", "-c a")],
        );
        check("postgresql://u:a:b@h", &[("user", "u"), ("password", "a:b"), ("host", "h")]);
    }

    #[test]
    fn refuses_bad_uris() {
        check_refused("postgresql://u:hunter2@[::1/d", "no closing");
        check_refused("postgresql://u:hunter2@[]/d", "empty");
        check_refused("postgresql://u:hunter2@[::1]x/d", "after the \"]\"");
        check_refused("postgresql://u:hunter2%4@h", "hexadecimal");
        check_refused("postgresql://u:hunter2%+1@h", "hexadecimal");
        check_refused("postgresql://u:hunter2%00@h", "%00");
        check_refused("postgresql://u:hunter2%ff@h", "UTF-8");
        check_refused("postgresql://h?application_name=hunter2 b", "space");
        check_refused("postgresql://h?password", "no \"=\"");
        check_refused("postgresql://h?password=hunter2=", "second \"=\"");
    }

    #[test]
    fn reads_lists() {
        check("", &[]);
        check("host=a port=1", &[("host", "a"), ("port", "1")]);
        check("  host = a\tport\n=\n1 ", &[("host", "a"), ("port", "1")]);
        check(r"password='it\'s \\ it' user=u", &[("password", r"it's \ it"), ("user", "u")]);
        check(r"password=a\ b user=''", &[("password", "a b"), ("user", "")]);
        check("host=a host=b", &[("host", "a"), ("host", "b")]);
        check("dbname='é'user=u", &[("dbname", "é"), ("user", "u")]);
        check(r"a=b\", &[("a", "b")]);
    }

    #[test]
    fn refuses_bad_lists() {
        check_refused("password=correct hunter2", "no \"=\"");
        check_refused("password='hunter2", "closing quote");
        check_refused("=hunter2", "no keyword");
        check_refused("host=a;dbname=d;password=hunter2", "joined");
        check_refused("dbname=d;Password=hunter2", "joined");
        check_refused("host=a,password=hunter2 dbname=d", "joined");
        check_refused("host=a, dbname=d, password=hunter2", "joined");
        check("host=a,b port=1,2", &[("host", "a,b"), ("port", "1,2")]);
        check("password=a;user=b host=h", &[("password", "a;user=b"), ("host", "h")]);
    }

    #[test]
    fn tells_names_from_connection_strings() {
        assert!(is_connection_string("postgres://"));
        assert!(is_connection_string("dbname=kong"));
        assert!(!is_connection_string("kong"));
    }
}
