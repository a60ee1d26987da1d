//! Where the server is and how to reach it, fully decided: the plain value that libpq's rules, and
//! any other rules, end in.
//!
//! Does not know where the values came from.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::ChannelBinding;

pub use super::guard::Method;
use super::secret::Secret;
use super::tls;

/// How long opening one connection may take, unless the user says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The name that sessions show in `pg_stat_activity`.
pub const APPLICATION_NAME: &str = "silverback";

/// Everything that opening a session needs.
#[derive(Clone, Debug)]
pub struct Target {
    /// At least one; tried in order.
    pub hosts: Vec<Host>,
    /// Whether the hosts are tried in random order.
    pub shuffle: bool,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// `application_name` of every session.
    pub application_name: String,
    /// `options` of the start-up packet.
    pub options: Option<String>,
    /// Bound on resolving, connecting, TLS, authentication and set-up together, for each address;
    /// `None` waits for ever.
    pub timeout: Option<Duration>,
    /// TCP keepalives, unless they are switched off.
    pub keepalives: Option<Keepalives>,
    /// Bound on data that the peer does not acknowledge; `None` leaves it to the purpose of the
    /// session.
    pub tcp_user_timeout: Option<Duration>,
    /// Whether SCRAM binds to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// The methods of authentication that are answered (`require_auth`); `None` is every one.
    pub require_auth: Option<Vec<Method>>,
    /// What kind of server it has to be.
    pub session: SessionAttrs,
    /// TLS.
    pub tls: tls::Settings,
    /// What hints call the settings that the user may have to change.
    pub names: SettingNames,
}

/// The names of settings where the target came from; a hint that names another source's would not
/// help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingNames {
    /// Where a password can be given.
    pub password: &'static str,
    /// What names trusted certificates.
    pub trusted: &'static str,
    /// What names the client's certificate and key.
    pub certificate: &'static str,
    /// What lets a connection go without TLS.
    pub plain: &'static str,
    /// What sets the time for connecting.
    pub timeout: &'static str,
}

impl SettingNames {
    /// libpq's.
    pub const LIBPQ: Self = Self {
        password: "a password file (.pgpass) or in PGPASSWORD",
        trusted: "sslrootcert",
        certificate: "sslcert and sslkey",
        plain: "sslmode=prefer",
        timeout: "connect_timeout",
    };
}

impl Target {
    /// A target with one host on TCP and everything else at its default, without TLS.
    pub fn tcp(host: &str, port: u16, user: &str, database: &str) -> Self {
        let place = Place::Tcp { name: host.to_owned(), address: host.parse().ok() };
        Self {
            hosts: vec![Host { place, port, password: None }],
            shuffle: false,
            user: user.to_owned(),
            database: database.to_owned(),
            application_name: APPLICATION_NAME.to_owned(),
            options: None,
            timeout: Some(TIMEOUT),
            keepalives: Some(Keepalives::default()),
            tcp_user_timeout: None,
            channel_binding: ChannelBinding::Prefer,
            require_auth: None,
            session: SessionAttrs::Any,
            tls: tls::Settings::default(),
            names: SettingNames::LIBPQ,
        }
    }

    /// Names the target without secrets: `kong@127.0.0.1:5432/kong`.
    pub fn describe(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(Host::describe).collect();
        format!("{}@{}/{}", self.user, hosts.join(","), self.database)
    }
}

/// One place where the server may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Where.
    pub place: Place,
    /// TCP port, or the number in the socket's name.
    pub port: u16,
    /// The password for this host, if one is known.
    pub password: Option<Password>,
}

impl Host {
    /// The name that TLS checks; a socket has none.
    pub(super) fn tls_name(&self) -> &str {
        match &self.place {
            Place::Socket(_) => "",
            Place::Tcp { name, .. } => name,
        }
    }

    /// `host:port`; a socket is named by its folder.
    pub fn describe(&self) -> String {
        match &self.place {
            Place::Socket(folder) => format!("{}:{}", folder.display(), self.port),
            Place::Tcp { name, .. } if name.contains(':') => format!("[{name}]:{}", self.port),
            Place::Tcp { name, .. } => format!("{name}:{}", self.port),
        }
    }
}

/// A socket folder or a TCP host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The folder of a Unix-domain socket; TLS is never used there.
    Socket(PathBuf),
    /// A host.
    Tcp {
        /// The name that TLS checks; an address in text when no name is known.
        name: String,
        /// Where to connect, if it is known already; otherwise `name` is resolved.
        address: Option<IpAddr>,
    },
}

/// A password and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// The password.
    pub secret: Secret,
    /// `PGPASSWORD`, `the password file /…`.
    pub source: String,
}

/// TCP keepalives: a dead peer is noticed after `idle + interval * retries`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalives {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Between probes.
    pub interval: Duration,
    /// Probes without answer.
    pub retries: u32,
}

impl Default for Keepalives {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), interval: Duration::from_secs(10), retries: 3 }
    }
}

/// `target_session_attrs`: what kind of server a session may be opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionAttrs {
    /// Any.
    Any,
    /// One that takes writes by default.
    ReadWrite,
    /// One that does not.
    ReadOnly,
    /// Not in recovery.
    Primary,
    /// In recovery.
    Standby,
    /// In recovery if there is one, otherwise any.
    PreferStandby,
}

impl SessionAttrs {
    /// Why a server does not do, if it does not.
    pub(super) fn objection(self, in_recovery: bool, read_only: bool) -> Option<&'static str> {
        match self {
            Self::ReadWrite if in_recovery || read_only => {
                Some("its sessions are read-only, and target_session_attrs = read-write")
            }
            Self::ReadOnly if !(in_recovery || read_only) => {
                Some("its sessions take writes, and target_session_attrs = read-only")
            }
            Self::Primary if in_recovery => {
                Some("it is a standby, and target_session_attrs = primary")
            }
            Self::Standby | Self::PreferStandby if !in_recovery => {
                Some("it is a primary, and target_session_attrs = standby")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes_without_secrets() {
        let mut target = Target::tcp("::1", 5432, "kong", "k");
        target.hosts[0].password =
            Some(Password { secret: Secret::new("hunter2"), source: "PGPASSWORD".into() });
        target.hosts.push(Host { place: Place::Socket("/tmp".into()), port: 1, password: None });
        assert_eq!(target.describe(), "kong@[::1]:5432,/tmp:1/k");
        assert!(!format!("{target:?}").contains("hunter2"));
    }

    #[test]
    fn objects_to_the_wrong_kind_of_server() {
        use SessionAttrs::{Any, PreferStandby, Primary, ReadOnly, ReadWrite, Standby};
        // (attribute, in recovery, read-only) -> fits
        for (attribute, in_recovery, read_only, fits) in [
            (Any, true, true, true),
            (ReadWrite, false, false, true),
            (ReadWrite, false, true, false),
            (ReadWrite, true, false, false),
            (ReadOnly, false, true, true),
            (ReadOnly, false, false, false),
            (Primary, false, true, true),
            (Primary, true, true, false),
            (Standby, true, true, true),
            (Standby, false, false, false),
            (PreferStandby, false, false, false),
        ] {
            assert_eq!(
                attribute.objection(in_recovery, read_only).is_none(),
                fits,
                "{attribute:?} {in_recovery} {read_only}"
            );
        }
    }
}
