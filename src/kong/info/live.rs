//! The facts of a database: one transaction that reads, and waits for no lock for long.
//!
//! Does not know what the rows mean.

pub(in crate::kong) mod relations;

use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::{join, try_join};

use self::relations::Relation;
use super::facts::{Facts, Request, SMALL, Session as Other, Small, Unread};
use super::schema::{COLUMNS, SCHEMA_META, choose, is_there};
use super::value::Value;
use crate::error::Result;
use crate::pg::connect::Server;
use crate::pg::readable;
use crate::pg::row::Row;
use crate::pg::session::{Purpose, Session};
use crate::pg::settings::Transaction;
use crate::pg::swap_state;
use crate::sql::ident;

/// How long a table is waited for that a migration has locked, unless somebody says.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// More rows of a small table are not read.
const ROWS_MAX: u32 = 10_000;

/// Kong's sessions have no name, or its own.
const APPLICATIONS: &str = "'', 'kong'";

/// Reads them. Changes nothing.
///
/// # Errors
/// [`Kind::Requirement`](crate::error::Kind::Requirement) where there is no Kong,
/// [`Kind::Consistency`](crate::error::Kind::Consistency) where a table stays locked.
pub async fn read(server: &Server, request: Request<'_>) -> Result<Facts> {
    let session = open(server, request).await?;
    let found = schemas(&session, request.schema).await?;
    of_one(server, &session, request, found).await
}

/// The same; none where there is no Kong.
pub async fn read_if_there(server: &Server, request: Request<'_>) -> Result<Option<Facts>> {
    let session = open(server, request).await?;
    let found = schemas(&session, request.schema).await?;
    if !is_there(&found, request.schema) {
        session.batch("end the transaction", "COMMIT").await?;
        return Ok(None);
    }
    of_one(server, &session, request, found).await.map(Some)
}

/// The sessions of others that may be Kong's, alone.
pub async fn read_sessions(server: &Server) -> Result<Option<Vec<Other>>> {
    let session = open(server, Request::default()).await?;
    Ok(Some(sessions(&session).await?.unwrap_or_default()))
}

async fn open(server: &Server, request: Request<'_>) -> Result<Session> {
    let transaction = Transaction {
        row_security: true,
        lock_timeout: request.lock_wait.unwrap_or(LOCK_WAIT),
        role: request.role,
        ..Transaction::default()
    };
    server.open(Purpose::Dump(&transaction)).await
}

/// Reads those of one of these schemas.
async fn of_one(
    server: &Server,
    session: &Session,
    request: Request<'_>,
    found: Vec<String>,
) -> Result<Facts> {
    let place = format!("database {}", ident::quote(server.database()));
    let (schema, other_schemas) = choose(found, request.schema, Some(server.user()), &place)?;
    // Polled together they travel together.
    let now = format!("SELECT {}", time("pg_catalog.now()"));
    let (now, all) = try_join!(
        session.query_one("ask for the time", &now),
        relations::list(session, &schema, request.counted.is_none())
    )?;
    let mut facts = Facts { schema, other_schemas, now: now.get(0)?, ..Facts::default() };
    let small = |relation| SMALL.iter().find(|small| small.table == relation);
    let (readable, unreadable): (Vec<_>, Vec<_>) = all
        .iter()
        .filter_map(|relation| Some((relation, small(relation.name.as_str())?)))
        .partition(|(relation, _)| relation.may_read);
    for (relation, _) in unreadable {
        let reason = "this role may not (SELECT)".to_owned();
        facts.unread.push(Unread { table: relation.name.clone(), reason });
    }
    let of_small =
        readable.iter().map(|(relation, small)| rows(session, &facts.schema, relation, small));
    let (read, ended) = join!(
        async {
            try_join!(
                relations::count(session, &facts.schema, &all, request),
                try_join_all(of_small),
                sessions(session)
            )
        },
        session.batch("end the transaction", "COMMIT")
    );
    let (counts, rows, sessions) = read?;
    ended?;
    facts.tables =
        all.iter().zip(counts).map(|(relation, counted)| relation.table(counted)).collect();
    for ((_, small), rows) in readable.iter().zip(rows) {
        for values in &rows {
            (small.add)(&mut facts, values);
        }
    }
    facts.unread.extend(sessions.as_ref().err().cloned());
    facts.sessions = Some(sessions.unwrap_or_default());
    Ok(facts)
}

