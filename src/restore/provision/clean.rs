//! Room for what the archive holds (`--clean`): objects are dropped, all or none, and everything
//! else stays, unless it is of an unfinished restore that is begun anew.
//!
//! Does not know what is made afterwards.

use std::collections::HashSet;

use crate::restore::mark::{self, Extent, Mark};
use crate::restore::run::script::in_order;
use crate::restore::step::Step;
use crate::restore::target::{self, Target, marker};

use super::drops::Drop;
use crate::archive::manifest::ObjectId;
use crate::error::{Error, Kind, Result};
use crate::pg::marker::Run;
use crate::pg::session::Session;
use crate::profile::Fresh;
use crate::sql::ident;
use crate::sqlstate;

/// How one attempt ended.
enum Outcome {
    Gone,
    Missing,
    Needed(Error),
    /// Something of another kind has the name.
    OtherKind(Error),
    Failed(Error),
}

/// A restore that was left undone and is begun anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::restore) struct Anew {
    /// The schema of its marker, unquoted.
    pub(in crate::restore) schema: String,
    /// Where nothing of it may stay, unquoted; none is everywhere.
    filled: Option<Vec<String>>,
    /// Whether this restore drops all that it has made.
    is_same: bool,
    what: String,
}

impl Anew {
    /// Takes the marker of an unfinished restore from a target that is to be cleaned. `same`: this
    /// restore makes what that one was to make.
    pub(in crate::restore) fn of(target: &mut Target, same: impl Fn(&Run) -> bool) -> Option<Self> {
        let marker = target.marker.take_if(|marker| !marker.is_ready())?;
        target.schemas.remove(&marker.schema);
        let is_same = marker.run.as_ref().is_some_and(same);
        let what = marker.describe();
        Some(Self {
            schema: marker.schema,
            filled: marker.run.map(|run| run.schemas).filter(|schemas| !schemas.is_empty()),
            is_same,
            what,
        })
    }

    /// Refuses to begin an unfinished restore anew if something would stay that it may have made.
    async fn check_left(&self, session: &Session) -> Result<()> {
        if self.is_same {
            return Ok(());
        }
        let literals = |schemas: &[String]| {
            schemas.iter().map(|schema| ident::literal(schema)).collect::<Vec<_>>().join(", ")
        };
        let filled = self.filled.as_ref().map_or_else(
            || "true".to_owned(),
            |schemas| format!("nspname IN ({})", literals(schemas)),
        );
        let among = format!("{filled} AND nspname <> {}", ident::literal(&self.schema));
        let (named, count) = target::occupied(session, &among).await?;
        if count == 0 {
            return Ok(());
        }
        let more = if count > named.len() as u64 { ", …" } else { "" };
        let cause = format!(
            "the target holds {}; {count} objects would stay of it: {}{more}",
            self.what,
            named.join(", ")
        );
        Err(Error::new(Kind::Requirement, "drop what the archive holds", cause).hint(
            "restore the archive of the first time with its options, or drop these objects first",
        ))
    }
}

/// What is dropped, and what comes with it.
#[derive(Clone, Copy, Debug)]
pub(in crate::restore) struct Cleaning<'a> {
    /// What is dropped. What others of the list still need is tried again when these are gone.
    pub(in crate::restore) drops: &'a [Drop],
    /// The restore that this one begins anew.
    pub(in crate::restore) anew: Option<&'a Anew>,
    /// What must be unused.
    pub(in crate::restore) fresh: Option<&'a Fresh>,
    /// The statements that set the mark.
    pub(in crate::restore) begin: &'a [Step],
    /// The mark.
    pub(in crate::restore) mark: Option<&'a Mark>,
    /// See [`batch`].
    pub(in crate::restore) batch: Option<usize>,
}

/// How many things are dropped in one transaction, if not all: of the server's lock table, no more
/// than half is taken.
pub(in crate::restore) fn batch(drops: usize, locks: u64, lock_table: u64) -> Option<usize> {
    let room = lock_table / 2;
    (locks > room).then(|| usize::try_from(room * drops as u64 / locks).unwrap_or(drops).max(1))
}

/// Drops everything and sets the mark, all or nothing; in batches the mark is set first, and says
/// that something is being dropped until all is gone.
pub(in crate::restore) async fn run(
    session: &Session,
    target: &Target,
    cleaning: &Cleaning<'_>,
) -> Result<()> {
    // The mark must be on the server's disk before anything that it speaks of.
    session.execute("wait for the server's disk", "SET synchronous_commit = on").await?;
    let nothing_changed = |error: Error| {
        let error = target.explain(error);
        let hint = error.hint_text().map_or_else(String::new, |hint| format!("{hint}; "));
        let kind = if error.kind() == Kind::Unexpected { Kind::Requirement } else { error.kind() };
        error.as_kind(kind).hint(format!("{hint}nothing was changed"))
    };
    let Some((_, mark)) = cleaning.batch.zip(cleaning.mark) else {
        let all = transaction(session, drop_all(session, cleaning)).await;
        return all.map_err(nothing_changed);
    };
    transaction(session, mark_first(session, cleaning, mark)).await.map_err(nothing_changed)?;
    let all = transaction(session, drop_in_batches(session, cleaning, mark)).await;
    all.map_err(|error| mark::incomplete(target.explain(error), Some(mark), Extent::Whole))
}

