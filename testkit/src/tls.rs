//! Certificates for servers and clients, made when they are needed.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber, date_time_ymd,
};

/// A certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key, both PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate; no authority's beside it.
    pub chain_pem: String,
    /// The key, PKCS #8.
    pub key_pem: String,
}

impl Authority {
    /// Makes an authority that signs itself.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(Vec::new()).expect("no names, none wrong");
        params.distinguished_name = common_name(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key).expect("the parameters are sound").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The authority's certificate, for `sslrootcert` or `ssl_ca_file`.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// The authority's own certificate and key, for a server that signs itself: it has a common
    /// name and no other.
    pub fn itself(&self) -> Certificate {
        Certificate { chain_pem: self.pem(), key_pem: self.issuer.key().serialize_pem() }
    }

    /// Issues a server's certificate for host names and addresses.
    pub fn server(&self, names: &[&str]) -> Certificate {
        self.issue(
            names,
            names.first().unwrap_or(&"server"),
            ExtendedKeyUsagePurpose::ServerAuth,
            2099,
        )
    }

    /// Issues a server's certificate that was good until 2021.
    pub fn expired_server(&self, names: &[&str]) -> Certificate {
        self.issue(
            names,
            names.first().unwrap_or(&"server"),
            ExtendedKeyUsagePurpose::ServerAuth,
            2021,
        )
    }

    /// Issues a server's certificate with a number, by which it can be revoked.
    pub fn numbered_server(&self, names: &[&str], serial: u64) -> Certificate {
        self.issue_numbered(
            names,
            names.first().unwrap_or(&"server"),
            ExtendedKeyUsagePurpose::ServerAuth,
            2099,
            Some(serial),
        )
    }

    /// A list of revoked certificates by their numbers, in PEM.
    pub fn revocation_list(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 2),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 2),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params
            .signed_by(&self.issuer)
            .expect("the parameters are sound")
            .pem()
            .expect("a list can be written")
    }

    /// Issues a client's certificate for a role.
    pub fn client(&self, role: &str) -> Certificate {
        self.issue(&[], role, ExtendedKeyUsagePurpose::ClientAuth, 2099)
    }

    fn issue(
        &self,
        names: &[&str],
        subject: &str,
        usage: ExtendedKeyUsagePurpose,
        until: i32,
    ) -> Certificate {
        self.issue_numbered(names, subject, usage, until, None)
    }

    fn issue_numbered(
        &self,
        names: &[&str],
        subject: &str,
        usage: ExtendedKeyUsagePurpose,
        until: i32,
        serial: Option<u64>,
    ) -> Certificate {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params =
            CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
                .expect("names are ASCII");
        params.distinguished_name = common_name(subject);
        params.extended_key_usages = vec![usage];
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.serial_number = serial.map(SerialNumber::from);
        let certificate = params.signed_by(&key, &self.issuer).expect("the parameters are sound");
        Certificate { chain_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}
