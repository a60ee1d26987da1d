//! COPY data on a way around the driver, which would cut every row out of 8 KiB reads and pass it between two tasks.
//!
//! ```text
//! socket or TLS ─► Tap ─► driver        every message but CopyData
//!                   └──► Taker          the rows, in buffers that the taker grants
//! ```
//!
//! The tap stands where the driver reads. It follows the messages (protocol version 3: a byte of type, four of length) and,
//! while a taker holds it, puts what CopyData carries into the granted buffer. Without a grant it does not read on: the bound
//! on memory is the taker's, down to a single row, and TCP holds the server back. It knows nothing of rows but that each
//! CopyData message holds whole ones, as PostgreSQL's server sends them, and nothing of what the driver asked for.
//! On its way it notes which process the greeting names, which the driver keeps to itself.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_util::io::poll_read_buf;

use super::guard::{Guard, Verdict};
use super::socket::Socket;

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
    /// Read and not yet sorted.
    stage: BytesMut,
    /// Bytes that go to the driver as they are.
    pass: usize,
    /// Bytes of a message that go to `buffer`.
    take: usize,
    /// The granted buffer, while it is filled.
    buffer: Vec<u8>,
    bytes_max: usize,
}

/// The other end, held by the session whose connection it is.
#[derive(Clone, Debug)]
pub struct Taker {
    shared: Arc<Mutex<Shared>>,
}

/// What a taker gets before the driver says that the COPY is over.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// As many whole messages as fit.
    Full(Vec<u8>),
    /// The next message is larger than any buffer of the granted size, and so long; one for it must be granted. The buffer that was granted is gone.
    Large(usize),
}

#[derive(Debug)]
struct Shared {
    state: State,
    /// When bytes last came.
    received: Instant,
    /// Why the server is not listened to any longer.
    objection: Option<String>,
    /// The process that BackendKeyData named.
    greeted_pid: Option<i32>,
    /// Waits for a grant.
    tap: Option<Waker>,
    /// Waits for a buffer.
    taker: Option<Waker>,
}

#[derive(Debug)]
enum State {
    /// Rows go to the driver.
    Off,
    /// Held, and nothing is granted.
    Held,
    Granted(Vec<u8>, usize),
    /// The tap has the buffer.
    Filling,
    Taken(Taken),
    /// The COPY's last buffer; the driver is told of the end after this.
    Ended(Vec<u8>),
}

/// What the tap waits for when it has nothing for the driver.
enum Wait {
    Stream,
    Taker,
}

impl Taker {
    /// From now on rows are held until a buffer is granted for them. Called while no answer is on its way.
    pub fn hold(&self) {
        self.lock().state = State::Held;
    }

    /// From now on rows go to the driver again.
    pub fn release(&self) {
        self.lock().state = State::Off;
    }

    /// Grants a buffer, for up to `bytes_max` bytes, to the COPY whose stream is read next.
    pub fn grant(&self, buffer: Vec<u8>, bytes_max: usize) {
        let mut shared = self.lock();
        shared.state = State::Granted(buffer, bytes_max);
        shared.received = Instant::now();
        if let Some(tap) = shared.tap.take() {
            tap.wake();
        }
    }

