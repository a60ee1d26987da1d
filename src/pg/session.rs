//! One session: its settings, its statements, its errors in our words. The only place that decides what a session is set to.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use futures_util::try_join;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, CopyInSink};

use super::connect::Server;
use super::connect::tap::Taker;
use super::row::Row;
use super::{ident, readable};
use crate::error::{Error, Kind, Result};

/// What a session is for; the two differ in a few settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Reading catalogs and rows.
    Dump,
    /// Making objects and loading rows.
    Restore,
}

/// What every session is set to, so that text means the same on both sides and no role's or database's own setting gets in the way.
const SETTINGS: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("xmlbinary", "base64"),
    ("array_nulls", "on"),
    ("quote_all_identifiers", "off"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("row_security", "off"),
    ("jit", "off"),
    ("lc_monetary", "C"),
    ("default_transaction_deferrable", "off"),
];

/// Dump only: rows in the order of their pages, and no view or foreign table in the place of a table (CVE-2024-7348).
const DUMP_SETTINGS: &[(&str, &str)] = &[("synchronize_seqscans", "off"), ("restrict_nonsystem_relation_kind", "view, foreign-table")];

/// Restore only.
const RESTORE_SETTINGS: &[(&str, &str)] = &[
    ("check_function_bodies", "off"),
    ("xmloption", "content"),
    ("client_min_messages", "warning"),
    ("default_transaction_read_only", "off"),
    ("default_table_access_method", "heap"),
    ("default_tablespace", ""),
];

/// An open session. Dropping it closes the connection.
#[derive(Debug)]
pub struct Session {
    client: Client,
    connection: JoinHandle<()>,
    taker: Taker,
    server: Server,
    version: u32,
    backend_pid: i32,
    /// None while the session is set up: the clock of connecting runs then.
    patience: Option<Duration>,
    /// When the server was last seen at work for this session; held while it is looked.
    at_work: Mutex<Option<Instant>>,
}

/// Bounds on the time for another session to look.
const LOOK_MIN: Duration = Duration::from_secs(1);
const LOOK_MAX: Duration = Duration::from_secs(30);
/// Time for an answer to arrive that was on its way while the server was looked at.
const GRACE: Duration = Duration::from_secs(1);

impl Drop for Session {
    fn drop(&mut self) {
        // The client's end closes with it; the task would linger only if a COPY were in flight.
        self.connection.abort();
    }
}

impl Session {
    /// Sets up a fresh connection.
    pub(super) async fn prepare(
        server: Server,
        client: Client,
        connection: JoinHandle<()>,
        taker: Taker,
        purpose: Purpose,
    ) -> Result<Self> {
        let mut session = Self { client, connection, taker, server, version: 0, backend_pid: 0, patience: None, at_work: Mutex::default() };
        let doing = "set up the session";
        let specific = if purpose == Purpose::Dump { DUMP_SETTINGS } else { RESTORE_SETTINGS };
        let values: Vec<String> = (SETTINGS.iter().chain(specific))
            .map(|(name, value)| format!("({}, {})", ident::literal(name), ident::literal(value)))
            .collect();
        // Only what the server knows: the list spans many versions.
        let set = format!(
            "SELECT pg_catalog.set_config(s.name, v.value, false) \
             FROM (VALUES {}) v(name, value) JOIN pg_catalog.pg_settings s ON s.name = v.name",
            values.join(", ")
        );
        // Sent together. A role's own statement_timeout must not end the set-up, and its search_path must not capture it.
        let ((), (), row) = try_join!(
            session.batch(doing, "SET statement_timeout = 0; SELECT pg_catalog.set_config('search_path', '', false)"),
            session.batch(doing, &set),
            session.query_one(doing, "SELECT pg_catalog.current_setting('server_version_num')::int4, pg_catalog.pg_backend_pid()"),
        )?;
        session.version = row.get::<_, i32>(0)? as u32;
        session.backend_pid = row.get(1)?;
        if session.version < 120_000 {
            let cause = format!("the server is PostgreSQL {}; 12 and newer are supported", session.version / 10_000);
            return Err(Error::new(Kind::Requirement, format!("connect to {}", session.server.describe()), cause));
        }
        session.patience = session.server.patience();
        Ok(session)
    }

