//! A list of entries that are meant and no others: what `restore -L` reads of a file.
//!
//! An archive's objects and the rows of its tables are numbered from 1, the objects first.

use std::collections::{BTreeSet, HashSet};

use crate::archive::manifest::ObjectId;
use crate::error::{Error, Kind, Result};

/// The entries that are meant.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What the file is called.
    pub file: String,
    /// The archive that it says it is a list of.
    pub archive: Option<String>,
    /// Its numbers, each with its line and what the line says beside it.
    pub numbers: Vec<(u64, usize, String)>,
    /// Those of its numbers, and what has no number.
    pub(super) objects: HashSet<ObjectId>,
    /// Those of its numbers.
    pub(super) asked: HashSet<ObjectId>,
    pub(super) rows: BTreeSet<(String, String)>,
}

impl Listed {
    /// Reads a list: of each line what stands before a semicolon, which begins with a number.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let mut listed = Self {
            file: file.to_owned(),
            archive: None,
            numbers: Vec::new(),
            objects: HashSet::new(),
            asked: HashSet::new(),
            rows: BTreeSet::new(),
        };
        for (line, at) in text.lines().zip(1..) {
            let (entry, comment) = line.split_once(';').unwrap_or((line, ""));
            if let Some(id) = comment.trim().strip_prefix(ARCHIVE) {
                listed.archive.get_or_insert(id.trim().to_owned());
            }
            let Some(word) = entry.split_whitespace().next() else { continue };
            let number = word.parse().map_err(|_| {
                wrong(file, at, "it does not begin with an entry's number")
                    .hint("write entries as restore -l prints them; a semicolon begins a comment")
            })?;
            listed.numbers.push((number, at, comment.trim().to_owned()));
        }
        if listed.numbers.is_empty() {
            return Err(Error::new(
                Kind::Usage,
                format!("read the list {file}"),
                "it has no entries",
            )
            .hint("keep lines of restore -l in it; a semicolon begins a comment"));
        }
        Ok(listed)
    }

    pub(super) fn holds(&self, id: ObjectId) -> bool {
        self.objects.contains(&id)
    }

    pub(super) fn holds_rows(&self, schema: &str, name: &str) -> bool {
        self.rows.contains(&(schema.to_owned(), name.to_owned()))
    }
}

/// What comes before the archive's id in a list.
pub const ARCHIVE: &str = "archive ";

pub(super) fn wrong(file: &str, line: usize, cause: impl Into<String>) -> Error {
    Error::new(Kind::Usage, format!("read the list {file}, line {line}"), cause)
}
