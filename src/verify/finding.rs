//! What is wrong, where, what was expected there and what was found.

use std::fmt;

use serde::Serialize;

/// More findings than this are counted, not kept: a file of noise would have one for every chunk.
const KEPT_MAX: usize = 1000;

/// Names in findings end here: a forged one may have megabytes.
const NAME_CHARS_MAX: usize = 300;

/// The beginning of a name.
pub(super) fn short(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// Where in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "part", rename_all = "kebab-case")]
pub enum Place {
    /// The file as a whole: its ends, the order of its parts, the root.
    File,
    /// An object of the manifest.
    Object {
        /// Its number.
        id: u32,
        /// Its kind and name, as its identity says.
        identity: String,
    },
    /// A table's totals.
    Table {
        /// Qualified and quoted.
        table: String,
    },
    /// A chunk.
    Chunk {
        /// Its number in the index.
        chunk: usize,
        /// Its table, qualified and quoted.
        table: String,
        /// Where it begins in the file.
        offset: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Object { id, identity } => write!(f, "object {id} ({identity})"),
            Self::Table { table } => write!(f, "table {table}"),
            Self::Chunk { chunk, table, offset } => {
                write!(f, "chunk {chunk} (of {table}, at byte {offset})")
            }
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
    /// What should be there, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if let (Some(expected), Some(found)) = (&self.expected, &self.found) {
            write!(f, " (expected {expected}, found {found})")?;
        }
        Ok(())
    }
}

/// Findings as they come.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    more: u64,
}

impl Findings {
    /// Something is wrong.
    pub(super) fn add(&mut self, place: Place, what: impl Into<String>) {
        self.push(Finding { place, what: what.into(), expected: None, found: None });
    }

    /// Something is not what it should be.
    pub(super) fn compare<T: PartialEq + fmt::Display>(
        &mut self,
        place: &Place,
        what: &str,
        expected: &T,
        found: &T,
    ) {
        if expected != found {
            let (expected, found) = (Some(expected.to_string()), Some(found.to_string()));
            self.push(Finding { place: place.clone(), what: what.to_owned(), expected, found });
        }
    }

    fn push(&mut self, finding: Finding) {
        if self.kept.len() < KEPT_MAX {
            self.kept.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// All that were kept, chunks last and in file order, and how many more there were.
    pub(super) fn into_list(mut self) -> Vec<Finding> {
        self.kept.sort_by_key(|finding| match finding.place {
            Place::Chunk { chunk, .. } => chunk + 1,
            _ => 0,
        });
        if self.more > 0 {
            let what = format!("{} more findings are not listed", self.more);
            self.kept.push(Finding { place: Place::File, what, expected: None, found: None });
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence() {
        let mut findings = Findings::default();
        findings.compare(&Place::Table { table: "public.a".to_owned() }, "rows", &3, &3);
        findings.compare(&Place::Table { table: "public.a".to_owned() }, "rows differ", &3, &4);
        let list = findings.into_list();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].to_string(), "table public.a: rows differ (expected 3, found 4)");
        let json = serde_json::to_string(&list[0]).unwrap();
        assert_eq!(
            json,
            r#"{"place":{"part":"table","table":"public.a"},"what":"rows differ","expected":"3","found":"4"}"#
        );
    }

    #[test]
    fn a_flood_is_counted() {
        let mut findings = Findings::default();
        for _ in 0..KEPT_MAX + 5 {
            findings.add(Place::File, "x");
        }
        let list = findings.into_list();
        assert_eq!(
            (list.len(), list[KEPT_MAX].what.as_str()),
            (KEPT_MAX + 1, "5 more findings are not listed")
        );
    }
}
