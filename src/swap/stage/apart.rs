//! A copy in a database of its own: the database is made first, like the live one but for what only
//! the swap sets, and bears a row of its own.
//!
//! Does not know how a database is made.

use crate::archive::manifest::{Detail, Object};
use crate::error::Result;
use crate::pg::catalog;
use crate::pg::session::Session;
use crate::pg::swap_state::State;
use crate::restore::staged::Staged;
use crate::restore::step::Step;
use crate::restore::{self, Into};
use crate::swap::note;

/// Makes of the options those of such a stage. `state`: but for what the two databases say
/// otherwise; `is_begun`: it goes on with one that was stopped.
pub(super) async fn set(
    options: &mut restore::Options,
    session: &Session,
    state: State,
    name: &str,
    is_begun: bool,
) -> Result<()> {
    let live = catalog::database_as(session, &state.live_database, name).await?;
    let of_live = State { away_database: Some(name.to_owned()), ..state.clone() };
    let of_copy = State { is_new: true, ..state };
    options.into = Into::New;
    options.staged = Some(Staged {
        database: Some(Box::new(fresh(live))),
        before: if is_begun { Vec::new() } else { in_one_transaction(note::make(&of_live)) },
        note: note::make(&of_copy),
        complete: vec![note::complete()],
        ..Staged::default()
    });
    Ok(())
}

/// What decides how the rows lie and who may connect; settings and the like may be another's to
/// set, and are needed once it is live.
fn fresh(live: Object) -> Object {
    let detail = match live.detail {
        Detail::Database {
            locale_provider, encoding, collate, ctype, locale, icu_rules, ..
        } => Detail::Database {
            locale_provider,
            encoding,
            collate,
            ctype,
            locale,
            icu_rules,
            connection_limit: -1,
            is_template: false,
        },
        other => other,
    };
    Object {
        statements: live.statements.into_iter().take(1).collect(),
        roles: Vec::new(),
        comments: Vec::new(),
        security_labels: Vec::new(),
        detail,
        ..live
    }
}

fn in_one_transaction(steps: Vec<Step>) -> Vec<Step> {
    let step = |sql: &str| Step::new("note the staged copy", sql);
    std::iter::once(step("BEGIN")).chain(steps).chain([step("COMMIT")]).collect()
}
