//! COPY data on a way around the driver, which would cut every row out of 8 KiB reads and pass it
//! between two tasks.
//!
//! ```text
//! socket or TLS ─► Tap ─► driver        every message but CopyData
//!                   └──► Taker          the rows, in buffers that the taker grants
//! ```
//!
//! The tap stands where the driver reads. It follows the messages (protocol version 3: a byte of
//! type, four of length) and, while a taker holds it, puts what CopyData carries into the granted
//! buffer. Without a grant it does not read on: the bound on memory is the taker's, down to a
//! single row, and TCP holds the server back. It knows nothing of rows but that each CopyData
//! message holds whole ones, as PostgreSQL's server sends them, and nothing of what the driver
//! asked for. On its way it notes which process the greeting names, which the driver keeps to
//! itself.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_util::io::poll_read_buf;

use super::guard::{Guard, Verdict};
use super::pace::Paced;
use super::socket::Socket;
use super::taker::{Shared, State, Taken, Taker, lock};

/// What one read takes from the socket at most: small enough to be in the cache when it is sorted.
const STAGE_BYTES: usize = 256 << 10;
/// A message's type and length.
const HEADER_BYTES: usize = 5;
const COPY_DATA: u8 = b'd';
const COPY_DONE: u8 = b'c';
const BACKEND_KEY_DATA: u8 = b'K';

/// What the server sends, the rows taken out.
#[derive(Debug)]
pub(super) struct Tap<S> {
    stream: S,
    shared: Arc<Mutex<Shared>>,
    /// Looks at each message before anything is made of it.
    guard: Guard,
    /// Read, and sorted up to `sorted`.
    stage: BytesMut,
    sorted: usize,
    /// Bytes that go to the driver as they are.
    pass: usize,
    /// Bytes of a message that go to `buffer`.
    take: usize,
    /// The granted buffer, while it is filled.
    buffer: Vec<u8>,
    bytes_max: usize,
    /// What was put in it, and is not told the taker.
    untold_bytes: u64,
    /// Bounds what is read.
    paced: Option<Paced>,
}

/// What the tap waits for when it has nothing for the driver.
enum Wait {
    Stream,
    Taker,
}

impl<S> Tap<S> {
    /// Taps a stream, whose first `bare` bytes stand for themselves: the answer to the question
    /// whether the server speaks TLS.
    pub(super) fn new(stream: S, bare: usize, guard: Guard, paced: Option<Paced>) -> (Self, Taker) {
        let shared = Shared {
            state: State::Off,
            received: Instant::now(),
            taken_bytes: 0,
            objection: None,
            greeted_pid: None,
            tap: None,
            taker: None,
        };
        let taker = Taker { shared: Arc::new(Mutex::new(shared)) };
        (Self::with(stream, bare, guard, Arc::clone(&taker.shared), paced), taker)
    }

    fn with(
        stream: S,
        bare: usize,
        guard: Guard,
        shared: Arc<Mutex<Shared>>,
        paced: Option<Paced>,
    ) -> Self {
        Self {
            stream,
            shared,
            guard,
            stage: BytesMut::new(),
            sorted: 0,
            pass: bare,
            take: 0,
            buffer: Vec::new(),
            bytes_max: 0,
            untold_bytes: 0,
            paced,
        }
    }

    /// Sorts what was read until the driver's buffer is full or something is missing.
    fn sort(&mut self, driver: &mut ReadBuf<'_>) -> io::Result<Wait> {
        loop {
            let mut rest = &self.stage[self.sorted..];
            if self.pass > 0 {
                let bytes = self.pass.min(rest.len()).min(driver.remaining());
                driver.put_slice(&rest[..bytes]);
                rest = &rest[bytes..];
                self.sorted += bytes;
                self.pass -= bytes;
                if self.pass > 0 {
                    return Ok(Wait::Stream);
                }
            }
            if self.take > 0 {
                let bytes = self.take.min(rest.len());
                self.buffer.extend_from_slice(&rest[..bytes]);
                rest = &rest[bytes..];
                self.sorted += bytes;
                self.take -= bytes;
                self.untold_bytes += bytes as u64;
                if self.take > 0 {
                    return Ok(Wait::Stream);
                }
            }
            let Some((&[kind, a, b, c, d], come)) = rest.split_first_chunk::<HEADER_BYTES>() else {
                return Ok(Wait::Stream);
            };
            // The length counts itself; the driver refuses one that is too short.
            let body = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
            if self.guard.judge(kind, body, come).map_err(io::Error::other)? == Verdict::Whole {
                return Ok(Wait::Stream);
            }
            let pid = come.first_chunk().map(|pid| i32::from_be_bytes(*pid));
            match kind {
                COPY_DATA if self.may_take(body) => {
                    self.sorted += HEADER_BYTES;
                    self.take = body;
                }
                COPY_DATA | COPY_DONE if !self.may_pass(kind) => return Ok(Wait::Taker),
                BACKEND_KEY_DATA if body >= 4 => {
                    let Some(pid) = pid else { return Ok(Wait::Stream) };
                    lock(&self.shared).greeted_pid = Some(pid);
                    self.pass = HEADER_BYTES + body;
                }
                _ => self.pass = HEADER_BYTES + body,
            }
        }
    }

