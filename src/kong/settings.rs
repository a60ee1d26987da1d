//! Where Kong's own settings say the database is: `KONG_PG_*`, then Kong's defaults.
//!
//! Uses nothing of libpq's: no `PG*`, no password file, no `~/.postgresql`. Does not read
//! `kong.conf`.

use std::path::PathBuf;
use std::time::Duration;

use super::property::{self, Value, refuse};
use crate::error::{Error, Kind, Result};
use crate::pg::connect::environment::Environment;
use crate::pg::connect::libpq::Resolved;
use crate::pg::connect::parameters::Setting;
use crate::pg::connect::secret::Secret;
use crate::pg::connect::target::{Password, SettingNames, Target};
use crate::pg::connect::tls::{ClientCertificate, Mode, Root, Settings as Tls, Version};

/// How Kong reaches its database.
#[derive(Clone, Debug)]
pub struct KongSettings {
    /// Where to connect, and where each value came from.
    pub resolved: Resolved,
    /// `pg_schema`; without it, Kong uses the server's current schema.
    pub schema: Option<String>,
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

/// Reads Kong's settings from the environment.
pub fn resolve(environment: &Environment) -> Result<KongSettings> {
    environment.check_readable("KONG_")?;
    let mut reader = Reader { environment, settings: Vec::new(), warnings: Vec::new() };
    reader.refuse_unsupported()?;
    let host = reader.text("pg_host", "127.0.0.1")?;
    let port = reader.text("pg_port", "5432")?;
    let user = reader.text("pg_user", "kong")?;
    let database = reader.text("pg_database", "kong")?;
    let port_number = match port.text.parse::<u16>() {
        Ok(number) if number > 0 => number,
        _ => return Err(refuse("pg_port", &port.source, format!("\"{}\" is no port", port.text))),
    };
    let mut target = Target::tcp(&host.text, port_number, &user.text, &database.text);
    target.hosts[0].password = reader
        .optional("pg_password", true)?
        .map(|value| Password { secret: Secret::new(value.text), source: value.source });
    if let Some(value) = reader.optional("pg_timeout", false)? {
        let milliseconds = value.text.parse::<u64>().ok().filter(|milliseconds| *milliseconds > 0);
        let milliseconds = milliseconds
            .ok_or_else(|| refuse("pg_timeout", &value.source, "expected milliseconds"))?;
        target.timeout = Some(Duration::from_millis(milliseconds));
    }
    target.tls = reader.tls()?;
    target.names = NAMES;
    let schema = reader.optional("pg_schema", false)?.map(|value| value.text);
    let Reader { settings, warnings, .. } = reader;
    let names_database = environment.has_filled("KONG_PG_");
    Ok(KongSettings { resolved: Resolved { target, settings, warnings, names_database }, schema })
}

/// Reads properties and keeps a record of what it read.
struct Reader<'a> {
    environment: &'a Environment,
    settings: Vec<Setting>,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn refuse_unsupported(&mut self) -> Result<()> {
        if let Some(value) = self.optional("database", false)?
            && value.text != "postgres"
        {
            let cause = format!("it is \"{}\": this Kong keeps nothing in PostgreSQL", value.text);
            return Err(refuse("database", &value.source, cause)
                .hint("name the database with -h, -U and -d if there is one after all"));
        }
        for name in UNSUPPORTED_LOGINS {
            if let Some((true, value)) = property::read_flag(name, self.environment)? {
                let error = refuse(name, &value.source, "this way to log in is not supported");
                return Err(
                    error.hint("give a user with a password: KONG_PG_USER and KONG_PG_PASSWORD")
                );
            }
        }
        Ok(())
    }

    fn optional(&mut self, name: &str, secret: bool) -> Result<Option<Value>> {
        let value = property::read(name, self.environment)?;
        if let Some(value) = &value {
            let shown = if secret { "***" } else { &value.text };
            self.note(name, shown, &value.source);
        }
        Ok(value)
    }

    fn text(&mut self, name: &str, default: &str) -> Result<Value> {
        if let Some(value) = self.optional(name, false)? {
            return Ok(value);
        }
        self.note(name, default, "Kong's default");
        Ok(Value { text: default.to_owned(), source: "Kong's default".to_owned() })
    }

    fn flag(&mut self, name: &str) -> Result<bool> {
        let found = property::read_flag(name, self.environment)?;
        if let Some((on, value)) = &found {
            self.note(name, if *on { "on" } else { "off" }, &value.source);
        }
        Ok(found.is_some_and(|(on, _)| on))
    }

