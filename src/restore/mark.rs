//! The marker that a restore sets: made first, and dropped in the transaction that ends the restore; and the lock by which a restore that is
//! still at work is told from one that was stopped.
//!
//! Knows nothing of jobs, nor how a marker is read.

use std::collections::HashSet;
use std::time::Duration;

use super::graph::Step;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::Server;
use crate::pg::ident;
use crate::pg::marker::{self, COLUMNS, DONE, DONE_COLUMNS, LATER_COLUMNS, Marker, SCHEMA, State};
use crate::pg::session::{Purpose, Session};

/// The two halves of the key of the lock that every session of a restore holds: "silv", "back".
const AT_WORK: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"back"));
/// The same for the moment in which a marker is set.
const SETTING: (i32, i32) = (i32::from_be_bytes(*b"silv"), i32::from_be_bytes(*b"mark"));

/// What a restore says of itself. The state is the table's; the schema's comment is a label for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The schema, unquoted.
    pub schema: String,
    /// The archive's identity.
    pub archive_id: String,
    /// The archive's name.
    pub archive_name: String,
    /// The archive's root, in hexadecimal.
    pub archive_root: String,
    /// See [`super::digest`].
    pub options_digest: String,
    /// The schemas that are filled, unquoted.
    pub schemas: Vec<String>,
    /// The target's `server_version`.
    pub server_version: String,
    /// When it begins, for people.
    pub now: String,
    /// The options that decide what is made, as they are typed.
    pub options: Vec<String>,
    /// Whether this restore has made the database.
    pub made_database: bool,
}

/// What a restore notes of its plan, so that another run makes the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// What the plan found in the target, see `found`.
    pub found: String,
    /// See [`super::job_key::Keys::digest`].
    pub plan_digest: String,
    /// How many pieces of work there are.
    pub planned: usize,
}

impl Noted {
    /// As SQL values, in the table's order.
    fn values(&self) -> [String; 3] {
        [ident::literal(&self.found), ident::literal(&self.plan_digest), self.planned.to_string()]
    }
}

impl Mark {
    /// The statements that set it, run in one transaction before anything else. A plan that is yet to be made is noted later.
    pub fn set(&self, noted: Option<&Noted>) -> Vec<Step> {
        let columns: Vec<String> = COLUMNS
            .iter()
            .chain(LATER_COLUMNS)
            .map(|(name, type_name, more)| format!("{name} {type_name} {more}").trim_end().to_owned())
            .collect();
        let noted = noted.map_or_else(|| ["NULL"; 3].map(str::to_owned), Noted::values);
        let values = [
            format!("{}::uuid", ident::literal(&self.archive_id)),
            ident::literal(&self.archive_name),
            ident::literal(&self.archive_root),
            ident::literal(&self.options_digest),
            ident::literal(State::NotReady.word()),
            "NULL".to_owned(),
            array(&self.schemas),
            ident::literal(env!("CARGO_PKG_VERSION")),
            ident::literal(&self.server_version),
            "pg_catalog.pg_postmaster_start_time()".to_owned(),
            "pg_catalog.now()".to_owned(),
            array(&self.options),
            self.made_database.to_string(),
        ];
        let values = values.into_iter().chain(noted).collect::<Vec<_>>();
        let (schema, table, done) = (ident::quote(&self.schema), self.table(), ident::qualified(&self.schema, DONE));
        let comment = format!("incomplete restore of {}", self.label());
        let sql = [
            format!("CREATE SCHEMA {schema}"),
            format!("COMMENT ON SCHEMA {schema} IS {}", ident::literal(&comment)),
            format!("CREATE TABLE {table} ({})", columns.join(", ")),
            format!("CREATE TABLE {done} ({DONE_COLUMNS})"),
            format!("GRANT USAGE ON SCHEMA {schema} TO PUBLIC"),
            format!("GRANT SELECT ON TABLE {table}, {done} TO PUBLIC"),
            format!("INSERT INTO {table} VALUES ({})", values.join(", ")),
        ];
        sql.into_iter().map(|sql| Step::new("mark the target as incomplete", sql)).collect()
    }

