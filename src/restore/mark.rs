//! The marker that a restore sets, as statements and as words of its errors: made first, and
//! dropped in the transaction that ends the restore.
//!
//! Pure: knows nothing of jobs, nor how a marker is read.

use std::collections::HashSet;

use super::others::held::Taken;
use super::step::Step;
use crate::error::{Error, Kind};
use crate::pg::marker::{COLUMNS, DONE, DONE_COLUMNS, LATER_COLUMNS, Marker, SCHEMA, State};
use crate::sql::ident;

/// What a restore says of itself. The state is the table's; the schema's comment is a label for
/// people.
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
    /// See [`super::resume::options_digest`].
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
    /// The connection limit that is set meanwhile, and is given back with the marker.
    pub taken: Option<Taken>,
    /// Whether it makes a copy beside the live objects, and leaves these alone.
    pub stages: bool,
}

/// What a restore notes of its plan, so that another run makes the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// What the plan found in the target, see `found`.
    pub found: String,
    /// See [`super::resume::job_key::Keys::digest`].
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
    /// The statements that set it, run in one transaction before anything else. A plan that is yet
    /// to be made is noted later.
    pub fn set(&self, noted: Option<&Noted>) -> Vec<Step> {
        let old = self.taken.as_ref().map(|taken| taken.old);
        self.make(State::NotReady, "incomplete restore", noted, old)
    }

    /// The statements that set one which says only which connection limit the database had: nothing
    /// has begun.
    pub fn set_before(&self, old_limit: i32) -> Vec<Step> {
        let words = "connection limit, which silverback unlock gives back, of before a restore";
        self.make(State::NotBegun, words, None, Some(old_limit))
    }

    fn make(
        &self,
        state: State,
        words: &str,
        noted: Option<&Noted>,
        old_limit: Option<i32>,
    ) -> Vec<Step> {
        let columns: Vec<String> = COLUMNS
            .iter()
            .chain(LATER_COLUMNS)
            .map(|(name, type_name, more)| {
                format!("{name} {type_name} {more}").trim_end().to_owned()
            })
            .collect();
        let noted = noted.map_or_else(|| ["NULL"; 3].map(str::to_owned), Noted::values);
        let values = [
            format!("{}::uuid", ident::literal(&self.archive_id)),
            ident::literal(&self.archive_name),
            ident::literal(&self.archive_root),
            ident::literal(&self.options_digest),
            ident::literal(state.word()),
            "NULL".to_owned(),
            array(&self.schemas),
            ident::literal(env!("CARGO_PKG_VERSION")),
            ident::literal(&self.server_version),
            "pg_catalog.pg_postmaster_start_time()".to_owned(),
            "pg_catalog.now()".to_owned(),
            array(&self.options),
            self.made_database.to_string(),
        ];
        let old_limit = old_limit.map_or_else(|| "NULL".to_owned(), |limit| limit.to_string());
        let values = values.into_iter().chain(noted).chain([old_limit]).collect::<Vec<_>>();
        let (schema, table, done) =
            (ident::quote(&self.schema), self.table(), ident::qualified(&self.schema, DONE));
        let comment = format!("{words} of {}", self.label());
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

    /// The statement that says whether what is to make room is still being dropped.
    pub fn dropping(&self, is_dropping: bool) -> Step {
        let state = if is_dropping { State::Dropping } else { State::NotReady };
        let sql = format!("UPDATE {} SET state = {}", self.table(), ident::literal(state.word()));
        Step::new("mark the target as incomplete", sql)
    }

    /// The statements that note the plan where the marker stands already, before anything of it is
    /// done.
    pub fn note(&self, noted: &Noted) -> Vec<Step> {
        let [found, plan_digest, planned] = noted.values();
        let sql = format!(
            "UPDATE {} SET found = {found}, plan_digest = {plan_digest}, planned = {planned}",
            self.table()
        );
        vec![Step::new("note the plan", sql)]
    }

    /// The statements that report the database ready while jobs of this digest are left, run in one
    /// transaction.
    pub fn ready(&self, left: u64) -> Vec<Step> {
        let (schema, table) = (ident::quote(&self.schema), self.table());
        let comment = format!(
            "usable, but indexes and the validation of foreign keys are missing: unfinished \
             restore of {}",
            self.label()
        );
        let (state, left) = (ident::literal(State::Ready.word()), ident::literal(&digest(left)));
        let limit = if self.taken.is_some() { ", connection_limit = NULL" } else { "" };
        let sql = [
            format!("UPDATE {table} SET state = {state}, left_digest = {left}{limit}"),
            format!("COMMENT ON SCHEMA {schema} IS {}", ident::literal(&comment)),
        ];
        let marks = sql.into_iter().map(|sql| Step::new("mark the target as ready", sql));
        marks.chain(self.give_back()).collect()
    }

    /// The statements that take it away.
    pub fn remove(&self) -> Vec<Step> {
        remove(&self.schema).into_iter().chain(self.give_back()).collect()
    }

    fn give_back(&self) -> Option<Step> {
        self.taken.as_ref().map(|taken| connection_limit(&taken.database, taken.old))
    }

    fn table(&self) -> String {
        ident::qualified(&self.schema, "run")
    }

    fn label(&self) -> String {
        format!(
            "{} ({}), begun {} by silverback {}",
            self.archive_name,
            self.archive_id,
            self.now,
            env!("CARGO_PKG_VERSION")
        )
    }
}

