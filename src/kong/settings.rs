//! Where Kong's own settings say the database is: `pg_*`, or their twins `pg_ro_*` for a read
//! replica, then Kong's defaults.
//!
//! Uses nothing of libpq's: no `PG*`, no password file, no `~/.postgresql`. Does not know where the
//! properties come from.

use std::time::Duration;

use super::number;
use super::reader::{Node, Reader};
use super::sources::{Sources, Value};
use super::tls;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::libpq::Resolved;
use crate::pg::connect::secret::Secret;
use crate::pg::connect::target::{Password, SettingNames, Target};

/// How Kong reaches its database.
#[derive(Clone, Debug)]
pub(super) struct KongSettings {
    /// Where to connect, and where each value came from.
    pub resolved: Resolved,
    /// `pg_schema`; without it, Kong uses the server's current schema.
    pub schema: Option<Value>,
    /// `pg_user`.
    pub user: Value,
}

/// Ways to log in that Kong Enterprise has and this program has not.
const UNSUPPORTED_LOGINS: &[&str] =
    &["pg_iam_auth", "pg_azure_auth", "pg_gcp_auth", "pg_oauth_auth"];

/// What hints call the settings.
const NAMES: SettingNames = SettingNames {
    password: "KONG_PG_PASSWORD",
    trusted: "KONG_LUA_SSL_TRUSTED_CERTIFICATE",
    certificate: "KONG_PG_SSL_CERT and KONG_PG_SSL_CERT_KEY",
    plain: "KONG_PG_SSL_REQUIRED=off",
    timeout: "KONG_PG_TIMEOUT",
};

/// The same for a read replica.
const REPLICA_NAMES: SettingNames = SettingNames {
    password: "KONG_PG_RO_PASSWORD",
    trusted: "KONG_LUA_SSL_TRUSTED_CERTIFICATE",
    certificate: "KONG_PG_RO_SSL_CERT and KONG_PG_RO_SSL_CERT_KEY",
    plain: "KONG_PG_RO_SSL_REQUIRED=off",
    timeout: "KONG_PG_RO_TIMEOUT",
};

/// Reads Kong's settings for one of its servers.
///
/// # Errors
/// A usage error where a value cannot be used, and for a read replica that is not set.
pub(super) fn resolve(sources: &Sources<'_>, node: Node) -> Result<KongSettings> {
    sources.environment.check_readable("KONG_")?;
    let mut reader = Reader::new(sources, node);
    refuse_unsupported(&mut reader)?;
    if node == Node::ReadReplica && reader.peek("pg_ro_host")?.is_none() {
        let cause = "pg_ro_host is not set: Kong has no read replica";
        return Err(Error::new(Kind::Usage, "find Kong's read replica", cause)
            .hint("set KONG_PG_RO_HOST, or leave --read-replica out"));
    }
    let host = reader.text("pg_host", "127.0.0.1")?;
    let port = reader.text("pg_port", "5432")?;
    let user = reader.name("pg_user", "kong")?;
    let database = reader.name("pg_database", "kong")?;
    let port_number = match number::normalize(&port.text).parse::<u16>() {
        Ok(number) if number > 0 => number,
        _ => return Err(port.refuse(format!("\"{}\" is no port", port.text))),
    };
    let mut target = Target::tcp(&host.text, port_number, &user.text, &database.text);
    target.hosts[0].password = reader
        .secret("pg_password")?
        .map(|value| Password { secret: Secret::new(value.text), source: value.source });
    if let Some(value) = reader.optional("pg_timeout")? {
        let milliseconds = number::normalize(&value.text).parse::<u64>();
        let milliseconds = milliseconds.ok().filter(|milliseconds| *milliseconds > 0);
        let milliseconds = milliseconds.ok_or_else(|| value.refuse("expected milliseconds"))?;
        target.timeout = Some(Duration::from_millis(milliseconds));
    }
    target.tls = tls::settings(&mut reader)?;
    target.names = match node {
        Node::Primary => NAMES,
        Node::ReadReplica => REPLICA_NAMES,
    };
    let schema = reader.optional("pg_schema")?;
    let (settings, warnings) = reader.told();
    let names_database = !sources.naming().is_empty();
    let resolved = Resolved { target, settings, warnings, names_database };
    Ok(KongSettings { resolved, schema, user })
}

