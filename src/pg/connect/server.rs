//! A server: where it is, who opens sessions of it, and which are open, to be cancelled.
//!
//! Does not know what a session is set to.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pace::Pace;
use super::secret::Secret;
use super::socket::{Dial, Socket};
use super::target::{Password, Target};
use super::tls;
use crate::error::Result;
use crate::pg::asked_by::AskedBy;
use crate::pg::lock_waits::LockWaits;

/// Asks the person at the terminal for a password; the argument is the prompt.
pub type Ask = fn(&str) -> std::io::Result<Secret>;

/// How long `cancel_all` takes at most.
const CANCEL_BOUND: Duration = Duration::from_secs(2);

/// All that is needed to open one more session with the same database. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    pub(super) inner: Arc<Inner>,
    patience: Option<Duration>,
    lock_waits: Option<LockWaits>,
    asked_by: Option<AskedBy>,
    pace: Option<Arc<Pace>>,
}

pub(super) struct Inner {
    pub(super) target: Target,
    pub(super) tls: MakeRustlsConnect,
    describe: String,
    pub(super) ask: Option<Ask>,
    /// The password that was typed; held while somebody types, so that sessions opened side by side
    /// ask once.
    pub(super) typed: Arc<tokio::sync::Mutex<Option<Password>>>,
    /// The sessions that are open, for `cancel_all`.
    live: Arc<Mutex<HashMap<u64, Cancel>>>,
    pub(super) last_session: Arc<AtomicU64>,
    /// The server processes of all sessions that were ever opened.
    pids: Arc<Mutex<BTreeSet<i32>>>,
    /// The settings that the server has, once it was asked.
    known_settings: Arc<OnceLock<Vec<String>>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.describe()).finish()
    }
}

/// What cancelling a session's statement takes: another connection to the same address.
#[derive(Clone)]
pub(super) struct Cancel {
    pub(super) token: CancelToken,
    pub(super) dial: Dial,
}

/// Takes a session out of the registry when its connection ends, however it ends.
pub(super) struct Registration {
    pub(super) server: Arc<Inner>,
    pub(super) session: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.server.live().remove(&self.session);
    }
}

impl Server {
    /// For a decided target; reads the certificates that it names. `ask` is called if the server
    /// wants a password and none is known.
    pub fn new(target: Target, ask: Option<Ask>) -> Result<Self> {
        let tls = tls::connector(&target.tls)?;
        let describe = target.describe();
        let (typed, live, last_session, pids, known_settings) =
            (Arc::default(), Arc::default(), Arc::default(), Arc::default(), Arc::default());
        let inner =
            Inner { target, tls, describe, ask, typed, live, last_session, pids, known_settings };
        Ok(Self::plain(Arc::new(inner)))
    }

    fn plain(inner: Arc<Inner>) -> Self {
        Self { inner, patience: None, lock_waits: None, asked_by: None, pace: None }
    }

    /// The same server; sessions opened by it together read at most so many bytes a second.
    #[must_use]
    pub fn paced(&self, bytes_per_second: u64) -> Self {
        Self { pace: Some(Arc::new(Pace::new(bytes_per_second))), ..self.clone() }
    }