/// Commits what was done, or undoes it.
async fn transaction(session: &Session, work: impl Future<Output = Result<()>>) -> Result<()> {
    session.execute("begin a transaction", "BEGIN").await?;
    let done = work.await;
    if done.is_err() {
        // The first error is the one that is told.
        let _ = session.execute("roll back", "ROLLBACK").await;
        return done;
    }
    session.execute("commit", "COMMIT").await.map(drop)
}

async fn drop_all(session: &Session, cleaning: &Cleaning<'_>) -> Result<()> {
    marker::check_alone(session, cleaning.anew.map(|anew| anew.schema.as_str())).await?;
    if let Some(fresh) = cleaning.fresh {
        check_unused(session, fresh).await?;
    }
    drop_each(session, cleaning.drops, None).await?;
    if let Some(anew) = cleaning.anew {
        anew.check_left(session).await?;
    }
    in_order(session, cleaning.begin).await
}

async fn mark_first(session: &Session, cleaning: &Cleaning<'_>, mark: &Mark) -> Result<()> {
    marker::check_alone(session, cleaning.anew.map(|anew| anew.schema.as_str())).await?;
    in_order(session, cleaning.begin).await?;
    in_order(session, &[mark.dropping(true)]).await
}

async fn drop_in_batches(session: &Session, cleaning: &Cleaning<'_>, mark: &Mark) -> Result<()> {
    drop_each(session, cleaning.drops, cleaning.batch).await?;
    if let Some(anew) = cleaning.anew {
        anew.check_left(session).await?;
    }
    in_order(session, &[mark.dropping(false)]).await
}

/// Demands that nobody has used what is dropped, once nobody can any more.
async fn check_unused(session: &Session, fresh: &Fresh) -> Result<()> {
    let doing = "look whether somebody has used what is dropped";
    let tables: Vec<String> =
        fresh.tables.iter().map(|table| ident::qualified(&fresh.schema, table)).collect();
    if !tables.is_empty() {
        let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "));
        session.execute(doing, &lock).await?;
    }
    let rows = session.query(doing, &fresh.used).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    Err(Error::new(Kind::Requirement, doing, "somebody has, a moment ago").with_items(found))
}

const NEEDED: &str = "what is not in the archive needs it: drop that first, or leave it out of the \
    restore";

/// `batch`: after how many a transaction is committed and another begun.
async fn drop_each(session: &Session, drops: &[Drop], batch: Option<usize>) -> Result<()> {
    let mut gone = 0;
    let mut pending: Vec<&Drop> = drops.iter().collect();
    let mut first = true;
    loop {
        let before = pending.len();
        let still: HashSet<ObjectId> = pending.iter().map(|drop| drop.object).collect();
        let mut left: Vec<&Drop> = Vec::new();
        let mut needed = None;
        for drop in pending {
            match drop.breaks {
                Some(_) if first => {
                    left.push(drop);
                    continue;
                }
                Some(view) if !still.contains(&view) => continue,
                _ => {}
            }
            match attempt(session, &drop.step).await? {
                Outcome::Gone => {
                    gone += 1;
                    if batch.is_some_and(|batch| gone % batch == 0) {
                        session.execute("commit", "COMMIT").await?;
                        session.execute("begin a transaction", "BEGIN").await?;
                    }
                }
                // Later it may have gone with something else.
                Outcome::Missing if drop.part || !first => {}
                Outcome::Missing => return Err(missing(drop)),
                Outcome::Needed(_) | Outcome::OtherKind(_) | Outcome::Failed(_)
                    if drop.part || drop.may_stay =>
                {
                    left.push(drop);
                }
                Outcome::Needed(error) => {
                    needed.get_or_insert(error.hint(NEEDED));
                    left.push(drop);
                }
                // It may go later, as what another version has made.
                Outcome::OtherKind(error) => {
                    needed.get_or_insert(error);
                    left.push(drop);
                }
                Outcome::Failed(error) => return Err(error),
            }
        }
        if left.len() == before && !first {
            if drop_shells(session, &left).await? {
                pending = left;
                continue;
            }
            drop_base_types(session, &mut left).await?;
        }
        if left.is_empty() || (left.len() == before && !first) {
            if let Some(error) = needed {
                return Err(error);
            }
            return Ok(());
        }
        (pending, first) = (left, false);
    }
}