    /// The statements that note the plan where the marker stands already, before anything of it is done.
    pub fn note(&self, noted: &Noted) -> Vec<Step> {
        let [found, plan_digest, planned] = noted.values();
        let sql = format!("UPDATE {} SET found = {found}, plan_digest = {plan_digest}, planned = {planned}", self.table());
        vec![Step::new("note the plan", sql)]
    }

    /// The statements that report the database ready while jobs of this digest are left, run in one transaction.
    pub fn ready(&self, left: u64) -> Vec<Step> {
        let (schema, table) = (ident::quote(&self.schema), self.table());
        let comment = format!("usable, but indexes and the validation of foreign keys are missing: unfinished restore of {}", self.label());
        let (state, left) = (ident::literal(State::Ready.word()), ident::literal(&digest(left)));
        let sql = [
            format!("UPDATE {table} SET state = {state}, left_digest = {left}"),
            format!("COMMENT ON SCHEMA {schema} IS {}", ident::literal(&comment)),
        ];
        sql.into_iter().map(|sql| Step::new("mark the target as ready", sql)).collect()
    }

    /// The statements that take it away.
    pub fn remove(&self) -> Vec<Step> {
        remove(&self.schema)
    }

    fn table(&self) -> String {
        ident::qualified(&self.schema, "run")
    }

    fn label(&self) -> String {
        format!("{} ({}), begun {} by silverback {}", self.archive_name, self.archive_id, self.now, env!("CARGO_PKG_VERSION"))
    }
}

fn array(texts: &[String]) -> String {
    format!("ARRAY[{}]::text[]", texts.iter().map(|text| ident::literal(text)).collect::<Vec<_>>().join(", "))
}

/// A schema's name that neither the archive nor the target has.
pub(super) fn free_schema(taken: &HashSet<&str>) -> String {
    let numbered = (1_u64..).map(|number| format!("{SCHEMA}_{number}"));
    std::iter::once(SCHEMA.to_owned()).chain(numbered).find(|name| !taken.contains(name.as_str())).unwrap_or_default()
}

/// The statements that take a marker away, and nothing that somebody else put beside it.
pub fn remove(schema: &str) -> Vec<Step> {
    let sql = [
        // An older version's marker is without it.
        format!("DROP TABLE IF EXISTS {}", ident::qualified(schema, DONE)),
        format!("DROP TABLE {}", ident::qualified(schema, "run")),
        format!("DROP SCHEMA {}", ident::quote(schema)),
    ];
    sql.into_iter().map(|sql| Step::new("take the marker away", sql)).collect()
}

/// Whether the database was reported ready by a restore of this archive, of which some jobs are left.
pub fn is_finishing(marker: &Marker, archive_id: &str) -> bool {
    marker.is_ready() && marker.run.as_ref().is_some_and(|run| run.archive_id == archive_id)
}

/// Whether what was left to be done has this digest, see [`super::graph::Graph::rest_digest`].
pub fn leaves(marker: &Marker, left: u64) -> bool {
    marker.run.as_ref().is_some_and(|run| run.left_digest.as_deref() == Some(digest(left).as_str()))
}

fn digest(left: u64) -> String {
    format!("{left:016x}")
}

/// The expression by which a session shows, until it ends, that a restore is at work in its database.
pub fn show_at_work() -> String {
    let (class, object) = AT_WORK;
    format!("pg_catalog.pg_advisory_lock_shared({class}, {object})")
}

