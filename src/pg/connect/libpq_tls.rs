//! libpq's TLS parameters and its files in `~/.postgresql`, turned into `tls::Settings`.
//!
//! Looks at which files exist and at the mode of the key; does not read certificates.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::parameters::{Parameters, choice};
use super::tls::{ClientCertificate, Mode, Root, Settings, Version};
use crate::error::{Error, Kind, Result};

/// What the TLS parameters ask for.
pub(super) fn settings(parameters: &mut Parameters, environment: &Environment) -> Result<Settings> {
    let system = parameters.text("sslrootcert") == Some("system");
    if system {
        parameters.add_default("sslmode", "verify-full", "default for sslrootcert=system");
    } else {
        parameters.add_default("sslmode", "prefer", "default");
    }
    let modes = [
        ("disable", Mode::Disable),
        ("allow", Mode::Allow),
        ("prefer", Mode::Prefer),
        ("require", Mode::Require),
        ("verify-ca", Mode::VerifyCa),
        ("verify-full", Mode::VerifyFull),
    ];
    let mode = choice(parameters, "sslmode", &modes, Mode::Prefer)?;
    if system && mode != Mode::VerifyFull {
        return Err(parameters
            .refuse(
                "sslmode",
                "it is too weak for sslrootcert=system: anybody can have such a certificate",
            )
            .hint("use verify-full"));
    }
    let direct =
        choice(parameters, "sslnegotiation", &[("postgres", false), ("direct", true)], false)?;
    if direct && mode < Mode::Require {
        return Err(parameters.refuse("sslnegotiation", "it needs sslmode=require or stronger"));
    }
    let sni = choice(parameters, "sslsni", &[("1", true), ("0", false)], true)?;
    let (min, max) = versions(parameters)?;
    if mode == Mode::Disable {
        return Ok(Settings::default());
    }
    let folder = environment.home().map(|home| home.join(".postgresql"));
    let roots =
        if mode < Mode::Require { Vec::new() } else { roots(parameters, folder.as_deref(), mode)? };
    // With a root certificate at hand, libpq lets "require" check the chain.
    let mode = if mode == Mode::Require && !roots.is_empty() { Mode::VerifyCa } else { mode };
    let client = client_certificate(parameters, folder.as_deref(), environment.uid())?;
    let revoked = if roots.is_empty() {
        Vec::new()
    } else {
        revocation_lists(parameters, folder.as_deref())?
    };
    Ok(Settings { mode, roots, revoked, client, direct, sni, min, max })
}

fn versions(parameters: &Parameters) -> Result<(Version, Version)> {
    // TLS 1.2 is the oldest that is spoken here, so an older minimum asks for nothing.
    let minima = [
        ("TLSv1", Version::Tls12),
        ("TLSv1.1", Version::Tls12),
        ("TLSv1.2", Version::Tls12),
        ("TLSv1.3", Version::Tls13),
    ];
    let min = choice(parameters, "ssl_min_protocol_version", &minima, Version::Tls12)?;
    let maxima = [("TLSv1.2", Version::Tls12), ("TLSv1.3", Version::Tls13)];
    let max = choice(parameters, "ssl_max_protocol_version", &maxima, Version::Tls13)?;
    if min > max {
        return Err(
            parameters.refuse("ssl_max_protocol_version", "it is below ssl_min_protocol_version")
        );
    }
    Ok((min, max))
}

/// The trusted certificates: those named (which must exist), else `root.crt` of the home folder.
fn roots(parameters: &mut Parameters, folder: Option<&Path>, mode: Mode) -> Result<Vec<Root>> {
    match parameters.text("sslrootcert") {
        Some("system") => return Ok(vec![Root::System]),
        Some(path) if Path::new(path).exists() => return Ok(vec![Root::File(PathBuf::from(path))]),
        Some(_) => return Err(parameters.refuse("sslrootcert", "the file does not exist")),
        None => {}
    }
    let default = folder.map(|folder| folder.join("root.crt"));
    match default {
        Some(path) if path.exists() => {
            parameters.add_default("sslrootcert", &path.display().to_string(), "default");
            Ok(vec![Root::File(path)])
        }
        _ if mode == Mode::Require => Ok(Vec::new()),
        default => {
            let place = default.map_or_else(String::new, |path| {
                format!(", and {} does not exist", path.display())
            });
            Err(parameters
                .refuse("sslmode", &format!("no root certificate is given{place}"))
                .hint("name the authority's certificate in sslrootcert, or use sslrootcert=system"))
        }
    }
}

