//! A configuration file of Kong: `kong.conf`, or the `.kong_env` of a running node, whose syntax is
//! the same.
//!
//! Reads what Kong reads, its oddities too: quotes are part of the value, `#` begins a comment
//! anywhere unless a backslash stands before it, and what looks like a number is one. Does not know
//! what the properties mean, nor where files are looked for.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::number::{self, is_space};
use crate::error::{Error, Kind, Result};

/// A larger file is refused; Kong's own, with all its comments, has about 100 kB.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The properties of one file.
#[derive(Clone)]
pub struct Conf {
    /// Where it is.
    pub path: PathBuf,
    entries: BTreeMap<String, Entry>,
    /// Lines, counted from 1, that are neither comments nor `key = value`; Kong skips them too.
    pub odd_lines: Vec<usize>,
}

#[derive(Clone)]
struct Entry {
    /// Trimmed; may be empty.
    value: Vec<u8>,
    line: usize,
}

impl fmt::Debug for Conf {
    /// No values: some are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conf").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Conf {
    /// Reads a file.
    ///
    /// # Errors
    /// A usage error where it cannot be read, is too long, or has sections.
    pub fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let read = |bytes: &mut Vec<u8>| -> io::Result<usize> {
            File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(bytes)
        };
        read(&mut bytes).map_err(|error| refuse(path, error.to_string()).with_source(error))?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(refuse(path, format!("it is longer than {FILE_BYTES_MAX} bytes")));
        }
        Self::parse(path, &bytes)
    }

    /// Reads the content of a file that is called `path`.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let mut conf =
            Self { path: path.to_owned(), entries: BTreeMap::new(), odd_lines: Vec::new() };
        // What a backslash at a line's end has kept, and where it began.
        let mut begun: Option<(Vec<u8>, usize)> = None;
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let trimmed = trim(line);
            if trimmed.is_empty() || matches!(trimmed[0], b'#' | b';') {
                continue;
            }
            let (mut whole, first) = begun.take().unwrap_or((Vec::new(), at + 1));
            if let Some(kept) = trim_end(line).strip_suffix(b"\\") {
                whole.extend_from_slice(kept);
                begun = Some((whole, first));
            } else {
                whole.extend_from_slice(line);
                conf.add(&whole, first)?;
            }
        }
        match begun {
            None => Ok(conf),
            Some((_, line)) => {
                let cause = format!("line {line} goes on after its backslash, and nothing follows");
                Err(refuse(path, cause))
            }
        }
    }

    /// Takes one `key = value`; of two with one key the later counts.
    fn add(&mut self, line: &[u8], number: usize) -> Result<()> {
        if line.starts_with(b"[") {
            let cause = format!("line {number} begins a section, below which Kong reads nothing");
            return Err(refuse(&self.path, cause).hint("leave the section's line out"));
        }
        let line = trim(line);
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else {
            self.odd_lines.push(number);
            return Ok(());
        };
        let key: String = trim_end(&line[..equals])
            .iter()
            .map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '_' })
            .collect();
        let value = &line[equals + 1..];
        let value = match std::str::from_utf8(value) {
            Ok(text) => {
                without_comment(&number::normalize(text.trim_start_matches(is_space))).into_bytes()
            }
            Err(_) => value.to_owned(),
        };
        self.entries.insert(key, Entry { value: trim(&value).to_owned(), line: number });
        Ok(())
    }

    /// A property's value, which may be empty, and where it stands.
    ///
    /// # Errors
    /// A usage error where the value is not UTF-8.
    pub fn get(&self, property: &str) -> Result<Option<(&str, String)>> {
        let Some(entry) = self.entries.get(property) else { return Ok(None) };
        let source = format!("{}:{}", self.path.display(), entry.line);
        match std::str::from_utf8(&entry.value) {
            Ok(text) => Ok(Some((text, source))),
            Err(_) => {
                Err(refuse(&self.path, format!("{property} in line {} is not UTF-8", entry.line)))
            }
        }
    }

    /// The properties that have a value and whose names begin so, each with its line.
    pub fn filled(&self, prefix: &str) -> impl Iterator<Item = (&str, usize)> {
        let filled = self.entries.iter().filter(|(_, entry)| !entry.value.is_empty());
        filled
            .map(|(key, entry)| (key.as_str(), entry.line))
            .filter(move |(key, _)| key.starts_with(prefix))
    }
}

