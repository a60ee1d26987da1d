//! Opening sessions: where the server is, how it is reached, and why it was not.
//!
//! Every session of a run is opened by one `Server`. Settings come in as a `Target`, which `libpq` makes by libpq's rules; who else may make one is not known here.

pub mod conninfo;
pub mod environment;
pub mod libpq;
mod libpq_tls;
pub mod parameters;
pub mod passfile;
mod refusal;
pub mod secret;
pub mod service;
pub mod target;
pub mod tls;
mod verifier;

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::{CancelToken, Client, Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::refusal::{Next, Refusal};
use self::secret::Secret;
use self::target::{Host, Password, Place, SessionAttrs, Target};
use self::tls::Mode;
use super::session::{Purpose, Session};
use crate::error::{Error, Kind, Result};

/// Asks the person at the terminal for a password; the argument is the prompt.
pub type Ask = fn(&str) -> std::io::Result<Secret>;

/// How long `cancel_all` takes at most.
const CANCEL_BOUND: Duration = Duration::from_secs(2);

/// How long sent data may stay unacknowledged. A dump sends next to nothing, so silence means a dead peer; a restore may be held up by a busy server whose window
/// is closed, which Linux counts as silence too.
const DUMP_USER_TIMEOUT: Duration = Duration::from_secs(60);
const RESTORE_USER_TIMEOUT: Duration = Duration::from_secs(300);

/// All that is needed to open one more session with the same database. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    tls: MakeRustlsConnect,
    describe: String,
    ask: Option<Ask>,
    /// The password that was typed; held while somebody types, so that sessions opened side by side ask once.
    typed: tokio::sync::Mutex<Option<Password>>,
    /// The sessions that are open, for `cancel_all`.
    live: Mutex<HashMap<u64, CancelToken>>,
    last_session: AtomicU64,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.describe()).finish()
    }
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

/// A way to talk to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Plain,
    /// TLS if the server offers it.
    Offered,
    Tls,
}

