//! Why a connection was not opened, in words with a hint, and what it means for the next attempt.
//!
//! Knows the driver's errors; decides nothing about which host comes next.

use std::io;

use rustls::CertificateError;

use super::guard::Objection;
use super::target::{Host, Password, Place, Target};
use crate::error::{Error, Kind};
use crate::pg::driver_error;
use crate::sqlstate;

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What to tell the user.
    pub(super) error: Error,
    /// What may be done about it.
    pub(super) next: Next,
}

/// What a failed attempt leaves to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another address or host may do better.
    Host,
    /// The server was reached and said no: another one is not tried, as in libpq.
    Nothing,
    /// The server wants a password and none is known.
    Password,
    /// TLS failed; plain text may work, if the mode allows it.
    Plain,
    /// The server does not take this user on this kind of connection; the other kind may work.
    OtherKind,
}

impl Refusal {
    pub(super) fn new(doing: &str, cause: impl Into<String>, next: Next) -> Self {
        Self { error: Error::new(Kind::Connect, doing, cause), next }
    }

    pub(super) fn hint(mut self, hint: &str) -> Self {
        if !hint.is_empty() {
            self.error = self.error.hint(hint);
        }
        self
    }
}

/// Puts the driver's error into words.
pub(super) fn explain(
    doing: &str,
    source: tokio_postgres::Error,
    target: &Target,
    host: &Host,
    password: Option<&Password>,
) -> Refusal {
    if source.as_db_error().is_some() {
        return explain_server(doing, source, target, password);
    }
    let text = driver_error::chain(&source);
    let refusal = if let Some(objection) = find_source::<Objection>(&source) {
        explain_objection(doing, objection)
    } else if let Some(tls) = find_source::<rustls::Error>(&source) {
        explain_tls(doing, tls, target, host)
    } else if text.contains("server does not support TLS") {
        Refusal::new(doing, "the server does not offer TLS", Next::Nothing).hint(&format!(
            "switch TLS on in the server (ssl = on), or set {} if plain text is acceptable",
            target.names.plain
        ))
    } else if text.starts_with("error performing TLS handshake") {
        Refusal::new(doing, text, Next::Plain)
            .hint("does the server really speak TLS on this port?")
    } else if text.contains("password missing") {
        Refusal::new(doing, "the server asks for a password, and none is given", Next::Password)
            .hint(&format!("give it in {}, or let -W ask for it", target.names.password))
    } else if text.starts_with("authentication error") {
        explain_authentication(doing, &text, target)
    } else if let Some(error) = find_source::<io::Error>(&source) {
        explain_io(doing, error, host)
    } else if source.is_closed() {
        Refusal::new(doing, "the server closed the connection", Next::Host)
            .hint("its log says why; is it PostgreSQL that listens there?")
    } else {
        Refusal::new(doing, text, Next::Host).hint("is it PostgreSQL that listens there?")
    };
    Refusal { error: refusal.error.with_source(source), ..refusal }
}

/// Why the server is not listened to.
fn explain_objection(doing: &str, objection: &Objection) -> Refusal {
    match objection {
        Objection::Authentication(_) => Refusal::new(doing, objection.to_string(), Next::Nothing)
            .hint(
                "is it the server it claims to be? require_auth (PGREQUIREAUTH) says which \
                 methods are answered",
            ),
        _ => Refusal::new(doing, objection.to_string(), Next::Host)
            .hint("is it PostgreSQL that listens there?"),
    }
}

/// What the server itself said.
fn explain_server(
    doing: &str,
    source: tokio_postgres::Error,
    target: &Target,
    password: Option<&Password>,
) -> Refusal {
    let code = source.code().map(|code| code.code().to_owned()).unwrap_or_default();
    let message = source.as_db_error().map(|error| error.message().to_owned()).unwrap_or_default();
    let server_hint = source.as_db_error().and_then(|error| error.hint().map(str::to_owned));
    let error = driver_error::explain(doing, source).as_kind(Kind::Connect);
    let (hint, next) = match code.as_str() {
        sqlstate::INVALID_PASSWORD => (
            match password {
                Some(password) => format!("the password came from {}", password.source),
                None => "check user and password".to_owned(),
            },
            Next::Nothing,
        ),
        sqlstate::INVALID_AUTHORIZATION_SPECIFICATION if message.contains("pg_hba.conf") => (
            "let the server's pg_hba.conf admit this user, database and address".to_owned(),
            Next::OtherKind,
        ),
        sqlstate::INVALID_AUTHORIZATION_SPECIFICATION if message.contains("client certificate") => {
            (
                format!("give a client certificate with {}", target.names.certificate),
                Next::OtherKind,
            )
        }
        sqlstate::INVALID_AUTHORIZATION_SPECIFICATION => {
            ("check that the role exists and may log in (LOGIN)".to_owned(), Next::OtherKind)
        }
        sqlstate::FEATURE_NOT_SUPPORTED if message.starts_with("conversion between ") => (
            "names and definitions travel in UTF-8, and this server cannot convert the database's \
             encoding (MULE_INTERNAL) into it"
                .to_owned(),
            Next::Nothing,
        ),
        sqlstate::INVALID_CATALOG_NAME => {
            ("check the database's name, or create it".to_owned(), Next::Nothing)
        }
        sqlstate::TOO_MANY_CONNECTIONS => (
            "use fewer sessions (-j), or raise the server's \
             max_connections"
                .to_owned(),
            Next::Nothing,
        ),
        sqlstate::CANNOT_CONNECT_NOW => {
            ("wait until the server has started, then try again".to_owned(), Next::Host)
        }
        _ => (server_hint.unwrap_or_default(), Next::Nothing),
    };
    Refusal { error, next }.hint(&hint)
}

