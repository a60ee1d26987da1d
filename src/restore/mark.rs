//! The mark of an incomplete restore: a schema that is made first and dropped in the transaction that ends the restore; and the lock by which
//! a restore that is still at work is told from one that was stopped.
//!
//! Knows nothing of jobs.

use std::time::Duration;

use super::graph::Step;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::ident;
use crate::pg::session::{Purpose, Session};

/// The schema whose presence says "incomplete".
pub const SCHEMA: &str = "silverback_restore";

/// How the comment begins until the database may be used, and from then on.
const INCOMPLETE: &str = "incomplete restore of ";
const FINISHING: &str = "usable, but indexes and proofs of foreign keys are missing: unfinished restore of ";

/// The two halves of the key of the lock that every session of a restore holds: "silv", "back".
const AT_WORK: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"back"));

/// What is said of the restore that made the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The mark's comment: which archive, when, by which version.
    pub comment: String,
}

impl Mark {
    /// For an archive by its name and identity.
    pub fn new(archive: &str, uuid: &str, now: &str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        Self { comment: format!("{INCOMPLETE}{archive} ({uuid}), begun {now} by silverback {version}") }
    }

    /// Whether the database was declared usable by a restore of this archive, of which some jobs are left.
    pub fn is_finishing(&self, uuid: &str) -> bool {
        self.comment.starts_with(FINISHING) && self.comment.contains(&format!("({uuid})"))
    }

    /// Whether the database was declared usable.
    pub fn is_in_use(&self) -> bool {
        self.comment.starts_with(FINISHING)
    }

    /// Whether what was left to be done has this digest, see [`super::graph::Graph::rest_digest`].
    pub fn leaves(&self, rest: u64) -> bool {
        self.comment.ends_with(&left(rest))
    }

    /// The statement that declares the database usable while jobs of this digest are left.
    pub fn finishing(&self, rest: u64) -> Step {
        let which = self.comment.strip_prefix(INCOMPLETE).unwrap_or(&self.comment);
        let comment = ident::literal(&format!("{FINISHING}{which}{}", left(rest)));
        Step::new("mark the target as usable", format!("COMMENT ON SCHEMA {SCHEMA} IS {comment}"))
    }

    /// The statements that set it, run in one transaction before anything else.
    pub fn set(&self) -> Vec<Step> {
        let doing = "mark the target as incomplete";
        vec![
            Step::new(doing, format!("CREATE SCHEMA {SCHEMA}")),
            Step::new(doing, format!("COMMENT ON SCHEMA {SCHEMA} IS {}", ident::literal(&self.comment))),
        ]
    }
}

/// How the comment ends from then on.
fn left(rest: u64) -> String {
    format!(", left: {rest:016x}")
}

/// The expression by which a session shows, until it ends, that a restore is at work in its database.
pub fn show_at_work() -> String {
    let (class, object) = AT_WORK;
    format!("pg_catalog.pg_advisory_lock_shared({class}, {object})")
}

/// The server processes of other restores into this database. A process whose client was killed ends when it notices, so a little time is
/// given to it.
pub async fn others_at_work(session: &Session) -> Result<Vec<i32>> {
    let (class, object) = AT_WORK;
    let sql = format!(
        "SELECT pid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = {class} AND objid = {object} \
           AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
           AND pid <> pg_catalog.pg_backend_pid() ORDER BY pid"
    );
    let mut looks = 0;
    loop {
        let rows = session.query("look for another restore that is at work", &sql).await?;
        looks += 1;
        if rows.is_empty() || looks == LOOKS {
            return rows.iter().map(|row| row.get(0)).collect();
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// The statement that takes the mark away.
pub fn remove() -> Step {
    Step::new("take away the mark of incompleteness", format!("DROP SCHEMA {SCHEMA}"))
}

/// Reads the mark that an earlier restore left, if there is one.
pub async fn read(session: &Session) -> Result<Option<Mark>> {
    let sql = format!(
        "SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace WHERE nspname = {}",
        ident::literal(SCHEMA)
    );
    let rows = session.query("look for an earlier restore", &sql).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Mark { comment: row.get::<_, Option<String>>(0)?.unwrap_or_else(|| "incomplete restore".into()) }))
}

/// Reads the mark once the session is gone whose last answer was lost: until then it may still do what it was told.
pub async fn read_after(server: &Server, backend_pid: i32) -> Result<Option<Mark>> {
    let doing = "look what became of a commit";
    let session = server.open(Purpose::Restore).await?;
    let sql = format!("SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = {backend_pid}");
    for _ in 0..LOOKS {
        if session.query(doing, &sql).await?.is_empty() {
            return read(&session).await;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Err(Error::new(Kind::Server, doing, "the session does not end"))
}

const LOOKS: u32 = 50;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The mark could not be set, and nothing was changed, unless only the answer was lost. Of two restores that begin at one moment, only one
/// can make the schema.
pub async fn not_set(error: Error, server: &Server, backend_pid: i32) -> Error {
    match error.sqlstate() {
        Some("42P06" | "23505") => return error.as_kind(Kind::Requirement).hint("another restore into this database has just begun"),
        _ if error.kind() != Kind::Server => return error,
        _ => {}
    }
    match read_after(server, backend_pid).await {
        Ok(None) => error,
        Ok(Some(_)) => incomplete(error),
        Err(_) => error.hint(format!("look whether the target is marked as incomplete (schema {SCHEMA}) before the next restore")),
    }
}

/// An error of a restore that has begun: the target is marked, and the way out is named.
pub fn incomplete(error: Error) -> Error {
    let way_out =
        format!("the target is incomplete and says so (schema {SCHEMA}): make a new, empty database in its place and restore again");
    let hint = match error.hint_text() {
        Some(hint) => format!("{hint}; {way_out}"),
        None => way_out,
    };
    error.as_kind(Kind::Incomplete).hint(hint)
}

/// An error of a restore that had declared the database usable: nothing is lost, and the same command makes what is missing.
pub fn unfinished(error: Error) -> Error {
    let way_out = format!(
        "the database may be used, but indexes and proofs of foreign keys are missing (schema {SCHEMA} says so): \
         run the restore into it again with the same options, --ready-early among them (and without -c and -C), which makes what is missing"
    );
    let hint = match error.hint_text() {
        Some(hint) => format!("{hint}; {way_out}"),
        None => way_out,
    };
    error.as_kind(Kind::Incomplete).hint(hint)
}