    /// Waits for a buffer that is full; the last one is not, see [`ended`](Self::ended).
    pub fn poll_taken(&self, cx: &mut Context<'_>) -> Poll<Taken> {
        let mut shared = self.lock();
        match std::mem::replace(&mut shared.state, State::Held) {
            State::Taken(taken) => Poll::Ready(taken),
            other => {
                shared.state = other;
                shared.taker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// The last buffer, once the driver's stream has ended; `None` if the server never said that the data was complete.
    pub fn ended(&self) -> Option<Vec<u8>> {
        let mut shared = self.lock();
        match std::mem::replace(&mut shared.state, State::Held) {
            State::Ended(buffer) => Some(buffer),
            other => {
                shared.state = other;
                None
            }
        }
    }

    /// Why the server is not listened to any longer, where that is why the connection is closed.
    pub fn objection(&self) -> Option<String> {
        self.lock().objection.clone()
    }

    /// When bytes last came, or a buffer was granted.
    pub fn received(&self) -> Instant {
        self.lock().received
    }

    /// The server process that the greeting named: not the one that works for the session, where a pooler greets.
    pub fn greeted_pid(&self) -> Option<i32> {
        self.lock().greeted_pid
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().expect("no holder panics")
}

impl<S> Tap<S> {
    /// The first `bare` bytes stand for themselves: the answer to the question whether the server speaks TLS.
    pub(super) fn new(stream: S, bare: usize, guard: Guard) -> (Self, Taker) {
        let shared = Shared { state: State::Off, received: Instant::now(), objection: None, greeted_pid: None, tap: None, taker: None };
        let taker = Taker { shared: Arc::new(Mutex::new(shared)) };
        (Self::with(stream, bare, guard, Arc::clone(&taker.shared)), taker)
    }

    fn with(stream: S, bare: usize, guard: Guard, shared: Arc<Mutex<Shared>>) -> Self {
        Self { stream, shared, guard, stage: BytesMut::new(), pass: bare, take: 0, buffer: Vec::new(), bytes_max: 0 }
    }

    /// Sorts what was read until the driver's buffer is full or something is missing.
    fn sort(&mut self, driver: &mut ReadBuf<'_>) -> io::Result<Wait> {
        loop {
            if self.pass > 0 {
                let bytes = self.pass.min(self.stage.len()).min(driver.remaining());
                driver.put_slice(&self.stage[..bytes]);
                self.stage.advance(bytes);
                self.pass -= bytes;
                if self.pass > 0 {
                    return Ok(Wait::Stream);
                }
            }
            if self.take > 0 {
                let bytes = self.take.min(self.stage.len());
                self.buffer.extend_from_slice(&self.stage[..bytes]);
                self.stage.advance(bytes);
                self.take -= bytes;
                if self.take > 0 {
                    return Ok(Wait::Stream);
                }
            }
            let Some(&[kind, a, b, c, d]) = self.stage.first_chunk::<HEADER_BYTES>() else { return Ok(Wait::Stream) };
            // The length counts itself; the driver refuses one that is too short.
            let body = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(4);
            if self.guard.judge(kind, body, &self.stage[HEADER_BYTES..]).map_err(io::Error::other)? == Verdict::Whole {
                return Ok(Wait::Stream);
            }
            match kind {
                COPY_DATA if self.may_take(body) => {
                    self.stage.advance(HEADER_BYTES);
                    self.take = body;
                }
                COPY_DATA | COPY_DONE if !self.may_pass(kind) => return Ok(Wait::Taker),
                BACKEND_KEY_DATA if body >= 4 => {
                    let Some(&[.., a, b, c, d]) = self.stage.first_chunk::<{ HEADER_BYTES + 4 }>() else { return Ok(Wait::Stream) };
                    lock(&self.shared).greeted_pid = Some(i32::from_be_bytes([a, b, c, d]));
                    self.pass = HEADER_BYTES + body;
                }
                _ => self.pass = HEADER_BYTES + body,
            }
        }
    }

    /// Whether a message's rows go to a granted buffer that has room for them.
    fn may_take(&mut self, body: usize) -> bool {
        if self.bytes_max > 0 && self.buffer.len() + body <= self.bytes_max {
            return true;
        }
        let mut shared = lock(&self.shared);
        if self.bytes_max > 0 {
            let buffer = std::mem::take(&mut self.buffer);
            self.bytes_max = 0;
            shared.hand_over(State::Taken(if buffer.is_empty() { Taken::Large(body) } else { Taken::Full(buffer) }));
            return false;
        }
        if !shared.take_grant(&mut self.buffer, &mut self.bytes_max) {
            return false;
        }
        if body <= self.bytes_max {
            return true;
        }
        self.bytes_max = 0;
        shared.hand_over(State::Taken(Taken::Large(body)));
        false
    }

    /// Whether the driver gets a message of COPY: rows when nobody holds them, the end once the last buffer is handed over.
    fn may_pass(&mut self, kind: u8) -> bool {
        let mut shared = lock(&self.shared);
        if matches!(shared.state, State::Off) {
            return true;
        }
        if kind == COPY_DATA || (self.bytes_max == 0 && !shared.take_grant(&mut self.buffer, &mut self.bytes_max)) {
            return false;
        }
        self.bytes_max = 0;
        shared.hand_over(State::Ended(std::mem::take(&mut self.buffer)));
        true
    }
}

impl Shared {
    fn take_grant(&mut self, buffer: &mut Vec<u8>, bytes_max: &mut usize) -> bool {
        match std::mem::replace(&mut self.state, State::Filling) {
            State::Granted(granted, max) => {
                (*buffer, *bytes_max) = (granted, max);
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    fn hand_over(&mut self, state: State) {
        self.state = state;
        if let Some(taker) = self.taker.take() {
            taker.wake();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, driver: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
            tap.stage.reserve(STAGE_BYTES - tap.stage.len());
            if ready!(poll_read_buf(Pin::new(&mut tap.stream), cx, &mut tap.stage))? == 0 {
                return Poll::Ready(Ok(()));
            }
            lock(&tap.shared).received = Instant::now();
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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

/// TLS under the tap: takes the socket out of the one that the driver holds, and gives back one around the TLS stream.
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
        let Tap { stream, shared, guard, .. } = tap;
        let connecting = self.0.connect(stream);
        Box::pin(async move { Ok(Tap::with(connecting.await?, 0, guard, shared)) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::timeout;

    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![kind];
        out.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        out.extend_from_slice(body);
        out
    }

    fn guard() -> Guard {
        let mut guard = Guard::new(None);
        guard.judge(b'Z', 1, b"I").expect("the session is ready");
        guard
    }

    /// Writes bytes in pieces of `step`, so that every message is cut at some time.
    fn server(bytes: Vec<u8>, step: usize) -> DuplexStream {
        let (near, mut far) = duplex(64);
        tokio::spawn(async move {
            for piece in bytes.chunks(step) {
                far.write_all(piece).await.expect("the other end is read");
            }
        });
        near
    }

    async fn taken(taker: &Taker) -> Taken {
        std::future::poll_fn(|cx| taker.poll_taken(cx)).await
    }

    #[tokio::test]
    async fn rows_go_to_the_taker_and_all_else_to_the_driver() {
        for step in [1, 2, 3, 5, 7, 64] {
            let rows = [&b"first"[..], b"second", b"a row longer than the others", b""];
            let mut bytes = b"N".to_vec();
            bytes.extend(message(b'H', &[0, 0, 0]));
            for row in rows {
                bytes.extend(message(COPY_DATA, row));
            }
            bytes.extend(message(COPY_DONE, b""));
            bytes.extend(message(b'Z', b"T"));
            let (mut tap, taker) = Tap::new(server(bytes, step), 1, guard());
            taker.hold();
            let driver = tokio::spawn(async move {
                let mut out = Vec::new();
                tap.read_to_end(&mut out).await.map(|_| out)
            });
            taker.grant(Vec::new(), 12);
            assert_eq!(taken(&taker).await, Taken::Full(b"firstsecond".to_vec()));
            taker.grant(Vec::new(), 12);
            assert_eq!(taken(&taker).await, Taken::Large(28));
            assert_eq!(taker.ended(), None);
            taker.grant(Vec::new(), 28);
            let out = driver.await.expect("no panic").expect("read");
            assert_eq!(taker.ended(), Some(rows[2].to_vec()));
            assert_eq!(out, [b"N".to_vec(), message(b'H', &[0, 0, 0]), message(COPY_DONE, b""), message(b'Z', b"T")].concat());
        }
    }

    #[tokio::test]
    async fn the_greeting_is_passed_on_and_its_process_noted() {
        for step in [1, 4, 64] {
            let key = [77_777_i32.to_be_bytes(), [1, 2, 3, 4]].concat();
            let bytes = [message(b'S', b"a\0b\0"), message(BACKEND_KEY_DATA, &key), message(BACKEND_KEY_DATA, b"cut"), message(b'Z', b"I")]
                .concat();
            let (mut tap, taker) = Tap::new(server(bytes.clone(), step), 0, guard());
            assert_eq!(taker.greeted_pid(), None);
            let mut out = Vec::new();
            tap.read_to_end(&mut out).await.expect("read");
            assert_eq!((out, taker.greeted_pid()), (bytes, Some(77_777)));
        }
    }

    #[tokio::test]
    async fn nothing_is_read_without_a_grant() {
        let bytes = [message(b'N', b"note"), message(COPY_DATA, b"row"), message(COPY_DONE, b"")].concat();
        let (mut tap, taker) = Tap::new(server(bytes, 64), 0, guard());
        taker.hold();
        let mut out = [0; 64];
        assert_eq!(tap.read(&mut out).await.expect("the notice"), 9);
        let waited = timeout(Duration::from_millis(50), tap.read(&mut out)).await;
        assert!(waited.is_err(), "{waited:?}");
        taker.grant(Vec::new(), 3);
        assert_eq!(tap.read(&mut out).await.expect("the end"), 5);
        assert_eq!(taker.ended(), Some(b"row".to_vec()));
    }

    #[tokio::test]
    async fn the_end_of_a_second_copy_waits_for_its_own_grant() {
        let bytes = [message(COPY_DATA, b"row"), message(COPY_DONE, b""), message(COPY_DONE, b"")].concat();
        let (mut tap, taker) = Tap::new(server(bytes, 64), 0, guard());
        taker.hold();
        taker.grant(Vec::new(), 3);
        let mut out = [0; 64];
        assert_eq!(tap.read(&mut out).await.expect("the first end"), 5);
        assert!(timeout(Duration::from_millis(50), tap.read(&mut out)).await.is_err());
        assert_eq!(taker.ended(), Some(b"row".to_vec()));
        taker.grant(Vec::new(), 3);
        assert_eq!(tap.read(&mut out).await.expect("the second end"), 5);
        assert_eq!(taker.ended(), Some(Vec::new()));
    }

    #[tokio::test]
    async fn rows_go_to_the_driver_when_nobody_holds_them() {
        let bytes = [message(COPY_DATA, b"row"), message(COPY_DONE, b"")].concat();
        let (mut tap, taker) = Tap::new(server(bytes.clone(), 3), 0, guard());
        taker.hold();
        taker.release();
        let mut out = Vec::new();
        tap.read_to_end(&mut out).await.expect("read");
        assert_eq!(out, bytes);
    }
}
