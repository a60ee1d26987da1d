//! One session: how it is set up, its statements, its errors in our words. Does not know what it is
//! set to, which `settings` says.

mod begin;
mod lock_waits;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use futures_util::{FutureExt as _, try_join};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::Client;

use super::connect::server::Server;
use super::connect::taker::Taker;
use super::driver_error::{NOT_POSTGRESQL, explain};
use super::readable;
use super::row::Row;
use super::settings::{self, Transaction};
use crate::error::{Error, Kind, Result};
use crate::sql::ident;
use crate::sqlstate;

/// What a session is for, and so what it is set to.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// Reading catalogs and rows. It is open in this transaction, and nothing is ever set beyond
    /// one: a pooler may give the next transaction another session of the server, and this one to
    /// somebody else.
    Dump(&'a Transaction<'a>),
    /// Making objects and loading rows; set up for as long as it lives.
    Restore,
    /// Looking what is there; nothing is set.
    Probe,
}

/// An open session. Dropping it closes the connection.
#[derive(Debug)]
pub struct Session {
    client: Client,
    connection: JoinHandle<()>,
    taker: Taker,
    server: Server,
    version: u32,
    backend_pid: AtomicI32,
    is_proxied: bool,
    is_dump: bool,
    /// None while the session is set up: the clock of connecting runs then.
    patience: Option<Duration>,
    /// When the server was last seen at work for this session; held while it is looked.
    at_work: Mutex<Option<Instant>>,
    lock_waits: Mutex<lock_waits::Known>,
}

