//! Opening sessions: where the server is, and how it is reached.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{CancelToken, Config, NoTls};

use super::session::{self, Purpose, Session};
use crate::error::{Error, Kind, Result};

/// All that is needed to open one more session with the same database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    describe: String,
}

impl Server {
    /// For a configuration that is complete: user, host and database are set.
    pub fn new(config: Config, describe: String) -> Self {
        Self { inner: Arc::new(Inner { config, describe }) }
    }

    /// Opens a session and sets it up.
    pub async fn open(&self, purpose: Purpose) -> Result<Session> {
        let doing = format!("connect to {}", self.describe());
        let opening = self.inner.config.connect(NoTls);
        let (client, connection) = tokio::time::timeout(Duration::from_secs(30), opening)
            .await
            .map_err(|_| Error::new(Kind::Connect, &doing, "no answer within 30 s"))?
            .map_err(|source| session::explain(&doing, source).as_kind(Kind::Connect))?;
        let task = tokio::spawn(async move {
            // What goes wrong here reaches whoever waits for an answer as "connection closed".
            let _ = connection.await;
        });
        Session::prepare(self.clone(), client, task, purpose).await
    }

    /// Names the server for people, without secrets: `kong@127.0.0.1:5432/kong`.
    pub fn describe(&self) -> &str {
        &self.inner.describe
    }

    pub(super) async fn cancel(&self, token: CancelToken) -> Result<(), tokio_postgres::Error> {
        token.cancel_query(NoTls).await
    }
}