/// The schemas that have a `schema_meta` with Kong's columns, but for those of a copy that is not
/// live, unless such a one is wanted.
async fn schemas(session: &Session, wanted: Option<&str>) -> Result<Vec<String>> {
    let columns: Vec<String> = COLUMNS.iter().map(|column| ident::literal(column)).collect();
    let sql = format!(
        "SELECT n.nspname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
         ON n.oid = c.relnamespace WHERE c.relname = {} AND c.relkind IN ('r', 'p') AND \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid \
         AND NOT a.attisdropped AND a.attname IN ({})) = {}",
        ident::literal(SCHEMA_META),
        columns.join(", "),
        COLUMNS.len()
    );
    let rows = session.query("look for schema_meta", &sql).await?;
    let mut found = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<String>>>()?;
    if found.len() > 1
        && let Some(state) = swap_state::read(session, true).await?
    {
        let away = state.schemas_left_out();
        found.retain(|schema| wanted == Some(schema.as_str()) || !away.contains(schema));
    }
    Ok(found)
}

/// Microseconds since 1970; NULL where the time is infinite.
fn time(value: &str) -> String {
    format!(
        "CASE WHEN pg_catalog.isfinite({value}) THEN \
         (pg_catalog.date_part('epoch', {value}) * 1000000)::int8 END"
    )
}

/// What a column is read as.
#[derive(Clone, Copy)]
enum Form {
    Text,
    List,
    Number,
}

async fn rows(
    session: &Session,
    schema: &str,
    relation: &Relation,
    small: &Small,
) -> Result<Vec<Vec<Value>>> {
    let (mut forms, mut expressions) = (Vec::new(), Vec::new());
    for column in small.columns {
        let name = ident::quote(column);
        let (form, expression) = match relation.type_of(column).unwrap_or_default() {
            "text" | "character varying" | "uuid" => (Form::Text, format!("{name}::text")),
            "text[]" => (Form::List, format!("{name}::text[]")),
            "integer" | "bigint" => (Form::Number, format!("{name}::int8")),
            "timestamp with time zone" => (Form::Number, time(&name)),
            _ => (Form::Text, "NULL::text".to_owned()),
        };
        forms.push(form);
        expressions.push(expression);
    }
    let table = ident::qualified(schema, small.table);
    let limit = match small.table {
        // One row for each change.
        "clustering_sync_version" => "ORDER BY 1 DESC LIMIT 1".to_owned(),
        _ => format!("LIMIT {ROWS_MAX}"),
    };
    let sql = format!("SELECT {} FROM {table} {limit}", expressions.join(", "));
    let rows = session.query(&format!("read {table}"), &sql).await?;
    let values =
        |row: &Row| forms.iter().enumerate().map(|(at, form)| value(row, at, *form)).collect();
    rows.iter().map(values).collect()
}

fn value(row: &Row, at: usize, form: Form) -> Result<Value> {
    let value = match form {
        Form::Text => row.get::<_, Option<String>>(at)?.map(Value::Text),
        Form::Number => row.get::<_, Option<i64>>(at)?.map(Value::Number),
        Form::List => row
            .get::<_, Option<Vec<Option<String>>>>(at)?
            .map(|list| Value::List(list.into_iter().flatten().collect())),
    };
    Ok(value.unwrap_or(Value::Null))
}

/// The sessions of others that may be Kong's, or why they are not known. Comes last: where a role's
/// name cannot be read, the transaction is over.
async fn sessions(session: &Session) -> Result<std::result::Result<Vec<Other>, Unread>> {
    // What this role may not know is NULL.
    let sql = format!(
        "SELECT a.pid, a.usename::text, coalesce(a.application_name, ''), \
         CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr) \
         WHEN a.client_port = -1 THEN 'local' END \
         FROM pg_catalog.pg_stat_activity a \
         WHERE a.datname = pg_catalog.current_database() AND a.usename IS NOT NULL \
         AND a.pid <> pg_catalog.pg_backend_pid() \
         AND coalesce(a.backend_type, 'client backend') = 'client backend' \
         AND pg_catalog.lower(coalesce(a.application_name, '')) IN ({APPLICATIONS}) ORDER BY 1"
    );
    let rows = match session.query("list the sessions", &sql).await {
        Err(error) if readable::is_unreadable(&error) => {
            let reason = "a role's name is in another encoding".to_owned();
            return Ok(Err(Unread { table: "pg_stat_activity".to_owned(), reason }));
        }
        rows => rows?,
    };
    let other = |row: &Row| {
        Ok(Other {
            pid: row.get(0)?,
            role: row.get(1)?,
            application: row.get(2)?,
            address: row.get(3)?,
        })
    };
    rows.iter().map(other).collect::<Result<_>>().map(Ok)
}
