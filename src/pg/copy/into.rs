//! `COPY … FROM STDIN`: rows into one table.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use tokio_postgres::{CopyInSink, Statement};

use crate::error::{Error, Kind, Result};
use crate::pg::driver_error::explain;
use crate::pg::session::Session;

/// A COPY that the server has read, with the names in it.
pub struct Prepared(Statement);

impl Prepared {
    /// Prepares the statement.
    pub async fn new(session: &Session, doing: &str, sql: &str) -> Result<Self> {
        session.answered(doing, session.client().prepare(sql)).await.map(Self)
    }
}

/// Rows on their way into a table. When it fails or is dropped before its end, the session is of no
/// more use: the driver is out of step.
pub struct CopyIn<'s> {
    session: &'s Session,
    sink: Pin<Box<CopyInSink<Bytes>>>,
    stall_timeout: Duration,
}

impl<'s> CopyIn<'s> {
    /// Begins. A server that takes nothing for `stall_timeout` is an error, never if it is 0.
    pub async fn begin(
        session: &'s Session,
        doing: &str,
        prepared: &Prepared,
        stall_timeout: Duration,
    ) -> Result<Self> {
        let sink =
            session.answered(doing, session.client().copy_in::<_, Bytes>(&prepared.0)).await?;
        Ok(Self { session, sink: Box::pin(sink), stall_timeout })
    }

    /// Sends some bytes of rows.
    ///
    /// # Errors
    /// [`Kind::Server`] if they are not taken in time; else what the server has refused.
    pub async fn send(&mut self, doing: &str, bytes: Bytes) -> Result<()> {
        let sending = self.sink.feed(bytes);
        let sent = if self.stall_timeout.is_zero() {
            Ok(sending.await)
        } else {
            tokio::time::timeout(self.stall_timeout, sending).await
        };
        match sent {
            Ok(Ok(())) => Ok(()),
            // The driver only says that the channel is closed; what the server said waits at the
            // end of the COPY.
            Ok(Err(closed)) => {
                let source = self.sink.as_mut().finish().await.err().unwrap_or(closed);
                Err(explain(doing, source))
            }
            Err(_) => {
                let cause =
                    format!("the server has taken nothing for {} s", self.stall_timeout.as_secs());
                Err(Error::new(Kind::Server, doing, cause).hint(
                    "look for a lock or a full disk on the server; --stall-timeout waits longer",
                ))
            }
        }
    }

    /// Says that no more comes, and waits for the number of rows that were taken: the server may
    /// have much to do yet, such as foreign keys.
    pub async fn finish(mut self, doing: &str) -> Result<u64> {
        self.session.answered(doing, self.sink.as_mut().finish()).await
    }
}
