//! `COPY … TO STDOUT`: several of one session, sent together and read one after the other into
//! buffers of the reader's.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::{FuturesOrdered, Stream as _, StreamExt as _};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::CopyOutStream;

use crate::error::{Error, Kind, Result};
use crate::pg::connect::taker::Taken;
use crate::pg::driver_error::explain;
use crate::pg::session::Session;

/// A time that no run lives to see, and that clocks can add to now.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// How often it is told how much has come, while a buffer is not full.
const LOOK: Duration = Duration::from_millis(200);

/// What the driver answers a COPY with.
type Opening<'s> =
    Pin<Box<dyn Future<Output = Result<CopyOutStream, tokio_postgres::Error>> + Send + 's>>;

/// COPYs of one session, sent together.
pub struct CopyOuts<'s> {
    session: &'s Session,
    doings: VecDeque<String>,
    streams: FuturesOrdered<Opening<'s>>,
    /// What the rows' texts are sent in, where that is not UTF8.
    encoding: Option<&'s str>,
    stall_timeout: Duration,
}

/// What came of a buffer.
pub enum Filled {
    /// Whole rows; more are to come.
    Full(Vec<u8>),
    /// The rest of the COPY, its trailer among it.
    Last(Vec<u8>),
    /// A row of so many bytes is next, and wants a buffer of its own.
    Large(usize),
}

/// The rows of one COPY, to be read to the end.
pub struct CopyOut<'s> {
    session: &'s Session,
    /// What is being done, in words that an error can begin with.
    pub doing: String,
    /// Tells of the end, and of errors; the rows take another way.
    stream: Pin<Box<CopyOutStream>>,
    stall_timeout: Duration,
}

impl<'s> CopyOuts<'s> {
    /// Prepares the statements, each with its purpose, while the names in them are in UTF-8, and
    /// makes ready for rows in `encoding`. No data for `stall_timeout` is an error, never if it is
    /// 0.
    pub async fn begin(
        session: &'s Session,
        statements: impl IntoIterator<Item = (String, String)>,
        encoding: Option<&'s str>,
        stall_timeout: Duration,
    ) -> Result<Self> {
        let prepare = |(doing, sql): (String, String)| async move {
            let statement = session.answered(&doing, session.client().prepare(&sql)).await?;
            Ok::<_, Error>((doing, statement))
        };
        let prepared = try_join_all(statements.into_iter().map(prepare)).await?;
        if let Some(encoding) = encoding {
            session.set_client_encoding(encoding).await?;
        }
        session.taker().hold();
        let (mut doings, mut streams) = (VecDeque::new(), FuturesOrdered::<Opening<'s>>::new());
        for (doing, statement) in prepared {
            doings.push_back(doing);
            streams.push_back(Box::pin(async move { session.client().copy_out(&statement).await }));
        }
        let stall_timeout = if stall_timeout.is_zero() { FOR_EVER } else { stall_timeout };
        Ok(Self { session, doings, streams, encoding, stall_timeout })
    }

    /// The next one, once the rows of the one before are read. All statements are sent at the first
    /// call; the server answers them one after the other.
    pub async fn next(&mut self) -> Result<Option<CopyOut<'s>>> {
        let Some(doing) = self.doings.pop_front() else { return Ok(None) };
        let streams = &mut self.streams;
        let stream = self
            .session
            .answered(&doing, async {
                streams.next().await.expect("there is a stream for each statement")
            })
            .await?;
        Ok(Some(CopyOut {
            session: self.session,
            doing,
            stream: Box::pin(stream),
            stall_timeout: self.stall_timeout,
        }))
    }

    /// Ends, once all rows are read: from here on the session answers as before.
    pub async fn end(self) -> Result<()> {
        self.session.taker().release();
        match self.encoding {
            Some(_) => self.session.set_client_encoding("UTF8").await,
            None => Ok(()),
        }
    }
}

impl CopyOut<'_> {
    /// Grants a buffer for up to `bytes_max` bytes, and waits until it is full or the COPY at its
    /// end.
    ///
    /// # Errors
    /// [`Kind::Server`] if nothing comes, or the end comes too early.
    pub async fn fill(&mut self, buffer: Vec<u8>, bytes_max: usize) -> Result<Filled> {
        self.fill_telling(buffer, bytes_max, |_| ()).await
    }

    /// The same; `tell` is called with the bytes that have come, every now and then and once at the
    /// end.
    pub async fn fill_telling(
        &mut self,
        buffer: Vec<u8>,
        bytes_max: usize,
        tell: impl Fn(u64),
    ) -> Result<Filled> {
        let session = self.session;
        let (taker, mut told) = (session.taker(), 0);
        let filled = {
            let mut filling = pin!(self.filling(buffer, bytes_max));
            loop {
                if let Ok(filled) = timeout(LOOK, filling.as_mut()).await {
                    break filled?;
                }
                let bytes = taker.taken_bytes();
                tell(bytes.saturating_sub(told));
                told = told.max(bytes);
            }
        };
        if let Filled::Full(buffer) | Filled::Last(buffer) = &filled {
            tell((buffer.len() as u64).saturating_sub(told));
        }
        Ok(filled)
    }

    async fn filling(&mut self, buffer: Vec<u8>, bytes_max: usize) -> Result<Filled> {
        let taker = self.session.taker();
        taker.grant(buffer, bytes_max);
        let mut stall = pin!(sleep(self.stall_timeout));
        poll_fn(|cx| {
            match taker.poll_taken(cx) {
                Poll::Ready(Taken::Full(buffer)) => return Poll::Ready(Ok(Filled::Full(buffer))),
                Poll::Ready(Taken::Large(bytes)) => return Poll::Ready(Ok(Filled::Large(bytes))),
                Poll::Pending => {}
            }
            match self.stream.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(_))) => {
                    return Poll::Ready(Err(broken(
                        &self.doing,
                        "bug: CopyData arrived on a connection without a receiver",
                    )));
                }
                Poll::Ready(Some(Err(source))) => {
                    return Poll::Ready(Err(explain(&self.doing, source)));
                }
                Poll::Ready(None) => {
                    let ended = taker
                        .ended()
                        .ok_or_else(|| broken(&self.doing, "COPY ended without its last buffer"));
                    return Poll::Ready(ended.map(Filled::Last));
                }
                Poll::Pending => {}
            }
            // The clock is put forward to the last time that something came.
            while stall.as_mut().poll(cx).is_ready() {
                let until = taker.received() + self.stall_timeout;
                if until <= Instant::now() {
                    return Poll::Ready(Err(stalled(&self.doing, self.stall_timeout)));
                }
                stall.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}

/// An internal promise did not hold.
fn broken(doing: &str, cause: &str) -> Error {
    Error::new(Kind::Unexpected, doing, cause)
}

fn stalled(doing: &str, waited: Duration) -> Error {
    let cause = format!("no data came for {} s", waited.as_secs());
    Error::new(Kind::Server, doing, cause)
        .hint("check the network and the server's load; --stall-timeout sets the limit")
}