fn explain_tls(doing: &str, error: &rustls::Error, target: &Target, host: &Host) -> Refusal {
    use CertificateError as C;
    let (name, names) = (host.tls_name(), &target.names);
    let trusted = |what: &str| format!("{what} as trusted ({})", names.trusted);
    let (cause, hint) = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            C::UnknownIssuer => (
                "the server's certificate is not signed by a trusted authority".to_owned(),
                trusted("name the certificate of the authority that signed it"),
            ),
            C::Expired | C::ExpiredContext { .. } => {
                ("the server's certificate has expired".to_owned(), "renew it, and check this machine's clock".to_owned())
            }
            C::Revoked => ("the server's certificate is revoked".to_owned(), "ask whoever runs the server for a new one".to_owned()),
            C::UnknownRevocationStatus | C::ExpiredRevocationList | C::ExpiredRevocationListContext { .. } => (
                format!("whether the server's certificate is revoked is not known: \
                    {certificate:?}"),
                "give a current list of each authority's revoked certificates (sslcrl, \
                 sslcrldir)".to_owned(),
            ),
            C::NotValidYet | C::NotValidYetContext { .. } => {
                ("the server's certificate is not valid yet".to_owned(), "check the clocks of both machines".to_owned())
            }
            C::NotValidForNameContext { presented, .. } if !presented.is_empty() => (
                format!("the server's certificate is not made out for {name}, but for {}", presented.join(", ")),
                "connect by the name in the certificate (hostaddr can give the address), or use \
                 sslmode=verify-ca".to_owned(),
            ),
            C::NotValidForName | C::NotValidForNameContext { .. } => (
                format!("the server's certificate is not made out for {name}"),
                "connect by the name in the certificate (hostaddr can give the address), or use \
                 sslmode=verify-ca".to_owned(),
            ),
            C::Other(other) if other.to_string().contains("UnsupportedCertVersion") => (
                "the server's certificate is of X.509 version 1, which cannot be \
                 verified".to_owned(),
                "reissue it with a subjectAltName, which makes it version 3".to_owned(),
            ),
            C::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => (
                "the server shows an authority's own certificate, which is not among the trusted ones".to_owned(),
                trusted("give the server one of its own, or name just this one"),
            ),
            _ => (format!("the server's certificate is refused: {error}"), String::new()),
        },
        rustls::Error::AlertReceived(alert) => (
            format!("the server ended the TLS handshake: {alert:?}"),
            format!("its log says why; it may want a client certificate ({})", names.certificate),
        ),
        _ => (format!("TLS failed: {error}"), String::new()),
    };
    Refusal::new(doing, cause, Next::Plain).hint(&hint)
}

fn explain_authentication(doing: &str, text: &str, target: &Target) -> Refusal {
    if text.contains("did not use channel binding") {
        return Refusal::new(
            doing,
            "the server did not use channel binding, which channel_binding=require demands",
            Next::Nothing,
        )
        .hint(
            "channel binding needs TLS, a SCRAM password, and a certificate that is not Ed25519",
        );
    }
    if text.contains("unsupported") {
        let cause = format!(
            "the server demands an authentication method that is not supported for {}",
            target.user
        );
        return Refusal::new(doing, cause, Next::Nothing)
            .hint("supported are scram-sha-256, md5, password, cert, peer and trust");
    }
    // SCRAM proves both sides: here the server failed to.
    Refusal::new(doing, text, Next::Nothing)
        .hint("is it the server it claims to be? A pooler may not know this user's password")
}

/// Why the socket could not be opened, or was closed.
pub(super) fn explain_io(doing: &str, error: &io::Error, host: &Host) -> Refusal {
    let socket = matches!(host.place, Place::Socket(_));
    let (cause, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused if socket => {
            ("nobody listens on the socket", "is the server running?")
        }
        io::ErrorKind::ConnectionRefused => (
            "connection refused: nobody listens there",
            "check host and port, and the server's listen_addresses",
        ),
        io::ErrorKind::NotFound if socket => (
            "there is no such socket",
            "is the server running here? Name its host with -h, or the directory of its socket",
        ),
        io::ErrorKind::PermissionDenied if socket => {
            ("the socket may not be used by this user", "check the directory's owner and mode")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ("the host cannot be reached", "check the network between here and the server")
        }
        io::ErrorKind::TimedOut => ("the host does not answer", "check host, port and firewalls"),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::BrokenPipe => (
            "the server closed the connection",
            "its log says why; is it PostgreSQL that listens there?",
        ),
        _ => {
            return Refusal::new(doing, error.to_string(), Next::Host)
                .hint("is it PostgreSQL that listens there?");
        }
    };
    Refusal::new(doing, cause, Next::Host).hint(hint)
}

/// The first error of type `T` among the sources of why a server refused, looking into what
/// `io::Error` wraps.
fn find_source<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = wrapped.and_then(|wrapped| wrapped.downcast_ref::<T>()) {
            return Some(found);
        }
        next = current.source();
    }
    None
}
