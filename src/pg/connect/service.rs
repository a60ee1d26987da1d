//! The connection service file: named sets of parameters, as libpq keeps them in `pg_service.conf`.
//!
//! Does not know which keywords exist; that is `parameters`' business. LDAP look-ups are refused.

use std::path::{Path, PathBuf};

use super::conninfo::Pairs;
use super::environment::Environment;
use super::secret::Secret;
use crate::error::{Error, Kind, Result};

/// Where `pg_service.conf` of the whole machine lies unless `PGSYSCONFDIR` says otherwise; libpq
/// has it compiled in, Debian's is this.
const SYSTEM_FOLDER: &str = "/etc/postgresql-common";

/// A service as found: its parameters and the file they stand in.
#[derive(Debug)]
pub(super) struct Service {
    /// Keywords and values; of a keyword given twice, the first counts.
    pub pairs: Pairs,
    /// The password, where it is no UTF-8.
    pub password: Option<Secret>,
    /// The file.
    pub file: PathBuf,
}

/// Finds a service: first in `PGSERVICEFILE` (which must then exist) or `~/.pg_service.conf`, then
/// in the system's file.
pub(super) fn find(
    name: &str,
    given_file: Option<&str>,
    environment: &Environment,
) -> Result<Service> {
    let doing = || format!("look up the connection service \"{name}\"");
    let own = match given_file.or_else(|| environment.filled("PGSERVICEFILE")) {
        Some(file) => {
            let file = PathBuf::from(file);
            if !file.exists() {
                return Err(Error::new(
                    Kind::Usage,
                    doing(),
                    format!("the service file {} does not exist", file.display()),
                ));
            }
            Some(file)
        }
        None => environment.home().map(|home| home.join(".pg_service.conf")),
    };
    let system = Path::new(environment.filled("PGSYSCONFDIR").unwrap_or(SYSTEM_FOLDER))
        .join("pg_service.conf");
    let mut searched = Vec::new();
    for file in own.into_iter().chain([system]) {
        searched.push(file.display().to_string());
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => {
                return Err(Error::file(
                    format!("read the service file {}", file.display()),
                    source,
                )
                .as_kind(Kind::Usage));
            }
        };
        if let Some((pairs, password)) =
            parse(name, &text).map_err(|error| error.within(file.display()))?
        {
            return Ok(Service { pairs, password, file });
        }
    }
    let cause = format!("no such service in {}", searched.join(" nor "));
    Err(Error::new(Kind::Usage, doing(), cause)
        .hint("correct its name, or name the database with -d"))
}

/// The parameters of `[name]`, and its password if that is no UTF-8; nothing when there is no such
/// section. What stands elsewhere in the file may be in any encoding.
fn parse(name: &str, text: &[u8]) -> Result<Option<(Pairs, Option<Secret>)>> {
    let mut found: Option<(Pairs, Option<Secret>)> = None;
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let refuse = |cause: &str| Error::new(Kind::Usage, format!("line {}", number + 1), cause);
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(section) = line.strip_prefix(b"[") {
            if found.is_some() {
                break;
            }
            if section.split(|byte| *byte == b']').next() == Some(name.as_bytes()) {
                found = Some((Pairs::new(), None));
            }
            continue;
        }
        let Some((pairs, password)) = &mut found else { continue };
        let Ok(line) = std::str::from_utf8(line) else {
            let value = line.strip_prefix(b"password=");
            let value = value
                .ok_or_else(|| refuse("it is not UTF-8").hint("write the service file in UTF-8"))?;
            password.get_or_insert_with(|| Secret::new(value));
            continue;
        };
        if line.starts_with("ldap") {
            return Err(refuse("LDAP look-ups are not supported")
                .hint("write the parameters into the service file"));
        }
        let (key, value) =
            line.split_once('=').ok_or_else(|| refuse("expected \"keyword=value\""))?;
        if key == "service" || key == "servicefile" {
            return Err(refuse("a service cannot refer to another service"));
        }
        if !pairs.iter().any(|(known, _)| known == key) {
            pairs.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# ours\n[a]\nhost=first\n\n  \
        port=1\nhost=second\n[b]\npassword=p=q\n[ldap]\nldap://x\n[loop]\nservice=a\n[bad]\nhost\n";

    fn check(name: &str, expect: Option<&[(&str, &str)]>) {
        let found = parse(name, FILE.as_bytes()).expect(name);
        let found = found.map(|(pairs, _)| {
            pairs.iter().map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>()
        });
        let expect = expect.map(|pairs| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        });
        assert_eq!(found, expect, "{name}");
    }

    #[test]
    fn reads_sections() {
        check("a", Some(&[("host", "first"), ("port", "1")]));
        check("b", Some(&[("password", "p=q")]));
        check("c", None);
    }

    #[test]
    fn refuses_what_it_cannot_follow() {
        for (name, cause) in [("ldap", "LDAP"), ("loop", "another service"), ("bad", "line 14")] {
            let error = parse(name, FILE.as_bytes()).expect_err(name);
            assert!(error.to_string().contains(cause), "{error}");
        }
    }

    #[test]
    fn only_what_counts_must_be_utf_8() {
        let file = b"# caf\xe9\n[\xe9]\nuser=\xe9\n[a]\nhost=h\npassword=p\xe9\n[b]\nuser=\xe9\n";
        let (pairs, password) = parse("a", file).expect("read").expect("found");
        assert_eq!(pairs, [("host".to_owned(), "h".to_owned())]);
        assert_eq!(password.as_ref().map(Secret::expose), Some(&b"p\xe9"[..]));
        let error = parse("b", file).expect_err("a name");
        assert_eq!(error.to_string(), "line 8: it is not UTF-8");
    }

    #[test]
    fn names_the_files_it_searched() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_str().expect("UTF-8");
        let environment = Environment::of(&[("PGSYSCONFDIR", path)]);
        let error = find("kong", None, &environment).expect_err("no file");
        assert!(error.to_string().contains(path), "{error}");
        std::fs::write(folder.path().join("pg_service.conf"), "[kong]\nhost=db\n")
            .expect("written");
        assert_eq!(
            find("kong", None, &environment).expect("found").pairs,
            [("host".to_owned(), "db".to_owned())]
        );
        let error =
            find("kong", Some("/nowhere/x"), &environment).expect_err("the given file must exist");
        assert!(error.to_string().contains("/nowhere/x"), "{error}");
    }
}
