//! What Kong's settings say about TLS.
//!
//! Does not read certificates.

use std::path::PathBuf;

use super::reader::Reader;
use crate::error::{Error, Kind, Result};
use crate::pg::connect::tls::{ClientCertificate, Mode, Root, Settings, Version};

/// `pg_ssl` alone is a hint that Kong drops when the server has no TLS; `pg_ssl_required` and
/// `pg_ssl_verify` make it more. Kong's driver checks the chain and no name.
pub(super) fn settings(reader: &mut Reader<'_>) -> Result<Settings> {
    let (on, verify, required) =
        (reader.flag("pg_ssl")?, reader.flag("pg_ssl_verify")?, reader.flag("pg_ssl_required")?);
    if !on {
        if verify || required {
            reader.warn(
                "pg_ssl_verify and pg_ssl_required count only with pg_ssl = on, in Kong as here: \
                 TLS is not used",
            );
        }
        return Ok(Settings::default());
    }
    let mode = match (verify, required) {
        (true, _) => Mode::VerifyCa,
        (false, true) => Mode::Require,
        (false, false) => Mode::Prefer,
    };
    let roots = if verify { roots(reader)? } else { Vec::new() };
    let (min, max) = versions(reader)?;
    let client = client_certificate(reader)?;
    Ok(Settings { mode, roots, client, min, max, ..Settings::default() })
}

fn versions(reader: &mut Reader<'_>) -> Result<(Version, Version)> {
    let Some(value) = reader.optional("pg_ssl_version")? else {
        return Ok((Version::Tls12, Version::Tls13));
    };
    match value.text.as_str() {
        "any" => Ok((Version::Tls12, Version::Tls13)),
        "tlsv1_2" => Ok((Version::Tls12, Version::Tls12)),
        "tlsv1_3" => Ok((Version::Tls13, Version::Tls13)),
        other => Err(value.refuse(format!("\"{other}\" is not supported; TLS 1.2 and 1.3 are"))),
    }
}

fn client_certificate(reader: &mut Reader<'_>) -> Result<Option<ClientCertificate>> {
    match (reader.optional("pg_ssl_cert")?, reader.optional("pg_ssl_cert_key")?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificate {
            certificate: PathBuf::from(certificate.text),
            key: PathBuf::from(key.text),
        })),
        _ => Err(Error::new(
            Kind::Usage,
            "use Kong's client certificate",
            "pg_ssl_cert and pg_ssl_cert_key go together; one is missing",
        )),
    }
}

/// `lua_ssl_trusted_certificate`: a list of `system`, paths, PEM texts, and PEM texts in base64.
fn roots(reader: &mut Reader<'_>) -> Result<Vec<Root>> {
    let name = "lua_ssl_trusted_certificate";
    let Some(value) = reader.peek(name)? else {
        reader.note(name, "system", "Kong's default");
        return Ok(vec![Root::System]);
    };
    let entries = value.text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let roots: Vec<Root> = entries.map(root).collect();
    let shown: Vec<String> = roots.iter().map(describe_root).collect();
    reader.note(name, &shown.join(", "), &value.source);
    Ok(roots)
}

fn root(entry: &str) -> Root {
    if entry == "system" {
        return Root::System;
    }
    if entry.contains("-----BEGIN") {
        return Root::Pem(entry.to_owned());
    }
    match decode_base64(entry).and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) if text.contains("-----BEGIN") => Root::Pem(text),
        _ => Root::File(PathBuf::from(entry)),
    }
}

fn describe_root(root: &Root) -> String {
    match root {
        Root::System => "system".to_owned(),
        Root::File(path) => path.display().to_string(),
        Root::Pem(_) => "a certificate".to_owned(),
    }
}

/// Base64 with or without padding, in either alphabet; nothing for other text.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::with_capacity(text.len() / 4 * 3));
    for byte in text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