    /// The same server; sessions opened by it look after an answer that has not come for so long,
    /// see [`answered`](crate::pg::session::Session::answered). Never, if it is 0.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        Self { patience: (!patience.is_zero()).then_some(patience), ..self.clone() }
    }

    /// The same server; of sessions opened by it, it is looked what locks they wait for.
    #[must_use]
    pub fn watching(&self, lock_waits: LockWaits) -> Self {
        Self { lock_waits: Some(lock_waits), ..self.clone() }
    }

    /// The same server; whatever is asked about sessions that are opened by it goes by this way,
    /// and opens none of its own.
    #[must_use]
    pub fn asked_by(&self, asked_by: AskedBy) -> Self {
        Self { asked_by: Some(asked_by), ..self.clone() }
    }

    /// Another database of the same server. The password that was typed and the sessions to be
    /// cancelled are those of both.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let target = Target { database: name.to_owned(), ..self.inner.target.clone() };
        let inner = self.inner.with(target, Arc::clone(&self.inner.live));
        Self { inner: Arc::new(inner), asked_by: None, ..self.clone() }
    }

    /// The same server, and nothing is looked after.
    pub(in crate::pg) fn impatient(&self) -> Self {
        Self::plain(Arc::clone(&self.inner))
    }

    /// The same server, and nothing is looked after: [`cancel_all`](Self::cancel_all) of the other
    /// leaves what is opened by this one alone.
    #[must_use]
    pub fn apart(&self) -> Self {
        let inner = self.inner.with(self.inner.target.clone(), Arc::default());
        Self::plain(Arc::new(inner))
    }

    /// Who is asked about a session.
    pub(in crate::pg) fn asks(&self) -> Option<&AskedBy> {
        self.asked_by.as_ref()
    }

    /// The server processes of all sessions that this run has ever opened, in any database of the
    /// server.
    pub fn pids(&self) -> Vec<i32> {
        self.inner.pids().iter().copied().collect()
    }

    /// Notes that a session of this run has this server process.
    pub(in crate::pg) fn is_ours(&self, pid: i32) {
        self.inner.pids().insert(pid);
    }

    /// What bounds the bytes that a session reads.
    pub(super) fn pace(&self) -> Option<&Arc<Pace>> {
        self.pace.as_ref()
    }

    /// What is done about waits for locks.
    pub(in crate::pg) fn lock_waits(&self) -> Option<&LockWaits> {
        self.lock_waits.as_ref()
    }

    /// How long an answer is waited for before it is looked after.
    pub(in crate::pg) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// The names of the settings that this server has, of those that a dump sets; empty unless its
    /// version has misled.
    pub(in crate::pg) fn known_settings(&self) -> &OnceLock<Vec<String>> {
        &self.inner.known_settings
    }

    /// Names this server for people, without secrets: `kong@127.0.0.1:5432/kong`.
    pub fn describe(&self) -> &str {
        &self.inner.describe
    }

    /// The role of every session.
    pub fn user(&self) -> &str {
        &self.inner.target.user
    }

    /// The database of every session.
    pub fn database(&self) -> &str {
        &self.inner.target.database
    }

    /// Asks the server to cancel what every open session runs; best effort, side by side, for 2 s
    /// at most. For a run that is being stopped: call it before the run is dropped.
    pub async fn cancel_all(&self) {
        let all: Vec<Cancel> = self.inner.live().values().cloned().collect();
        let cancels = all.into_iter().map(|Cancel { token, dial }| async move {
            if let Ok(socket) = dial.connect().await {
                let _ = token.cancel_query_raw(socket, self.inner.tls_for(&dial)).await;
            }
        });
        let _ = tokio::time::timeout(CANCEL_BOUND, join_all(cancels)).await;
    }
}

impl Inner {
    /// TLS with the host of a connection, should there be any.
    pub(super) fn tls_for(
        &self,
        dial: &Dial,
    ) -> impl TlsConnect<Socket, Stream: Send, Future: Send + 'static> + use<> {
        let mut tls = self.tls.clone();
        MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, &dial.name)
            .expect("a name is looked at when it is used")
    }

    /// The same for another target.
    fn with(&self, target: Target, live: Arc<Mutex<HashMap<u64, Cancel>>>) -> Self {
        Self {
            describe: target.describe(),
            target,
            tls: self.tls.clone(),
            ask: self.ask,
            typed: Arc::clone(&self.typed),
            live,
            last_session: Arc::clone(&self.last_session),
            pids: Arc::clone(&self.pids),
            known_settings: Arc::clone(&self.known_settings),
        }
    }

    fn pids(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        // A set of numbers cannot be left half changed.
        self.pids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn live(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Cancel>> {
        // A map of tokens cannot be left half changed.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for work on this server, for ever if there is no bound; `None` when the time is up.
pub(super) async fn bounded<T>(
    bound: Option<Duration>,
    work: impl Future<Output = T>,
) -> Option<T> {
    match bound {
        None => Some(work.await),
        Some(bound) => tokio::time::timeout(bound, work).await.ok(),
    }
}
