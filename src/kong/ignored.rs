//! What stands in Kong's settings and Kong ignores in silence.
//!
//! Knows the names of properties, not their meaning.

use super::sources::Sources;

/// Kong's properties that begin with `pg_` or `pg_ro_`, without that.
const KNOWN: &[&str] = &[
    "host",
    "port",
    "timeout",
    "user",
    "password",
    "database",
    "schema",
    "ssl",
    "ssl_verify",
    "ssl_required",
    "ssl_version",
    "ssl_cert",
    "ssl_cert_key",
    "max_concurrent_queries",
    "semaphore_timeout",
    "keepalive_timeout",
    "pool_size",
    "backlog",
];

/// How those of Kong Enterprise's ways to log in begin; there are more with each version.
const LOGINS: &[&str] = &["iam_", "azure_", "gcp_", "oauth_"];

/// A warning for each `pg_*` that is no property, and for each line that says nothing. A file that
/// a running node has written is not looked at: it holds what later versions of Kong know.
pub(super) fn told(sources: &Sources<'_>) -> Vec<String> {
    let variables = sources.environment.filled_names("KONG_PG_").filter(|variable| {
        let name = variable["KONG_".len()..].to_ascii_lowercase();
        !is_known(name.strip_suffix("_file").unwrap_or(&name))
    });
    let mut told: Vec<String> =
        variables.map(|name| format!("{name} is no setting of Kong's, and ignored")).collect();
    if let Some(conf) = sources.conf.as_ref().filter(|_| !sources.by_node) {
        let path = conf.path.display();
        let lines = conf.odd_lines.iter();
        told.extend(lines.map(|line| format!("{path}:{line}: no \"key = value\", and ignored")));
        let unknown = conf.filled("pg_").filter(|(name, _)| !is_known(name));
        told.extend(unknown.map(|(name, line)| {
            format!("{path}:{line}: {name} is no setting of Kong's, and ignored")
        }));
    }
    told
}

/// Whether Kong has, or may have, a property of this name.
fn is_known(name: &str) -> bool {
    let name = name.strip_prefix("pg_").unwrap_or(name);
    let name = name.strip_prefix("ro_").unwrap_or(name);
    KNOWN.contains(&name) || LOGINS.iter().any(|login| name.starts_with(login))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::kong::conf::Conf;
    use crate::pg::connect::environment::Environment;

    #[test]
    fn tells_what_kong_ignores() {
        let environment = Environment::of(&[
            ("KONG_PG_HOTS", "x"),
            ("KONG_PG_PASSWORD_FILE", "/x"),
            ("KONG_PG_RO_SSL_VERIFY", "on"),
            ("KONG_PG_USR", ""),
            ("KONG_PG_OAUTH_SCOPE", "x"),
        ]);
        let text = b"pg_databse = x\nstray\npg_ro_backlog = 1\npg_usr =";
        let conf = Conf::parse(Path::new("kong.conf"), text).expect("parsed");
        let sources = Sources { environment: &environment, conf: Some(conf), by_node: false };
        let expect = [
            "KONG_PG_HOTS is no setting of Kong's, and ignored",
            "kong.conf:2: no \"key = value\", and ignored",
            "kong.conf:1: pg_databse is no setting of Kong's, and ignored",
        ];
        assert_eq!(told(&sources), expect);
    }
}