fn array(texts: &[String]) -> String {
    format!(
        "ARRAY[{}]::text[]",
        texts.iter().map(|text| ident::literal(text)).collect::<Vec<_>>().join(", ")
    )
}

/// A schema's name that neither the archive nor the target has.
pub(super) fn free_schema(taken: &HashSet<&str>) -> String {
    let numbered = (1_u64..).map(|number| format!("{SCHEMA}_{number}"));
    std::iter::once(SCHEMA.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name.as_str()))
        .unwrap_or_default()
}

/// The statement that sets the connection limit of a database; -1 lets everybody in.
pub(super) fn connection_limit(database: &str, limit: i32) -> Step {
    let name = ident::quote(database);
    let sql = format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}");
    Step::new(format!("set the connection limit of database {name}"), sql)
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

/// Whether the marker says that a restore of this archive reported the database ready, of which
/// some jobs are left.
pub fn is_finishing(marker: &Marker, archive_id: &str) -> bool {
    marker.is_ready() && marker.run.as_ref().is_some_and(|run| run.archive_id == archive_id)
}

/// Whether the marker says that what was left to be done has this digest, see
/// [`super::plan::graph::Graph::rest_digest`].
pub fn leaves(marker: &Marker, left: u64) -> bool {
    marker.run.as_ref().is_some_and(|run| run.left_digest.as_deref() == Some(digest(left).as_str()))
}

fn digest(left: u64) -> String {
    format!("{left:016x}")
}

/// What a restore makes, as far as it matters where it was left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The tables themselves, so that `-c` can drop them.
    Whole,
    /// Rows of tables that stood.
    Rows,
    /// What comes after rows, which it has not brought.
    AfterRows,
    /// Single objects that were asked for by name, in what may be in use.
    Named,
}

/// An error of a restore that has set its marker, with the way out.
pub fn incomplete(error: Error, mark: Option<&Mark>, extent: Extent) -> Error {
    if extent == Extent::Named {
        return named(error);
    }
    if mark.is_some_and(|mark| mark.stages) {
        return with_way_out(error, STAGE_LEFT);
    }
    let schema = mark.map(|mark| ident::quote(&mark.schema));
    let way_out = match schema {
        Some(schema) if extent == Extent::Whole => {
            format!(
                "restore again with --resume, which goes on, or with -c, which begins anew; schema \
                 {schema} marks the target as incomplete"
            )
        }
        Some(schema) if extent == Extent::AfterRows => format!(
            "restore again with --resume, which goes on; schema {schema} marks the target as \
             incomplete"
        ),
        Some(schema) => format!(
            "restore again with --resume, which goes on; or empty the tables, drop schema \
             {schema}, which marks the target as incomplete, and begin anew"
        ),
        None => "nothing marks the target as incomplete: empty the tables that hold rows now, and \
            restore again"
            .to_owned(),
    };
    with_way_out(error, &way_out)
}

/// The same of what nothing marks: a lock that was given up is no more than that.
fn named(error: Error) -> Error {
    const WAY_OUT: &str = "of what was asked for by name, something is missing; all else is as it \
        was: run the same command again, with -c --if-exists if a part of it stands";
    if error.kind() == Kind::Consistency {
        let hint = error.hint_text().map_or_else(String::new, |hint| format!("{hint}; "));
        return error.hint(format!("{hint}{WAY_OUT}"));
    }
    with_way_out(error, WAY_OUT)
}

/// What to do about a copy that was begun and is not complete.
pub const STAGE_LEFT: &str = "the live objects are untouched: stage again with --resume, which \
    goes on, or drop the unfinished copy with silverback swap --drop-old";

/// An error of a restore whose marker says ready, with the way out: nothing is lost, and the same
/// command makes what is missing.
pub fn unfinished(error: Error, mark: Option<&Mark>) -> Error {
    let schema = mark.map_or_else(|| SCHEMA.to_owned(), |mark| ident::quote(&mark.schema));
    let way_out = format!(
        "the database may be used, but indexes and the validation of foreign keys are missing \
         (schema {schema} says so): \
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
        assert_eq!(
            free_schema(&["silverback_restore", "silverback_restore_1"].into()),
            "silverback_restore_2"
        );
    }

    #[test]
    fn a_limit_is_set_to_a_database_of_any_name() {
        let step = connection_limit("a \"b", 5);
        assert_eq!(step.sql, "ALTER DATABASE \"a \"\"b\" CONNECTION LIMIT 5");
    }
}
