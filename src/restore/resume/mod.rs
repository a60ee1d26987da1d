//! Reads what earlier runs have left for one that goes on (`--resume`): whether this run may, how
//! far they came, what is done, and what of it came to nothing.
//!
//! Does not know what is done about it: see `ledger`.

pub(super) mod course;
pub(super) mod found;
pub(super) mod job_key;
pub(super) mod ledger;
pub(super) mod options_digest;

use std::collections::HashSet;

use self::found::Found;
use self::job_key::{JobKey, Keys};
use super::finding::Finding;
use super::options::Options;
use super::plan::graph::{Graph, Work};
use super::target::tables::is_empty;
use super::target::{Target, marker};
use super::{mark, preflight};
use crate::archive::manifest::{Object, ObjectId, ObjectKind, Table, TableId};
use crate::archive::{Archive, IndexEntry};
use crate::error::Result;
use crate::pg::marker::{DONE, Later, Marker, State};
use crate::pg::session::Session;
use crate::sql::ident;

/// What earlier runs have left.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// How far they came; none where nothing was begun.
    pub(super) state: Option<State>,
    /// What they found in the target; none where the plan was not noted yet, and nothing of it
    /// done.
    pub(super) found: Option<Found>,
    /// What they noted.
    pub(super) later: Later,
    /// What is done.
    pub(super) done: HashSet<JobKey>,
    /// Whether they have a ledger.
    pub(super) has_ledger: bool,
}

impl Before {
    /// Whether earlier runs have left a restore that had not come so far that the database may be
    /// used.
    pub(super) fn is_stopped(&self) -> bool {
        self.state == Some(State::NotReady)
    }

    /// Whether all but the end is made.
    pub(super) fn is_ready(&self) -> bool {
        self.state == Some(State::Ready)
    }
}

/// Which restore this is.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// The archive's.
    pub(super) archive_id: String,
    /// Its root, in hexadecimal.
    archive_root: String,
    /// See [`self::options_digest`].
    pub(super) options_digest: String,
}

impl Identity {
    /// That of a restore of the archive with these options.
    pub(super) fn of<R>(archive: &Archive<R>, options: &Options) -> Self {
        Self {
            archive_id: archive.header.archive.to_string(),
            archive_root: archive.footer.root.to_string(),
            options_digest: options_digest::of(options),
        }
    }
}

/// Looks what earlier runs have left. Those of which something is gone on with are over: nobody is
/// at work, and the marker is read again.
pub(super) async fn look(
    session: &Session,
    options: &Options,
    target: &mut Target,
    this: &Identity,
    findings: &mut Vec<Finding>,
) -> Result<Before> {
    let finishes =
        |marker: &Marker| options.ready.is_early() && mark::is_finishing(marker, &this.archive_id);
    if !target.marker.as_ref().is_some_and(|marker| options.resume || finishes(marker)) {
        return Ok(Before::default());
    }
    findings.extend(preflight::others_at_work(&marker::others_at_work(session).await?));
    // If one was at work, it may be done now.
    target.marker = marker::read(session).await?;
    let Some(marker) = target.marker.clone() else { return Ok(Before::default()) };
    if finishes(&marker) {
        let (has_ledger, done) = done(session, &marker.schema)
            .await?
            .map_or((false, HashSet::new()), |done| (true, done));
        let later = marker.run.map(|run| run.later).unwrap_or_default();
        return Ok(Before { state: Some(State::Ready), later, done, has_ledger, found: None });
    }
    if !options.resume {
        return Ok(Before::default());
    }
    // What is said of it here is all there is to say.
    target.marker = None;
    (target.occupied, target.occupied_count) = (Vec::new(), 0);
    findings.extend(refusal(&marker, this));
    let done = if findings.is_empty() {
        done(session, &marker.schema).await?
    } else {
        Some(HashSet::new())
    };
    if done.is_none() {
        findings.push(Finding::new(
            format!(
                "the target holds {}, whose list of what is done cannot be read and written by \
                 this role",
                marker.describe()
            ),
            "resume as the role of the first time, or restore again with -c, which begins anew",
        ));
    }
    let later = marker.run.map(|run| run.later).unwrap_or_default();
    let found = later.found.as_deref().and_then(Found::parse);
    Ok(Before {
        state: Some(State::NotReady),
        found,
        later,
        done: done.unwrap_or_default(),
        has_ledger: true,
    })
}

/// Why this restore does not go on with that one.
fn refusal(marker: &Marker, this: &Identity) -> Option<Finding> {
    let (problem, way_out) = match &marker.run {
        None => ("which cannot be gone on with", "resume as the role of the first time"),
        Some(run)
            if (&run.archive_id, &run.archive_root) != (&this.archive_id, &this.archive_root) =>
        {
            ("which is of another archive", "resume with the archive of the first time")
        }
        Some(run) if run.options_digest != this.options_digest => (
            "which had other options",
            "resume with the options of the first time; silverback restore --status tells them",
        ),
        Some(_) => return None,
    };
    Some(Finding::new(format!("the target holds {}, {problem}", marker.describe()), way_out))
}

