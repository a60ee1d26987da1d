//! Keys of a restore's work: what is done is known by them after the run that did it has ended.
//!
//! A key is a hash of what is done, never of a place in a list: two plans may order and cut the
//! same work differently. What people read (a job's label, a comment's text) is no part of it.

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::archive::IndexEntry;
use crate::archive::manifest::Table;
use crate::restore::plan::graph::{Graph, Stage, Work};
use crate::restore::step::Step;

/// The key of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::restore) struct JobKey(u128);

impl JobKey {
    /// Of statements that are run together.
    fn of_steps(stage: &str, steps: &[Step]) -> Self {
        Self::of_texts(
            &std::iter::once(stage)
                .chain(steps.iter().map(|step| lasting(&step.sql)))
                .collect::<Vec<_>>(),
        )
    }

    /// The key of the rows of one chunk: where they go, and which chunk of the archive it is.
    pub(in crate::restore) fn of_chunk(table: &Table, entry: &IndexEntry) -> Self {
        let mut hash = Xxh3::new();
        feed(&mut hash, &["load", &table.schema, &table.name]);
        hash.update(&entry.part.to_le_bytes());
        hash.update(&entry.offset.to_le_bytes());
        hash.update(&entry.header_blake3);
        Self(hash.digest128())
    }

    fn of_texts(texts: &[&str]) -> Self {
        let mut hash = Xxh3::new();
        feed(&mut hash, texts);
        Self(hash.digest128())
    }

    /// The key of the same work where it is to be done once more.
    fn again(self, times: u32) -> Self {
        if times == 0 {
            self
        } else {
            Self(xxh3_128(&[&self.0.to_le_bytes()[..], &times.to_le_bytes()].concat()))
        }
    }

    /// Reads what [`fmt::Display`] writes.
    pub(in crate::restore) fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(|uuid| Self(uuid.as_u128()))
    }
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_u128(self.0).fmt(f)
    }
}

fn feed(hash: &mut Xxh3, texts: &[&str]) {
    for text in texts {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
}

/// What of a statement its key is made from: all but the text that it says of an object, of which
/// there is one for each object.
fn lasting(sql: &str) -> &str {
    sql.split_once(" IS ")
        .filter(|_| sql.starts_with("COMMENT ON "))
        .map_or(sql, |(object, _)| object)
}

/// The keys of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::restore) struct Keys {
    /// Those of each job: of a script one for each statement, of a load one for each chunk. Work
    /// that may be done twice has none.
    pub(in crate::restore) jobs: Vec<Vec<JobKey>>,
    /// Those of what is run after the last job.
    pub(in crate::restore) finish: Vec<JobKey>,
}

impl Keys {
    /// Those of this graph, whose loads take chunks from this index into these tables.
    pub(in crate::restore) fn of(graph: &Graph, tables: &[Table], index: &[IndexEntry]) -> Self {
        let mut seen = HashMap::new();
        let jobs = graph.jobs.iter().map(|job| {
            let stage = name(job.stage);
            match &job.work {
                Work::Statements(steps) if steps.is_empty() => Vec::new(),
                Work::Statements(steps) => {
                    vec![numbered(&mut seen, JobKey::of_steps(stage, steps))]
                }
                Work::Script(steps) => each(&mut seen, stage, steps),
                Work::Load { table, chunks, .. } => {
                    let table = &tables[table.0 as usize];
                    chunks.iter().map(|chunk| JobKey::of_chunk(table, &index[*chunk])).collect()
                }
                Work::Concurrently(index) => vec![numbered(
                    &mut seen,
                    JobKey::of_steps(stage, std::slice::from_ref(&index.create)),
                )],
                Work::Statistics { taken, .. } => {
                    let names = taken
                        .iter()
                        .flat_map(|(_, name)| [&name.object.0, &name.object.1, &name.table.1]);
                    let texts: Vec<&str> = [stage, "statistics"]
                        .into_iter()
                        .chain(names.map(String::as_str))
                        .collect();
                    vec![numbered(&mut seen, JobKey::of_texts(&texts))]
                }
                Work::OnExtensions(_) | Work::Compare(_) | Work::Ready => Vec::new(),
            }
        });
        let jobs = jobs.collect();
        Self { jobs, finish: each(&mut seen, "End", &graph.finish) }
    }

