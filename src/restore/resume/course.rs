//! How a plan goes on with what earlier runs have left: the same plan, less what is done; how it
//! begins, and how its end is completed.
//!
//! Does not know how the plan is made.

use std::collections::{BTreeSet, HashSet};

use super::found::Found;
use super::job_key::{JobKey, Keys};
use super::ledger::{self, Ledger};
use super::{Before, Identity, Void};
use crate::archive::manifest::{Object, Table, TableId};
use crate::error::Result;
use crate::pg::marker::State;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::restore::mark::{self, Mark, Noted};
use crate::restore::options::Options;
use crate::restore::plan::graph::Graph;
use crate::restore::plan::input::ChunkSize;
use crate::restore::provision::{Room, clean};
use crate::restore::step::Step;
use crate::restore::target::Target;
use crate::restore::{preflight, resume};
use crate::storage::FileArchive;

/// What earlier runs have left.
pub(in crate::restore) struct Course {
    before: Before,
    found: Found,
    void: Void,
    room: Room,
}

/// What a plan does besides its jobs.
pub(in crate::restore) struct Settled {
    /// The statements before the first job.
    pub(in crate::restore) begin: Vec<Step>,
    /// The schema of a marker that stands already and goes on standing, unquoted.
    pub(in crate::restore) known: Option<String>,
    /// Where an earlier run is gone on with: how much of how much it has done.
    pub(in crate::restore) resumed: Option<(usize, usize)>,
    /// Where it is written what is done.
    pub(in crate::restore) ledger: Option<Ledger>,
}