/// The server processes of other restores into this database. A process whose client was killed ends when it notices, so a little time is
/// given to it.
pub async fn others_at_work(session: &Session) -> Result<Vec<i32>> {
    let mut looks = 0;
    loop {
        let others = at_work_now(session).await?;
        looks += 1;
        if others.is_empty() || looks == LOOKS {
            return Ok(others);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// The same as it is at this moment.
pub(super) async fn at_work_now(session: &Session) -> Result<Vec<i32>> {
    let (class, object) = AT_WORK;
    let sql = format!(
        "SELECT pid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = {class} AND objid = {object} \
           AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) \
           AND pid <> pg_catalog.pg_backend_pid() ORDER BY pid"
    );
    let rows = session.query("look for another restore that is at work", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// The marker that an earlier restore left, if there is one.
pub async fn read(session: &Session) -> Result<Option<Marker>> {
    Ok(marker::read(session, false).await?.into_iter().next())
}

/// Looks in the transaction that sets a marker whether another restore has set one meanwhile, and keeps others from it until the end.
/// `known`: the schema of one that it takes away.
pub async fn check_alone(session: &Session, known: Option<&str>) -> Result<()> {
    let doing = "mark the target as incomplete";
    let (class, object) = SETTING;
    session.execute(doing, &format!("SELECT pg_catalog.pg_advisory_xact_lock({class}, {object})")).await?;
    match marker::read(session, true).await?.iter().find(|other| known != Some(other.schema.as_str())) {
        None => Ok(()),
        Some(other) => Err(Error::new(Kind::Requirement, doing, format!("the target holds {}", other.describe())).hint(JUST_BEGUN)),
    }
}

const JUST_BEGUN: &str = "another restore into this database has just begun";

/// Reads the marker once the session is gone whose last answer was lost: until then it may still do what it was told.
pub async fn read_after(server: &Server, backend_pid: i32) -> Result<Option<Marker>> {
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

/// The marker could not be set, and nothing was changed, unless only the answer was lost. Of two restores that begin at one moment, only one
/// can set it.
pub async fn not_set(error: Error, mark: Option<&Mark>, server: &Server, backend_pid: i32) -> Error {
    match error.sqlstate() {
        Some("42P06" | "23505") => return error.as_kind(Kind::Requirement).hint(JUST_BEGUN),
        // What an event trigger of the target says, for one.
        _ if error.kind() == Kind::Unexpected => return error.as_kind(Kind::Requirement),
        _ if error.kind() != Kind::Server => return error,
        _ => {}
    }
    match read_after(server, backend_pid).await {
        Ok(None) => error,
        Ok(Some(_)) => incomplete(error, mark, true),
        Err(_) => error.hint(format!("look whether schema {SCHEMA} marks the target as incomplete before the next restore")),
    }
}

/// An error of a restore that has begun, with the way out. `whole`: it makes the tables itself, so that `-c` can drop them.
pub fn incomplete(error: Error, mark: Option<&Mark>, whole: bool) -> Error {
    let schema = mark.map(|mark| ident::quote(&mark.schema));
    let way_out = match schema {
        Some(schema) if whole => {
            format!(
                "restore again with --resume, which goes on, or with -c, which begins anew; schema {schema} marks the target as incomplete"
            )
        }
        Some(schema) => format!(
            "restore again with --resume, which goes on; or empty the tables, drop schema {schema}, which marks the target as incomplete, and begin anew"
        ),
        None => "nothing marks the target as incomplete: empty the tables that hold rows now, and restore again".to_owned(),
    };
    with_way_out(error, &way_out)
}

/// An error of a restore that had reported the database ready: nothing is lost, and the same command makes what is missing.
pub fn unfinished(error: Error, mark: Option<&Mark>) -> Error {
    let schema = mark.map_or_else(|| SCHEMA.to_owned(), |mark| ident::quote(&mark.schema));
    let way_out = format!(
        "the database may be used, but indexes and the validation of foreign keys are missing (schema {schema} says so): \
         restore again with --resume, which makes what is missing"
    );
    with_way_out(error, &way_out)
}

fn with_way_out(error: Error, way_out: &str) -> Error {
    let hint = match error.hint_text() {
        Some(hint) => format!("{hint}; {way_out}"),
        None => way_out.to_owned(),
    };
    error.as_kind(Kind::Incomplete).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_of_that_name_is_left_to_its_owner() {
        assert_eq!(free_schema(&HashSet::new()), "silverback_restore");
        assert_eq!(free_schema(&["silverback_restore", "silverback_restore_1"].into()), "silverback_restore_2");
    }
}
