//! libpq's rules: from parameters, files and defaults to a `Target`.
//!
//! What libpq knows and we cannot honour is refused, never ignored. Knows nothing of any
//! application's own settings.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::config::ChannelBinding;

use super::conninfo::{self, Pairs};
use super::environment::Environment;
use super::parameters::{Parameters, Setting, choice};
use super::passfile::{PassFile, Wanted};
use super::secret::Secret;
use super::target::{
    APPLICATION_NAME, Host, Keepalives, Method, Password, Place, SessionAttrs, SettingNames,
    TIMEOUT, Target,
};
use super::{libpq_tls, tls};
use crate::error::{Error, Kind, Result};

/// Where servers put their sockets: Debian's and Red Hat's builds, then PostgreSQL's own default.
const SOCKET_FOLDERS: &[&str] = &["/var/run/postgresql", "/tmp"];

/// A target, and what to tell the user about how it came to be.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Where to connect.
    pub target: Target,
    /// Every setting with its source, without secrets.
    pub settings: Vec<Setting>,
    /// What was found and not used, such as a password file that others can read.
    pub warnings: Vec<String>,
    /// Whether somebody has said which database is meant; else all is defaults.
    pub names_database: bool,
}

/// Parameters that we cannot honour, the values that ask for nothing, and what to say.
const UNSUPPORTED: &[(&str, &[&str], &str)] = &[
    ("gssencmode", &["disable", "prefer"], "GSSAPI encryption is not supported; use TLS"),
    ("krbsrvname", &[], "Kerberos authentication is not supported"),
    ("gsslib", &[], "GSSAPI authentication is not supported"),
    ("gssdelegation", &["0"], "GSSAPI authentication is not supported"),
    ("requirepeer", &[], "the owner of the server's socket cannot be checked"),
    (
        "sslpassword",
        &[],
        "encrypted keys are not supported; store the key decrypted, with mode 0600",
    ),
    ("sslcompression", &["0"], "TLS compression is not supported"),
    (
        "sslcertmode",
        &["disable", "allow"],
        "it cannot be enforced that the server asks for a client certificate",
    ),
    ("sslkeylogfile", &[], "logging TLS keys is not supported"),
    ("min_protocol_version", &["3.0"], "protocol 3.0 is spoken"),
    (
        "replication",
        &["0", "false", "off", "no"],
        "replication connections cannot be dumped or restored",
    ),
    ("client_encoding", &["utf8", "utf-8", "unicode", "auto"], "sessions always use UTF8"),
    ("scram_client_key", &[], "SCRAM keys are not supported; give the password"),
    ("scram_server_key", &[], "SCRAM keys are not supported; give the password"),
    ("oauth_issuer", &[], "OAuth is not supported"),
    ("oauth_client_id", &[], "OAuth is not supported"),
    ("oauth_client_secret", &[], "OAuth is not supported"),
    ("oauth_scope", &[], "OAuth is not supported"),
];

/// Resolves what was given (source and values; later ones win), the service file, the environment
/// and the defaults.
pub fn resolve(given: Vec<(String, Pairs)>, environment: &Environment) -> Result<Resolved> {
    environment.check_readable("PG")?;
    let mut parameters = Parameters::gather(given, environment)?;
    refuse_unsupported(&parameters)?;
    let Some(user) = parameters.text("user").map(str::to_owned).or_else(|| {
        let (name, source) = environment.user()?;
        parameters.add_default("user", name, source);
        Some(name.to_owned())
    }) else {
        return Err(Error::new(
            Kind::Usage,
            "read the connection settings",
            "no user name is given, and the system does not tell one",
        )
        .hint("give it with -U or PGUSER"));
    };
    let names_database = parameters.text("dbname").is_some();
    parameters.add_default("dbname", &user, "default: the user's name");
    let database = parameters.text("dbname").unwrap_or(&user).to_owned();
    let mut hosts = hosts(&mut parameters)?;
    let warnings = find_passwords(&mut parameters, environment, &mut hosts, &user, &database);
    let on_tcp = hosts.iter().any(|host| matches!(host.place, Place::Tcp { .. }));
    // Libpq ignores sslmode on sockets, and so the certificates that it would need.
    let tls = if on_tcp {
        libpq_tls::settings(&mut parameters, environment)?
    } else {
        tls::Settings::default()
    };
    let target = Target {
        hosts,
        shuffle: choice(
            &parameters,
            "load_balance_hosts",
            &[("disable", false), ("random", true)],
            false,
        )?,
        user,
        database,
        application_name: application_name(&mut parameters),
        options: parameters.text("options").map(str::to_owned),
        timeout: timeout(&parameters)?,
        keepalives: keepalives(&parameters)?,
        tcp_user_timeout: positive(&parameters, "tcp_user_timeout")?.map(Duration::from_millis),
        channel_binding: channel_binding(&parameters)?,
        require_auth: require_auth(&parameters)?,
        session: session_attrs(&parameters)?,
        tls,
        names: SettingNames::LIBPQ,
    };
    Ok(Resolved { target, settings: parameters.shown(), warnings, names_database })
}

