//! One property of Kong's configuration, with what `{vault://env/…}` refers to.
//!
//! Knows no property by name, except the prefix of the environment vault.

use super::sources::{Sources, Value};
use crate::error::Result;

/// Reads a property such as `pg_host`; an empty value means that it is not set.
pub(super) fn read(name: &str, sources: &Sources<'_>) -> Result<Option<Value>> {
    let value = match sources.raw(name)? {
        Some(value) if is_reference(&value.text) => dereference(&value, sources)?,
        Some(value) => value,
        None => return Ok(None),
    };
    Ok((!value.text.is_empty()).then_some(value))
}

/// What a boolean says; only `on` and `true` are true.
pub(super) fn is_on(value: &Value) -> bool {
    matches!(value.text.as_str(), "on" | "true")
}

fn is_reference(text: &str) -> bool {
    text.starts_with("{vault://") && text.ends_with('}')
}

/// Resolves `{vault://env/resource[/key][?prefix=…]}`; all other vaults need Kong itself.
fn dereference(value: &Value, sources: &Sources<'_>) -> Result<Value> {
    let inner = value.text.trim_start_matches("{vault://").trim_end_matches('}');
    let inner = inner.split_once('#').map_or(inner, |(inner, _version)| inner);
    let (path, options) = inner.split_once('?').unwrap_or((inner, ""));
    let (vault, path) = path.split_once('/').unwrap_or((path, ""));
    if vault != "env" {
        let variable = format!("KONG_{}", value.property.to_ascii_uppercase());
        let cause = format!("its value lies in the vault \"{vault}\", which only Kong can open");
        return Err(value
            .refuse(cause)
            .hint(format!("give the value itself in {variable} or {variable}_FILE")));
    }
    let (resource, key) = match path.rsplit_once('/') {
        Some((resource, key)) => (resource, Some(key)),
        None => (path, None),
    };
    if resource.is_empty() {
        return Err(value.refuse("its vault reference names nothing"));
    }
    let own_prefix =
        options.split('&').find_map(|option| option.strip_prefix("prefix=")).map(str::to_owned);
    let prefix = match own_prefix {
        Some(prefix) => prefix,
        None => sources.raw("vault_env_prefix")?.map_or_else(String::new, |value| value.text),
    };
    let variable = format!("{prefix}{resource}").to_ascii_uppercase().replace('-', "_");
    let source = format!("{}, vault env, {variable}", value.source);
    let content = sources.environment.filled(&variable).ok_or_else(|| {
        value.refuse(format!("its vault reference points to {variable}, which is not set"))
    })?;
    let text = match key {
        None => content.to_owned(),
        Some(key) => json_field(content, key).ok_or_else(|| {
            value.refuse(format!("{variable} is no JSON object with the field \"{key}\""))
        })?,
    };
    Ok(Value { property: value.property.clone(), text: text.trim().to_owned(), source })
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
    use std::path::Path;

    use super::*;
    use crate::error::Kind;
    use crate::kong::conf::Conf;
    use crate::pg::connect::environment::Environment;

    /// The password by these variables and this file.
    fn password(variables: &[(&str, &str)], file: &str) -> Result<Option<Value>> {
        let conf = Conf::parse(Path::new("kong.conf"), file.as_bytes()).expect("parsed");
        let environment = Environment::of(variables);
        read(
            "pg_password",
            &Sources { environment: &environment, conf: Some(conf), by_node: false },
        )
    }

    fn check(variables: &[(&str, &str)], expect: Option<&str>) {
        check_with("", variables, expect);
    }

    fn check_with(file: &str, variables: &[(&str, &str)], expect: Option<&str>) {
        let found = password(variables, file).expect("read");
        assert_eq!(found.map(|value| value.text).as_deref(), expect, "{file} {variables:?}");
    }

    fn check_refused(file: &str, variables: &[(&str, &str)], cause: &str) {
        let error = password(variables, file).expect_err("refused");
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
        let conf = "pg_password = from kong.conf";
        check_with(conf, &[], Some("from kong.conf"));
        check_with(conf, &[("KONG_PG_PASSWORD", "plain")], Some("plain"));
        check_with(conf, &[("KONG_PG_PASSWORD", "")], None);
        check_with(conf, &[("KONG_PG_PASSWORD_FILE", path)], Some("from file"));
        check_refused(
            "",
            &[("KONG_PG_PASSWORD", "hunter2"), ("KONG_PG_PASSWORD_FILE", path)],
            "KONG_PG_PASSWORD_FILE is set as well",
        );
        check_refused("", &[("KONG_PG_PASSWORD_FILE", "/nowhere/password")], "/nowhere/password");
    }

    #[test]
    fn follows_the_environment_vault() {
        let reference = |reference| ("KONG_PG_PASSWORD", reference);
        check(&[reference("{vault://env/pg-pass}"), ("PG_PASS", " x ")], Some("x"));
        let prefix = ("KONG_VAULT_ENV_PREFIX", "secure_");
        let (secure, own) = (("SECURE_PG_PASS", "x"), ("MY_PASS", "x"));
        check(&[reference("{vault://env/pg-pass}"), prefix, secure], Some("x"));
        check(&[reference("{vault://env/pass?prefix=my-}"), prefix, own], Some("x"));
        check(&[reference("{vault://env/pg/word}"), ("PG", r#"{"word": "x"}"#)], Some("x"));
        check(&[reference("{vault://env/pg/word}"), ("PG", r#"{"word": 7}"#)], Some("7"));
        check_refused(
            "",
            &[reference("{vault://env/pg/word}"), ("PG", "hunter2")],
            "no JSON object with the field \"word\"",
        );
        check_refused("", &[reference("{vault://env/gone}")], "GONE, which is not set");
        check_refused("", &[reference("{vault://env/}")], "names nothing");
        check_refused("", &[reference("{vault://hcv/kong/pg}")], "the vault \"hcv\"");
    }

    #[test]
    fn follows_it_from_a_file() {
        let file = "vault_env_prefix = secure_\npg_password = {vault://env/pass}";
        check_with(file, &[("SECURE_PASS", "x")], Some("x"));
        check_with(file, &[("KONG_VAULT_ENV_PREFIX", "my_"), ("MY_PASS", "y")], Some("y"));
        check_refused(file, &[], "SECURE_PASS, which is not set");
        check_refused("pg_password = {vault://aws/db}", &[], "kong.conf:1");
        check_refused("pg_password = {vault://aws/db}", &[], "the vault \"aws\"");
    }
}