/// The lists of revoked certificates: those named, else `root.crl` of the home folder, if it is
/// there. A directory's files are read as they are, whatever their names; OpenSSL wants hashes for
/// these.
fn revocation_lists(parameters: &mut Parameters, folder: Option<&Path>) -> Result<Vec<PathBuf>> {
    let mut lists = Vec::new();
    if let Some(directory) = parameters.text("sslcrldir") {
        let entries = std::fs::read_dir(directory)
            .map_err(|error| parameters.refuse("sslcrldir", &error.to_string()))?;
        lists.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()));
        lists.sort();
    }
    if let Some(path) = parameters.text("sslcrl") {
        lists.push(PathBuf::from(path));
    } else if lists.is_empty()
        && let Some(path) =
            folder.map(|folder| folder.join("root.crl")).filter(|path| path.exists())
    {
        parameters.add_default("sslcrl", &path.display().to_string(), "default");
        lists.push(path);
    }
    if let Some(missing) = lists.iter().find(|path| !path.exists()) {
        return Err(parameters.refuse("sslcrl", &format!("{} does not exist", missing.display())));
    }
    Ok(lists)
}

/// The client's certificate and key: those named, else those of the home folder, if they are there.
fn client_certificate(
    parameters: &mut Parameters,
    folder: Option<&Path>,
    uid: Option<u32>,
) -> Result<Option<ClientCertificate>> {
    if parameters.text("sslcertmode") == Some("disable") {
        return Ok(None);
    }
    let default = |name: &str| folder.map(|folder| folder.join(name)).filter(|path| path.exists());
    let certificate = match parameters.text("sslcert").map(PathBuf::from) {
        Some(path) if !path.exists() => {
            return Err(parameters.refuse("sslcert", "the file does not exist"));
        }
        Some(path) => path,
        None => match default("postgresql.crt") {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let Some(key) =
        parameters.text("sslkey").map(PathBuf::from).or_else(|| default("postgresql.key"))
    else {
        let cause = format!("there is the certificate {}, but no key", certificate.display());
        return Err(Error::new(Kind::Usage, "use the client certificate", cause)
            .hint("name the key's file in sslkey"));
    };
    check_key(&key, uid)?;
    parameters.add_default("sslcert", &certificate.display().to_string(), "default");
    parameters.add_default("sslkey", &key.display().to_string(), "default");
    Ok(Some(ClientCertificate { certificate, key }))
}

/// libpq's rule: a key of our own is readable by us alone; one of root's may be readable by a
/// group.
fn check_key(path: &Path, uid: Option<u32>) -> Result<()> {
    let doing = format!("use the client key {}", path.display());
    let metadata = std::fs::metadata(path)
        .map_err(|source| Error::file(&doing, source).as_kind(Kind::Usage))?;
    if !metadata.is_file() {
        return Err(Error::new(Kind::Usage, doing, "it is not a plain file"));
    }
    let (mode, owner) = (metadata.mode() & 0o777, metadata.uid());
    if uid.is_some_and(|uid| owner != uid && owner != 0) {
        return Err(Error::new(
            Kind::Usage,
            doing,
            "it belongs neither to the current user nor to root",
        ));
    }
    let forbidden = if owner == 0 { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        let cause = format!("its mode is {mode:04o}, so that others can read it");
        return Err(Error::new(Kind::Usage, doing, cause)
            .hint("set its mode to 0600, or 0640 if it belongs to root"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_private() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "").expect("written");
        let owner = std::fs::metadata(&path).expect("there").uid();
        for (mode, private) in
            [(0o600, true), (0o400, true), (0o640, owner == 0), (0o644, false), (0o660, false)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("chmod");
            assert_eq!(check_key(&path, Some(owner)).is_ok(), private, "{mode:o}");
        }
        assert!(check_key(folder.path(), Some(owner)).is_err());
        assert_eq!(
            check_key(&folder.path().join("none"), None).expect_err("missing").kind(),
            Kind::Usage
        );
    }
}