/// Drops operators that were only ever named as another's commutator or negator: they outlive it,
/// stand for nothing, and keep their operands' types from going. Says whether there were any.
async fn drop_shells(session: &Session, left: &[&Drop]) -> Result<bool> {
    let mut found = false;
    for drop in left {
        let words = |kind: &&str| {
            drop.step
                .sql
                .strip_prefix(*kind)
                .map(|rest| rest.strip_prefix("IF EXISTS ").unwrap_or(rest))
        };
        let Some(name) = ["DROP TYPE ", "DROP DOMAIN ", "DROP TABLE "].iter().find_map(words)
        else {
            continue;
        };
        let sql = format!(
            "SELECT pg_catalog.format('DROP OPERATOR %I.%s (%s, %s)', n.nspname, o.oprname, \
               CASE o.oprleft WHEN 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END, \
               pg_catalog.format_type(o.oprright, NULL)) \
             FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = \
             o.oprnamespace \
             JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype({}) \
             WHERE o.oprcode = 0 AND (o.oprleft IN (t.oid, t.typarray) OR o.oprright IN (t.oid, \
             t.typarray)) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator u WHERE o.oid IN (u.oprcom, \
             u.oprnegate) AND u.oprcode <> 0)",
            ident::literal(name)
        );
        for row in session.query(&drop.step.doing, &sql).await? {
            let step = Step::new(&drop.step.doing, row.get::<_, String>(0)?);
            found |= matches!(attempt(session, &step).await?, Outcome::Gone);
        }
    }
    Ok(found)
}

/// Drops what `-c` could not for a circle: a base type and its functions need each other, and so do
/// a range and its canonical function. Whatever else needs the type, its arrays or its multirange
/// keeps it.
async fn drop_base_types(session: &Session, left: &mut Vec<&Drop>) -> Result<()> {
    // Multiranges came with 14.
    let multirange = if session.version() >= 140_000 { "r.rngmultitypid" } else { "0::oid" };
    let mut at = 0;
    while let Some(drop) = left.get(at).copied() {
        at += 1;
        let Some(name) = &drop.base_type else { continue };
        let sql = format!(
            "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r \
             ON r.rngtypid = t.oid \
             LEFT JOIN pg_catalog.pg_type m ON m.oid = {multirange} \
             JOIN pg_catalog.pg_depend d ON d.refobjid IN (t.oid, t.typarray, m.oid, m.typarray) \
             WHERE t.oid = pg_catalog.to_regtype({}) AND d.refclassid = \
             'pg_catalog.pg_type'::pg_catalog.regclass AND d.deptype <> 'i' \
             AND NOT (d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass \
               AND d.objid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, \
               t.typmodout, t.typanalyze, r.rngcanonical)) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend i WHERE i.deptype = 'i' AND \
             (i.classid, i.objid) = (d.classid, d.objid) \
               AND i.refclassid = d.refclassid AND i.refobjid IN (t.oid, m.oid)))",
            ident::literal(name)
        );
        let is_alone: bool = session.query_one(&drop.step.doing, &sql).await?.get(0)?;
        let step = Step::new(&drop.step.doing, format!("{} CASCADE", drop.step.sql));
        if is_alone && matches!(attempt(session, &step).await?, Outcome::Gone) {
            at -= 1;
            left.remove(at);
        }
    }
    Ok(())
}

fn missing(drop: &Drop) -> Error {
    Error::new(Kind::Requirement, &drop.step.doing, "it does not exist")
        .hint("--if-exists drops only what is there")
}

async fn attempt(session: &Session, step: &Step) -> Result<Outcome> {
    // Polled together they travel together: one round trip.
    let (begun, dropped, released) = tokio::join!(
        session.execute(&step.doing, "SAVEPOINT drop_one"),
        session.execute(&step.doing, &step.sql),
        session.execute(&step.doing, "RELEASE SAVEPOINT drop_one"),
    );
    begun?;
    let error = match dropped {
        Ok(_) => return released.map(|_| Outcome::Gone),
        Err(error) if error.kind() == Kind::Server => return Err(error),
        Err(error) => error,
    };
    session.execute(&step.doing, "ROLLBACK TO SAVEPOINT drop_one").await?;
    Ok(match error.sqlstate() {
        Some(sqlstate::DEPENDENT_OBJECTS_STILL_EXIST) => Outcome::Needed(error),
        Some(sqlstate::WRONG_OBJECT_TYPE) => Outcome::OtherKind(error),
        Some(code) if sqlstate::is_of_what_is_missing(code) => Outcome::Missing,
        _ => Outcome::Failed(error),
    })
}
