//! The transaction: the copy becomes what the live database is, and both get their new names.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Plan, Renamed, properties, sessions};
use crate::error::{Error, Kind, Result};
use crate::pg::catalog;
use crate::pg::session::Session;
use crate::progress::Progress;
use crate::restore::step::Step;
use crate::sql::ident;
use crate::sqlstate;
use crate::swap::attempts::Attempts;
use crate::swap::options::Options;

const DOING: &str = "exchange the databases";

/// The databases of these names, by what they are known whatever they are called.
pub(super) async fn oids(session: &Session, names: &[&str]) -> Result<Vec<Option<u32>>> {
    let values: Vec<String> = names.iter().map(|name| ident::literal(name)).collect();
    let sql = format!(
        "SELECT d.oid FROM pg_catalog.unnest(ARRAY[{}]::text[]) WITH ORDINALITY n(name, place) \
         LEFT JOIN pg_catalog.pg_database d ON d.datname = n.name ORDER BY n.place",
        values.join(", ")
    );
    let rows = session.query("look for the databases", &sql).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

/// Makes the copy what the live database is, and takes that back: what it takes, and what of it may
/// not be done.
pub(super) async fn rehearse(
    stand: &Session,
    plan: &Plan,
    role: Option<&str>,
) -> Result<(Vec<Step>, Vec<String>)> {
    let Renamed { from: live, .. } = &plan.live;
    let Renamed { from: copy, .. } = &plan.copy;
    let wanted = catalog::database_as(stand, live, copy).await?;
    let has = catalog::database_as(stand, copy, copy).await?;
    let steps = properties::steps(&wanted, &has, role);
    if steps.is_empty() {
        return Ok((steps, properties::locale(&wanted, &has).into_iter().collect()));
    }
    stand.execute(DOING, "BEGIN").await?;
    let done = make_alike(stand, live, copy, role).await;
    stand.execute(DOING, "ROLLBACK").await?;
    match done {
        Ok(()) => Ok((steps, Vec::new())),
        Err(error) if error.kind() == Kind::Server => Err(error),
        Err(error) if error.items().is_empty() => Ok((steps, vec![error.to_string()])),
        Err(error) => Ok((steps, error.items().to_vec())),
    }
}

/// In a transaction: sets of the copy what differs, and looks whether it is alike then. Some of it
/// a server leaves as it is without a word where the role may not change it.
async fn make_alike(stand: &Session, live: &str, copy: &str, role: Option<&str>) -> Result<()> {
    let wanted = catalog::database_as(stand, live, copy).await?;
    let has = catalog::database_as(stand, copy, copy).await?;
    let steps = properties::steps(&wanted, &has, role);
    for step in &steps {
        stand.execute(&step.doing, &step.sql).await?;
    }
    let has = if steps.is_empty() { has } else { catalog::database_as(stand, copy, copy).await? };
    let differences = properties::differences(&wanted, &has);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Error::new(Kind::Requirement, DOING, "the copy cannot be made what the live database is:")
        .with_items(differences))
}

/// Exchanges; gives up after the retries, the live database untouched. `own`: the processes of our
/// sessions that were in the databases.
pub(super) async fn exchange(
    stand: &Session,
    ender: &Session,
    plan: &Plan,
    own: &[i32],
    options: &Options,
    progress: &dyn Progress,
) -> Result<()> {
    let mut attempts = Attempts::new(options.retries);
    loop {
        let Err(error) = attempt_once(stand, ender, plan, own, options).await else {
            return Ok(());
        };
        // The first error is the one that is told.
        let _ = stand.execute("roll back", "ROLLBACK").await;
        let is_held = matches!(
            error.sqlstate(),
            Some(sqlstate::LOCK_NOT_AVAILABLE | sqlstate::OBJECT_IN_USE)
        );
        if !is_held {
            return Err(explain(error));
        }
        let error = if error.sqlstate() == Some(sqlstate::OBJECT_IN_USE) {
            held(ender, plan, own, error).await
        } else {
            error
        };
        let hint = "nothing was changed; end these sessions, or raise --retries";
        attempts.failed(error, hint, progress).await?;
    }
}

/// The error, with who is connected still.
async fn held(session: &Session, plan: &Plan, own: &[i32], error: Error) -> Error {
    let others = sessions::others(session, &[plan.live.oid, plan.copy.oid], own).await;
    let others: Vec<String> = others.unwrap_or_default().iter().map(ToString::to_string).collect();
    if others.is_empty() {
        return error;
    }
    let cause = format!("{}: {}", error.cause(), others.join(", "));
    Error::new(error.kind(), error.doing(), cause)
}

/// The error with what it leaves.
pub(super) fn explain(error: Error) -> Error {
    match error.kind() {
        Kind::Server => error.hint("silverback swap --status tells which copy is live"),
        Kind::Unexpected => error.as_kind(Kind::Requirement).hint("nothing was changed"),
        _ => error,
    }
}

async fn attempt_once(
    stand: &Session,
    ender: &Session,
    plan: &Plan,
    own: &[i32],
    options: &Options,
) -> Result<()> {
    // Whoever may not be ended would only keep everybody else out meanwhile.
    let others = sessions::others(ender, &[plan.live.oid, plan.copy.oid], own).await?;
    if others.iter().any(|other| !other.may_end) {
        let cause = "sessions are connected that this role may not end";
        return Err(
            Error::new(Kind::Consistency, DOING, cause).with_sqlstate(sqlstate::OBJECT_IN_USE)
        );
    }
    stand.execute(DOING, "BEGIN").await?;
    let wait = options.lock_wait_timeout.as_millis();
    stand.execute(DOING, &format!("SET LOCAL lock_timeout = {wait}")).await?;
    let (live, copy) = (&plan.live, &plan.copy);
    expect_names(stand, [(live, &live.from), (copy, &copy.from)]).await?;
    make_alike(stand, &live.from, &copy.from, options.role()).await?;
    let is_over = AtomicBool::new(false);
    let renaming = async {
        let done = rename_both(stand, plan).await;
        is_over.store(true, Ordering::Relaxed);
        done
    };
    // It has ended when the names are there: whoever comes then is not ended.
    let ending = sessions::end_all(ender, live.oid, copy.oid, stand.backend_pid(), &is_over);
    tokio::join!(renaming, ending).0?;
    // Somebody else's swap may have changed the names while the lock was waited for.
    expect_names(stand, [(live, &live.to), (copy, &copy.to)]).await?;
    stand.execute(DOING, "COMMIT").await.map(drop)
}

/// Waits until nobody is in the one, then in the other.
async fn rename_both(stand: &Session, plan: &Plan) -> Result<()> {
    for step in [plan.live.step(), plan.copy.step()] {
        stand.execute(&step.doing, &step.sql).await?;
    }
    Ok(())
}

async fn expect_names(stand: &Session, names: [(&Renamed, &String); 2]) -> Result<()> {
    let found = oids(stand, &names.map(|(_, name)| name.as_str())).await?;
    if found == names.map(|(database, _)| Some(database.oid)) {
        return Ok(());
    }
    let cause = "the databases were renamed meanwhile";
    Err(Error::new(Kind::Consistency, DOING, cause).hint("silverback swap --status tells more"))
}
