//! Opening sessions: where the server is, how it is reached, and why it was not, summed up over all
//! addresses.
//!
//! Every session of a run is opened by one `Server`. Settings come in as a `Target`, which `libpq`
//! makes by libpq's rules; who else may make one is not known here.

mod attempt;
pub mod conninfo;
pub mod environment;
mod guard;
pub mod libpq;
mod libpq_tls;
mod lull;
mod pace;
pub mod parameters;
mod passfile;
mod refusal;
pub mod secret;
pub mod server;
mod service;
mod socket;
pub mod taker;
mod tap;
pub mod target;
pub mod tls;
mod verifier;

use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::IpAddr;

use futures_util::FutureExt as _;

use self::attempt::Attempt;
use self::refusal::{Next, Refusal};
use self::server::bounded;
pub use self::server::{Ask, Server};
use self::socket::Address;
use self::target::{Host, Password, Place, SessionAttrs};
use super::session::{Purpose, Session};
use crate::error::{Error, Kind, Result};

impl Server {
    /// From a connection string alone, without environment and files; never asks. For tests and
    /// tools.
    pub fn from_conninfo(text: &str) -> Result<Self> {
        Self::new(libpq::resolve_string(text)?.target, None)
    }

    /// Opens a session and sets it up.
    pub async fn open(&self, purpose: Purpose<'_>) -> Result<Session> {
        let opening = async {
            let typed = self.inner.typed.lock().await.clone();
            let refusal = match self.try_hosts(purpose, typed.as_ref()).await {
                Ok(session) => return Ok(session),
                Err(refusal) => refusal,
            };
            let (Next::Password, Some(ask)) = (refusal.next, self.inner.ask) else {
                return Err(refusal.error);
            };
            let password = self.typed_password(ask).await?;
            self.try_hosts(purpose, Some(&password)).await.map_err(|refusal| refusal.error)
        };
        opening.boxed().await
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
            .map_err(|error| match error.kind() {
                ErrorKind::Interrupted => Error::new(Kind::Interrupted, doing, "stopped by Ctrl-C"),
                _ => Error::new(Kind::Connect, doing, error.to_string()),
            })?;
        let password = Password { secret, source: "the terminal".to_owned() };
        *typed = Some(password.clone());
        Ok(password)
    }

    /// Tries each address of each host in turn.
    async fn try_hosts(
        &self,
        purpose: Purpose<'_>,
        typed: Option<&Password>,
    ) -> Result<Session, Refusal> {
        let target = &self.inner.target;
        let wishes: &[SessionAttrs] = match &target.session {
            SessionAttrs::PreferStandby => &[SessionAttrs::Standby, SessionAttrs::Any],
            other => std::slice::from_ref(other),
        };
        let mut refusals = Vec::new();
        for wish in wishes {
            for host in self.hosts_in_order() {
                let doing =
                    format!("connect to {}@{}/{}", target.user, host.describe(), target.database);
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
            Place::Socket(folder) => {
                return Ok(vec![Address::Unix(folder.join(format!(".s.PGSQL.{}", host.port)))]);
            }
            Place::Tcp { address: Some(address), .. } => {
                return Ok(vec![Address::Tcp(*address, host.port)]);
            }
            Place::Tcp { name, .. } => name,
        };
        let found =
            bounded(self.inner.target.timeout, tokio::net::lookup_host((name.as_str(), host.port)))
                .await;
        let found = found.ok_or_else(|| {
            Refusal::new(doing, format!("the look-up of the name {name} got no answer"), Next::Host)
        })?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.map_err(|error| {
            let cause = format!("the name {name} cannot be resolved ({error})");
            Refusal::new(doing, cause, Next::Host)
                .hint("check the host's name, and the name service of this machine")
        })? {
            if !addresses.contains(&address.ip()) {
                addresses.push(address.ip());
            }
        }
        Ok(addresses.into_iter().map(|address| Address::Tcp(address, host.port)).collect())
    }

    /// Why the server was not reached, over all addresses: one refusal as it is; of several, all
    /// causes and the first hint.
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
        let hint = refusals
            .iter()
            .find_map(|refusal| refusal.error.hint_text())
            .unwrap_or_default()
            .to_owned();
        let cause =
            if causes.is_empty() { "no address is known".to_owned() } else { causes.join("; ") };
        Refusal::new(&doing, cause, Next::Nothing).hint(&hint)
    }
}