impl Course {
    /// Looks how this plan goes on with earlier runs, and makes the target what those found:
    /// `names` are the archive's schemas.
    pub(in crate::restore) async fn look(
        session: &Session,
        (options, room): (&Options, Room),
        target: &mut Target,
        this: &Identity,
        names: &BTreeSet<String>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self> {
        let before = match room {
            Room::Empty => resume::look(session, options, target, this, findings).await?,
            _ => Before::default(),
        };
        let found = match &before.found {
            Some(found) => found.clone(),
            None => Found::of(target, names, lock_table(session).await?),
        };
        if before.found.is_some() {
            found.put_back(target, names);
        }
        Ok(Self { before, found, void: Void::default(), room })
    }

    /// Looks what is done and has come to nothing.
    pub(in crate::restore) async fn look_what_is_lost(
        &mut self,
        session: &Session,
        archive: &FileArchive,
        objects: &[Object],
        findings: &mut Vec<Finding>,
    ) -> Result<()> {
        if self.before.is_stopped() {
            let of = (&archive.manifest.tables[..], &archive.index.chunks[..], objects);
            self.void = Void::look(session, of, &mut self.before.done, findings).await?;
        }
        Ok(())
    }

    /// Whether this plan goes on with a run that was stopped before the database could be used.
    pub(in crate::restore) fn is_stopped(&self) -> bool {
        self.before.is_stopped()
    }

    /// Whether all but the end is made.
    pub(in crate::restore) fn is_ready(&self) -> bool {
        self.before.is_ready()
    }

    /// How many locks the server's lock table had room for when the run that is gone on with began.
    pub(in crate::restore) fn lock_table(&self) -> u64 {
        self.found.lock_table
    }

    /// The tables that have lost their rows.
    pub(in crate::restore) fn lost(&self) -> &HashSet<TableId> {
        &self.void.tables
    }

    /// The chunks that are yet to be loaded.
    pub(in crate::restore) fn left_of(
        &self,
        chunks: &[Vec<ChunkSize>],
        archive: &FileArchive,
    ) -> Vec<Vec<ChunkSize>> {
        let done = &self.before.done;
        let is_left = |table: &Table, chunk: &ChunkSize| {
            done.is_empty()
                || !done.contains(&JobKey::of_chunk(table, &archive.index.chunks[chunk.chunk]))
        };
        let tables = archive.manifest.tables.iter();
        chunks
            .iter()
            .zip(tables)
            .map(|(chunks, table)| {
                chunks.iter().filter(|chunk| is_left(table, chunk)).copied().collect()
            })
            .collect()
    }

    /// Completes the end of a plan, of which only that is left where it goes on with a database
    /// that was ready. `at_the_end`: what is said of a database that was made. Tells the digest of
    /// what comes after that report.
    pub(in crate::restore) fn end(
        &self,
        graph: &mut Graph,
        at_the_end: Vec<Step>,
        options: &Options,
        target: &Target,
        findings: &mut Vec<Finding>,
    ) -> u64 {
        // A restore that made the database leaves what is said of it, too.
        let left_by_maker = || {
            self.is_ready()
                && target
                    .marker
                    .as_ref()
                    .is_some_and(|marker| !mark::leaves(marker, graph.rest_digest()))
        };
        if options.into.makes_database() || self.before.later.made_database || left_by_maker() {
            graph.finish.extend(at_the_end);
        }
        let rest = graph.rest_digest();
        if self.is_ready() {
            findings.extend(preflight::other_rest(target, rest));
            graph.keep_from_ready_on();
        }
        rest
    }

    /// Takes from the graph what is done.
    pub(in crate::restore) fn settle(
        mut self,
        graph: &mut Graph,
        archive: &FileArchive,
        (mark, anew): (Option<&Mark>, Option<&clean::Anew>),
        findings: &mut Vec<Finding>,
    ) -> Result<Settled> {
        let index = &archive.index.chunks;
        let mut keys = Keys::of(graph, &archive.manifest.tables, index);
        findings.extend(resume::other_plan(&self.before, &keys));
        let noted =
            Noted { found: self.found.text()?, plan_digest: keys.digest(), planned: keys.count() };
        self.void.take_values(graph, &keys, &mut self.before.done);
        ledger::leave_done(graph, &mut keys, index, &self.before.done);
        ledger::load_again(graph, &self.void.tables);
        let Self { before, void, room, .. } = self;
        let has_ledger = before.state.is_none() || before.has_ledger;
        let ledger = mark.filter(|_| has_ledger).map(|mark| Ledger::new(&mark.schema, keys));
        let forget = ledger.as_ref().and_then(|ledger| ledger.forget(&void.keys));
        let stands = before.state.is_some() || room == Room::Cleaned;
        let known = mark.filter(|_| stands).map(|mark| mark.schema.clone());
        let resumed = before.is_stopped().then_some((before.done.len(), noted.planned));
        let begin =
            mark.map(|mark| begin(room, &before, anew, mark, &noted, forget)).unwrap_or_default();
        Ok(Settled { begin, known, resumed, ledger })
    }
}

/// The statements with which a plan that begins, or goes on, sets the marker or notes in one that
/// stands what it says of this plan.
fn begin(
    room: Room,
    before: &Before,
    anew: Option<&clean::Anew>,
    mark: &Mark,
    noted: &Noted,
    forget: Option<Step>,
) -> Vec<Step> {
    match before.state {
        None if room == Room::Cleaned => mark.note(noted),
        // What is found then may be another thing.
        None if room == Room::ToBeCleaned => {
            anew.iter().flat_map(|anew| mark::remove(&anew.schema)).chain(mark.set(None)).collect()
        }
        None => mark.set(Some(noted)),
        Some(State::NotReady) if before.found.is_none() => mark.note(noted),
        Some(_) => forget.into_iter().collect(),
    }
}

/// How many locks the server's lock table has room for.
async fn lock_table(session: &Session) -> Result<u64> {
    let sql = "SELECT pg_catalog.current_setting('max_locks_per_transaction')::int8 \
               * (pg_catalog.current_setting('max_connections')::int8 + \
               pg_catalog.current_setting('max_prepared_transactions')::int8)";
    let row = session.query_one("read the server's settings", sql).await?;
    Ok(row.get::<_, i64>(0)?.max(0).unsigned_abs())
}