/// The plan is not the one that is half done.
pub(super) fn other_plan(before: &Before, keys: &Keys) -> Option<Finding> {
    let noted = before.later.plan_digest.as_ref().filter(|_| before.is_stopped())?;
    (*noted != keys.digest()).then(|| {
        let problem = "what is to be done is not what the stopped restore had planned (another \
            version of silverback, or of the server)";
        Finding::new(
            problem,
            "resume with the version of the first time, or restore again with \
             -c, which begins anew",
        )
    })
}

/// What an earlier run has done, as its ledger says; none where there is none that this role can go
/// on with.
async fn done(session: &Session, schema: &str) -> Result<Option<HashSet<JobKey>>> {
    let doing = "read what is done";
    let table = ident::qualified(schema, DONE);
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid \
         = c.relnamespace \
           WHERE n.nspname = {} AND c.relname = '{DONE}' AND c.relkind = 'r' AND \
           pg_catalog.pg_has_role(c.relowner, 'USAGE'))",
        ident::literal(schema)
    );
    if !session.query_one(doing, &sql).await?.get(0)? {
        return Ok(None);
    }
    let rows = session.query(doing, &format!("SELECT key::text FROM ONLY {table}")).await?;
    rows.iter().map(|row| Ok(JobKey::parse(row.get(0)?))).collect()
}

/// What was done and has come to nothing: rows of unlogged tables, and the values of unlogged
/// sequences, which a crash of the server takes away.
#[derive(Debug, Default)]
pub(super) struct Void {
    /// The tables that have lost their rows.
    pub(super) tables: HashSet<TableId>,
    /// The sequence values that may be lost. They are set again in any case.
    values: HashSet<ObjectId>,
    /// The keys of all that.
    pub(super) keys: Vec<JobKey>,
}

impl Void {
    /// Looks what is void, and takes it from what is done. Whether the server was started anew
    /// since does not tell: it also comes back from the crash of one of its processes without that.
    /// A crash takes all rows of a table, or none, so that those that hold any have theirs.
    pub(super) async fn look(
        session: &Session,
        (tables, index, objects): (&[Table], &[IndexEntry], &[Object]),
        done: &mut HashSet<JobKey>,
        findings: &mut Vec<Finding>,
    ) -> Result<Self> {
        let mut void = Self::default();
        let unlogged = unlogged(session).await?;
        if unlogged.is_empty() || done.is_empty() {
            return Ok(void);
        }
        for (id, table) in (0..).map(TableId).zip(tables) {
            if !unlogged.contains(&(table.schema.clone(), table.name.clone())) {
                continue;
            }
            // Rows that go through the partitioned table may lie in any partition.
            let same = |other: TableId| {
                other == id
                    || (table.root.is_some()
                        && tables
                            .get(other.0 as usize)
                            .is_some_and(|other| other.root == table.root))
            };
            let chunks = index.iter().filter(|entry| same(entry.table));
            let keys: Vec<JobKey> = chunks
                .map(|entry| JobKey::of_chunk(&tables[entry.table.0 as usize], entry))
                .collect();
            let name = ident::qualified(&table.schema, &table.name);
            if !keys.iter().any(|key| done.contains(key)) || !is_empty(session, &name).await? {
                continue;
            }
            if table.root.is_some() {
                let problem = format!(
                    "the unlogged partition {name} is empty, and may have lost its rows by a crash \
                     of the server"
                );
                findings.push(Finding::new(problem, "restore again with -c, which begins anew"));
                continue;
            }
            void.tables.insert(id);
            void.keys.extend(keys.into_iter().filter(|key| done.remove(key)));
        }
        let is_unlogged = |object: &&Object| {
            unlogged.contains(&(object.schema.clone().unwrap_or_default(), object.name.clone()))
        };
        let sequences: HashSet<ObjectId> =
            objects.iter().filter(is_unlogged).map(|object| object.id).collect();
        let values = objects.iter().filter(|object| object.kind == ObjectKind::SequenceValue);
        void.values = values
            .filter(|value| value.of.is_some_and(|of| sequences.contains(&of)))
            .map(|value| value.id)
            .collect();
        Ok(void)
    }

    /// Takes sequence values that may be lost from what earlier runs have done, once the plan says
    /// which work that is.
    pub(super) fn take_values(&mut self, graph: &Graph, keys: &Keys, done: &mut HashSet<JobKey>) {
        for (job, keys) in graph.jobs.iter().zip(&keys.jobs) {
            let Work::Script(steps) = &job.work else { continue };
            let values = steps
                .iter()
                .zip(keys)
                .filter(|(step, _)| step.of.is_some_and(|of| self.values.contains(&of)));
            let lost: Vec<JobKey> =
                values.map(|(_, key)| *key).filter(|key| done.remove(key)).collect();
            self.keys.extend(lost);
        }
    }
}

/// The unlogged tables and sequences of the target.
async fn unlogged(session: &Session) -> Result<HashSet<(String, String)>> {
    let sql = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c JOIN \
        pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'S')";
    let rows = session.query("look for unlogged tables", sql).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
