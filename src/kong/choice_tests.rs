//! Which rules count, and what they come to: one table of all sources.

use std::fmt::Write as _;
use std::fs;

use super::*;

/// Options, variables and files, as [`check`] reads them, and what comes of them.
const CASES: &[(&str, &str)] = &[
    // Kong's defaults, environment and file.
    ("", "kong@127.0.0.1:5432/kong unnamed"),
    ("KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("KONG_PG_HOST= e ", "kong@e:5432/kong"),
    ("KONG_PG_HOST=", "kong@127.0.0.1:5432/kong unnamed"),
    ("KONG_PROXY_LISTEN=off", "kong@127.0.0.1:5432/kong unnamed"),
    ("KONG_PG_PASSWORD=\"00123\"", "kong@127.0.0.1:5432/kong password=\"00123\""),
    ("conf: pg_host = c", "kong@c:5432/kong"),
    ("etc: pg_host = c", "kong@c:5432/kong"),
    ("conf: pg_host = c | etc: pg_host = other", "kong@c:5432/kong"),
    ("conf: log_level = debug", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_host =", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: #pg_host = c", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_host = c | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("conf: pg_host = c | KONG_PG_HOST=", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_user = u | KONG_PG_HOST=e", "u@e:5432/kong"),
    ("conf: pg_user = u | KONG_PG_USER=", "! it is empty, and hides what"),
    ("conf: pg_database = d | KONG_PG_DATABASE=", "! unset KONG_PG_DATABASE, or fill it"),
    ("conf: pg_password = 00123", "kong@127.0.0.1:5432/kong password=123"),
    ("conf: pg_password = 00123 | KONG_PG_PASSWORD=", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_password = a\\#b # c", "kong@127.0.0.1:5432/kong password=a#b"),
    ("conf: pg_port = 6e3", "kong@127.0.0.1:6000/kong"),
    ("conf: pg_port = six", "! \"six\" is no port"),
    ("conf: pg_schema = s", "kong@127.0.0.1:5432/kong schema=s"),
    ("conf: pg_schema = s | KONG_PG_SCHEMA=t", "kong@127.0.0.1:5432/kong schema=t"),
    ("conf: pg_schema = s | KONG_PG_SCHEMA=", "kong@127.0.0.1:5432/kong"),
    ("conf: database = off", "! this Kong keeps nothing in PostgreSQL"),
    ("conf: database = off | KONG_DATABASE=postgres", "kong@127.0.0.1:5432/kong unnamed"),
    ("node: database = off", "! this Kong keeps nothing in PostgreSQL"),
    ("conf: pg_password = {vault://env/pass} | PASS=v", "kong@127.0.0.1:5432/kong password=v"),
    ("conf: pg_host = {vault://env/gone}", "! GONE, which is not set"),
    ("conf: pg_host = {vault://gcp/db}", "! which only Kong can open"),
    ("conf: pg_iam_auth = on", "! this way to log in is not supported"),
    ("conf: nonsense", "kong@127.0.0.1:5432/kong unnamed; no \"key = value\", and ignored"),
    (
        "KONG_PG_HOTS=e",
        "kong@127.0.0.1:5432/kong; KONG_PG_HOTS is no setting of Kong's, and ignored",
    ),
    ("conf: [pg]", "! begins a section"),
    // A running node.
    ("node: pg_host = n", "kong@n:5432/kong"),
    ("node: pg_host = n | conf: pg_host = c | conf: pg_user = c", "kong@n:5432/kong"),
    ("node: pg_host = n | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("node: pg_host = n | KONG_PREFIX=/nowhere", "kong@127.0.0.1:5432/kong unnamed"),
    ("node: pg_host = n | conf: prefix = /nowhere | conf: pg_host = c", "kong@c:5432/kong"),
    ("node: -----BEGIN | node: pg_host = n", "kong@n:5432/kong"),
    // A file that is named.
    ("named: pg_host = f", "kong@f:5432/kong"),
    ("named: pg_host = f | conf: pg_user = c | node: pg_host = n", "kong@f:5432/kong"),
    ("named: pg_host = f | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("named: log_level = debug", "kong@127.0.0.1:5432/kong unnamed"),
    (
        "named: pg_host = f | PGHOST=p",
        "kong@f:5432/kong; --kong-conf is given: PGHOST does not count",
    ),
    ("named: pg_host = f | -h p", "! -h is given as well"),
    ("named: pg_host = f | named: pg_password = x | PGPASSWORD=p", "kong@f:5432/kong password=x"),
    // libpq's rules.
    ("-h p", "me@p:5432/me unnamed"),
    ("-d d | PGPASSWORD=p", "me@/:5432/d password=p"),
    ("PGHOST=p | PGDATABASE=d", "me@p:5432/d"),
    ("PGHOST= | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("PGPASSWORD=p | PGSSLMODE=require | KONG_PG_HOST=e", "kong@e:5432/kong"),
    (
        "PGDATABASE=d | PGHOST=p | KONG_PG_HOST=e",
        "me@p:5432/d; PGHOST is set: KONG_PG_* do not count",
    ),
    ("-h p | KONG_PG_HOST=e", "me@p:5432/me unnamed; -h is given: KONG_PG_* do not count"),
    ("-h p | KONG_PROXY_LISTEN=off", "me@p:5432/me unnamed"),
    ("-h p | KONG_PG_HOST=", "me@p:5432/me unnamed"),
    ("-h p | conf: pg_schema = s", "me@p:5432/me unnamed; kong/kong.conf does not count"),
    ("-h p | conf: log_level = debug", "me@p:5432/me unnamed"),
    ("-h p | node: pg_host = n", "me@p:5432/me unnamed; kong/.kong_env does not count"),
    (
        "-h p | conf: pg_host = c | KONG_PG_PASSWORD=x",
        "me@p:5432/me unnamed; kong/kong.conf do not count",
    ),
    ("-h p | conf: [pg] | KONG_PG_HOST=e", "me@p:5432/me unnamed; KONG_PG_* do not count"),
    ("-h p | KONG_DATABASE=off", "me@p:5432/me unnamed"),
    // A read replica.
    ("ro | KONG_PG_HOST=e", "! pg_ro_host is not set"),
    ("ro | KONG_PG_HOST=e | KONG_PG_RO_HOST=r", "kong@r:5432/kong"),
    ("ro | KONG_PG_RO_HOST=r | KONG_PG_RO_SCHEMA=s", "kong@r:5432/kong schema=s"),
    ("ro | conf: pg_ro_host = r | conf: pg_ro_user = u | conf: pg_user = c", "u@r:5432/kong"),
    ("ro | named: pg_ro_host = r | KONG_PG_PORT=6", "kong@r:6/kong"),
    ("ro | conf: pg_ro_host = r | KONG_PG_RO_HOST=", "! pg_ro_host is not set"),
    ("ro | -h p | KONG_PG_RO_HOST=r", "! -h is given, so that Kong's settings do not count"),
    ("ro | PGUSER=p | KONG_PG_RO_HOST=r", "! PGUSER is set, so that Kong's settings do not"),
];

/// Words between bars: `ro`; `-h HOST` or `-d DBNAME`; a line of a file after `conf:`
/// (`/etc/kong/kong.conf`), `etc:` (`/etc/kong.conf`), `node:` (`.kong_env` below the default
/// prefix) or `named:` (`--kong-conf`); or a variable.
fn resolve(words: &str) -> Result<Choice> {
    let root = tempfile::tempdir().expect("a temporary folder");
    let root = root.path();
    let (mut variables, mut given, mut node) = (vec![("USER", "me")], Vec::new(), Node::Primary);
    let named = root.join("named");
    let append = |path: &str, line: &str| {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{before}{line}\n")).expect("written");
    };
    for word in words.split(" | ").filter(|word| !word.is_empty()) {
        if let Some((file, line)) = word.split_once(": ") {
            let path = match file {
                "conf" => "etc/kong/kong.conf",
                "etc" => "etc/kong.conf",
                "node" => "usr/local/kong/.kong_env",
                "named" => "named",
                other => panic!("no such file: {other}"),
            };
            append(path, line);
        } else if let Some((option, value)) = word.split_once(' ').filter(|_| word.starts_with('-'))
        {
            let key = if option == "-h" { "host" } else { "dbname" };
            given.push((option.to_owned(), vec![(key.to_owned(), value.to_owned())]));
        } else if let Some(variable) = word.split_once('=') {
            variables.push(variable);
        } else {
            assert_eq!(word, "ro");
            node = Node::ReadReplica;
        }
    }
    let conf = named.exists().then_some(named.as_path());
    decide(Asked { given, conf, node }, &Environment::of(&variables), root)
}

fn describe(choice: &Choice) -> String {
    let Choice { resolved, schema, .. } = choice;
    let mut text = resolved.target.describe();
    let password = resolved.target.hosts[0].password.as_ref();
    if let Some(password) = password.and_then(|password| password.secret.text()) {
        let _ = write!(text, " password={password}");
    }
    if let Some(schema) = schema {
        let _ = write!(text, " schema={}", schema.text);
    }
    if !resolved.names_database {
        text.push_str(" unnamed");
    }
    text
}

#[test]
fn every_source_has_its_place() {
    for (words, expect) in CASES {
        let found = resolve(words);
        if let Some(part) = expect.strip_prefix("! ") {
            let error = found.expect_err(words);
            let said = format!("{error} {}", error.hint_text().unwrap_or_default());
            assert!(said.contains(part), "{words}: {said}");
            assert_eq!(error.kind(), Kind::Usage, "{words}");
            continue;
        }
        let found = found.unwrap_or_else(|error| panic!("{words}: {error}"));
        let (expect, warning) = expect.split_once("; ").unwrap_or((expect, ""));
        assert_eq!(without_sockets(&describe(&found)), expect, "{words}");
        let warnings = found.resolved.warnings;
        let is_said = match warning {
            "" => warnings.is_empty(),
            part => warnings.len() == 1 && warnings[0].ends_with(part),
        };
        assert!(is_said, "{words}: {warnings:?}");
    }
    assert!(CASES.len() >= 40);
}

/// Where the default socket is depends on the machine.
fn without_sockets(text: &str) -> String {
    text.replace("/var/run/postgresql", "/").replace("/tmp", "/")
}

#[test]
fn each_setting_has_its_source() {
    let found = resolve("conf: # head | conf: pg_user = c | KONG_PG_HOST=e").expect("resolved");
    let source = |name: &str| {
        let mut settings = found.resolved.settings.iter();
        settings.find(|setting| setting.name == name).map(|setting| setting.source.as_str())
    };
    assert_eq!(source("pg_host"), Some("KONG_PG_HOST"));
    assert_eq!(source("pg_port"), Some("Kong's default"));
    let of_user = source("pg_user").expect("it is set");
    assert!(of_user.ends_with("/etc/kong/kong.conf:2"), "{of_user}");
}
