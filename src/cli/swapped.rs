//! What a swap would do, has done, and has left, in words and for machines.

use std::fmt::Write as _;

use serde_json::json;

use crate::pg::swap_state::{Phase, State, Way};
use crate::sql::ident;
use crate::swap::{Exchange, Plan};

/// What was exchanged, in words and for machines.
pub(super) fn exchanged(plan: &Plan) -> (String, serde_json::Value) {
    match plan {
        Plan::InPlace(plan) => {
            let (live, away) = (plan.sets.live.len(), plan.sets.away.len());
            let schemas: Vec<String> =
                plan.away.iter().map(|pair| ident::quote(&pair.away)).collect();
            let said = format!(
                "exchanged: {away} objects are live now, {live} are kept in schema {}",
                schemas.join(", ")
            );
            (said, json!({ "live": away, "away": live, "away_schemas": schemas }))
        }
        Plan::ByDatabase(plan) => {
            let (live, away) = (ident::quote(&plan.copy.to), ident::quote(&plan.live.to));
            let said = format!(
                "exchanged: what was database {} is {live} now, what was live before is database \
                 {away}",
                ident::quote(&plan.copy.from)
            );
            (said, json!({ "live_database": plan.copy.to, "away_database": plan.live.to }))
        }
    }
}

/// What would be exchanged, and what prevents it, as SQL with comments.
pub(super) fn plan_text(exchange: &Exchange) -> String {
    let Exchange { state, plan, written } = exchange;
    let mut text = format!("-- {}, one transaction\n", state.way.word());
    match plan {
        Plan::InPlace(plan) => {
            for name in &plan.sets.unasked {
                let _ = writeln!(text, "-- moves away because of --clean=schemas: {name}");
            }
            for step in plan.moves.iter().chain(&plan.raises) {
                let _ = writeln!(text, "{};", step.sql);
            }
        }
        Plan::ByDatabase(plan) => {
            let renames = [plan.live.step(), plan.copy.step()];
            for step in plan.properties.iter().chain(&renames) {
                let _ = writeln!(text, "{};", step.sql);
            }
            let copy = ident::quote(&plan.copy.from);
            for step in &plan.raises {
                let _ = writeln!(text, "-- before, in database {copy}: {}", step.sql);
            }
            let _ = writeln!(
                text,
                "-- every session of both databases is ended, also in a transaction"
            );
            for session in &plan.ended {
                let _ = writeln!(text, "-- is ended: {session}");
            }
        }
    }
    for finding in plan.findings() {
        let _ = writeln!(text, "-- problem: {finding}");
    }
    if let Some(written) = written {
        let _ = writeln!(text, "-- inserted or updated since: {}", written.written);
    }
    text
}

/// What is staged, and which copy is live, as lines.
pub(super) fn as_text(state: &State, database: &str) -> String {
    let (what, next) = match state.phase {
        Phase::Staging => (
            "a staged copy is not complete, and not live",
            "restore --stage --resume goes on, swap --drop-old drops it",
        ),
        Phase::Staged => (
            "a staged copy is complete, and not live",
            "swap makes it live, swap --drop-old drops it",
        ),
        Phase::Swapped => (
            "the staged copy is live",
            "swap --back exchanges again, swap --drop-old drops what was live before",
        ),
    };
    let mut text = format!("database {database}: {what}\n");
    let (by, at) = &state.staged;
    let _ = writeln!(text, "  archive     {} ({})", state.archive_name, state.archive_id);
    let _ = writeln!(
        text,
        "  staged      {at} by {} with silverback {}",
        ident::quote(by),
        state.version
    );
    if let Some((by, at)) = &state.changed {
        let _ = writeln!(text, "  exchanged   {at} by {}", ident::quote(by));
    }
    for pair in &state.schemas {
        let (live, away) = (ident::quote(&pair.live), ident::quote(&pair.away));
        let _ = writeln!(text, "  not live    schema {away}, of {live}");
    }
    if state.way == Way::ByDatabase {
        let away = state.away_database.as_deref();
        let away = away.map_or_else(
            || "a database that is not there".to_owned(),
            |name| format!("database {}", ident::quote(name)),
        );
        let _ = writeln!(text, "  live        database {}", ident::quote(&state.live_database));
        let _ = writeln!(text, "  not live    {away}");
    }
    let _ = writeln!(text, "  what to do  {next}");
    text
}

/// The same for machines.
pub(super) fn as_json(state: &State) -> serde_json::Value {
    let pairs: Vec<_> =
        state.schemas.iter().map(|pair| json!({ "live": pair.live, "away": pair.away })).collect();
    json!({
        "archive": state.archive_name,
        "archive_id": state.archive_id,
        "phase": state.phase.word(),
        "way": state.way.word(),
        "staged_by": state.staged.0,
        "staged_at": state.staged.1,
        "changed_by": state.changed.as_ref().map(|(by, _)| by),
        "changed_at": state.changed.as_ref().map(|(_, at)| at),
        "schemas": pairs,
        "live_database": state.live_database,
        "away_database": state.away_database,
        "live_objects": state.live_objects,
        "away_objects": state.away_objects,
    })
}