    fn note(&mut self, name: &str, value: &str, source: &str) {
        self.settings.push(Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            source: source.to_owned(),
        });
    }

    /// `pg_ssl` alone is a hint that Kong drops when the server has no TLS; `pg_ssl_required` and
    /// `pg_ssl_verify` make it more. Kong's driver checks the chain and no name.
    fn tls(&mut self) -> Result<Tls> {
        let (on, verify, required) =
            (self.flag("pg_ssl")?, self.flag("pg_ssl_verify")?, self.flag("pg_ssl_required")?);
        if !on {
            if verify || required {
                self.warnings.push(
                    "pg_ssl_verify and pg_ssl_required count only with pg_ssl = on, in Kong \
                        as here: TLS is not used"
                        .to_owned(),
                );
            }
            return Ok(Tls::default());
        }
        let mode = match (verify, required) {
            (true, _) => Mode::VerifyCa,
            (false, true) => Mode::Require,
            (false, false) => Mode::Prefer,
        };
        let roots = if verify { self.roots()? } else { Vec::new() };
        let (min, max) = self.versions()?;
        let client = self.client_certificate()?;
        Ok(Tls { mode, roots, client, min, max, ..Tls::default() })
    }

    fn versions(&mut self) -> Result<(Version, Version)> {
        let Some(value) = self.optional("pg_ssl_version", false)? else {
            return Ok((Version::Tls12, Version::Tls13));
        };
        match value.text.as_str() {
            "any" => Ok((Version::Tls12, Version::Tls13)),
            "tlsv1_2" => Ok((Version::Tls12, Version::Tls12)),
            "tlsv1_3" => Ok((Version::Tls13, Version::Tls13)),
            other => Err(refuse(
                "pg_ssl_version",
                &value.source,
                format!("\"{other}\" is not supported; TLS 1.2 and 1.3 are"),
            )),
        }
    }

    fn client_certificate(&mut self) -> Result<Option<ClientCertificate>> {
        match (self.optional("pg_ssl_cert", false)?, self.optional("pg_ssl_cert_key", false)?) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(ClientCertificate {
                certificate: PathBuf::from(certificate.text),
                key: PathBuf::from(key.text),
            })),
            _ => Err(Error::new(
                Kind::Usage,
                "use Kong's client certificate",
                "pg_ssl_cert and pg_ssl_cert_key go together; one is missing",
            )),
        }
    }

    /// `lua_ssl_trusted_certificate`: a list of `system`, paths, PEM texts, and PEM texts in
    /// base64.
    fn roots(&mut self) -> Result<Vec<Root>> {
        let name = "lua_ssl_trusted_certificate";
        let Some(value) = property::read(name, self.environment)? else {
            self.note(name, "system", "Kong's default");
            return Ok(vec![Root::System]);
        };
        let entries: Vec<&str> =
            value.text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        let roots: Vec<Root> = entries.into_iter().map(root).collect();
        let shown: Vec<String> = roots.iter().map(describe_root).collect();
        self.note(name, &shown.join(", "), &value.source);
        Ok(roots)
    }
}

fn root(entry: &str) -> Root {
    if entry == "system" {
        return Root::System;
    }
    if entry.contains("-----BEGIN") {
        return Root::Pem(entry.to_owned());
    }
    match decode_base64(entry).and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) if text.contains("-----BEGIN") => Root::Pem(text),
        _ => Root::File(PathBuf::from(entry)),
    }
}

fn describe_root(root: &Root) -> String {
    match root {
        Root::System => "system".to_owned(),
        Root::File(path) => path.display().to_string(),
        Root::Pem(_) => "a certificate".to_owned(),
    }
}

/// Base64 with or without padding, in either alphabet; nothing for other text.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::with_capacity(text.len() / 4 * 3));
    for byte in text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::connect::target::TIMEOUT;

    fn resolved(variables: &[(&str, &str)]) -> KongSettings {
        resolve(&Environment::of(variables)).expect("resolved")
    }

    fn check_refused(variables: &[(&str, &str)], cause: &str) {
        let error = resolve(&Environment::of(variables)).expect_err("refused");
        assert!(error.to_string().contains(cause), "{error}");
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn defaults_are_kongs() {
        let found = resolved(&[("PGHOST", "elsewhere"), ("PGPASSWORD", "x")]);
        assert_eq!(found.resolved.target.describe(), "kong@127.0.0.1:5432/kong");
        assert_eq!(found.resolved.target.hosts[0].password, None);
        assert_eq!(found.resolved.target.timeout, Some(TIMEOUT));
        assert_eq!(found.schema, None);
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
        assert_eq!(found.schema.as_deref(), Some("s"));
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
}
