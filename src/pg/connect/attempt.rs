//! One try to open a session with one address: plain or TLS, log in, the right kind of server, set
//! up; all within one time-out.
//!
//! Does not know the other hosts; a `Refusal` says whether trying them makes sense.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::{Client, Config, SimpleQueryMessage};

use super::guard::Guard;
use super::pace::Paced;
use super::refusal::{self, Next, Refusal};
use super::server::{Cancel, Registration, Server, bounded};
use super::socket::{Address, Dial};
use super::taker::Taker;
use super::tap::{Tap, UnderTap};
use super::target::{Host, Password, SessionAttrs};
use super::tls::Mode;
use crate::error::Result;
use crate::pg::session::{Purpose, Session};
use crate::pg::settings;

/// How long sent data may stay unacknowledged. A dump sends next to nothing, so silence means a
/// dead peer; a restore may be held up by a busy server whose window is closed, which Linux counts
/// as silence too.
const DUMP_USER_TIMEOUT: Duration = Duration::from_secs(60);
const RESTORE_USER_TIMEOUT: Duration = Duration::from_secs(300);

/// A way to talk to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Plain,
    /// TLS if the server offers it.
    Offered,
    Tls,
}

/// One try to open a session with one address.
pub(super) struct Attempt<'a> {
    pub(super) server: &'a Server,
    pub(super) doing: &'a str,
    pub(super) host: &'a Host,
    pub(super) address: Address,
    pub(super) password: Option<&'a Password>,
    pub(super) wish: SessionAttrs,
    pub(super) purpose: Purpose<'a>,
}

impl Attempt<'_> {
    /// Tries the ways that the mode allows; one clock runs for connecting, TLS, authentication and
    /// set-up together.
    pub(super) async fn run(&self) -> Result<Session, Refusal> {
        let timeout = self.server.inner.target.timeout;
        let all = async {
            let (first, second) = self.wires();
            let refusal = match self.dial(first).await {
                Ok(session) => return Ok(session),
                Err(refusal) => refusal,
            };
            let Some(second) = second else { return Err(refusal) };
            let worth_it = refusal.next == Next::OtherKind
                || (refusal.next == Next::Plain && second == Wire::Plain);
            if !worth_it {
                return Err(refusal);
            }
            self.dial(second).await.map_err(|last| both_ways(self.doing, second, &refusal, last))
        };
        if let Some(result) = bounded(timeout, all).await {
            return result;
        }
        let cause = format!("no answer within {} s", timeout.unwrap_or_default().as_secs_f64());
        let setting = self.server.inner.target.names.timeout;
        let hint = format!(
            "check host, port and firewalls, and whether the server is overloaded; {setting} sets \
             the time"
        );
        Err(Refusal::new(self.doing, cause, Next::Host).hint(&hint))
    }

    fn wires(&self) -> (Wire, Option<Wire>) {
        if matches!(self.address, Address::Unix(_)) {
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
        let dial = self.dial_of();
        let socket = dial
            .connect()
            .await
            .map_err(|source| refusal::explain_io(self.doing, &source, self.host))?;
        let config = self.config(wire);
        // Whether there is TLS is answered by one bare byte.
        let bare = wire != Wire::Plain && !inner.target.tls.direct;
        let guard = Guard::new(inner.target.require_auth.clone());
        let paced = self.server.pace().cloned().map(Paced::new);
        let (tap, taker) = Tap::new(socket, usize::from(bare), guard, paced);
        let connected = config.connect_raw(tap, UnderTap(inner.tls_for(&dial))).await;
        let (client, connection) = connected.map_err(|source| {
            refusal::explain(self.doing, source, &inner.target, self.host, self.password)
        })?;
        let session = inner.last_session.fetch_add(1, Ordering::Relaxed);
        inner.live().insert(session, Cancel { token: client.cancel_token(), dial });
        let version = connection.parameter("server_version").and_then(settings::version_num);
        let registration = Registration { server: Arc::clone(inner), session };
        let task = tokio::spawn(async move {
            let _registration = registration;
            // What goes wrong here reaches whoever waits for an answer as "connection closed".
            let _ = connection.await;
        });
        self.set_up(client, task, taker, version).await
    }

    async fn set_up(
        &self,
        client: Client,
        task: JoinHandle<()>,
        taker: Taker,
        version: Option<u32>,
    ) -> Result<Session, Refusal> {
        if self.wish != SessionAttrs::Any {
            let kind = self.kind_of_server(&client).await;
            let (in_recovery, read_only) = match kind {
                Ok(kind) => kind,
                Err(source) => {
                    task.abort();
                    return Err(refusal::explain(
                        self.doing,
                        source,
                        &self.server.inner.target,
                        self.host,
                        self.password,
                    ));
                }
            };
            if let Some(objection) = self.wish.objection(in_recovery, read_only) {
                task.abort();
                return Err(Refusal::new(self.doing, objection, Next::Host));
            }
        }
        // On the heap: every future that opens a session holds this one.
        let session = Box::pin(Session::prepare(
            self.server.clone(),
            client,
            task,
            taker,
            version,
            self.purpose,
        ))
        .await;
        session.map_err(|error| Refusal { error, next: Next::Nothing })
    }

    /// Whether the server is in recovery, and whether its sessions are read-only.
    async fn kind_of_server(&self, client: &Client) -> Result<(bool, bool), tokio_postgres::Error> {
        let sql = "SELECT pg_catalog.pg_is_in_recovery(), \
            pg_catalog.current_setting('transaction_read_only') = 'on'";
        let answer = client.simple_query(sql).await?;
        let row = answer.iter().find_map(|message| {
            if let SimpleQueryMessage::Row(row) = message { Some(row) } else { None }
        });
        let is =
            |column: usize| row.and_then(|row| row.try_get(column).ok().flatten()) == Some("t");
        Ok((is(0), is(1)))
    }

    fn dial_of(&self) -> Dial {
        let target = &self.server.inner.target;
        let default = if matches!(self.purpose, Purpose::Restore) {
            RESTORE_USER_TIMEOUT
        } else {
            DUMP_USER_TIMEOUT
        };
        Dial {
            address: self.address.clone(),
            name: self.host.tls_name().to_owned(),
            keepalives: target.keepalives,
            user_timeout: target.tcp_user_timeout.unwrap_or(default),
        }
    }

    /// The driver's configuration. Its user is always set, or it would ask the C library.
    fn config(&self, wire: Wire) -> Config {
        let target = &self.server.inner.target;
        let mut config = Config::new();
        config
            .user(&target.user)
            .dbname(&target.database)
            .application_name(&target.application_name);
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
        config
    }
}

/// What to say when both ways to talk to a server failed.
fn both_ways(doing: &str, second: Wire, first: &Refusal, last: Refusal) -> Refusal {
    let (tried, otherwise) =
        if second == Wire::Plain { ("with TLS", "without") } else { ("without TLS", "with TLS") };
    if first.error.cause() == last.error.cause() {
        return last;
    }
    let cause = format!("{tried}: {}; {otherwise}: {}", first.error.cause(), last.error.cause());
    let hint = last.error.hint_text().unwrap_or_default().to_owned();
    let mut both = Refusal::new(doing, cause, last.next).hint(&hint);
    if let Some(code) = last.error.sqlstate() {
        both.error = both.error.with_sqlstate(code);
    }
    both
}
