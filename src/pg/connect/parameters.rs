//! libpq's parameters: which there are, and where the value of each comes from.
//!
//! Knows names and sources, not meanings: `libpq` gives each value its meaning.

use std::collections::BTreeMap;

use super::conninfo::Pairs;
use super::environment::Environment;
use super::secret::Secret;
use super::service;
use crate::error::{Error, Kind, Result};

/// Every keyword that libpq 12 to 19 knows, and its environment variable ("" for none).
const KNOWN: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("dbname", "PGDATABASE"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
    ("servicefile", ""),
    ("require_auth", "PGREQUIREAUTH"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("fallback_application_name", ""),
    ("keepalives", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("keepalives_count", ""),
    ("tcp_user_timeout", ""),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslpassword", ""),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("sslkeylogfile", ""),
    ("requirepeer", "PGREQUIREPEER"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("gsslib", "PGGSSLIB"),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("replication", ""),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("scram_client_key", ""),
    ("scram_server_key", ""),
    ("oauth_issuer", ""),
    ("oauth_client_id", ""),
    ("oauth_client_secret", ""),
    ("oauth_scope", ""),
    ("oauth_ca_file", "PGOAUTHCAFILE"),
];

/// Values that are never shown.
const SECRET: &[&str] =
    &["password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"];

/// The parameters that say where the server is; one of them in the environment is enough to make
/// libpq's rules count.
const PLACE_VARIABLES: &[&str] =
    &["PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE"];

/// One connection setting, for people: what it is, its value (`***` for a secret), and where it
/// came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The setting's name as its source calls it: `sslmode`, `pg_host`.
    pub name: String,
    /// The value, or `***`.
    pub value: String,
    /// An option, a variable, a file, or `default`.
    pub source: String,
}

/// A value and where it came from.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) source: String,
}

/// All parameters that have a value.
#[derive(Default)]
pub(super) struct Parameters {
    values: BTreeMap<&'static str, Value>,
    /// The service's password that is no UTF-8, and where it came from.
    pub(super) raw_password: Option<(Secret, String)>,
}

/// The first variable of the environment that names a server in libpq's way.
pub fn variable_that_names_a_server(environment: &Environment) -> Option<&'static str> {
    PLACE_VARIABLES.iter().copied().find(|name| environment.filled(name).is_some())
}

impl Parameters {
    /// Puts the layers together: what was given (later entries win), then the service, then the
    /// environment.
    pub(super) fn gather(given: Vec<(String, Pairs)>, environment: &Environment) -> Result<Self> {
        let mut parameters = Self::default();
        for (source, pairs) in given {
            for (key, text) in pairs {
                parameters
                    .values
                    .insert(known(&key, &source)?, Value { text, source: source.clone() });
            }
        }
        parameters.add_service(environment)?;
        for (key, variable) in KNOWN {
            if let Some(text) = environment.get(variable) {
                parameters.add(key, text, variable);
            }
        }
        // The obsolete form of PGSSLMODE=require.
        if environment.get("PGREQUIRESSL").is_some_and(|value| value.starts_with('1')) {
            parameters.add("sslmode", "require", "PGREQUIRESSL");
        }
        Ok(parameters)
    }

    fn add_service(&mut self, environment: &Environment) -> Result<()> {
        let given =
            self.text("service").or_else(|| environment.filled("PGSERVICE")).map(str::to_owned);
        let Some(name) = given else { return Ok(()) };
        let service = service::find(&name, self.text("servicefile"), environment)?;
        let source = format!("service \"{name}\" in {}", service.file.display());
        for (key, text) in service.pairs {
            self.add(known(&key, &source)?, &text, &source);
        }
        self.raw_password = service
            .password
            .filter(|_| self.get("password").is_none())
            .map(|secret| (secret, source));
        Ok(())
    }

    /// Adds a value unless there is one already; an empty one counts, for it keeps the lower layers
    /// out.
    fn add(&mut self, key: &'static str, text: &str, source: &str) {
        self.values
            .entry(key)
            .or_insert_with(|| Value { text: text.to_owned(), source: source.to_owned() });
    }

    /// Notes a default where there is no value or an empty one.
    pub(super) fn add_default(&mut self, key: &'static str, text: &str, source: &str) {
        if self.get(key).is_none() {
            self.values.insert(key, Value { text: text.to_owned(), source: source.to_owned() });
        }
    }

