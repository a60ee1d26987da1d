//! What is verified of a server's certificate: nothing, its chain, or its chain and name, with
//! libpq's leniency where webpki is stricter.
//!
//! Knows no modes, files or hosts beyond the name that TLS hands over. Signatures of the handshake
//! are always verified, since channel binding rests on them.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::asn1::{PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::{rfc4519::CN, rfc5280::ID_CE_SUBJECT_ALT_NAME};
use x509_cert::der::{Decode, Encode};

/// How much is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing: any certificate will do.
    Nothing,
    /// That a trusted authority signed it.
    Chain,
    /// That, and that it is made out for the host.
    Full,
}

/// The verifier that rustls asks.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) check: Check,
    /// Set unless nothing is checked.
    pub(super) chain: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates trusted by name of file: a server that shows one of these itself is trusted, as
    /// OpenSSL does with self-signed ones.
    pub(super) pinned: Vec<CertificateDer<'static>>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        // Webpki looks at the name only once the chain holds.
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Ok(_) => Ok(ServerCertVerified::assertion()),
            Err(error) if is_name_mismatch(&error) => {
                self.verify_name(end_entity, server_name, error)
            }
            Err(error @ Error::InvalidCertificate(CertificateError::Revoked)) => Err(error),
            Err(_) if self.pinned.iter().any(|pinned| pinned == end_entity) => {
                check_validity(end_entity, now)?;
                self.verify_name(end_entity, server_name, CertificateError::NotValidForName.into())
            }
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Webpki does not read certificates of X.509 version 1, which PostgreSQL's manual makes
        // with older OpenSSL; their keys are as good.
        verify_tls13_signature(message, cert, dss, &self.algorithms).or_else(|error| {
            let key = Certificate::from_der(cert)
                .ok()
                .and_then(|parsed| parsed.tbs_certificate.subject_public_key_info.to_der().ok());
            let key = SubjectPublicKeyInfoDer::from(key.ok_or(error)?);
            verify_tls13_signature_with_raw_key(message, &key, dss, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl Verifier {
    /// The chain holds; `error` is what to say if the name counts and does not fit.
    fn verify_name(
        &self,
        end_entity: &CertificateDer<'_>,
        name: &ServerName<'_>,
        error: Error,
    ) -> Result<ServerCertVerified, Error> {
        let fits = self.check == Check::Chain
            || has_alternative_name(end_entity, name)
            || has_common_name(end_entity, &name.to_str());
        if fits { Ok(ServerCertVerified::assertion()) } else { Err(error) }
    }
}

fn is_name_mismatch(error: &Error) -> bool {
    use CertificateError::{NotValidForName, NotValidForNameContext};
    matches!(error, Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
}

fn has_alternative_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let parsed = rustls::server::ParsedCertificate::try_from(certificate);
    parsed.is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, name).is_ok())
}

/// libpq's rule for certificates without alternative names, such as those that PostgreSQL's manual
/// makes: the common name counts.
fn has_common_name(certificate: &CertificateDer<'_>, name: &str) -> bool {
    let Ok(parsed) = Certificate::from_der(certificate) else { return false };
    let tbs = &parsed.tbs_certificate;
    if tbs.extensions.iter().flatten().any(|extension| extension.extn_id == ID_CE_SUBJECT_ALT_NAME)
    {
        return false;
    }
    let attributes = tbs
        .subject
        .0
        .iter()
        .flat_map(|relative| relative.0.iter())
        .filter(|attribute| attribute.oid == CN);
    attributes.into_iter().any(|attribute| {
        let value = &attribute.value;
        let text = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
        let text = text.or_else(|_| {
            value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned())
        });
        text.is_ok_and(|pattern| name_fits(&pattern, name))
    })
}

/// Compares a name with a pattern in which `*.` stands for one label.
fn name_fits(pattern: &str, name: &str) -> bool {
    if let Some(domain) = pattern.strip_prefix("*.") {
        return !domain.is_empty()
            && name.split_once('.').is_some_and(|(label, rest)| {
                !label.is_empty() && rest.eq_ignore_ascii_case(domain)
            });
    }
    !pattern.is_empty() && pattern.eq_ignore_ascii_case(name)
}

fn check_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let parsed = Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = &parsed.tbs_certificate.validity;
    let now = Duration::from_secs(now.as_secs());
    if now < validity.not_before.to_unix_duration() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.to_unix_duration() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names() {
        for (pattern, name, fits) in [
            ("db.example", "db.example", true),
            ("DB.example", "db.EXAMPLE", true),
            ("*.example", "db.example", true),
            ("*.example", "a.db.example", false),
            ("*.example", "example", false),
            ("*.", "db.", false),
            ("*", "db", false),
            ("", "", false),
        ] {
            assert_eq!(name_fits(pattern, name), fits, "{pattern} {name}");
        }
    }
}
