//! Where a command connects, from what was typed to the target: one table.
//!
//! What is expected was written down from what Kong's own loader does (kong/conf_loader, Penlight's
//! pl.config, the entrypoint of Kong's images, Kong's environment vault) and from libpq's rules,
//! not from what this program does.

use std::fmt::Write as _;
use std::fs;

use clap::Parser;

use super::*;
use crate::pg::connect::tls::{Mode, Root};

/// What is given, as [`decide`] reads it, and what comes of it, as [`describe`] writes it. `! ` goes
/// before a part of the error that comes instead, ` -- ` before what is said beside.
const CASES: &[(&str, &str)] = &[
    // Kong's defaults, and its environment: as it stands, but for spaces around it.
    ("", "kong@127.0.0.1:5432/kong unnamed"),
    ("KONG_PG_HOST=e", "kong@e:5432/kong"),
    (
        "KONG_PG_HOST=e | KONG_PG_PORT=6 | KONG_PG_USER=u | KONG_PG_PASSWORD=p | KONG_PG_DATABASE=d \
         | KONG_PG_SCHEMA=s",
        "u@e:6/d password=p<KONG_PG_PASSWORD schema=s",
    ),
    ("KONG_PG_HOST= e ", "kong@e:5432/kong"),
    ("KONG_PG_HOST=a,b", "kong@a,b:5432/kong"),
    ("kong_pg_host=e", "kong@127.0.0.1:5432/kong unnamed"),
    ("KONG_PROXY_LISTEN=off", "kong@127.0.0.1:5432/kong unnamed"),
    ("KONG_PG_PASSWORD=\"00123\"", "kong@127.0.0.1:5432/kong password=\"00123\"<KONG_PG_PASSWORD"),
    ("KONG_PG_PASSWORD=00123", "kong@127.0.0.1:5432/kong password=00123<KONG_PG_PASSWORD"),
    ("KONG_PG_PASSWORD=a#b \\# c", "kong@127.0.0.1:5432/kong password=a#b \\# c<KONG_PG_PASSWORD"),
    ("KONG_PG_PORT=6e3", "kong@127.0.0.1:6000/kong"),
    ("KONG_PG_PORT=six", "! \"six\" is no port"),
    ("KONG_PG_HOTS=e", "kong@127.0.0.1:5432/kong -- KONG_PG_HOTS is no setting of Kong's"),
    // An empty variable means that nothing is set, not even the default.
    ("KONG_PG_HOST=", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_host = c | KONG_PG_HOST=", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_schema = s | KONG_PG_SCHEMA=", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_password = x | KONG_PG_PASSWORD=", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_user = u | KONG_PG_USER=", "! it is empty, and hides what"),
    ("conf: pg_database = d | KONG_PG_DATABASE=", "! unset KONG_PG_DATABASE, or fill it"),
    ("KONG_PG_HOST=e | KONG_PG_USER=", "! Kong's default does not count beside it"),
    ("KONG_PG_DATABASE= ", "! unset KONG_PG_DATABASE, or fill it"),
    ("conf: pg_user =", "! Kong's default does not count beside it"),
    // A variable that names a file, as the images of Kong have it.
    (
        "secret: p # x | KONG_PG_PASSWORD_FILE=@secret",
        "kong@127.0.0.1:5432/kong password=p # x<KONG_PG_PASSWORD_FILE, which names secret",
    ),
    ("secret: e | KONG_PG_HOST_FILE=@secret", "kong@e:5432/kong"),
    ("conf: pg_host = c | secret: e | KONG_PG_HOST_FILE=@secret", "kong@e:5432/kong"),
    (
        "secret: p | KONG_PG_PASSWORD_FILE=@secret | KONG_PG_PASSWORD=q",
        "! KONG_PG_PASSWORD_FILE is set as well",
    ),
    ("KONG_PG_PASSWORD_FILE=@secret", "! use Kong's property pg_password"),
    // kong.conf, where Kong finds it; the environment counts more.
    ("conf: pg_host = c", "kong@c:5432/kong"),
    ("etc: pg_host = c", "kong@c:5432/kong"),
    ("conf: pg_user = u | etc: pg_host = other", "u@127.0.0.1:5432/kong"),
    ("conf: log_level = debug", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_host = c | conf: pg_user = u | KONG_PG_HOST=e", "u@e:5432/kong"),
    ("conf: pg_schema = s | KONG_PG_SCHEMA=t", "kong@127.0.0.1:5432/kong schema=t"),
    // Its comments, continuations, quotes and numbers.
    ("conf: #pg_host = c", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf:   ; pg_host = c", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_host = c # not d", "kong@c:5432/kong"),
    ("conf: pg_host = c ; d", "kong@c ; d:5432/kong"),
    ("conf: pg_host =", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_host = # c", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_password = a\\#b # c", "kong@127.0.0.1:5432/kong password=a#b<conf:1"),
    ("conf: pg_host = long.\\ | conf: # between | conf: name", "kong@long.name:5432/kong"),
    ("conf: pg_host = c \\", "! goes on after its backslash, and nothing follows"),
    ("conf: pg_host = \"c\"", "kong@\"c\":5432/kong"),
    ("conf: pg_host = b | conf: pg_host = c", "kong@c:5432/kong"),
    ("conf: pg-host = c", "kong@c:5432/kong"),
    ("conf: pg_password = 00123", "kong@127.0.0.1:5432/kong password=123<conf:1"),
    ("conf: pg_password = 1e5", "kong@127.0.0.1:5432/kong password=100000<conf:1"),
    (
        "conf: # head | conf: pg_password = 12345678901234567890",
        "kong@127.0.0.1:5432/kong password=1.2345678901235e+19<conf:2",
    ),
    ("conf: pg_database = 007 | conf: pg_user = 0x10", "16@127.0.0.1:5432/7"),
    ("conf: pg_port = 6e3 | conf: pg_host = 10.0.0.1", "kong@10.0.0.1:6000/kong"),
    ("conf: pg_schema = 08 # eight", "kong@127.0.0.1:5432/kong schema=08"),
    (
        "conf: nonsense",
        "kong@127.0.0.1:5432/kong unnamed -- conf:1: no \"key = value\", and ignored",
    ),
    (
        "conf: pg_hots = c",
        "kong@127.0.0.1:5432/kong -- pg_hots is no setting of Kong's, and ignored",
    ),
    ("conf: [pg]", "! begins a section"),
    // A file that is named is the only one.
    ("named: pg_host = f", "kong@f:5432/kong"),
    ("named: pg_host = f | conf: pg_user = c | node: pg_user = n", "kong@f:5432/kong"),
    ("named: pg_host = f | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("named: log_level = debug", "kong@127.0.0.1:5432/kong unnamed"),
    ("--kong-conf @gone", "! read Kong's settings in gone"),
    // A running node's settings.
    ("node: pg_host = n", "kong@n:5432/kong"),
    ("node: pg_host = n | conf: pg_host = c | conf: pg_user = c", "kong@n:5432/kong"),
    ("node: pg_host = n | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("node: pg_host = n | KONG_PREFIX=/nowhere", "kong@127.0.0.1:5432/kong unnamed"),
    ("node: pg_host = n | conf: prefix = /nowhere | conf: pg_host = c", "kong@c:5432/kong"),
    ("node: -----BEGIN | node: pg_host = n", "kong@n:5432/kong"),
    (
        "node: pg_password = {vault://env/pass} | PASS=v",
        "kong@127.0.0.1:5432/kong password=v<node:1, vault env, PASS",
    ),
    // No PostgreSQL, and ways to log in that only Kong has.
    ("KONG_DATABASE=off", "! it is \"off\": this Kong keeps nothing in PostgreSQL"),
    ("conf: database = off", "! this Kong keeps nothing in PostgreSQL"),
    ("node: database = off", "! this Kong keeps nothing in PostgreSQL"),
    ("conf: database = off | KONG_DATABASE=postgres", "kong@127.0.0.1:5432/kong unnamed"),
    ("conf: pg_iam_auth = on", "! pg_iam_auth"),
    ("conf: pg_iam_auth = yes", "kong@127.0.0.1:5432/kong"),
    // Vaults.
    (
        "KONG_PG_PASSWORD={vault://env/pg-pass} | PG_PASS=v",
        "kong@127.0.0.1:5432/kong password=v<KONG_PG_PASSWORD, vault env, PG_PASS",
    ),
    (
        "conf: vault_env_prefix = my_ | conf: pg_user = {vault://env/user} | MY_USER=v | USER=w",
        "v@127.0.0.1:5432/kong",
    ),
    ("KONG_PG_HOST={vault://env/db/host} | DB={\"host\":\"v\"}", "kong@v:5432/kong"),
    ("KONG_PG_HOST={vault://env/host?prefix=x-} | X_HOST=v", "kong@v:5432/kong"),
    ("conf: pg_host = {vault://env/gone}", "! GONE, which is not set"),
    ("conf: pg_host = {vault://gcp/db}", "! use Kong's property pg_host (from conf:1): its value"),
    ("KONG_PG_PASSWORD={vault://hcv/kong/p}", "! the vault \"hcv\", which only Kong can open"),
    ("KONG_PG_USER={vault://aws/kong/u}", "! KONG_PG_USER or KONG_PG_USER_FILE"),
    // TLS.
    ("KONG_PG_SSL=on", "kong@127.0.0.1:5432/kong tls=Prefer"),
    ("KONG_PG_SSL=true", "kong@127.0.0.1:5432/kong tls=Prefer"),
    ("KONG_PG_SSL=yes", "kong@127.0.0.1:5432/kong"),
    ("KONG_PG_SSL=ON", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_ssl = 1", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_ssl = on | KONG_PG_SSL=", "kong@127.0.0.1:5432/kong"),
    ("conf: pg_ssl = on | KONG_PG_SSL_REQUIRED=on", "kong@127.0.0.1:5432/kong tls=Require"),
    ("KONG_PG_SSL=on | KONG_PG_SSL_VERIFY=on", "kong@127.0.0.1:5432/kong tls=VerifyCa ca=system"),
    ("KONG_PG_SSL_VERIFY=on", "kong@127.0.0.1:5432/kong -- count only with pg_ssl = on"),
    (
        "KONG_PG_SSL=on | KONG_PG_SSL_VERIFY=on | KONG_PG_SSL_REQUIRED=on | conf: \
         lua_ssl_trusted_certificate = system, /etc/ca.pem",
        "kong@127.0.0.1:5432/kong tls=VerifyCa ca=system+/etc/ca.pem",
    ),
    (
        "KONG_PG_SSL=on | KONG_PG_SSL_VERIFY=on | \
         KONG_LUA_SSL_TRUSTED_CERTIFICATE=/b.pem,LS0tLS1CRUdJTiBY",
        "kong@127.0.0.1:5432/kong tls=VerifyCa ca=/b.pem+PEM",
    ),
    ("KONG_PG_SSL=on | KONG_PG_SSL_VERSION=tlsv1_1", "! TLS 1.2 and 1.3 are"),
    ("KONG_PG_SSL=on | KONG_PG_SSL_CERT=/c.pem", "! pg_ssl_cert and pg_ssl_cert_key go together"),
    // libpq's rules alone, as soon as its options or variables say where.
    ("-h p", "me@p:5432/me tls=Prefer unnamed"),
    ("-d d | PGPASSWORD=p", "me@SOCKET:5432/d password=p<PGPASSWORD"),
    ("PGHOST=p | PGDATABASE=d | PGSSLMODE=require", "me@p:5432/d tls=Require"),
    (
        "-d postgresql://u:s@p:7/d?sslmode=verify-ca&sslrootcert=/dev/null | -h other | PGUSER=x",
        "u@p:7/d password=s<the connection string in --dbname tls=VerifyCa ca=/dev/null",
    ),
    ("-d  | KONG_PG_HOST=e", "! read --dbname: it is empty"),
    ("-h p | KONG_DATABASE=off", "me@p:5432/me tls=Prefer unnamed"),
    // What the other rules set is told where it does not count.
    (
        "-h p | KONG_PG_HOST=e",
        "me@p:5432/me tls=Prefer unnamed -- --host is given: KONG_PG_* do not count",
    ),
    ("-p 7 | KONG_PG_HOST=e", "me@SOCKET:7/me unnamed -- --port is given: KONG_PG_* do not count"),
    (
        "-U u | KONG_PG_HOST=e",
        "u@SOCKET:5432/u unnamed -- --username is given: KONG_PG_* do not count",
    ),
    ("-d d | KONG_PG_PASSWORD=x", "me@SOCKET:5432/d -- --dbname is given: KONG_PG_* do not count"),
    (
        "PGDATABASE=d | KONG_PG_HOST=e",
        "me@SOCKET:5432/d -- PGDATABASE is set: KONG_PG_* do not count",
    ),
    (
        "PGPORT=7 | conf: pg_host = c",
        "me@SOCKET:7/me unnamed -- PGPORT is set: conf does not count",
    ),
    (
        "PGHOSTADDR=10.0.0.1 | node: pg_host = n",
        "me@10.0.0.1:5432/me tls=Prefer unnamed -- node does not count",
    ),
    (
        "-h p | conf: pg_host = c | KONG_PG_PASSWORD=x",
        "me@p:5432/me tls=Prefer unnamed -- KONG_PG_* and conf do not count",
    ),
    (
        "-h p | conf: [pg] | KONG_PG_HOST=e",
        "me@p:5432/me tls=Prefer unnamed -- KONG_PG_* do not count",
    ),
    ("-h p | KONG_PROXY_LISTEN=off", "me@p:5432/me tls=Prefer unnamed"),
    ("-h p | KONG_PG_HOST=", "me@p:5432/me tls=Prefer unnamed"),
    ("-h p | conf: log_level = debug", "me@p:5432/me tls=Prefer unnamed"),
    (
        "named: pg_host = f | PGHOST=p",
        "kong@f:5432/kong -- --kong-conf is given: PGHOST does not count",
    ),
    ("named: pg_host = f | -h p", "! --host is given as well"),
    ("named: pg_host = f | -d postgresql:///d", "! --dbname is given as well"),
    // One's password never goes to the other's host.
    ("KONG_PG_HOST=e | PGPASSWORD=p | PGSSLMODE=require", "kong@e:5432/kong"),
    ("PGHOST= | KONG_PG_HOST=e", "kong@e:5432/kong"),
    ("named: pg_password = x | PGPASSWORD=p", "kong@127.0.0.1:5432/kong password=x<named:1"),
    // A read replica: each pg_ro_* that is not set is as its pg_*.
    ("ro | KONG_PG_HOST=e", "! pg_ro_host is not set"),
    ("ro | conf: pg_ro_host = r | KONG_PG_RO_HOST=", "! pg_ro_host is not set"),
    ("KONG_PG_HOST=e | KONG_PG_RO_HOST=r", "kong@e:5432/kong"),
    ("ro | KONG_PG_HOST=e | KONG_PG_RO_HOST=r", "kong@r:5432/kong"),
    (
        "ro | conf: pg_ro_host = r | conf: pg_ro_user = s | conf: pg_user = u | conf: pg_password = \
         p | conf: pg_schema = t | KONG_PG_PORT=6",
        "s@r:6/kong password=p<conf:4 schema=t",
    ),
    (
        "ro | KONG_PG_RO_HOST=r | KONG_PG_RO_PORT=7 | KONG_PG_RO_DATABASE=d | KONG_PG_RO_SCHEMA=s | \
         KONG_PG_PASSWORD=p | KONG_PG_RO_PASSWORD=q",
        "kong@r:7/d password=q<KONG_PG_RO_PASSWORD schema=s",
    ),
    ("ro | KONG_PG_RO_HOST=r | KONG_PG_SSL=on | KONG_PG_RO_SSL=off", "kong@r:5432/kong"),
    (
        "ro | KONG_PG_RO_HOST=r | KONG_PG_SSL=on | KONG_PG_RO_SSL_VERIFY=on",
        "kong@r:5432/kong tls=VerifyCa ca=system",
    ),
    ("ro | KONG_PG_RO_HOST=r | KONG_PG_RO_IAM_AUTH=on", "! pg_ro_iam_auth"),
    ("ro | -h p | KONG_PG_RO_HOST=r", "! --host is given, so that Kong's settings do not count"),
    ("ro | PGUSER=p | KONG_PG_RO_HOST=r", "! PGUSER is set, so that Kong's settings do not count"),
];

#[derive(Parser)]
#[command(disable_help_flag = true)]
struct Command {
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Files, by how the table calls them.
const FILES: &[(&str, &str)] = &[
    ("conf", "etc/kong/kong.conf"),
    ("etc", "etc/kong.conf"),
    ("node", "usr/local/kong/.kong_env"),
    ("named", "named"),
    ("secret", "secret"),
];

/// Decides by words between bars: `-OPTION VALUE`; `FILE: LINE` of one of [`FILES`], where `named`
/// is what `--kong-conf` names; `VARIABLE=VALUE`; `ro` for the read replica. `@` before a value
/// stands for the root directory.
fn decide(words: &str, root: &Path) -> Result<Choice> {
    let at = |value: &str| match value.strip_prefix('@') {
        Some(file) => root.join(file).display().to_string(),
        None => value.to_owned(),
    };
    let mut line = vec!["x".to_owned()];
    let mut variables = vec![("USER".to_owned(), "me".to_owned())];
    let mut node = Node::Primary;
    for word in words.split(" | ").filter(|word| !word.is_empty()) {
        let file = word.split_once(": ").or_else(|| Some((word.strip_suffix(':')?, "")));
        let file = file.and_then(|(name, text)| {
            Some((FILES.iter().find(|(called, _)| *called == name)?.1, text))
        });
        if let Some((path, text)) = file {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            let before = fs::read_to_string(&path).unwrap_or_default();
            fs::write(&path, format!("{before}{text}\n")).expect("written");
        } else if word.starts_with('-') {
            let (option, value) = word.split_once(' ').expect("an option has a value");
            line.extend([option.to_owned(), at(value)]);
        } else if let Some((variable, value)) = word.split_once('=') {
            variables.retain(|(name, _)| name != variable);
            variables.push((variable.to_owned(), at(value)));
        } else {
            assert_eq!(word, "ro");
            node = Node::ReadReplica;
        }
    }
    if root.join("named").exists() {
        line.extend(["--kong-conf".to_owned(), at("@named")]);
    }
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let args = Command::try_parse_from(line).expect("parsed").connection;
    args.decide(node, &Environment::of(&variables), root)
}

/// Host, port, user, password with its source, database, schema, TLS and trusted certificates.
fn describe(choice: &Choice) -> String {
    let Choice { resolved, schema, .. } = choice;
    let mut text = resolved.target.describe();
    if let Some(Password { secret, source }) = &resolved.target.hosts[0].password {
        let _ = write!(text, " password={}<{source}", secret.text().unwrap_or_default());
    }
    if let Some(schema) = schema {
        let _ = write!(text, " schema={}", schema.text);
    }
    let tls = &resolved.target.tls;
    if tls.mode != Mode::Disable {
        let _ = write!(text, " tls={:?}", tls.mode);
    }
    let roots = tls.roots.iter().map(|root| match root {
        Root::System => "system".to_owned(),
        Root::File(path) => path.display().to_string(),
        Root::Pem(_) => "PEM".to_owned(),
    });
    let roots: Vec<String> = roots.collect();
    if !roots.is_empty() {
        let _ = write!(text, " ca={}", roots.join("+"));
    }
    if !resolved.names_database {
        text.push_str(" unnamed");
    }
    text
}

/// With files as the table calls them, and without what depends on the machine.
fn plain(text: &str, root: &Path) -> String {
    let mut text = text.to_owned();
    for (name, path) in FILES {
        text = text.replace(&root.join(path).display().to_string(), name);
    }
    text.replace(&format!("{}/", root.display()), "")
        .replace("/var/run/postgresql", "SOCKET")
        .replace("/tmp", "SOCKET")
}

#[test]
fn every_source_has_its_place() {
    let mut wrong = Vec::new();
    for (words, expect) in CASES {
        let root = tempfile::tempdir().expect("a temporary directory");
        let root = root.path();
        let (found, said) = match decide(words, root) {
            Ok(choice) => (describe(&choice), choice.resolved.warnings),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Usage, "{words}");
                (format!("! {error} {}", error.hint_text().unwrap_or_default()), Vec::new())
            }
        };
        let found = plain(&found, root);
        let said: Vec<String> = said.iter().map(|warning| plain(warning, root)).collect();
        let (value, warning) = expect.split_once(" -- ").unwrap_or((expect, ""));
        let is_right = match expect.strip_prefix("! ") {
            Some(part) => found.starts_with("! ") && found.contains(part),
            None if warning.is_empty() => found == value && said.is_empty(),
            None => found == value && said.len() == 1 && said[0].contains(warning),
        };
        if !is_right {
            wrong.push(format!("{words}\n  expected {expect}\n  found {found} {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(CASES.len() >= 40);
}

#[test]
fn each_setting_has_its_source() {
    let root = tempfile::tempdir().expect("a temporary directory");
    let root = root.path();
    let words = "conf: # head | conf: pg_user = c | KONG_PG_HOST=e | KONG_PG_PASSWORD=hunter2";
    let found = decide(words, root).expect("decided").resolved.settings;
    let setting = |name: &str| {
        let setting = found.iter().find(|setting| setting.name == name).expect(name);
        (setting.value.clone(), plain(&setting.source, root))
    };
    let expect = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(setting("pg_host"), expect("e", "KONG_PG_HOST"));
    assert_eq!(setting("pg_port"), expect("5432", "Kong's default"));
    assert_eq!(setting("pg_user"), expect("c", "conf:2"));
    assert_eq!(setting("pg_password"), expect("***", "KONG_PG_PASSWORD"));
}
