//! Opening sessions: where the server is, how it is reached, and why it was not.
//!
//! Every session of a run is opened by one `Server`. Settings come in as a `Target`, which `libpq` makes by libpq's rules; who else may make one is not known here.

mod attempt;
pub mod conninfo;
pub mod environment;
mod guard;
pub mod libpq;
mod libpq_tls;
pub mod parameters;
pub mod passfile;
mod refusal;
pub mod secret;
pub mod service;
mod socket;
pub mod taker;
mod tap;
pub mod target;
pub mod tls;
mod verifier;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::attempt::Attempt;
use self::refusal::{Next, Refusal};
use self::secret::Secret;
use self::socket::{Address, Dial, Socket};
use self::target::{Host, Password, Place, SessionAttrs, Target};
use super::session::{Purpose, Session};
use crate::error::{Error, Kind, Result};

/// Asks the person at the terminal for a password; the argument is the prompt.
pub type Ask = fn(&str) -> std::io::Result<Secret>;

/// How long `cancel_all` takes at most.
const CANCEL_BOUND: Duration = Duration::from_secs(2);

/// All that is needed to open one more session with the same database. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
    patience: Option<Duration>,
}

struct Inner {
    target: Target,
    tls: MakeRustlsConnect,
    describe: String,
    ask: Option<Ask>,
    /// The password that was typed; held while somebody types, so that sessions opened side by side ask once.
    typed: Arc<tokio::sync::Mutex<Option<Password>>>,
    /// The sessions that are open, for `cancel_all`.
    live: Arc<Mutex<HashMap<u64, Cancel>>>,
    last_session: Arc<AtomicU64>,
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
struct Cancel {
    token: CancelToken,
    dial: Dial,
}

/// Takes a session out of the registry when its connection ends, however it ends.
struct Registration {
    server: Arc<Inner>,
    session: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.server.live().remove(&self.session);
    }
}

impl Server {
    /// For a decided target; reads the certificates that it names. `ask` is called if the server wants a password and none is known.
    pub fn new(target: Target, ask: Option<Ask>) -> Result<Self> {
        let tls = tls::connector(&target.tls)?;
        let describe = target.describe();
        let (typed, live, last_session, known_settings) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
        let inner = Inner { target, tls, describe, ask, typed, live, last_session, known_settings };
        Ok(Self { inner: Arc::new(inner), patience: None })
    }

    /// From a connection string alone, without environment and files; never asks. For tests and tools.
    pub fn from_conninfo(text: &str) -> Result<Self> {
        Self::new(libpq::resolve_string(text)?.target, None)
    }

    /// The same server; sessions opened by it look after an answer that has not come for so long, see [`Session::answered`]. Never, if it is 0.
    #[must_use]
    pub fn patient(&self, patience: Duration) -> Self {
        Self { inner: Arc::clone(&self.inner), patience: (!patience.is_zero()).then_some(patience) }
    }

