//! TLS for the driver: from modes and files to a rustls configuration.
//!
//! Does not know where the settings came from. It verifies what the mode asks for and nothing less;
//! falling back to plain text is the caller's business.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::verifier::{Check, Verifier};
use crate::error::{Error, Kind, Result};

/// libpq's `sslmode`, from weak to strong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Plain text.
    #[default]
    Disable,
    /// Plain text; TLS if the server refuses that.
    Allow,
    /// TLS if there is any, unverified; otherwise plain text.
    Prefer,
    /// TLS, unverified.
    Require,
    /// TLS with a certificate that a trusted authority signed.
    VerifyCa,
    /// The same, made out for this host.
    VerifyFull,
}

impl Mode {
    /// What is verified.
    pub fn check(self) -> Check {
        match self {
            Self::Disable | Self::Allow | Self::Prefer | Self::Require => Check::Nothing,
            Self::VerifyCa => Check::Chain,
            Self::VerifyFull => Check::Full,
        }
    }
}

/// A place of trusted certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// What the machine trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` count.
    System,
    /// A PEM file.
    File(PathBuf),
    /// PEM text.
    Pem(String),
}

/// TLS versions that rustls speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// The client's certificate chain and key, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The chain, own certificate first.
    pub certificate: PathBuf,
    /// The key, not encrypted.
    pub key: PathBuf,
}

/// Everything that TLS needs. The default is no TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How much of it.
    pub mode: Mode,
    /// Whom to trust; used by the verifying modes only.
    pub roots: Vec<Root>,
    /// Lists of certificates that are not trusted any more, in PEM files; used by the verifying
    /// modes only.
    pub revoked: Vec<PathBuf>,
    /// The client's own certificate.
    pub client: Option<ClientCertificate>,
    /// TLS from the first byte, without asking (`sslnegotiation=direct`, PostgreSQL 17).
    pub direct: bool,
    /// Whether the host's name is sent.
    pub sni: bool,
    /// Oldest version.
    pub min: Version,
    /// Newest version.
    pub max: Version,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Disable,
            roots: Vec::new(),
            revoked: Vec::new(),
            client: None,
            direct: false,
            sni: true,
            min: Version::Tls12,
            max: Version::Tls13,
        }
    }
}

/// Makes the driver's connector; reads the files, once.
pub fn connector(settings: &Settings) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: Vec<&SupportedProtocolVersion> =
        [(Version::Tls12, &rustls::version::TLS12), (Version::Tls13, &rustls::version::TLS13)]
            .into_iter()
            .filter(|(version, _)| (settings.min..=settings.max).contains(version))
            .map(|(_, version)| version)
            .collect();
    let verifier = verifier(settings, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|source| Error::new(Kind::Usage, "set up TLS", source.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &settings.client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let chain = certificates(&client.certificate)?;
            let doing = format!("read the client key {}", client.key.display());
            let key = PrivateKeyDer::from_pem_file(&client.key).map_err(|source| {
                Error::new(Kind::Usage, &doing, source.to_string())
                    .hint("expected an unencrypted key in PEM form")
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|source| Error::new(Kind::Usage, doing, source.to_string()))?
        }
    };
    config.enable_sni = settings.sni;
    if settings.direct {
        // Servers refuse direct TLS without it.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(settings: &Settings, provider: &Arc<CryptoProvider>) -> Result<Verifier> {
    let check = settings.mode.check();
    let algorithms = provider.signature_verification_algorithms;
    if check == Check::Nothing {
        return Ok(Verifier { check, chain: None, pinned: Vec::new(), algorithms });
    }
    let (mut store, mut pinned) = (RootCertStore::empty(), Vec::new());
    for root in &settings.roots {
        match root {
            Root::System => drop(store.add_parsable_certificates(system_certificates()?)),
            Root::File(path) => pinned.extend(certificates(path)?),
            Root::Pem(text) => pinned.extend(pem_certificates(text)?),
        }
    }
    store.add_parsable_certificates(pinned.iter().cloned());
    let mut revoked = Vec::new();
    for path in &settings.revoked {
        revoked.extend(revocation_lists(path)?);
    }
    // As OpenSSL checks every certificate of the chain, and refuses one whose issuer has no list;
    // an expired list is none.
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .with_crls(revoked)
        .enforce_revocation_expiration()
        .build();
    let chain = chain.map_err(|source| {
        Error::new(Kind::Usage, "read the trusted certificates", source.to_string())
    })?;
    Ok(Verifier { check, chain: Some(chain), pinned, algorithms })
}

fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let doing = || format!("read the certificate revocation list {}", path.display());
    let text =
        std::fs::read(path).map_err(|source| Error::file(doing(), source).as_kind(Kind::Usage))?;
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|source| Error::new(Kind::Usage, doing(), source.to_string()))?;
    if found.is_empty() {
        return Err(Error::new(Kind::Usage, doing(), "there is no list in PEM form"));
    }
    Ok(found)
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let cause =
            found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
        return Err(Error::new(
            Kind::Usage,
            "read the certificates that this machine trusts",
            cause,
        )
        .hint("install the package ca-certificates, or name a file in SSL_CERT_FILE"));
    }
    Ok(found.certs)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let doing = || format!("read the certificates in {}", path.display());
    let text =
        std::fs::read(path).map_err(|source| Error::file(doing(), source).as_kind(Kind::Usage))?;
    parse_certificates(&text).map_err(|cause| Error::new(Kind::Usage, doing(), cause))
}

fn pem_certificates(text: &str) -> Result<Vec<CertificateDer<'static>>> {
    parse_certificates(text.as_bytes())
        .map_err(|cause| Error::new(Kind::Usage, "read a trusted certificate", cause))
}

fn parse_certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|source| source.to_string())?;
    if found.is_empty() { Err("there is no certificate in PEM form".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(settings: &Settings, cause: &str) {
        let error = connector(settings).err().expect("refused");
        assert!(error.to_string().contains(cause), "{error}");
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn refuses_unusable_files() {
        let roots =
            |root| Settings { mode: Mode::VerifyCa, roots: vec![root], ..Settings::default() };
        check_refused(&roots(Root::File("/nowhere/ca".into())), "/nowhere/ca");
        check_refused(&roots(Root::Pem("no certificate".into())), "no certificate in PEM form");
        check_refused(
            &Settings { mode: Mode::VerifyFull, ..Settings::default() },
            "trusted certificates",
        );
    }

    #[test]
    fn unverified_modes_need_no_files() {
        for mode in [Mode::Disable, Mode::Allow, Mode::Prefer, Mode::Require] {
            connector(&Settings { mode, ..Settings::default() })
                .map(drop)
                .expect("no file is read");
        }
    }
}
