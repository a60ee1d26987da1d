//! A socket to one address, TCP or Unix-domain, with keepalives and the bound on what a dead peer
//! leaves unacknowledged.
//!
//! The driver could open its own, but hands out no way to stand between it and the bytes; see
//! `tap`.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::lull::Lull;
use super::target::Keepalives;

/// All that opening the socket once more needs, for a request to cancel.
#[derive(Clone, Debug)]
pub(super) struct Dial {
    pub(super) address: Address,
    /// The name that TLS checks.
    pub(super) name: String,
    pub(super) keepalives: Option<Keepalives>,
    pub(super) user_timeout: Duration,
}

#[derive(Clone, Debug)]
pub(super) enum Address {
    Tcp(IpAddr, u16),
    Unix(PathBuf),
}

impl Dial {
    pub(super) async fn connect(&self) -> io::Result<Socket> {
        let (ip, port) = match &self.address {
            Address::Unix(path) => {
                return UnixStream::connect(path).await.map(|unix| Socket::new(Stream::Unix(unix)));
            }
            Address::Tcp(ip, port) => (*ip, *port),
        };
        let stream = TcpStream::connect((ip, port)).await?;
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.user_timeout))?;
        if let Some(Keepalives { idle, interval, retries }) = self.keepalives {
            socket.set_tcp_keepalive(
                &TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(retries),
            )?;
        }
        Ok(Socket::new(Stream::Tcp(stream)))
    }
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Stream,
    lull: Lull,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    fn new(stream: Stream) -> Self {
        Self { stream, lull: Lull::default() }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, lull } = self.get_mut();
        ready!(lull.poll_over(cx));
        let before = buffer.filled().len();
        ready!(match stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        })?;
        lull.was_read(buffer.filled().len() - before, buffer.remaining() > 0);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, lull } = self.get_mut();
        lull.was_asked();
        match stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