    /// How many there are, but for the end's.
    pub(in crate::restore) fn count(&self) -> usize {
        self.jobs.iter().map(Vec::len).sum()
    }

    /// A digest of all keys, in hexadecimal: of two plans for which it is the same, one can go on
    /// where the other stopped.
    pub(in crate::restore) fn digest(&self) -> String {
        let mut keys: Vec<JobKey> =
            self.jobs.iter().flatten().chain(&self.finish).copied().collect();
        keys.sort_unstable();
        let mut hash = Xxh3::new();
        for key in keys {
            hash.update(&key.0.to_le_bytes());
        }
        format!("{:032x}", hash.digest128())
    }
}

fn each(seen: &mut HashMap<JobKey, u32>, stage: &str, steps: &[Step]) -> Vec<JobKey> {
    steps
        .iter()
        .map(|step| numbered(seen, JobKey::of_steps(stage, std::slice::from_ref(step))))
        .collect()
}

/// The same statement may be needed twice.
fn numbered(seen: &mut HashMap<JobKey, u32>, key: JobKey) -> JobKey {
    let times = seen.entry(key).or_default();
    let numbered = key.again(*times);
    *times += 1;
    numbered
}

/// A name that stays, whatever people are told.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::PreData => "PreData",
        Stage::Data => "Data",
        Stage::Keys => "Keys",
        Stage::Indexes => "Indexes",
        Stage::Analyze => "Analyze",
        Stage::ForeignKeys => "ForeignKeys",
        Stage::Rest => "Rest",
        Stage::Privileges => "Privileges",
        Stage::Refresh => "Refresh",
        Stage::Last => "Last",
        Stage::Compare => "Compare",
        Stage::Ready => "Ready",
        Stage::Finish => "Finish",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restore::plan::graph::tests::job;

    fn graph(works: &[Work]) -> Graph {
        let jobs = works.iter().map(|work| crate::restore::plan::graph::Job {
            work: work.clone(),
            ..job(&[], &[], 1)
        });
        Graph { jobs: jobs.collect(), ..Graph::default() }
    }

    fn step(doing: &str, sql: &str) -> Step {
        Step::new(doing, sql)
    }

    fn keys(works: &[Work]) -> Keys {
        Keys::of(&graph(works), &[], &[])
    }

    #[test]
    fn a_key_is_of_the_work_and_not_of_its_place_or_words() {
        let (a, b) = (step("make a", "CREATE TABLE a ()"), step("make b", "CREATE TABLE b ()"));
        let forth = keys(&[Work::Script(vec![a.clone(), b.clone()])]);
        let back = keys(&[Work::Script(vec![b, step("in other words", &a.sql)])]);
        assert_eq!((forth.jobs[0][0], forth.jobs[0][1]), (back.jobs[0][1], back.jobs[0][0]));
        assert_eq!(forth.digest(), back.digest());
        let comment = |text: &str| {
            keys(&[Work::Statements(vec![step("", &format!("COMMENT ON TABLE a IS {text}"))])])
        };
        assert_eq!(comment("'x'"), comment("'y'"));
        assert_ne!(
            comment("'x'"),
            keys(&[Work::Statements(vec![step("", "COMMENT ON TABLE b IS 'x'")])])
        );
    }

    #[test]
    fn the_same_statement_twice_has_two_keys_and_a_milestone_none() {
        let a = step("", "GRANT CREATE ON SCHEMA s TO r");
        let twice = keys(&[Work::Script(vec![a.clone(), a]), Work::Statements(Vec::new())]);
        assert_eq!((twice.jobs[0].len(), twice.jobs[1].len(), twice.count()), (2, 0, 2));
        assert_ne!(twice.jobs[0][0], twice.jobs[0][1]);
    }

    #[test]
    fn a_key_is_written_and_read() {
        let key = JobKey::of_texts(&["a", "b"]);
        assert_eq!(JobKey::parse(&key.to_string()), Some(key));
        assert_ne!(key, JobKey::of_texts(&["ab", ""]));
        assert_eq!(JobKey::parse("x"), None);
        // What one version wrote, the next must find again.
        assert_eq!(key.to_string(), "4e8071d3-974d-1675-4bcb-794c7d699bd6");
    }
}