const SET_UP: &str = "set up the session";
/// The oldest `server_version_num` that is supported.
const OLDEST_VERSION: u32 = 120_000;
/// No process has it.
const UNKNOWN_PID: i32 = 0;

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
    /// Sets up a fresh connection, whose server said in its greeting that it is of a version.
    pub(super) async fn prepare(
        server: Server,
        client: Client,
        connection: JoinHandle<()>,
        taker: Taker,
        greeted_version: Option<u32>,
        purpose: Purpose<'_>,
    ) -> Result<Self> {
        let mut session = Self {
            client,
            connection,
            taker,
            server,
            // Of settings that came later, none is set until the server is asked.
            version: greeted_version.unwrap_or(OLDEST_VERSION),
            backend_pid: AtomicI32::new(UNKNOWN_PID),
            is_proxied: false,
            is_dump: matches!(purpose, Purpose::Dump(_)),
            patience: None,
            at_work: Mutex::default(),
            lock_waits: Mutex::default(),
        };
        session.check_version()?;
        let (version, pid) = match purpose {
            Purpose::Dump(transaction) => session.begin_first(transaction).await?,
            Purpose::Restore => try_join!(session.set_up(), session.identify())?.1,
            Purpose::Probe => session.identify().await?,
        };
        session.version = version;
        session.check_version()?;
        session.backend_pid = AtomicI32::new(pid);
        session.server.is_ours(pid);
        session.is_proxied = session.taker.greeted_pid() != Some(pid);
        session.patience = session.server.patience();
        Ok(session)
    }

    fn check_version(&self) -> Result<()> {
        if self.version >= OLDEST_VERSION {
            return Ok(());
        }
        let cause = format!(
            "the server is PostgreSQL {}; 12 and newer are supported",
            self.version / 10_000
        );
        Err(Error::new(Kind::Requirement, format!("connect to {}", self.server.describe()), cause))
    }

    async fn identify(&self) -> Result<(u32, i32)> {
        let sql = "SELECT pg_catalog.current_setting('server_version_num')::int4, \
            pg_catalog.pg_backend_pid()";
        let row = self.query_one(SET_UP, sql).await?;
        Ok((row.get::<_, i32>(0)? as u32, row.get(1)?))
    }

    /// Sets what a restore needs for as long as the session lives. No role's statement_timeout must
    /// end that, and no search_path capture it.
    pub(super) async fn set_up(&self) -> Result<()> {
        let values: Vec<String> = settings::of_restore()
            .map(|setting| ident::literals(setting.name, setting.value))
            .collect();
        // Only what the server knows: the list spans many versions.
        let set = format!(
            "SELECT pg_catalog.set_config(s.name, v.value, false) \
             FROM (VALUES {}) v(name, value) JOIN pg_catalog.pg_settings s ON s.name = v.name",
            values.join(", ")
        );
        let first =
            "SET statement_timeout = 0; SELECT pg_catalog.set_config('search_path', '', false)";
        try_join!(self.batch(SET_UP, first), self.batch(SET_UP, &set)).map(drop)
    }

    /// The driver's client, for what has no wrapper here.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the connection is lost.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The way of COPY data around the driver.
    pub(super) fn taker(&self) -> &Taker {
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

    /// The server process of this session; behind a pooler, that of its last transaction that was
    /// looked at.
    pub fn backend_pid(&self) -> i32 {
        self.backend_pid.load(Ordering::Relaxed)
    }

    /// Whether this session goes by way of something that greets in the server's place: a pooler.
    pub fn is_proxied(&self) -> bool {
        self.is_proxied
    }

    // The three that every other module waits for are boxed: each state machine that asks the server
    // would hold a copy of the driver's, as large as a page and as long to poll.

    /// Runs exactly one statement; text that holds two is refused by the server, because it is sent
    /// by Parse and Bind.
    pub async fn execute(&self, doing: &str, sql: &str) -> Result<u64> {
        self.answered(doing, self.client.execute_typed(sql, &[])).boxed().await
    }

    /// Takes a role's place, as `--role` says; a dump's session for the transaction.
    pub async fn set_role(&self, role: &str) -> Result<()> {
        let taken = self
            .execute("SET ROLE (--role)", &format!("{} ROLE {}", self.set(), ident::quote(role)))
            .await;
        taken.map(drop).map_err(|error| match error.sqlstate() {
            // It is not there, or not ours to take.
            Some(
                sqlstate::INVALID_PARAMETER_VALUE
                | sqlstate::UNDEFINED_OBJECT
                | sqlstate::INSUFFICIENT_PRIVILEGE,
            ) => error
                .as_kind(Kind::Requirement)
                .hint("name a role that this one is a member of, or leave --role out"),
            _ => error,
        })
    }

    /// Runs several of our own statements; never with text from a catalog or an archive in it.
    pub async fn batch(&self, doing: &str, sql: &str) -> Result<()> {
        self.answered(doing, self.client.batch_execute(sql)).boxed().await
    }

    /// Runs a query. Every text in the rows is UTF-8: one that is not fails as it does where the
    /// server converts.
    pub async fn query(&self, doing: &str, sql: &str) -> Result<Vec<Row>> {
        let answer = self.answered(doing, self.client.query_typed(sql, &[])).boxed().await?;
        let rows = Row::all(doing, answer)?;
        readable::check(doing, &rows).map(|()| rows)
    }

    /// Runs a query that gives one row.
    pub async fn query_one(&self, doing: &str, sql: &str) -> Result<Row> {
        let mut rows = self.query(doing, sql).await?;
        match rows.len() {
            1 => Ok(rows.swap_remove(0)),
            found => {
                Err(Error::new(Kind::Unexpected, doing, format!("expected one row, found {found}")))
            }
        }
    }

    /// Sets what texts travel in from now on, a dump's session for the transaction. Statements are
    /// in UTF-8, so that they must be prepared while that is set.
    pub async fn set_client_encoding(&self, encoding: &str) -> Result<()> {
        let doing = format!("let texts travel in {encoding}");
        self.execute(
            &doing,
            &format!("{} client_encoding = {}", self.set(), ident::literal(encoding)),
        )
        .await
        .map(drop)
    }

    /// How a setting is set.
    fn set(&self) -> &'static str {
        if self.is_dump { "SET LOCAL" } else { "SET" }
    }

    /// Waits for an answer. A statement may take hours, so that silence alone says nothing: each
    /// time the server's patience is over, another session looks whether the server is at work on
    /// it. If it is not, or cannot be asked, the answer was lost on its way.
    pub async fn answered<T>(
        &self,
        doing: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let Some(patience) = self.patience else {
            return answer.await.map_err(|source| self.explain(doing, source));
        };
        let mut answer = Box::pin(self.watched(answer));
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
            return Err(Error::new(Kind::Server, doing, cause).hint(
                "check the network between here and the server; --stall-timeout sets the limit",
            ));
        }
    }

    /// This session's error in our words; where its connection was closed because of what came,
    /// that is the cause.
    fn explain(&self, doing: &str, source: tokio_postgres::Error) -> Error {
        match self.taker.objection().filter(|_| source.as_db_error().is_none()) {
            Some(objection) => {
                Error::new(Kind::Server, doing, objection).hint(NOT_POSTGRESQL).with_source(source)
            }
            None => self.explain_lock(doing, explain(doing, source)),
        }
    }

    /// Looks whether the server is at work for this session; says what it does instead.
    async fn look(&self, patience: Duration) -> Result<(), String> {
        let mut at_work = self.at_work.lock().await;
        // Statements that were sent one after the other lose patience together.
        if at_work.is_some_and(|seen| seen.elapsed() < patience / 2) {
            return Ok(());
        }
        let pid = self.backend_pid();
        if pid == UNKNOWN_PID {
            // Its transaction waits for locks, for as long as --lock-wait-timeout says.
            return Ok(());
        }
        let sql = format!(
            "SELECT coalesce(state, 'unknown'), coalesce(wait_event_type, '') FROM \
             pg_catalog.pg_stat_activity WHERE pid = {pid}"
        );
        let asked = timeout(patience.clamp(LOOK_MIN, LOOK_MAX), self.ask(sql)).await;
        let rows = match asked {
            Ok(Ok(rows)) => rows,
            // A pooler may have no other session to give.
            _ if self.is_proxied => return Ok(()),
            Ok(Err(error)) => {
                return Err(format!("the server cannot be asked whether it is at work ({error})"));
            }
            Err(_) => return Err("the server does not answer another session either".to_owned()),
        };
        let Some(row) = rows.first() else {
            return Err("the server has ended the session".to_owned());
        };
        let seen =
            |column| row.get::<usize, String>(column).map_err(|error| error.cause().to_owned());
        let (state, waits_for) = (seen(0)?, seen(1)?);
        if waits_for == "Client" || state.starts_with("idle") {
            return Err(
                "connection stalled: the server is waiting for the client (network or proxy problem)"
                    .to_owned()
            );
        }
        *at_work = Some(Instant::now());
        Ok(())
    }

    /// Asks something about this session by a session of its own. Boxed, because opening that one
    /// takes statements, which may lead here.
    fn ask(&self, sql: String) -> Pin<Box<dyn Future<Output = Result<Vec<Row>>> + Send + '_>> {
        if let Some(asked_by) = self.server.asks() {
            return asked_by.0(sql);
        }
        Box::pin(async move {
            let session =
                self.server.impatient().open(Purpose::Dump(&Transaction::default())).await?;
            let doing = "look for the session";
            Ok(try_join!(session.query(doing, &sql), session.batch(doing, "COMMIT"))?.0)
        })
    }
}
