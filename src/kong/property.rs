//! One property of Kong's configuration, as the environment gives it: `KONG_NAME`,
//! `KONG_NAME_FILE`, and `{vault://env/…}` in either.
//!
//! Knows no property by name, except the prefix of the environment vault.

use std::fmt;

use crate::error::{Error, Kind, Result};
use crate::pg::connect::environment::Environment;

/// A value and where it came from. Its `Debug` form leaves the value out, for it may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// Trimmed, and never empty.
    pub text: String,
    /// `KONG_PG_HOST`, or a longer story.
    pub source: String,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value").field("source", &self.source).finish_non_exhaustive()
    }
}

/// Reads a property such as `pg_host`; an empty value means that it is not set.
pub fn read(name: &str, environment: &Environment) -> Result<Option<Value>> {
    match raw(name, environment)? {
        Some(value) if is_reference(&value.text) => {
            dereference(name, &value, environment).map(Some)
        }
        other => Ok(other),
    }
}

/// Reads a boolean; only `on` and `true` are true.
pub fn read_flag(name: &str, environment: &Environment) -> Result<Option<(bool, Value)>> {
    Ok(read(name, environment)?.map(|value| (matches!(value.text.as_str(), "on" | "true"), value)))
}

/// A usage error that names the property and its source, never its value.
pub fn refuse(name: &str, source: &str, cause: impl Into<String>) -> Error {
    Error::new(Kind::Usage, format!("use Kong's property {name} (from {source})"), cause)
}

/// The variable or the content of the file, as the entrypoint of Kong's images takes them: both is
/// an error, the file's last newlines do not count.
fn raw(name: &str, environment: &Environment) -> Result<Option<Value>> {
    let variable = format!("KONG_{}", name.to_ascii_uppercase());
    let file_variable = format!("{variable}_FILE");
    let text = match (environment.filled(&variable), environment.filled(&file_variable)) {
        (Some(_), Some(_)) => {
            return Err(refuse(
                name,
                &variable,
                format!("{file_variable} is set as well; only one of the two may be"),
            ));
        }
        (Some(text), None) => Value { text: text.trim().to_owned(), source: variable },
        (None, Some(path)) => {
            let source = format!("{file_variable}, which names {path}");
            let text = std::fs::read_to_string(path).map_err(|error| {
                refuse(name, &source, error.to_string())
                    .hint("check the file's name and mode")
                    .with_source(error)
            })?;
            Value { text: text.trim().to_owned(), source }
        }
        (None, None) => return Ok(None),
    };
    Ok((!text.text.is_empty()).then_some(text))
}

fn is_reference(text: &str) -> bool {
    text.starts_with("{vault://") && text.ends_with('}')
}

/// Resolves `{vault://env/resource[/key][?prefix=…]}`; all other vaults need Kong itself.
fn dereference(name: &str, value: &Value, environment: &Environment) -> Result<Value> {
    let refuse = |cause: String| refuse(name, &value.source, cause);
    let inner = value.text.trim_start_matches("{vault://").trim_end_matches('}');
    let inner = inner.split_once('#').map_or(inner, |(inner, _version)| inner);
    let (path, options) = inner.split_once('?').unwrap_or((inner, ""));
    let (vault, path) = path.split_once('/').unwrap_or((path, ""));
    if vault != "env" {
        let hint = format!(
            "give the value itself in KONG_{0} or KONG_{0}_FILE",
            name.to_ascii_uppercase()
        );
        return Err(refuse(format!(
            "its value lies in the vault \"{vault}\", which only Kong can open"
        ))
        .hint(hint));
    }
    let (resource, key) = match path.rsplit_once('/') {
        Some((resource, key)) => (resource, Some(key)),
        None => (path, None),
    };
    if resource.is_empty() {
        return Err(refuse("its vault reference names nothing".to_owned()));
    }
    let own_prefix =
        options.split('&').find_map(|option| option.strip_prefix("prefix=")).map(str::to_owned);
    let prefix = match own_prefix {
        Some(prefix) => prefix,
        None => raw("vault_env_prefix", environment)?.map_or_else(String::new, |value| value.text),
    };
    let variable = format!("{prefix}{resource}").to_ascii_uppercase().replace('-', "_");
    let source = format!("{}, vault env, {variable}", value.source);
    let content = environment.filled(&variable).ok_or_else(|| {
        refuse(format!("its vault reference points to {variable}, which is not set"))
    })?;
    let text = match key {
        None => content.to_owned(),
        Some(key) => json_field(content, key).ok_or_else(|| {
            refuse(format!("{variable} is no JSON object with the field \"{key}\""))
        })?,
    };
    Ok(Value { text, source })
}

fn json_field(text: &str, key: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(text).ok()?.get(key)? {
        serde_json::Value::String(text) => Some(text.clone()),
        other @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
            Some(other.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expect: Option<&str>) {
        let found = read("pg_password", &Environment::of(variables)).expect("read");
        assert_eq!(found.map(|value| value.text).as_deref(), expect, "{variables:?}");
    }

    fn check_refused(variables: &[(&str, &str)], cause: &str) {
        let error = read("pg_password", &Environment::of(variables)).expect_err("refused");
        assert!(error.to_string().contains(cause), "{error}");
        assert!(error.to_string().contains("pg_password"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn reads_variables_and_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "from file\n\n").expect("written");
        let path = path.to_str().expect("UTF-8");
        check(&[], None);
        check(&[("KONG_PG_PASSWORD", "")], None);
        check(&[("KONG_PG_PASSWORD", " plain ")], Some("plain"));
        check(&[("KONG_PG_PASSWORD_FILE", path)], Some("from file"));
        check(&[("KONG_PG_PASSWORD", ""), ("KONG_PG_PASSWORD_FILE", path)], Some("from file"));
        check_refused(
            &[("KONG_PG_PASSWORD", "hunter2"), ("KONG_PG_PASSWORD_FILE", path)],
            "KONG_PG_PASSWORD_FILE is set as well",
        );
        check_refused(&[("KONG_PG_PASSWORD_FILE", "/nowhere/password")], "/nowhere/password");
    }

    #[test]
    fn follows_the_environment_vault() {
        let reference = |reference| ("KONG_PG_PASSWORD", reference);
        check(&[reference("{vault://env/pg-pass}"), ("PG_PASS", "x")], Some("x"));
        check(
            &[
                reference("{vault://env/pg-pass}"),
                ("KONG_VAULT_ENV_PREFIX", "secure_"),
                ("SECURE_PG_PASS", "x"),
            ],
            Some("x"),
        );
        check(
            &[
                reference("{vault://env/pass?prefix=my-}"),
                ("KONG_VAULT_ENV_PREFIX", "secure_"),
                ("MY_PASS", "x"),
            ],
            Some("x"),
        );
        check(&[reference("{vault://env/pg/word}"), ("PG", r#"{"word": "x"}"#)], Some("x"));
        check(&[reference("{vault://env/pg/word}"), ("PG", r#"{"word": 7}"#)], Some("7"));
        check_refused(
            &[reference("{vault://env/pg/word}"), ("PG", "hunter2")],
            "no JSON object with the field \"word\"",
        );
        check_refused(&[reference("{vault://env/gone}")], "GONE, which is not set");
        check_refused(&[reference("{vault://env/}")], "names nothing");
        check_refused(&[reference("{vault://hcv/kong/pg}")], "the vault \"hcv\"");
    }
}
