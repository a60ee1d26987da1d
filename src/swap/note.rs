//! Statements that note a stage or an exchange in the database.

use crate::pg::schema_objects::Movable;
use crate::pg::swap_state::{COLUMNS, Phase, SCHEMA, SchemaPair, Since, State, TABLE};
use crate::restore::step::Step;
use crate::sql::ident;

fn table() -> String {
    ident::qualified(SCHEMA, TABLE)
}

fn array<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(ident::literal).collect();
    format!("ARRAY[{}]::text[]", texts.join(", "))
}

fn or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), ident::literal)
}

/// Makes the table and writes its row; who and when are the server's words.
pub fn make(state: &State) -> Vec<Step> {
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, type_name, more)| format!("{name} {type_name} {more}").trim_end().to_owned())
        .collect();
    let values = [
        format!("{}::uuid", ident::literal(&state.archive_id)),
        ident::literal(&state.archive_name),
        ident::literal(&state.archive_root),
        ident::literal(&state.version),
        ident::literal(state.way.word()),
        ident::literal(state.phase.word()),
        state.is_whole.to_string(),
        "current_user::text".to_owned(),
        "pg_catalog.now()".to_owned(),
        "NULL".to_owned(),
        "NULL".to_owned(),
        array(state.schemas.iter().map(|pair| pair.live.as_str())),
        array(state.schemas.iter().map(|pair| pair.away.as_str())),
        array(state.live_objects.iter().map(String::as_str)),
        array(state.away_objects.iter().map(String::as_str)),
        state.is_new.to_string(),
        ident::literal(&state.live_database),
        or_null(state.away_database.as_deref()),
        "NULL".to_owned(),
        "NULL".to_owned(),
    ];
    let (schema, table) = (ident::quote(SCHEMA), table());
    let sql = [
        format!("CREATE SCHEMA {schema}"),
        format!("CREATE TABLE {table} ({})", columns.join(", ")),
        format!("GRANT USAGE ON SCHEMA {schema} TO PUBLIC"),
        format!("GRANT SELECT ON TABLE {table} TO PUBLIC"),
        format!("INSERT INTO {table} VALUES ({})", values.join(", ")),
    ];
    sql.into_iter().map(|sql| Step::new("note the staged copy", sql)).collect()
}

/// Notes that the copy is complete.
pub fn complete() -> Step {
    let phase = ident::literal(Phase::Staged.word());
    Step::new("note that the copy is complete", format!("UPDATE {} SET phase = {phase}", table()))
}

/// An exchange, as it is noted in what is live then.
#[derive(Clone, Copy, Debug)]
pub struct Exchanged<'a> {
    /// How far it has come.
    pub phase: Phase,
    /// In place: where the other copy is.
    pub schemas: &'a [SchemaPair],
    /// By database: what the other copy is called.
    pub away_database: Option<&'a str>,
    /// What moved in.
    pub live: &'a [Movable],
    /// What moved away.
    pub away: &'a [Movable],
    /// Since when rows count as written.
    pub since: Option<Since>,
}

/// Notes an exchange.
pub fn exchanged(what: &Exchanged<'_>) -> Step {
    let (xid, deleted) = what.since.map_or_else(
        || ("NULL".to_owned(), "NULL".to_owned()),
        |since| (since.xid.to_string(), since.rows_deleted.to_string()),
    );
    let keys = |objects: &[Movable]| {
        let keys: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
        array(keys.iter().map(String::as_str))
    };
    let sql = format!(
        "UPDATE {} SET phase = {}, changed_by = current_user::text, changed_at = \
         pg_catalog.now(), away_schemas = {}, away_database = {}, live_objects = {}, away_objects \
         = {}, swap_xid = {xid}, rows_deleted = {deleted}",
        table(),
        ident::literal(what.phase.word()),
        array(what.schemas.iter().map(|pair| pair.away.as_str())),
        or_null(what.away_database),
        keys(what.live),
        keys(what.away),
    );
    Step::new("note the swap", sql)
}

/// Takes it away, and nothing that somebody else put beside it.
pub fn remove() -> Vec<Step> {
    let sql = [format!("DROP TABLE {}", table()), format!("DROP SCHEMA {}", ident::quote(SCHEMA))];
    sql.into_iter().map(|sql| Step::new("end the swap", sql)).collect()
}
