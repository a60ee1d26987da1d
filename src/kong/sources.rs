//! Where Kong's properties are looked up: `KONG_NAME` and `KONG_NAME_FILE` in the environment, then
//! one file, found as Kong finds it.
//!
//! Knows one property by name, `prefix`, below which a running node writes its settings. Follows no
//! vault reference.

use std::fmt;
use std::path::{Path, PathBuf};

use super::conf::Conf;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::environment::Environment;

/// Where Kong looks for its file unless one is named; below the root directory.
const DEFAULT_PATHS: &[&str] = &["etc/kong/kong.conf", "etc/kong.conf"];

/// Kong's default of `prefix`; below the root directory.
const DEFAULT_PREFIX: &str = "usr/local/kong";

/// What a running node keeps its effective settings in, below its prefix.
const NODE_FILE: &str = ".kong_env";

/// A value and where it came from. Its `Debug` form leaves the value out, for it may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// The property, such as `pg_host`.
    pub property: String,
    /// Trimmed.
    pub text: String,
    /// `KONG_PG_HOST`, `/etc/kong/kong.conf:7`, or a longer story.
    pub source: String,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("property", &self.property)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Value {
    /// A usage error that names the property and its source, never its value.
    pub fn refuse(&self, cause: impl Into<String>) -> Error {
        refuse(&self.property, &self.source, cause)
    }
}

pub(super) fn refuse(property: &str, source: &str, cause: impl Into<String>) -> Error {
    Error::new(Kind::Usage, format!("use Kong's property {property} (from {source})"), cause)
}

/// The environment, and the file that counts beside it.
#[derive(Clone, Debug)]
pub struct Sources<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The file.
    pub conf: Option<Conf>,
    /// Whether a running node has written the file. What people wrote may be misspelt; a node
    /// writes what later versions of Kong know, and a certificate over several lines.
    pub by_node: bool,
}

impl<'a> Sources<'a> {
    /// Finds the file: the one that is named; else the `.kong_env` of the node whose prefix the
    /// environment or `kong.conf` tells, as `kong config` does; else `kong.conf`, if there is one.
    ///
    /// `root` is `/`, or a test's.
    ///
    /// # Errors
    /// A usage error where the file that counts cannot be read.
    pub fn find(
        environment: &'a Environment,
        named: Option<&Path>,
        root: &Path,
    ) -> Result<Sources<'a>> {
        if let Some(path) = named {
            return Ok(Self { environment, conf: Some(Conf::read(path)?), by_node: false });
        }
        let found = DEFAULT_PATHS.iter().map(|path| root.join(path)).find(|path| path.exists());
        let conf = found.map(|path| Conf::read(&path)).transpose()?;
        let mut sources = Self { environment, conf, by_node: false };
        let prefix = sources.raw("prefix")?.filter(|value| !value.text.is_empty());
        let prefix =
            prefix.map_or_else(|| root.join(DEFAULT_PREFIX), |value| PathBuf::from(value.text));
        let of_node = prefix.join(NODE_FILE);
        if of_node.exists() {
            sources = Self { environment, conf: Some(Conf::read(&of_node)?), by_node: true };
        }
        Ok(sources)
    }

    /// A property as it was given; an empty value hides what a farther source says, and means that
    /// the property is not set.
    pub fn raw(&self, property: &str) -> Result<Option<Value>> {
        if let Some(value) = self.in_environment(property)? {
            return Ok(Some(value));
        }
        self.in_file(property)
    }

    /// The same of the file alone.
    pub fn in_file(&self, property: &str) -> Result<Option<Value>> {
        let Some(conf) = &self.conf else { return Ok(None) };
        Ok(conf.get(property)?.map(|(text, source)| Value {
            property: property.to_owned(),
            text: text.to_owned(),
            source,
        }))
    }

    /// The variable or the content of the file that another names, as the entrypoint of Kong's
    /// images takes them: both is an error, the file's last newlines do not count.
    fn in_environment(&self, property: &str) -> Result<Option<Value>> {
        let variable = format!("KONG_{}", property.to_ascii_uppercase());
        let file_variable = format!("{variable}_FILE");
        let value = |text: &str, source: String| Value {
            property: property.to_owned(),
            text: text.trim().to_owned(),
            source,
        };
        let given = self.environment.get(&variable);
        let Some(path) = self.environment.filled(&file_variable) else {
            return Ok(given.map(|text| value(text, variable)));
        };
        if given.is_some_and(|text| !text.is_empty()) {
            let cause = format!("{file_variable} is set as well; only one of the two may be");
            return Err(refuse(property, &variable, cause));
        }
        let source = format!("{file_variable}, which names {path}");
        let text = std::fs::read_to_string(path).map_err(|error| {
            refuse(property, &source, error.to_string())
                .hint("check the file's name and mode")
                .with_source(error)
        })?;
        Ok(Some(value(&text, source)))
    }

    /// What says where the database is, for people: `KONG_PG_*`, the file, or both.
    pub fn naming(&self) -> Vec<String> {
        let variable = self.environment.filled_names("KONG_PG_").next();
        let file = self.conf.as_ref().filter(|conf| conf.filled("pg_").next().is_some());
        let file = file.map(|conf| conf.path.display().to_string());
        variable.map(|_| "KONG_PG_*".to_owned()).into_iter().chain(file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) -> PathBuf {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }

    #[test]
    fn finds_the_file_that_kong_finds() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let root = root.path();
        let check = |variables: &[(&str, &str)], named: Option<&Path>, expect: Option<&str>| {
            let environment = Environment::of(variables);
            let sources = Sources::find(&environment, named, root).expect("found");
            let user = sources.raw("pg_user").expect("UTF-8").map(|value| value.text);
            assert_eq!(user.as_deref(), expect, "{variables:?}");
        };
        check(&[], None, None);
        write(root, "etc/kong.conf", "pg_user = second");
        check(&[], None, Some("second"));
        let elsewhere = root.join("elsewhere");
        let prefix = format!("pg_user = first\nprefix = {}", elsewhere.display());
        let first = write(root, "etc/kong/kong.conf", &prefix);
        check(&[], None, Some("first"));
        write(root, "usr/local/kong/.kong_env", "pg_user = node");
        check(&[], None, Some("first"));
        let default = root.join(DEFAULT_PREFIX);
        check(&[("KONG_PREFIX", default.to_str().expect("UTF-8"))], None, Some("node"));
        check(&[("KONG_PREFIX", "")], None, Some("node"));
        write(root, "elsewhere/.kong_env", "pg_user = its\n-----BEGIN\n");
        check(&[], None, Some("its"));
        check(&[], Some(&first), Some("first"));
        check(&[("KONG_PG_USER", "env")], Some(&first), Some("env"));
        check(&[("KONG_PG_USER", "")], Some(&first), Some(""));
        let environment = Environment::of(&[]);
        assert!(Sources::find(&environment, None, root).expect("found").by_node);
        let missing = Sources::find(&environment, Some(Path::new("/nowhere/x")), root);
        assert_eq!(missing.expect_err("refused").kind(), Kind::Usage);
    }
}