fn refuse(path: &Path, cause: impl Into<String>) -> Error {
    Error::new(Kind::Usage, format!("read Kong's settings in {}", path.display()), cause)
}

/// Cuts off a comment, and takes the backslashes away that keep `#` from beginning one.
fn without_comment(text: &str) -> String {
    let begins = |(at, _): &(usize, &str)| !text[..*at].ends_with('\\');
    let end = text.match_indices('#').find(begins).map_or(text.len(), |(at, _)| at);
    text[..end].replace("\\#", "#")
}

fn trim_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !is_space(char::from(*byte))).map_or(0, |at| at + 1);
    &line[..end]
}

fn trim(line: &[u8]) -> &[u8] {
    let begin = line.iter().position(|byte| !is_space(char::from(*byte))).unwrap_or(line.len());
    trim_end(&line[begin..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conf(text: impl AsRef<[u8]>) -> Conf {
        Conf::parse(Path::new("kong.conf"), text.as_ref()).expect("parsed")
    }

    fn check(text: &str, expect: Option<&str>) {
        let conf = conf(text);
        let found = conf.get("pg_password").expect("UTF-8").map(|(text, _)| text);
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn values_are_what_kong_makes_of_them() {
        check("", None);
        check("pg_password=x", Some("x"));
        check("  pg_password\t =  x y \r\n", Some("x y"));
        check("pg-password = x", Some("x"));
        check("PG_PASSWORD = x", None);
        check("pg_password =", Some(""));
        check("pg_password = a\npg_password = b", Some("b"));
        check("pg_password = \"x\"", Some("\"x\""));
        check("pg_password = 'x'", Some("'x'"));
        check("pg_password = a=b", Some("a=b"));
        check("pg_password = a,b", Some("a,b"));
        check("pg_password = 00123", Some("123"));
        check("pg_password = 1e5", Some("100000"));
        check("pg_password = 00123 # a comment keeps it a text", Some("00123"));
    }

    #[test]
    fn comments_go() {
        check("# pg_password = x", None);
        check("  ; pg_password = x", None);
        check("pg_password = x # y", Some("x"));
        check("pg_password = x#y", Some("x"));
        check("pg_password = x\\#y", Some("x#y"));
        check("pg_password = x \\# y # z", Some("x # y"));
        check("pg_password = #x", Some(""));
        check("pg_password = x ; y", Some("x ; y"));
    }

    #[test]
    fn lines_go_on() {
        check("pg_password = x\\\ny", Some("xy"));
        check("pg_password = x \\  \n  y", Some("x   y"));
        check("pg_password = x\\\n# between\n\ny\\\nz", Some("xyz"));
        check("pg_\\\npassword = x", Some("x"));
        check("pg_password = x\\y", Some("x\\y"));
    }

    #[test]
    fn says_where_each_stands() {
        let conf = conf("# head\n\npg_user = \\\n u\npg_host=h\nnonsense\npg_database = d");
        let line = |property| conf.get(property).expect("UTF-8").expect("set").1;
        assert_eq!(line("pg_user"), "kong.conf:3");
        assert_eq!(line("pg_host"), "kong.conf:5");
        assert_eq!(conf.odd_lines, [6]);
        let filled: Vec<_> = conf.filled("pg_").collect();
        assert_eq!(filled, [("pg_database", 7), ("pg_host", 5), ("pg_user", 3)]);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let check = |bytes: &[u8], cause: &str| {
            let error = Conf::parse(Path::new("kong.conf"), bytes).expect_err("refused");
            assert!(error.to_string().contains(cause), "{error}");
            assert_eq!(error.kind(), Kind::Usage);
        };
        check(b"a = b\n[pg]\npg_host = x", "line 2 begins a section");
        check(b"a = b\npg_host = x \\\n# no more\n", "line 2 goes on");
        let error = Conf::read(Path::new("/nowhere/kong.conf")).expect_err("refused");
        assert!(error.to_string().contains("/nowhere/kong.conf"), "{error}");
        // What nobody asks for may be in any encoding.
        let conf = conf(b"# caf\xe9\nnote = caf\xe9\npg_host = x\npg_user = \xe9");
        assert_eq!(conf.get("pg_host").expect("UTF-8").expect("set").0, "x");
        let error = conf.get("pg_user").expect_err("refused");
        assert!(error.to_string().contains("pg_user in line 4 is not UTF-8"), "{error}");
    }
}