    /// The value, unless it is empty: libpq takes an empty one for its default.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        debug_assert!(KNOWN.iter().any(|(known, _)| *known == key), "{key}");
        self.values.get(key).filter(|value| !value.text.is_empty())
    }

    /// The text of a value, unless it is empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).map(|value| value.text.as_str())
    }

    /// A usage error about the value of `key`, which names the key and where the value came from.
    pub(super) fn refuse(&self, key: &str, cause: &str) -> Error {
        let source = self.get(key).map_or("default", |value| value.source.as_str());
        let shown = self
            .get(key)
            .filter(|_| !SECRET.contains(&key))
            .map(|value| format!(" = \"{}\"", value.text))
            .unwrap_or_default();
        Error::new(Kind::Usage, format!("use {key}{shown} (from {source})"), cause)
            .hint(format!("correct it in {source}, or leave it out"))
    }

    /// Everything that is set, for people.
    pub(super) fn shown(&self) -> Vec<Setting> {
        let shown = |(key, value): (&&'static str, &Value)| Setting {
            name: (*key).to_owned(),
            value: if SECRET.contains(key) { "***".to_owned() } else { value.text.clone() },
            source: value.source.clone(),
        };
        self.values.iter().filter(|(_, value)| !value.text.is_empty()).map(shown).collect()
    }
}

fn known(key: &str, source: &str) -> Result<&'static str> {
    let found = KNOWN.iter().find(|(known, _)| *known == key).map(|(known, _)| *known);
    found.ok_or_else(|| {
        // A keyword may be part of a password that lacks its quotes: only what looks like a keyword
        // is repeated.
        let plain =
            key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let miswritten = KNOWN.iter().any(|(known, _)| known.eq_ignore_ascii_case(key));
        let cause = if plain || miswritten {
            format!("there is no connection parameter \"{key}\"")
        } else {
            "unknown connection parameter".to_owned()
        };
        Error::new(Kind::Usage, format!("read {source}"), cause)
            .hint("correct its name: host, port, user, dbname, sslmode or another of libpq's")
    })
}

/// One of several words.
pub(super) fn choice<T: Copy>(
    parameters: &Parameters,
    key: &str,
    choices: &[(&str, T)],
    default: T,
) -> Result<T> {
    let Some(text) = parameters.text(key) else { return Ok(default) };
    let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        parameters.refuse(key, &format!("expected one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Pairs {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn later_and_nearer_sources_win() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("services");
        std::fs::write(&file, "[s]\nhost=service\nport=2\nuser=service\n").expect("written");
        let environment = Environment::of(&[
            ("PGSERVICEFILE", file.to_str().expect("UTF-8")),
            ("PGSERVICE", "s"),
            ("PGPORT", "3"),
            ("PGUSER", "env"),
            ("PGSSLMODE", "disable"),
            ("PGREQUIRESSL", "1"),
        ]);
        let given = vec![
            ("--host".to_owned(), pairs(&[("host", "flag")])),
            ("-d".to_owned(), pairs(&[("host", "uri")])),
        ];
        let parameters = Parameters::gather(given, &environment).expect("gathered");
        assert_eq!(parameters.text("host"), Some("uri"));
        assert_eq!(parameters.text("port"), Some("2"));
        assert_eq!(parameters.text("user"), Some("service"));
        assert_eq!(parameters.text("sslmode"), Some("disable"));
    }

    #[test]
    fn says_where_each_came_from_and_hides_passwords() {
        let environment = Environment::of(&[("PGPASSWORD", "hunter2"), ("PGHOST", "db")]);
        let shown = Parameters::gather(Vec::new(), &environment).expect("gathered").shown();
        assert_eq!(shown.len(), 2);
        assert_eq!(
            shown[0],
            Setting { name: "host".into(), value: "db".into(), source: "PGHOST".into() }
        );
        assert_eq!(
            shown[1],
            Setting { name: "password".into(), value: "***".into(), source: "PGPASSWORD".into() }
        );
    }

    #[test]
    fn refuses_unknown_keywords_without_repeating_secrets() {
        for key in ["sslmoed", "Hunter2!"] {
            let given = vec![("the connection string".to_owned(), pairs(&[(key, "x")]))];
            let error = Parameters::gather(given, &Environment::default()).err().expect("refused");
            assert_eq!(error.to_string().contains(key), key == "sslmoed", "{error}");
        }
    }
}
