//! SIGINT, SIGTERM and SIGHUP end a command within five seconds, with nothing half-written left
//! behind.
//!
//! One that whoever started the program had set to be ignored (`nohup`, a script's `&`) stays so.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::progress::reporter;
use super::text::stdio::LogFormat;
use crate::error::{Error, Kind, Result};
use crate::storage::NewFile;

/// Time for the servers to be told and for files to be removed; then the process ends whatever it
/// still waits for.
const PATIENCE: Duration = Duration::from_millis(4500);
/// Of that, time for the servers to be told.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// A write beyond the file size limit kills the process unless somebody listens; with a listener it
/// fails with EFBIG, and is reported.
const SIGXFSZ: i32 = 25;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A command, and what follows where a signal stops it.
pub(super) struct Stoppable<'a> {
    pub(super) command: Boxed<'a, Result<()>>,
    /// Tells the servers.
    pub(super) cancel: Boxed<'a, ()>,
    /// Does what is left to do then.
    pub(super) settle: Boxed<'a, ()>,
}

/// The signals that are listened to from now on.
pub(super) struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hang_up: Option<Signal>,
    /// Only there so that the signal does not kill.
    _file_size: Signal,
}

impl Signals {
    /// Begins to listen. Runs within a tokio runtime.
    pub(super) fn listen() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|source| {
                Error::new(Kind::Unexpected, "listen for signals", source.to_string())
            })
        };
        let ignored = ignored();
        let heed = |kind: SignalKind| {
            let ignored = ignored & 1 << (kind.as_raw_value() - 1) != 0;
            if ignored { Ok(None) } else { listen(kind).map(Some) }
        };
        Ok(Self {
            interrupt: heed(SignalKind::interrupt())?,
            terminate: heed(SignalKind::terminate())?,
            hang_up: heed(SignalKind::hangup())?,
            _file_size: listen(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    /// Which signal came.
    async fn next(&mut self) -> (Kind, &'static str) {
        tokio::select! {
            () = recv(&mut self.interrupt) => (Kind::Interrupted, "SIGINT"),
            () = recv(&mut self.terminate) => (Kind::Terminated, "SIGTERM"),
            () = recv(&mut self.hang_up) => (Kind::Terminated, "SIGHUP"),
        }
    }

    /// Runs a command until it ends or a signal comes. On the first, the servers are told, the
    /// command's future is dropped, which removes what it had begun to write, and it is settled. On
    /// the second, the process ends at once.
    pub(super) async fn race(mut self, format: LogFormat, stoppable: Stoppable<'_>) -> Result<()> {
        let Stoppable { mut command, cancel, settle } = stoppable;
        let (kind, name) = tokio::select! {
            result = &mut command => return result,
            came = self.next() => came,
        };
        std::thread::spawn(move || {
            std::thread::sleep(PATIENCE);
            exit(&stopped(kind, name), format);
        });
        tokio::spawn(async move {
            let (kind, name) = self.next().await;
            exit(&stopped(kind, name), format);
        });
        let _ = tokio::time::timeout(CANCEL_PATIENCE, cancel).await;
        drop(command);
        settle.await;
        // A thread of the pool that is still at work holds what it writes until the process ends.
        NewFile::abandon_all();
        Err(stopped(kind, name))
    }
}

fn stopped(kind: Kind, name: &str) -> Error {
    let key = if kind == Kind::Interrupted { " (Ctrl-C)" } else { "" };
    Error::new(kind, format!("stopped by {name}{key}"), "it is not done")
}

async fn recv(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that the program was started to ignore, one bit each, as the kernel tells; none
/// where it does not.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends without unwinding: what other threads have begun to write is removed here.
fn exit(error: &Error, format: LogFormat) -> ! {
    NewFile::abandon_all();
    reporter::print_error(error, format);
    std::process::exit(i32::from(error.kind().exit_code()))
}