    /// The driver's client, for what has no wrapper here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The way of COPY data around the driver.
    pub fn taker(&self) -> &Taker {
        &self.taker
    }

    /// Where this session is.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// `server_version_num`, such as 150018.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The server process of this session.
    pub fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    /// Runs exactly one statement; text that holds two is refused by the server, because it is sent by Parse and Bind.
    pub async fn execute(&self, doing: &str, sql: &str) -> Result<u64> {
        self.answered(doing, self.client.execute_typed(sql, &[])).await
    }

    /// Takes a role's place, as `--role` says.
    pub async fn set_role(&self, role: &str) -> Result<()> {
        let taken = self.execute("take the role (--role)", &format!("SET ROLE {}", ident::quote(role))).await;
        taken.map(drop).map_err(|error| match error.sqlstate() {
            // It is not there, or not ours to take.
            Some("22023" | "42704" | "42501") => error.as_kind(Kind::Requirement),
            _ => error,
        })
    }

    /// Runs several of our own statements; never with text from a catalog or an archive in it.
    pub async fn batch(&self, doing: &str, sql: &str) -> Result<()> {
        self.answered(doing, self.client.batch_execute(sql)).await
    }

    /// Runs a query without parameters.
    pub async fn query(&self, doing: &str, sql: &str) -> Result<Vec<Row>> {
        self.query_with(doing, sql, &[]).await
    }

