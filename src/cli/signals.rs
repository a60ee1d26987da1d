//! SIGINT and SIGTERM end a command within five seconds, with nothing half-written left behind.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Kind, Result};

/// Time for the servers to be told and for files to be removed; then the process ends whatever it still waits for.
const PATIENCE: Duration = Duration::from_millis(4500);
/// Of that, time for the servers to be told.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// A write beyond the file size limit kills the process unless somebody listens; with a listener it fails with EFBIG, and is reported.
const SIGXFSZ: i32 = 25;

/// The signals that are listened to from now on.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Only there so that the signal does not kill.
    _file_size: Signal,
}

impl Signals {
    /// Begins to listen. Runs within a tokio runtime.
    pub(super) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(|source| Error::new(Kind::Unexpected, "listen for signals", source.to_string()));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            _file_size: listen(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    /// Which signal came.
    async fn next(&mut self) -> Kind {
        tokio::select! {
            _ = self.interrupt.recv() => Kind::Interrupted,
            _ = self.terminate.recv() => Kind::Terminated,
        }
    }

    /// Runs `command` until it ends or a signal comes. On the first, `cancel` tells the servers, and the command's future is dropped, which
    /// removes what it had begun to write. On the second, the process ends at once.
    pub(super) async fn race<T>(mut self, command: impl Future<Output = Result<T>>, cancel: impl AsyncFnOnce()) -> Result<T> {
        let mut command = Box::pin(command);
        let kind = tokio::select! {
            result = &mut command => return result,
            kind = self.next() => kind,
        };
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            exit(kind);
        });
        tokio::spawn(async move {
            let second = self.next().await;
            exit(second);
        });
        let _ = tokio::time::timeout(CANCEL_PATIENCE, cancel()).await;
        drop(command);
        let name = if kind == Kind::Interrupted { "SIGINT" } else { "SIGTERM" };
        Err(Error::new(kind, "run to the end", format!("stopped by {name}")))
    }
}

fn exit(kind: Kind) -> ! {
    std::process::exit(i32::from(kind.exit_code()))
}