    /// Whether the rows of a message that comes by go to a granted buffer that has room for them.
    fn may_take(&mut self, body: usize) -> bool {
        if self.bytes_max > 0 && self.buffer.len() + body <= self.bytes_max {
            return true;
        }
        let mut shared = lock(&self.shared);
        if self.bytes_max > 0 {
            let buffer = std::mem::take(&mut self.buffer);
            self.bytes_max = 0;
            shared.hand_over(State::Taken(if buffer.is_empty() {
                Taken::Large(body)
            } else {
                Taken::Full(buffer)
            }));
            return false;
        }
        if !shared.take_grant(&mut self.buffer, &mut self.bytes_max) {
            return false;
        }
        self.untold_bytes = 0;
        if body <= self.bytes_max {
            return true;
        }
        self.bytes_max = 0;
        shared.hand_over(State::Taken(Taken::Large(body)));
        false
    }

    /// Whether the driver gets a message of COPY: rows when nobody holds them, the end once the
    /// last buffer is handed over.
    fn may_pass(&mut self, kind: u8) -> bool {
        let mut shared = lock(&self.shared);
        if matches!(shared.state, State::Off) {
            return true;
        }
        if kind == COPY_DATA
            || (self.bytes_max == 0 && !shared.take_grant(&mut self.buffer, &mut self.bytes_max))
        {
            return false;
        }
        self.bytes_max = 0;
        shared.hand_over(State::Ended(std::mem::take(&mut self.buffer)));
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        driver: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        let before = driver.filled().len();
        loop {
            let wait = match tap.sort(driver) {
                Ok(wait) => wait,
                // What came before it goes to the driver; it is found again with the next read.
                Err(_) if driver.filled().len() > before => return Poll::Ready(Ok(())),
                Err(objection) => {
                    lock(&tap.shared).objection = Some(objection.to_string());
                    return Poll::Ready(Err(objection));
                }
            };
            if driver.filled().len() > before || driver.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if matches!(wait, Wait::Taker) {
                let mut shared = lock(&tap.shared);
                if matches!(shared.state, State::Granted(..) | State::Off) {
                    // It came just now.
                    continue;
                }
                shared.tap = Some(cx.waker().clone());
                return Poll::Pending;
            }
            let bytes = ready!(tap.poll_more(cx))?;
            let mut shared = lock(&tap.shared);
            shared.received = Instant::now();
            shared.taken_bytes += std::mem::take(&mut tap.untold_bytes);
            if bytes == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Tap<S> {
    /// Reads what there is; 0 is the end.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.stage.advance(std::mem::take(&mut self.sorted));
        self.stage.reserve(STAGE_BYTES - self.stage.len());
        let stream = Pin::new(&mut self.stream);
        let Some(paced) = &mut self.paced else {
            return poll_read_buf(stream, cx, &mut self.stage);
        };
        let step = ready!(paced.poll_turn(cx));
        let bytes = ready!(poll_read_buf(stream, cx, &mut (&mut self.stage).limit(step)))?;
        paced.was_read(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Tap<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// TLS under the tap: takes the socket out of the one that the driver holds, and gives back one
/// around the TLS stream.
pub(super) struct UnderTap<C>(pub(super) C);

impl<C> TlsConnect<Tap<Socket>> for UnderTap<C>
where
    C: TlsConnect<Socket>,
    C::Future: Send + 'static,
{
    type Stream = Tap<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, tap: Tap<Socket>) -> Self::Future {
        let Tap { stream, shared, guard, paced, .. } = tap;
        let connecting = self.0.connect(stream);
        Box::pin(async move { Ok(Tap::with(connecting.await?, 0, guard, shared, paced)) })
    }
}

#[cfg(test)]
#[path = "tap_tests.rs"]
mod tests;
