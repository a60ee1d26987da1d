//! Blocking sessions that may be used from any thread, an async one too: they live on a runtime of
//! their own.

use std::future::Future;
use std::sync::{Arc, OnceLock, mpsc};

use tokio::runtime::Runtime;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Config, Error, NoTls, SimpleQueryMessage, SimpleQueryRow};

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .thread_name("testkit")
            .build()
            .expect("a runtime starts")
    })
}

/// Runs a future to its end on testkit's own runtime.
///
/// # Panics
/// If the future panics.
pub fn block_on<F: Future<Output: Send + 'static> + Send + 'static>(future: F) -> F::Output {
    start(future).recv().expect("the future did not panic")
}

fn start<F: Future<Output: Send + 'static> + Send + 'static>(
    future: F,
) -> mpsc::Receiver<F::Output> {
    let (sender, receiver) = mpsc::sync_channel(1);
    runtime().spawn(async move {
        let _ = sender.send(future.await);
    });
    receiver
}

/// Quotes a name as an SQL identifier, always.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Opens a session without TLS.
pub fn connect(config: Config) -> Result<Client, Error> {
    block_on(async move {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(Client { inner: Arc::new(client) })
    })
}

/// A session. Its methods block and panic with the statement and the server's words; `try_execute`
/// returns them.
#[derive(Clone)]
pub struct Client {
    inner: Arc<tokio_postgres::Client>,
}

impl Client {
    /// The driver's own client, for async tests.
    pub fn inner(&self) -> &tokio_postgres::Client {
        &self.inner
    }

    /// Runs statements.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.try_execute(sql)
            .unwrap_or_else(|error| panic!("{}\nin: {}", describe(&error, sql), shorten(sql)));
    }

    /// Runs statements and returns the server's refusal.
    pub fn try_execute(&self, sql: &str) -> Result<(), Error> {
        let (client, sql) = (Arc::clone(&self.inner), sql.to_owned());
        block_on(async move { client.batch_execute(&sql).await })
    }

    /// Starts statements and returns at once; `wait` is their end.
    pub fn start(&self, sql: &str) -> Pending {
        let (client, sql) = (Arc::clone(&self.inner), sql.to_owned());
        Pending { result: start(async move { client.batch_execute(&sql).await }) }
    }

    /// The rows of a query, each value in its text form.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.try_rows(sql)
            .unwrap_or_else(|error| panic!("{}\nin: {}", describe(&error, sql), shorten(sql)))
    }

    /// The same, or the server's refusal.
    pub fn try_rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let (client, statement) = (Arc::clone(&self.inner), sql.to_owned());
        let messages = block_on(async move { client.simple_query(&statement).await })?;
        let rows = messages.into_iter().filter_map(|message| {
            if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None }
        });
        let texts = |row: SimpleQueryRow| {
            (0..row.len()).map(|n| row.try_get(n).expect("a text").map(str::to_owned)).collect()
        };
        Ok(rows.map(texts).collect())
    }

    /// The first column of a query; NULL reads "NULL".
    #[track_caller]
    pub fn column(&self, sql: &str) -> Vec<String> {
        self.rows(sql)
            .into_iter()
            .map(|row| row.into_iter().next().flatten().unwrap_or_else(|| "NULL".to_owned()))
            .collect()
    }

    /// The first value of a query; NULL reads "NULL".
    #[track_caller]
    pub fn value(&self, sql: &str) -> String {
        self.column(sql)
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no row from: {}", shorten(sql)))
    }
}

/// Statements that are still running.
pub struct Pending {
    result: mpsc::Receiver<Result<(), Error>>,
}

impl Pending {
    /// Waits for the end.
    pub fn wait(self) -> Result<(), Error> {
        self.result.recv().expect("the session is still there")
    }

    /// Whether the end has come; its result is lost.
    pub fn is_done(&self) -> bool {
        !matches!(self.result.try_recv(), Err(mpsc::TryRecvError::Empty))
    }
}

fn describe(error: &Error, sql: &str) -> String {
    let Some(db) = error.as_db_error() else { return format!("{error:?}") };
    let near = db.position().and_then(|position| match position {
        ErrorPosition::Original(at) => {
            Some(sql.chars().skip(*at as usize - 1).take(60).collect::<String>())
        }
        ErrorPosition::Internal { .. } => None,
    });
    let more = [db.detail(), db.hint(), db.where_(), near.as_deref()]
        .into_iter()
        .flatten()
        .fold(String::new(), |text, part| text + "\n  " + part);
    format!("{} {}: {}{more}", db.severity(), db.code().code(), db.message())
}

fn shorten(sql: &str) -> String {
    let head: String = sql.chars().take(600).collect();
    if head.len() < sql.len() { head + " …" } else { head }
}