impl Server {
    /// For a decided target; reads the certificates that it names. `ask` is called if the server wants a password and none is known.
    pub fn new(target: Target, ask: Option<Ask>) -> Result<Self> {
        let tls = tls::connector(&target.tls)?;
        let describe = target.describe();
        let (typed, live) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { inner: Arc::new(Inner { target, tls, describe, ask, typed, live, last_session: AtomicU64::new(0) }) })
    }

    /// From a connection string alone, without environment and files; never asks. For tests and tools.
    pub fn from_conninfo(text: &str) -> Result<Self> {
        Self::new(libpq::resolve_string(text)?.target, None)
    }

    /// Opens a session and sets it up.
    pub async fn open(&self, purpose: Purpose) -> Result<Session> {
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
        let tokens: Vec<CancelToken> = self.inner.live().values().cloned().collect();
        let cancels = tokens.into_iter().map(|token| self.cancel(token));
        let _ = tokio::time::timeout(CANCEL_BOUND, join_all(cancels)).await;
    }

    pub(super) async fn cancel(&self, token: CancelToken) -> Result<(), tokio_postgres::Error> {
        token.cancel_query(self.inner.tls.clone()).await
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
    async fn try_hosts(&self, purpose: Purpose, typed: Option<&Password>) -> Result<Session, Refusal> {
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

    /// The addresses of a host; `None` stands for a socket.
    async fn addresses(&self, doing: &str, host: &Host) -> Result<Vec<Option<IpAddr>>, Refusal> {
        let name = match &host.place {
            Place::Socket(_) => return Ok(vec![None]),
            Place::Tcp { address: Some(address), .. } => return Ok(vec![Some(*address)]),
            Place::Tcp { name, .. } => name,
        };
        let found = bounded(self.inner.target.timeout, tokio::net::lookup_host((name.as_str(), host.port))).await;
        let found = found.ok_or_else(|| Refusal::new(doing, format!("the look-up of the name {name} got no answer"), Next::Host))?;
        let mut addresses: Vec<Option<IpAddr>> = Vec::new();
        for address in found.map_err(|error| {
            let cause = format!("the name {name} cannot be resolved ({error})");
            Refusal::new(doing, cause, Next::Host).hint("check the host's name, and the name service of this machine")
        })? {
            if !addresses.contains(&Some(address.ip())) {
                addresses.push(Some(address.ip()));
            }
        }
        Ok(addresses)
    }

    /// One refusal as it is; of several, all causes and the first hint.
    fn summed_up(&self, mut refusals: Vec<Refusal>) -> Refusal {
        let doing = format!("connect to {}", self.describe());
        if refusals.len() == 1 {
            return refusals.swap_remove(0);
        }
        let mut causes: Vec<String> = Vec::new();
        for refusal in &refusals {
            let cause = refusal.error.to_string();
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
    fn live(&self) -> std::sync::MutexGuard<'_, HashMap<u64, CancelToken>> {
        // A map of tokens cannot be left half changed.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One try to open a session with one address.
struct Attempt<'a> {
    server: &'a Server,
    doing: &'a str,
    host: &'a Host,
    address: Option<IpAddr>,
    password: Option<&'a Password>,
    wish: SessionAttrs,
    purpose: Purpose,
}

impl Attempt<'_> {
    /// Tries the ways that the mode allows; one clock runs for connecting, TLS, authentication and set-up together.
    async fn run(&self) -> Result<Session, Refusal> {
        let timeout = self.server.inner.target.timeout;
        let all = async {
            let (first, second) = self.wires();
            let refusal = match self.dial(first).await {
                Ok(session) => return Ok(session),
                Err(refusal) => refusal,
            };
            let Some(second) = second else { return Err(refusal) };
            let worth_it = refusal.next == Next::OtherKind || (refusal.next == Next::Plain && second == Wire::Plain);
            if !worth_it {
                return Err(refusal);
            }
            self.dial(second).await.map_err(|mut next| {
                let (tried, otherwise) = if second == Wire::Plain { ("with TLS", "without TLS") } else { ("without TLS", "with TLS") };
                next.error = next.error.within(format!("{} ({tried}: {}; {otherwise})", self.doing, refusal.error));
                next
            })
        };
        bounded(timeout, all).await.unwrap_or_else(|| {
            let cause = format!("no answer within {} s", timeout.unwrap_or_default().as_secs_f64());
            Err(Refusal::new(self.doing, cause, Next::Host)
                .hint("check host, port and firewalls, and whether the server is overloaded; connect_timeout sets the time"))
        })
    }

    fn wires(&self) -> (Wire, Option<Wire>) {
        if self.address.is_none() {
            return (Wire::Plain, None);
        }
        match self.server.inner.target.tls.mode {
            Mode::Disable => (Wire::Plain, None),
            Mode::Allow => (Wire::Plain, Some(Wire::Tls)),
            Mode::Prefer => (Wire::Offered, Some(Wire::Plain)),
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => (Wire::Tls, None),
        }
    }

    async fn dial(&self, wire: Wire) -> Result<Session, Refusal> {
        let inner = &self.server.inner;
        let connected = self.config(wire).connect(inner.tls.clone()).await;
        let (client, connection) =
            connected.map_err(|source| refusal::explain(self.doing, source, &inner.target, self.host, self.password))?;
        let session = inner.last_session.fetch_add(1, Ordering::Relaxed);
        inner.live().insert(session, client.cancel_token());
        let registration = Registration { server: Arc::clone(inner), session };
        let task = tokio::spawn(async move {
            let _registration = registration;
            // What goes wrong here reaches whoever waits for an answer as "connection closed".
            let _ = connection.await;
        });
        self.set_up(client, task).await
    }

    async fn set_up(&self, client: Client, task: JoinHandle<()>) -> Result<Session, Refusal> {
        if self.wish != SessionAttrs::Any {
            let kind = self.kind_of_server(&client).await;
            let (in_recovery, read_only) = match kind {
                Ok(kind) => kind,
                Err(source) => {
                    task.abort();
                    return Err(refusal::explain(self.doing, source, &self.server.inner.target, self.host, self.password));
                }
            };
            if let Some(objection) = self.wish.objection(in_recovery, read_only) {
                task.abort();
                return Err(Refusal::new(self.doing, objection, Next::Host));
            }
        }
        let session = Session::prepare(self.server.clone(), client, task, self.purpose).await;
        session.map_err(|error| Refusal { error, next: Next::Nothing })
    }

    /// Whether the server is in recovery, and whether its sessions are read-only.
    async fn kind_of_server(&self, client: &Client) -> Result<(bool, bool), tokio_postgres::Error> {
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only') = 'on'";
        let answer = client.simple_query(sql).await?;
        let row = answer.iter().find_map(|message| if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None });
        let is = |column| row.and_then(|row| row.get(column)) == Some("t");
        Ok((is(0), is(1)))
    }

    /// The driver's configuration. Its own time-out covers only the TCP handshake, so it is left alone; its user is always set, or it would ask the C library.
    fn config(&self, wire: Wire) -> Config {
        let target = &self.server.inner.target;
        let mut config = Config::new();
        config.user(&target.user).dbname(&target.database).application_name(&target.application_name).port(self.host.port);
        match (&self.host.place, self.address) {
            (Place::Socket(folder), _) => config.host_path(folder),
            (Place::Tcp { name, .. }, Some(address)) => config.host(name).hostaddr(address),
            (Place::Tcp { name, .. }, None) => config.host(name),
        };
        if let Some(password) = self.password {
            config.password(password.secret.expose());
        }
        if let Some(options) = &target.options {
            config.options(options);
        }
        config.ssl_mode(match wire {
            Wire::Plain => SslMode::Disable,
            Wire::Offered => SslMode::Prefer,
            Wire::Tls => SslMode::Require,
        });
        if target.tls.direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        config.channel_binding(target.channel_binding);
        config.keepalives(target.keepalives.is_some());
        if let Some(keepalives) = target.keepalives {
            config.keepalives_idle(keepalives.idle).keepalives_interval(keepalives.interval).keepalives_retries(keepalives.retries);
        }
        let default = if self.purpose == Purpose::Dump { DUMP_USER_TIMEOUT } else { RESTORE_USER_TIMEOUT };
        config.tcp_user_timeout(target.tcp_user_timeout.unwrap_or(default));
        config
    }
}

/// Waits for `work`, for ever if there is no bound; `None` when the time is up.
async fn bounded<T>(bound: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match bound {
        None => Some(work.await),
        Some(bound) => tokio::time::timeout(bound, work).await.ok(),
    }
}
