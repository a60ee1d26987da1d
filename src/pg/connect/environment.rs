//! What surrounds the process: its variables, its user, its home folder. Read once, so that tests
//! can make their own.
//!
//! Never asks the C library who the user is (`getpwuid`): that needs a passwd entry, and crashes
//! statically linked programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};

/// The variables and the user of the process, or of a test.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Names of variables that are no UTF-8.
    unreadable: BTreeSet<String>,
    account: Option<Account>,
    uid: Option<u32>,
}

/// One line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    name: String,
    home: PathBuf,
}

impl Environment {
    /// Reads the process's own.
    pub fn of_process() -> Self {
        let (mut variables, mut unreadable) = (BTreeMap::new(), BTreeSet::new());
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name, value)),
                Err(_) => drop(unreadable.insert(name)),
            }
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let uid = effective_uid(&status);
        let passwd = std::fs::read("/etc/passwd").unwrap_or_default();
        let account = uid.and_then(|uid| account_of(uid, &String::from_utf8_lossy(&passwd)));
        Self { variables, unreadable, account, uid }
    }

    /// An environment of exactly these variables, without user or home.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self { variables, ..Self::default() }
    }

    /// Refuses variables with this prefix that are no UTF-8, since they could not be honoured.
    pub fn check_readable(&self, prefix: &str) -> Result<()> {
        match self.unreadable.iter().find(|name| name.starts_with(prefix)) {
            None => Ok(()),
            Some(name) => Err(Error::new(
                Kind::Usage,
                format!("read the environment variable {name}"),
                "it is not UTF-8",
            )),
        }
    }

    /// A variable as it stands; an empty one is `Some("")`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A variable that is set and not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The variables with this prefix that are set and not empty.
    pub fn filled_names(&self, prefix: &str) -> impl Iterator<Item = &str> {
        let filled = self.variables.iter().filter(|(_, value)| !value.is_empty());
        filled.map(|(name, _)| name.as_str()).filter(move |name| name.starts_with(prefix))
    }

    /// The home folder: `$HOME`, else the passwd entry's.
    pub fn home(&self) -> Option<&Path> {
        let account = || self.account.as_ref().map(|account| account.home.as_path());
        self.filled("HOME").map(Path::new).or_else(account)
    }

    /// The name of the user who runs the process, and where it was found: the passwd entry of the
    /// effective uid, else `$USER` or `$LOGNAME`.
    pub fn user(&self) -> Option<(&str, &'static str)> {
        if let Some(account) = &self.account {
            return Some((&account.name, "the operating system's user"));
        }
        ["USER", "LOGNAME"].into_iter().find_map(|name| Some((self.filled(name)?, name)))
    }

    /// The effective uid, where the system tells it.
    pub fn uid(&self) -> Option<u32> {
        self.uid
    }
}

impl fmt::Debug for Environment {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys())
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// The second number of the `Uid:` line; `/proc/self`'s own owner may be root even when the process
/// is not.
fn effective_uid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn account_of(uid: u32, passwd: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let found = fields.len() >= 6 && !fields[0].is_empty() && fields[2].parse() == Ok(uid);
        found.then(|| Account { name: fields[0].to_owned(), home: PathBuf::from(fields[5]) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_account_of_a_uid() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n# \
            odd\n+::::::\nkong:x:1000:1000::/home/kong:/bin/sh\n";
        assert_eq!(
            account_of(1000, passwd),
            Some(Account { name: "kong".into(), home: "/home/kong".into() })
        );
        assert_eq!(account_of(7, passwd), None);
    }

    #[test]
    fn reads_the_effective_uid() {
        assert_eq!(effective_uid("Name:\tx\nUid:\t0\t65534\t0\t0\n"), Some(65534));
        assert_eq!(effective_uid(""), None);
    }

    #[test]
    fn debug_shows_no_value() {
        let environment = Environment::of(&[("PGPASSWORD", "hunter2")]);
        assert!(!format!("{environment:?}").contains("hunter2"));
    }
}