fn refuse_unsupported(reader: &mut Reader<'_>) -> Result<()> {
    if let Some(value) = reader.optional("database")?
        && value.text != "postgres"
    {
        let cause = format!("it is \"{}\": this Kong keeps nothing in PostgreSQL", value.text);
        return Err(value
            .refuse(cause)
            .hint("name the database with -h, -U and -d if there is one after all"));
    }
    for name in UNSUPPORTED_LOGINS {
        if let Some((true, value)) = reader.peek_flag(name)? {
            let error = value.refuse("this way to log in is not supported");
            return Err(
                error.hint("give a user with a password: KONG_PG_USER and KONG_PG_PASSWORD")
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::connect::environment::Environment;
    use crate::pg::connect::target::TIMEOUT;
    use crate::pg::connect::tls::{Mode, Root};

    fn resolve_at(node: Node, variables: &[(&str, &str)]) -> Result<KongSettings> {
        resolve(
            &Sources { environment: &Environment::of(variables), conf: None, by_node: false },
            node,
        )
    }

    fn resolved(variables: &[(&str, &str)]) -> KongSettings {
        resolve_at(Node::Primary, variables).expect("resolved")
    }

    fn check_refused(variables: &[(&str, &str)], cause: &str) {
        let error = resolve_at(Node::Primary, variables).expect_err("refused");
        assert!(error.to_string().contains(cause), "{error}");
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn defaults_are_kongs() {
        let found = resolved(&[("PGHOST", "elsewhere"), ("PGPASSWORD", "x")]);
        assert_eq!(found.resolved.target.describe(), "kong@127.0.0.1:5432/kong");
        assert_eq!(found.resolved.target.hosts[0].password, None);
        assert_eq!(found.resolved.target.timeout, Some(TIMEOUT));
        assert!(found.schema.is_none());
        assert!(found.resolved.settings.iter().all(|setting| setting.source == "Kong's default"));
    }

    #[test]
    fn variables_count() {
        let found = resolved(&[
            ("KONG_PG_HOST", "db"),
            ("KONG_PG_PORT", "6"),
            ("KONG_PG_USER", "u"),
            ("KONG_PG_DATABASE", "d"),
            ("KONG_PG_PASSWORD", "hunter2"),
            ("KONG_PG_SCHEMA", "s"),
            ("KONG_PG_TIMEOUT", "1500"),
        ]);
        let target = &found.resolved.target;
        assert_eq!(target.describe(), "u@db:6/d");
        assert_eq!(
            target.hosts[0].password.as_ref().and_then(|password| password.secret.text()),
            Some("hunter2")
        );
        assert_eq!(target.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(found.schema.as_ref().map(|schema| schema.text.as_str()), Some("s"));
        assert!(!format!("{found:?}").contains("hunter2"));
        let source = |name: &str| {
            found
                .resolved
                .settings
                .iter()
                .find(|setting| setting.name == name)
                .map(|setting| setting.source.as_str())
        };
        assert_eq!(source("pg_host"), Some("KONG_PG_HOST"));
    }

    #[test]
    fn tls_maps_to_modes() {
        let mode = |variables: &[(&str, &str)]| resolved(variables).resolved.target.tls.mode;
        let (ssl, verify, required) =
            (("KONG_PG_SSL", "on"), ("KONG_PG_SSL_VERIFY", "on"), ("KONG_PG_SSL_REQUIRED", "true"));
        assert_eq!(mode(&[]), Mode::Disable);
        assert_eq!(mode(&[("KONG_PG_SSL", "yes")]), Mode::Disable, "only on and true are true");
        assert_eq!(mode(&[ssl]), Mode::Prefer);
        assert_eq!(mode(&[ssl, required]), Mode::Require);
        assert_eq!(mode(&[ssl, verify]), Mode::VerifyCa);
        assert_eq!(mode(&[ssl, verify, required]), Mode::VerifyCa);
        assert_eq!(resolved(&[verify]).resolved.warnings.len(), 1);
    }

    #[test]
    fn trusted_certificates() {
        let roots = |list: &str| {
            let variables = [
                ("KONG_PG_SSL", "on"),
                ("KONG_PG_SSL_VERIFY", "on"),
                ("KONG_LUA_SSL_TRUSTED_CERTIFICATE", list),
            ];
            resolved(&variables).resolved.target.tls.roots
        };
        assert_eq!(roots(""), [Root::System]);
        assert_eq!(roots("system, /etc/ca.pem"), [Root::System, Root::File("/etc/ca.pem".into())]);
        assert_eq!(roots("-----BEGIN X"), [Root::Pem("-----BEGIN X".into())]);
        assert_eq!(roots("LS0tLS1CRUdJTiBY"), [Root::Pem("-----BEGIN X".into())]);
    }

    #[test]
    fn refuses_what_it_cannot_use() {
        check_refused(&[("KONG_DATABASE", "off")], "keeps nothing in PostgreSQL");
        check_refused(&[("KONG_PG_IAM_AUTH", "on")], "pg_iam_auth");
        check_refused(&[("KONG_PG_PORT", "0")], "\"0\" is no port");
        check_refused(&[("KONG_PG_TIMEOUT", "soon")], "milliseconds");
        check_refused(&[("KONG_PG_SSL", "on"), ("KONG_PG_SSL_VERSION", "tlsv1_1")], "tlsv1_1");
        check_refused(&[("KONG_PG_SSL", "on"), ("KONG_PG_SSL_CERT", "/x")], "one is missing");
        check_refused(&[("KONG_PG_HOST", "{vault://aws/db/host}")], "pg_host");
        assert_eq!(resolved(&[("KONG_PG_IAM_AUTH", "off")]).resolved.target.user, "kong");
    }

    #[test]
    fn a_read_replica_is_as_the_primary_where_nothing_else_is_set() {
        let (host, ro_host) = (("KONG_PG_HOST", "db"), ("KONG_PG_RO_HOST", "ro"));
        let replica = |variables: &[(&str, &str)]| {
            resolve_at(Node::ReadReplica, variables).expect("resolved").resolved.target
        };
        let target = replica(&[host, ro_host, ("KONG_PG_USER", "u"), ("KONG_PG_SSL", "on")]);
        assert_eq!(target.describe(), "u@ro:5432/kong");
        assert_eq!(target.tls.mode, Mode::Prefer);
        assert_eq!(target.names, REPLICA_NAMES);
        let target = replica(&[
            ro_host,
            ("KONG_PG_RO_PORT", "6"),
            ("KONG_PG_RO_DATABASE", "d"),
            ("KONG_PG_SSL", "on"),
            ("KONG_PG_RO_SSL", "off"),
            ("KONG_PG_PASSWORD", "rw"),
            ("KONG_PG_RO_PASSWORD", "ro"),
            ("KONG_PG_RO_TIMEOUT", "7"),
        ]);
        assert_eq!(target.describe(), "kong@ro:6/d");
        assert_eq!(target.tls.mode, Mode::Disable);
        assert_eq!(target.timeout, Some(Duration::from_millis(7)));
        let password = target.hosts[0].password.as_ref();
        assert_eq!(password.and_then(|password| password.secret.text()), Some("ro"));
        let error = resolve_at(Node::ReadReplica, &[host]).expect_err("refused");
        assert!(error.to_string().contains("pg_ro_host is not set"), "{error}");
        let error = resolve_at(Node::ReadReplica, &[ro_host, ("KONG_PG_RO_IAM_AUTH", "on")]);
        assert!(error.expect_err("refused").to_string().contains("pg_ro_iam_auth"));
        assert_eq!(resolved(&[host, ro_host]).resolved.target.describe(), "kong@db:5432/kong");
    }
}