    /// Runs a query with typed parameters. Every text in the rows is UTF-8: one that is not fails as it does where the server converts.
    pub async fn query_with(&self, doing: &str, sql: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Result<Vec<Row>> {
        let rows = Row::all(doing, self.answered(doing, self.client.query_typed(sql, parameters)).await?)?;
        readable::check(doing, &rows).map(|()| rows)
    }

    /// Runs a query that gives one row.
    pub async fn query_one(&self, doing: &str, sql: &str) -> Result<Row> {
        let mut rows = self.query(doing, sql).await?;
        match rows.len() {
            1 => Ok(rows.swap_remove(0)),
            found => Err(Error::new(Kind::Unexpected, doing, format!("expected one row, found {found}"))),
        }
    }

    /// Sets what texts travel in from now on. Statements are in UTF-8, so that they must be prepared while that is set.
    pub async fn set_client_encoding(&self, encoding: &str) -> Result<()> {
        let doing = format!("let texts travel in {encoding}");
        self.execute(&doing, &format!("SET client_encoding = {}", ident::literal(encoding))).await.map(drop)
    }

    /// Starts `COPY … FROM STDIN`. When it fails, the connection is of no more use (the driver has sent Sync twice) and must be dropped.
    pub async fn copy_in(&self, doing: &str, sql: &str) -> Result<CopyInSink<Bytes>> {
        self.answered(doing, self.client.copy_in(sql)).await
    }

    /// Waits for an answer. A statement may take hours, so that silence alone says nothing: each time the server's patience is over, another
    /// session looks whether the server is at work on it. If it is not, or cannot be asked, the answer was lost on its way.
    pub async fn answered<T>(&self, doing: &str, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T> {
        let Some(patience) = self.patience else { return answer.await.map_err(|source| self.explain(doing, source)) };
        let mut answer = pin!(answer);
        loop {
            if let Ok(answer) = timeout(patience, answer.as_mut()).await {
                return answer.map_err(|source| self.explain(doing, source));
            }
            // The answer goes on coming in while it is looked.
            let looked = tokio::select! {
                biased;
                answer = answer.as_mut() => return answer.map_err(|source| self.explain(doing, source)),
                looked = self.look(patience) => looked,
            };
            let Err(found) = looked else { continue };
            if let Ok(answer) = timeout(GRACE, answer.as_mut()).await {
                return answer.map_err(|source| self.explain(doing, source));
            }
            let cause = format!("no answer came for {} s, and {found}", patience.as_secs());
            return Err(Error::new(Kind::Server, doing, cause)
                .hint("check the network between here and the server; --stall-timeout sets the limit"));
        }
    }

    /// A driver's error in our words; where the connection was closed because of what came, that is the cause.
    fn explain(&self, doing: &str, source: tokio_postgres::Error) -> Error {
        match self.taker.objection().filter(|_| source.as_db_error().is_none()) {
            Some(objection) => Error::new(Kind::Server, doing, objection).hint(NOT_POSTGRESQL).with_source(source),
            None => explain(doing, source),
        }
    }

    /// Looks whether the server is at work for this session; says what it does instead.
    async fn look(&self, patience: Duration) -> Result<(), String> {
        let mut at_work = self.at_work.lock().await;
        // Statements that were sent one after the other lose patience together.
        if at_work.is_some_and(|seen| seen.elapsed() < patience / 2) {
            return Ok(());
        }
        let sql = format!(
            "SELECT coalesce(state, 'unknown'), coalesce(wait_event_type, '') FROM pg_catalog.pg_stat_activity WHERE pid = {}",
            self.backend_pid
        );
        let asked = timeout(patience.clamp(LOOK_MIN, LOOK_MAX), self.ask(sql)).await;
        let rows = match asked {
            Ok(Ok(rows)) => rows,
            Ok(Err(error)) => return Err(format!("the server cannot be asked whether it is at work ({error})")),
            Err(_) => return Err("the server does not answer another session either".to_owned()),
        };
        let Some(row) = rows.first() else { return Err("the server has ended the session".to_owned()) };
        let seen = |column| row.get::<usize, String>(column).map_err(|error| error.cause().to_owned());
        let (state, waits_for) = (seen(0)?, seen(1)?);
        if waits_for == "Client" || state.starts_with("idle") {
            return Err("the server waits for us: what one side sends does not reach the other".to_owned());
        }
        *at_work = Some(Instant::now());
        Ok(())
    }

    /// Asks something by a session of its own. Boxed, because opening it takes statements, which may lead here.
    fn ask(&self, sql: String) -> Pin<Box<dyn Future<Output = Result<Vec<Row>>> + Send + '_>> {
        Box::pin(async move {
            let session = self.server.impatient().open(Purpose::Dump).await?;
            session.query("look for the session", &sql).await
        })
    }
}

/// What helps where something else than answers came.
const NOT_POSTGRESQL: &str = "check the network, and that it is PostgreSQL that answers; then try again";

/// Puts a driver's error into our words: the server's message, detail and SQLSTATE, and the kind that its class means.
pub fn explain(doing: &str, source: tokio_postgres::Error) -> Error {
    let Some(db) = source.as_db_error() else {
        let cause = chain(&source);
        // What the server did not say itself, its connection or its protocol did.
        return Error::new(Kind::Server, doing, cause).hint(NOT_POSTGRESQL).with_source(source);
    };
    let mut cause = db.message().to_owned();
    if let Some(detail) = db.detail() {
        cause = format!("{cause} ({detail})");
    }
    if let Some(context) = db.where_() {
        cause = format!("{cause} [{}]", context.lines().next().unwrap_or_default());
    }
    let code = db.code().code().to_owned();
    cause = format!("{cause} [SQLSTATE {code}]");
    let kind = match code.as_str() {
        "42501" | "0A000" | "58P01" => Kind::Requirement,
        "55P03" | "40001" | "40P01" => Kind::Consistency,
        "57P01" | "57P02" | "57P03" | "57P05" => Kind::Server,
        code if code.starts_with("08") || code.starts_with("53") => Kind::Server,
        _ => Kind::Unexpected,
    };
    let hint = db.hint().map(str::to_owned);
    let error = Error::new(kind, doing, cause).with_sqlstate(code).with_source(source);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The messages of an error and its sources; tokio-postgres alone prints little more than "db error".
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        next = source.source();
    }
    text
}