    /// Another database of the same server. The password that was typed and the sessions to be cancelled are those of both.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        let Inner { target, tls, ask, typed, live, last_session, known_settings, .. } = &*self.inner;
        let target = Target { database: name.to_owned(), ..target.clone() };
        let inner = Inner {
            describe: target.describe(),
            target,
            tls: tls.clone(),
            ask: *ask,
            typed: Arc::clone(typed),
            live: Arc::clone(live),
            last_session: Arc::clone(last_session),
            known_settings: Arc::clone(known_settings),
        };
        Self { inner: Arc::new(inner), patience: self.patience }
    }

    /// The same server, and nothing is looked after.
    pub(super) fn impatient(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), patience: None }
    }

    /// How long an answer is waited for before it is looked after.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// The names of the settings that it has, of those that a dump sets; empty unless its version has misled.
    pub(super) fn known_settings(&self) -> &OnceLock<Vec<String>> {
        &self.inner.known_settings
    }

    /// Opens a session and sets it up.
    pub async fn open(&self, purpose: Purpose<'_>) -> Result<Session> {
        let typed = self.inner.typed.lock().await.clone();
        let refusal = match self.try_hosts(purpose, typed.as_ref()).await {
            Ok(session) => return Ok(session),
            Err(refusal) => refusal,
        };
        let (Next::Password, Some(ask)) = (refusal.next, self.inner.ask) else { return Err(refusal.error) };
        let password = self.typed_password(ask).await?;
        self.try_hosts(purpose, Some(&password)).await.map_err(|refusal| refusal.error)
    }

    /// Names the server for people, without secrets: `kong@127.0.0.1:5432/kong`.
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

    /// Asks the server to cancel what every open session runs; best effort, side by side, for 2 s at most. For a run that is being stopped: call it before the run is dropped.
    pub async fn cancel_all(&self) {
        let all: Vec<Cancel> = self.inner.live().values().cloned().collect();
        let cancels = all.into_iter().map(|Cancel { token, dial }| async move {
            if let Ok(socket) = dial.connect().await {
                let _ = token.cancel_query_raw(socket, self.inner.tls_for(&dial)).await;
            }
        });
        let _ = tokio::time::timeout(CANCEL_BOUND, join_all(cancels)).await;
    }

    async fn typed_password(&self, ask: Ask) -> Result<Password> {
        let mut typed = self.inner.typed.lock().await;
        if let Some(password) = &*typed {
            return Ok(password.clone());
        }
        let prompt = format!("Password for user {}: ", self.user());
        let answer = tokio::task::spawn_blocking(move || ask(&prompt)).await;
        let doing = "ask for the password";
        let secret = answer
            .map_err(|error| Error::new(Kind::Unexpected, doing, error.to_string()))?
            .map_err(|error| Error::new(Kind::Connect, doing, error.to_string()))?;
        let password = Password { secret, source: "the terminal".to_owned() };
        *typed = Some(password.clone());
        Ok(password)
    }

    /// Tries each address of each host in turn.
    async fn try_hosts(&self, purpose: Purpose<'_>, typed: Option<&Password>) -> Result<Session, Refusal> {
        let target = &self.inner.target;
        let wishes: &[SessionAttrs] = match &target.session {
            SessionAttrs::PreferStandby => &[SessionAttrs::Standby, SessionAttrs::Any],
            other => std::slice::from_ref(other),
        };
        let mut refusals = Vec::new();
        for wish in wishes {
            for host in self.hosts_in_order() {
                let doing = format!("connect to {}@{}/{}", target.user, host.describe(), target.database);
                let addresses = match self.addresses(&doing, host).await {
                    Ok(addresses) => addresses,
                    Err(refusal) => {
                        refusals.push(refusal);
                        continue;
                    }
                };
                for address in addresses {
                    let attempt = Attempt {
                        server: self,
                        doing: &doing,
                        host,
                        address,
                        password: typed.or(host.password.as_ref()),
                        wish: *wish,
                        purpose,
                    };
                    match attempt.run().await {
                        Ok(session) => return Ok(session),
                        Err(refusal) if refusal.next == Next::Host => refusals.push(refusal),
                        Err(refusal) => return Err(refusal),
                    }
                }
            }
        }
        Err(self.summed_up(refusals))
    }

    fn hosts_in_order(&self) -> Vec<&Host> {
        let mut hosts: Vec<&Host> = self.inner.target.hosts.iter().collect();
        if self.inner.target.shuffle {
            let random = RandomState::new();
            hosts.sort_by_cached_key(|host| random.hash_one(host.describe()));
        }
        hosts
    }

    /// The addresses of a host.
    async fn addresses(&self, doing: &str, host: &Host) -> Result<Vec<Address>, Refusal> {
        let name = match &host.place {
            Place::Socket(folder) => return Ok(vec![Address::Unix(folder.join(format!(".s.PGSQL.{}", host.port)))]),
            Place::Tcp { address: Some(address), .. } => return Ok(vec![Address::Tcp(*address, host.port)]),
            Place::Tcp { name, .. } => name,
        };
        let found = bounded(self.inner.target.timeout, tokio::net::lookup_host((name.as_str(), host.port))).await;
        let found = found.ok_or_else(|| Refusal::new(doing, format!("the look-up of the name {name} got no answer"), Next::Host))?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.map_err(|error| {
            let cause = format!("the name {name} cannot be resolved ({error})");
            Refusal::new(doing, cause, Next::Host).hint("check the host's name, and the name service of this machine")
        })? {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        Ok(addresses.into_iter().map(|address| Address::Tcp(address, host.port)).collect())
    }

    /// One refusal as it is; of several, all causes and the first hint.
    fn summed_up(&self, mut refusals: Vec<Refusal>) -> Refusal {
        let doing = format!("connect to {}", self.describe());
        if refusals.len() == 1 {
            return refusals.swap_remove(0);
        }
        let mut causes: Vec<String> = Vec::new();
        for refusal in &refusals {
            let place = refusal.error.doing().trim_start_matches("connect to ");
            let cause = format!("{place}: {}", refusal.error.cause());
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        if causes.len() == 1 {
            return refusals.swap_remove(0);
        }
        let hint = refusals.iter().find_map(|refusal| refusal.error.hint_text()).unwrap_or_default().to_owned();
        let cause = if causes.is_empty() { "no address is known".to_owned() } else { causes.join("; ") };
        Refusal::new(&doing, cause, Next::Nothing).hint(&hint)
    }
}

impl Inner {
    /// TLS with the host of a connection, should there be any.
    fn tls_for(&self, dial: &Dial) -> impl TlsConnect<Socket, Stream: Send, Future: Send + 'static> + use<> {
        let mut tls = self.tls.clone();
        MakeTlsConnect::<Socket>::make_tls_connect(&mut tls, &dial.name).expect("a name is looked at when it is used")
    }

    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Cancel>> {
        // A map of tokens cannot be left half changed.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for `work`, for ever if there is no bound; `None` when the time is up.
async fn bounded<T>(bound: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match bound {
        None => Some(work.await),
        Some(bound) => tokio::time::timeout(bound, work).await.ok(),
    }
}