/// Resolves a connection string alone: no environment, no files. For tests and for tools.
pub fn resolve_string(text: &str) -> Result<Resolved> {
    resolve(
        vec![("the connection string".to_owned(), conninfo::parse(text)?)],
        &Environment::default(),
    )
}

fn refuse_unsupported(parameters: &Parameters) -> Result<()> {
    for (key, harmless, cause) in UNSUPPORTED {
        let asks = |text: &str| !harmless.contains(&text.to_ascii_lowercase().as_str());
        if parameters.text(key).is_some_and(asks) {
            return Err(parameters.refuse(key, cause));
        }
    }
    Ok(())
}

/// Reads libpq's `require_auth`: methods that are answered, or, each with `!` before it, that are
/// not.
fn require_auth(parameters: &Parameters) -> Result<Option<Vec<Method>>> {
    let Some(text) = parameters.text("require_auth") else { return Ok(None) };
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_negative = words[0].starts_with('!');
    let mut named = Vec::new();
    for word in words {
        let bare = word
            .strip_prefix('!')
            .filter(|_| is_negative)
            .or((!is_negative && !word.starts_with('!')).then_some(word));
        let Some(bare) = bare else {
            return Err(parameters
                .refuse("require_auth", "methods with and without ! cannot stand side by side"));
        };
        let Some((_, method)) = Method::ALL.into_iter().find(|(name, _)| *name == bare) else {
            let words = Method::ALL.map(|(name, _)| name).join(", ");
            return Err(parameters.refuse(
                "require_auth",
                &format!("there is no method \"{bare}\"; there are {words}"),
            ));
        };
        if named.contains(&method) {
            return Err(
                parameters.refuse("require_auth", &format!("\"{bare}\" stands there twice"))
            );
        }
        named.push(method);
    }
    let admitted = Method::ALL
        .into_iter()
        .map(|(_, method)| method)
        .filter(|method| named.contains(method) != is_negative);
    Ok(Some(admitted.collect()))
}

/// Lists of hosts, addresses and ports, put side by side.
fn hosts(parameters: &mut Parameters) -> Result<Vec<Host>> {
    let list = |key: &str| {
        parameters
            .text(key)
            .map(|text| text.split(',').map(|entry| entry.trim().to_owned()).collect::<Vec<_>>())
    };
    let (names, addresses, ports) =
        (list("host"), list("hostaddr"), list("port").unwrap_or_default());
    let count = names.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    if names.is_some() && addresses.as_ref().is_some_and(|addresses| addresses.len() != count) {
        return Err(parameters.refuse(
            "hostaddr",
            &format!("it must have as many entries as host, which has {count}"),
        ));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(parameters
            .refuse("port", &format!("there are {} ports for {count} hosts", ports.len())));
    }
    let entry = |list: &Option<Vec<String>>, at: usize| {
        list.as_ref().map_or_else(String::new, |list| list[at].clone())
    };
    let mut hosts = Vec::with_capacity(count);
    for at in 0..count {
        let port = ports.get(at).or(ports.first()).map_or("", String::as_str);
        let port = if port.is_empty() {
            5432
        } else {
            number::<u16>(parameters, "port", port, "a number from 1 to 65535")?
        };
        if port == 0 {
            return Err(parameters.refuse("port", "a port is between 1 and 65535"));
        }
        let place = place(parameters, &entry(&names, at), &entry(&addresses, at), port)?;
        hosts.push(Host { place, port, password: None });
    }
    if let (None, None, Place::Socket(folder)) = (&names, &addresses, &hosts[0].place) {
        parameters.add_default("host", &folder.display().to_string(), "default");
    }
    parameters.add_default("port", "5432", "default");
    Ok(hosts)
}

fn place(parameters: &Parameters, name: &str, address: &str, port: u16) -> Result<Place> {
    if !address.is_empty() {
        let parsed = number(parameters, "hostaddr", address, "an IP address")?;
        let name = if name.is_empty() { address } else { name };
        return Ok(Place::Tcp { name: name.to_owned(), address: Some(parsed) });
    }
    match name.chars().next() {
        None => Ok(Place::Socket(default_socket_folder(port))),
        Some('/') => Ok(Place::Socket(PathBuf::from(name))),
        Some('@') => {
            Err(parameters.refuse("host", "sockets in the abstract namespace are not supported"))
        }
        Some(_) => Ok(Place::Tcp { name: name.to_owned(), address: name.parse().ok() }),
    }
}

