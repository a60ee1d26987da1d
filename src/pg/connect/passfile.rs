//! The password file, `.pgpass`: lines of `host:port:database:user:password`, the first that
//! matches wins.
//!
//! Does not decide which file it is, and shows no line of it to anybody.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::secret::Secret;

/// Whom a password is wanted for. A server on the default socket folder is looked up as
/// `localhost`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// Host name, address or socket folder.
    pub host: &'a str,
    /// Port in decimal.
    pub port: &'a str,
    /// Database.
    pub database: &'a str,
    /// User.
    pub user: &'a str,
}

/// The lines of a password file that may be used, and why it may not.
#[derive(Clone, Debug, Default)]
pub(super) struct PassFile {
    lines: Vec<Secret>,
    /// Why the file is not used, in words for the user.
    pub warning: Option<String>,
}

impl PassFile {
    /// Reads a file. A missing file is an empty one; a file that others can read is not used, as
    /// libpq does, and `warning` says so.
    pub(super) fn read(path: &Path) -> Self {
        match read_private(path) {
            Ok(bytes) => Self::of(&bytes),
            Err(warning) => Self { lines: Vec::new(), warning },
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let lines =
            bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        Self {
            lines: lines.filter(|line| !line.starts_with(b"#")).map(Secret::new).collect(),
            warning: None,
        }
    }

    /// The password of the first line that matches; an empty one counts as none.
    pub(super) fn look_up(&self, wanted: Wanted<'_>) -> Option<Secret> {
        let fields = [wanted.host, wanted.port, wanted.database, wanted.user];
        let password = self.lines.iter().find_map(|line| {
            let rest = fields
                .iter()
                .try_fold(line.expose(), |rest, field| match_field(rest, field.as_bytes()))?;
            Some(take_field(rest).0)
        })?;
        (!password.is_empty()).then(|| Secret::new(password))
    }
}

fn read_private(path: &Path) -> Result<Vec<u8>, Option<String>> {
    let shown = path.display();
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(None),
        Err(error) => return Err(Some(format!("the password file {shown} is not used: {error}"))),
    };
    if !metadata.is_file() {
        return Err(Some(format!("the password file {shown} is not used: it is not a plain file")));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Some(format!(
            "the password file {shown} is not used: its mode is {mode:04o}, so that others can \
             read it; set it to 0600 (for a Kubernetes secret: defaultMode: 0400)"
        )));
    }
    std::fs::read(path)
        .map_err(|error| Some(format!("the password file {shown} is not used: {error}")))
}

/// Compares one field, `*` matching all; gives what follows its colon.
fn match_field<'a>(line: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    if let Some(rest) = line.strip_prefix(b"*:") {
        return Some(rest);
    }
    let (field, rest) = take_field(line);
    (field == wanted).then_some(rest?)
}

/// One field without its escapes (`\:` and `\\`), and what follows its colon, if there is one.
/// Bytes, as libpq takes them: a password may be in any encoding.
fn take_field(line: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut field = Vec::new();
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        match byte {
            b':' => return (field, Some(&line[at + 1..])),
            b'\\' => {
                at += 1;
                field.push(line.get(at).copied().unwrap_or(b'\\'));
            }
            other => field.push(other),
        }
        at += 1;
    }
    (field, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, [host, port, database, user]: [&str; 4], expect: Option<&str>) {
        let found = PassFile::of(file.as_bytes()).look_up(Wanted { host, port, database, user });
        assert_eq!(found.as_ref().and_then(Secret::text), expect, "{file}");
    }

    #[test]
    fn matches_lines() {
        let us = ["db", "5432", "kong", "kong"];
        check("db:5432:kong:kong:secret", us, Some("secret"));
        check("*:*:*:*:any", us, Some("any"));
        check("db:5433:kong:kong:a\ndb:*:kong:kong:b\n*:*:*:*:c", us, Some("b"));
        check("#db:5432:kong:kong:x\n", us, None);
        check("db:5432:kong:kong:", us, None);
        check("db:5432:kong", us, None);
        check("", us, None);
        check(r"db:5432:kong:kong:a\:b\\c:ignored", us, Some(r"a:b\c"));
        check(r"\:\:1:5432:kong:kong:six", ["::1", "5432", "kong", "kong"], Some("six"));
        check(r"db:5432:k\*:kong:x", ["db", "5432", "k*", "kong"], Some("x"));
        check("db:5432:kong:kong:secret\r\n", us, Some("secret"));
    }

    #[test]
    fn takes_bytes_as_they_are() {
        let wanted = Wanted { host: "db", port: "1", database: "d", user: "u" };
        let found = PassFile::of(b"# caf\xe9\ndb:1:d\xe9:u:x\ndb:1:d:u:p\xe9\\:\n").look_up(wanted);
        assert_eq!(found.as_ref().map(Secret::expose), Some(&b"p\xe9:"[..]));
    }

    #[test]
    fn leaves_alone_what_others_can_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pgpass");
        assert!(PassFile::read(&path).warning.is_none());
        std::fs::write(&path, "*:*:*:*:hunter2\n").expect("written");
        let wanted = Wanted { host: "a", port: "1", database: "b", user: "c" };
        for (mode, usable) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("chmod");
            let file = PassFile::read(&path);
            assert_eq!(file.look_up(wanted).is_some(), usable, "{mode:o}");
            assert_eq!(file.warning.is_none(), usable, "{mode:o}");
            assert!(!format!("{file:?}").contains("hunter2"));
        }
        assert!(PassFile::read(folder.path()).warning.expect("a folder").contains("plain file"));
    }
}
