//! What a file is that is no archive, by its first bytes, and what reads it.

/// What files begin with, and what such a file is.
const STARTS: &[(&[u8], &str)] = &[
    (b"PGDMP", "pg_dump's custom format: pg_restore reads it"),
    (b"toc.dat\0", "pg_dump's tar format: pg_restore reads it"),
    (b"\x1f\x8b", "compressed with gzip: gunzip shows what is in it"),
    (b"BZh", "compressed with bzip2: bunzip2 shows what is in it"),
    (b"\xfd7zXZ\0", "compressed with xz: unxz shows what is in it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: unzstd shows what is in it"),
    (b"\x04\x22\x4d\x18", "compressed with lz4: unlz4 shows what is in it"),
    (b"PK\x03\x04", "a zip file: unzip shows what is in it"),
    (b"age-encryption.org/", "encrypted with age: decrypt it first"),
];

/// What SQL text begins with, in capitals.
const SQL: &[&str] =
    &["--", "/*", "\\", "SET ", "CREATE ", "INSERT ", "COPY ", "BEGIN", "DROP ", "ALTER "];

/// Says what the first bytes belong to, if that is known.
pub(super) fn what(start: &[u8]) -> Option<&'static str> {
    let known = STARTS.iter().find(|(bytes, _)| start.starts_with(bytes));
    if let Some((_, what)) = known {
        return Some(what);
    }
    if is_tar(start) {
        return Some("a tar file: tar -t shows what is in it");
    }
    let text: String = start.iter().map(|&byte| char::from(byte.to_ascii_uppercase())).collect();
    let text = text.trim_start();
    SQL.iter().any(|word| text.starts_with(word)).then_some("SQL text: psql -f reads it")
}

/// A member's name, filled up with zeros: nothing else of a tar's mark is in so few bytes.
fn is_tar(start: &[u8]) -> bool {
    let name = start.iter().take_while(|byte| **byte > b' ' && **byte < 127).count();
    name > 0 && start.len() >= 64 && start[name..].iter().all(|byte| *byte == 0) && name < 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_named() {
        let check = |start: &[u8], expect: &str| {
            let what = what(start).unwrap_or_default();
            assert!(what.starts_with(expect) && what.is_empty() == expect.is_empty(), "{what}");
        };
        let tar = |name: &str| {
            let mut start = name.as_bytes().to_vec();
            start.resize(64, 0);
            start
        };
        check(b"PGDMP\x01\x10\0", "pg_dump's custom format");
        check(&tar("toc.dat"), "pg_dump's tar format");
        check(&tar("kong/kong.conf"), "a tar file");
        check(b"\x1f\x8b\x08", "compressed with gzip");
        check(b"BZh91AY", "compressed with bzip2");
        check(b"\xfd7zXZ\0\0", "compressed with xz");
        check(b"\x28\xb5\x2f\xfd\x04", "compressed with zstd");
        check(b"--\n-- PostgreSQL database dump\n--\n", "SQL text");
        check(b"\\restrict abc\n", "SQL text");
        check(b"\ncreate table a ()", "SQL text");
        check(b"", "");
        check(b"hello, world", "");
        check(&[0; 64], "");
    }
}
