//! A socket to one address, TCP or Unix-domain, with keepalives and the bound on what a dead peer
//! leaves unacknowledged.
//!
//! The driver could open its own, but hands out no way to stand between it and the bytes; see
//! `tap`.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

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
            Address::Unix(path) => return UnixStream::connect(path).await.map(Socket::Unix),
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
        Ok(Socket::Tcp(stream))
    }
}

/// An open socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