/// The folder in which there is a socket for this port; if there is none, the first that exists,
/// for the error to name.
fn default_socket_folder(port: u16) -> PathBuf {
    let folders = || SOCKET_FOLDERS.iter().map(Path::new);
    let with_socket = folders().find(|folder| folder.join(format!(".s.PGSQL.{port}")).exists());
    let found = with_socket.or_else(|| folders().find(|folder| folder.exists()));
    found.unwrap_or(Path::new(SOCKET_FOLDERS[0])).to_owned()
}

/// Gives each host its password: the one given, else the password file's. Returns what to warn
/// about.
fn find_passwords(
    parameters: &mut Parameters,
    environment: &Environment,
    hosts: &mut [Host],
    user: &str,
    database: &str,
) -> Vec<String> {
    let given = parameters
        .get("password")
        .map(|value| (Secret::new(value.text.as_str()), value.source.clone()));
    // A service's password counts more than the environment's.
    if let Some((secret, source)) = parameters.raw_password.take().or(given) {
        parameters.add_default("password", "***", &source);
        let password = Password { secret, source };
        for host in hosts {
            host.password = Some(password.clone());
        }
        return Vec::new();
    }
    let default = environment.home().map(|home| home.join(".pgpass"));
    let Some(path) = parameters.text("passfile").map(PathBuf::from).or(default) else {
        return Vec::new();
    };
    let file = PassFile::read(&path);
    let source = format!("the password file {}", path.display());
    for host in hosts {
        let name = match &host.place {
            Place::Tcp { name, .. } => name.clone(),
            Place::Socket(folder)
                if SOCKET_FOLDERS.iter().any(|default| Path::new(default) == folder) =>
            {
                "localhost".to_owned()
            }
            Place::Socket(folder) => folder.display().to_string(),
        };
        let wanted = Wanted { host: &name, port: &host.port.to_string(), database, user };
        if let Some(secret) = file.look_up(wanted) {
            host.password = Some(Password { secret, source: source.clone() });
            parameters.add_default("password", "***", &source);
        }
    }
    file.warning.into_iter().collect()
}

fn application_name(parameters: &mut Parameters) -> String {
    let fallback =
        parameters.text("fallback_application_name").unwrap_or(APPLICATION_NAME).to_owned();
    parameters.add_default("application_name", &fallback, "default");
    parameters.text("application_name").unwrap_or(&fallback).to_owned()
}

/// `connect_timeout` in seconds; zero and less wait for ever, as libpq does.
fn timeout(parameters: &Parameters) -> Result<Option<Duration>> {
    let Some(text) = parameters.text("connect_timeout") else { return Ok(Some(TIMEOUT)) };
    let seconds: i32 = number(parameters, "connect_timeout", text, "a whole number")?;
    Ok(u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
}

fn keepalives(parameters: &Parameters) -> Result<Option<Keepalives>> {
    if let Some(text) = parameters.text("keepalives")
        && number::<i32>(parameters, "keepalives", text, "a whole number")? == 0
    {
        return Ok(None);
    }
    let default = Keepalives::default();
    Ok(Some(Keepalives {
        idle: positive(parameters, "keepalives_idle")?.map_or(default.idle, Duration::from_secs),
        interval: positive(parameters, "keepalives_interval")?
            .map_or(default.interval, Duration::from_secs),
        retries: positive(parameters, "keepalives_count")?
            .map_or(default.retries, |count| count as u32),
    }))
}

fn channel_binding(parameters: &Parameters) -> Result<ChannelBinding> {
    let choices = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    choice(parameters, "channel_binding", &choices, ChannelBinding::Prefer)
}

fn session_attrs(parameters: &Parameters) -> Result<SessionAttrs> {
    let choices = [
        ("any", SessionAttrs::Any),
        ("read-write", SessionAttrs::ReadWrite),
        ("read-only", SessionAttrs::ReadOnly),
        ("primary", SessionAttrs::Primary),
        ("standby", SessionAttrs::Standby),
        ("prefer-standby", SessionAttrs::PreferStandby),
    ];
    choice(parameters, "target_session_attrs", &choices, SessionAttrs::Any)
}

/// A number above zero; zero and less mean the default, as in libpq.
fn positive(parameters: &Parameters, key: &str) -> Result<Option<u64>> {
    let Some(text) = parameters.text(key) else { return Ok(None) };
    let value: i32 = number(parameters, key, text, "a whole number")?;
    Ok(u64::try_from(value).ok().filter(|value| *value > 0))
}

fn number<T: FromStr>(parameters: &Parameters, key: &str, text: &str, expected: &str) -> Result<T> {
    text.trim().parse().map_err(|_| parameters.refuse(key, &format!("it is not {expected}")))
}

#[cfg(test)]
#[path = "libpq_tests.rs"]
mod tests;
