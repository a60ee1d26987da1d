//! What a server may send, before a byte of it is believed or kept: libpq's bounds on lengths, the
//! messages that there are, and the ways of authentication that `require_auth` admits.
//!
//! Knows the heads of messages (protocol version 3) and nothing of what the driver asked for.

use std::fmt;

/// libpq's bounds: an authentication request, and all else whose kind is not long by nature.
const AUTHENTICATION_BYTES_MAX: usize = 2000;
const SHORT_BYTES_MAX: usize = 30_000;
/// All that a server may say before the session is ready.
const LOGIN_BYTES_MAX: usize = 1 << 20;
/// PostgreSQL's rows end at 1 GiB.
const LONG_BYTES_MAX: usize = (1 << 30) + (64 << 10);
/// Messages that may be long: rows, their description, errors, notices, notifications, COPY data,
/// the result of a function call.
const LONG: &[u8] = b"ADENTVd";
/// All that a server says in a session, and before it is ready.
const KNOWN: &[u8] = b"123ACDEGHIKNRSTVWZcdnstv";
const KNOWN_AT_LOGIN: &[u8] = b"EKNRSZv";

/// A way by which a server may know who we are; `None` is that it does not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Nothing is asked for.
    None,
    /// The password in clear.
    Password,
    /// The password's MD5 hash.
    Md5,
    /// Kerberos.
    Gss,
    /// Kerberos and NTLM on Windows.
    Sspi,
    /// SCRAM, which proves both sides.
    Scram,
    /// An OAuth token.
    Oauth,
}

impl Method {
    /// Every method with libpq's word.
    pub const ALL: [(&'static str, Self); 7] = [
        ("none", Self::None),
        ("password", Self::Password),
        ("md5", Self::Md5),
        ("gss", Self::Gss),
        ("sspi", Self::Sspi),
        ("scram-sha-256", Self::Scram),
        ("oauth", Self::Oauth),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, method)| *method == self).map_or("", |(word, _)| word)
    }

    /// The method that an authentication request asks for; none for its later steps.
    fn asked(body: &[u8]) -> Result<Option<Self>, Objection> {
        let (code, rest) = body.split_first_chunk::<4>().ok_or(Objection::Malformed)?;
        Ok(match u32::from_be_bytes(*code) {
            3 => Some(Self::Password),
            5 => Some(Self::Md5),
            7 => Some(Self::Gss),
            9 => Some(Self::Sspi),
            10 if rest.starts_with(b"OAUTHBEARER\0") => Some(Self::Oauth),
            10 => Some(Self::Scram),
            _ => None,
        })
    }
}

/// Why the server is not listened to any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Objection {
    /// It asks for what `require_auth` does not admit.
    Authentication(Method),
    /// No such message is as long as this.
    TooLong { kind: u8, bytes: usize },
    /// There is no such message.
    Unknown { kind: u8 },
    /// A message without its first bytes.
    Malformed,
    /// There is no memory for a message of this length.
    NoMemory { bytes: usize },
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authentication(Method::None) => {
                f.write_str("the server does not ask who we are, which require_auth does not admit")
            }
            Self::Authentication(method) => {
                write!(
                    f,
                    "the server asks for the authentication {}, which require_auth does not admit",
                    method.word()
                )
            }
            Self::TooLong { kind, bytes } => write!(
                f,
                "the server announced a message \"{}\" of {bytes} bytes",
                kind.escape_ascii()
            ),
            Self::Unknown { kind } => write!(
                f,
                "the server sent what is no message of its protocol (\"{}\")",
                kind.escape_ascii()
            ),
            Self::Malformed => f.write_str("the server sent a message without its first bytes"),
            Self::NoMemory { bytes } => {
                write!(f, "there is no memory for a message of {bytes} bytes")
            }
        }
    }
}

impl std::error::Error for Objection {}

/// Looks at the head of each message of one connection.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// What `require_auth` admits; `None` is everything.
    admitted: Option<Vec<Method>>,
    asked: Option<Method>,
    /// Bytes that came before the session was ready; `None` once it is.
    login_bytes: Option<usize>,
}

/// What a head leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The message may pass.
    Pass,
    /// It is looked at again with its whole body.
    Whole,
}

impl Guard {
    pub(super) fn new(admitted: Option<Vec<Method>>) -> Self {
        Self { admitted, asked: None, login_bytes: Some(0) }
    }

    /// Judges a message of `bytes` of body, of which `body` has come.
    #[inline]
    pub(super) fn judge(
        &mut self,
        kind: u8,
        bytes: usize,
        body: &[u8],
    ) -> Result<Verdict, Objection> {
        // Of these there is one for each row.
        if kind == b'd' && bytes <= SHORT_BYTES_MAX && self.login_bytes.is_none() {
            return Ok(Verdict::Pass);
        }
        self.judge_any(kind, bytes, body)
    }

    fn judge_any(&mut self, kind: u8, bytes: usize, body: &[u8]) -> Result<Verdict, Objection> {
        let known = if self.login_bytes.is_some() { KNOWN_AT_LOGIN } else { KNOWN };
        if !known.contains(&kind) {
            return Err(Objection::Unknown { kind });
        }
        let bytes_max = match (kind, self.login_bytes) {
            (b'R', _) => AUTHENTICATION_BYTES_MAX,
            (_, None) if LONG.contains(&kind) => LONG_BYTES_MAX,
            _ => SHORT_BYTES_MAX,
        };
        if bytes > bytes_max {
            return Err(Objection::TooLong { kind, bytes });
        }
        let Some(login_bytes) = self.login_bytes else {
            return probe(bytes).map(|()| Verdict::Pass);
        };
        if kind == b'R' {
            if body.len() < bytes {
                return Ok(Verdict::Whole);
            }
            self.authenticate(&body[..bytes])?;
        }
        let login_bytes = login_bytes + bytes;
        if login_bytes > LOGIN_BYTES_MAX {
            return Err(Objection::TooLong { kind, bytes: login_bytes });
        }
        self.login_bytes = (kind != b'Z').then_some(login_bytes);
        Ok(Verdict::Pass)
    }

    fn authenticate(&mut self, body: &[u8]) -> Result<(), Objection> {
        let is_ok = body.starts_with(&[0, 0, 0, 0]);
        let Some(method) =
            Method::asked(body)?.or(is_ok.then(|| self.asked.unwrap_or(Method::None)))
        else {
            return Ok(());
        };
        self.asked = Some(method);
        let admitted = self.admitted.as_ref().is_none_or(|admitted| admitted.contains(&method));
        if admitted { Ok(()) } else { Err(Objection::Authentication(method)) }
    }
}

/// Objects to a message for which there is no memory: the driver would end the process where it
/// finds none; asking first makes an error of it.
fn probe(bytes: usize) -> Result<(), Objection> {
    if bytes <= SHORT_BYTES_MAX {
        return Ok(());
    }
    Vec::<u8>::new().try_reserve_exact(2 * bytes).map_err(|_| Objection::NoMemory { bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(code: u32, rest: &[u8]) -> Vec<u8> {
        [&code.to_be_bytes(), rest].concat()
    }

    /// What the guard says of the messages, one after the other.
    fn check(guard: &mut Guard, messages: &[(u8, &[u8])]) -> Result<(), Objection> {
        messages.iter().try_for_each(|(kind, body)| guard.judge(*kind, body.len(), body).map(drop))
    }

    #[test]
    fn lengths_are_libpqs() {
        let mut guard = Guard::new(None);
        assert_eq!(
            guard.judge(b'R', 2001, b""),
            Err(Objection::TooLong { kind: b'R', bytes: 2001 })
        );
        assert_eq!(
            guard.judge(b'E', 30_001, b""),
            Err(Objection::TooLong { kind: b'E', bytes: 30_001 })
        );
        assert_eq!(guard.judge(b'D', 4, b""), Err(Objection::Unknown { kind: b'D' }));
        check(&mut guard, &[(b'R', &request(0, b"")), (b'S', b"a\0b\0"), (b'Z', b"I")])
            .expect("a session");
        assert_eq!(guard.judge(b'D', 1 << 20, b""), Ok(Verdict::Pass));
        assert_eq!(
            guard.judge(b'D', 1 << 31, b""),
            Err(Objection::TooLong { kind: b'D', bytes: 1 << 31 })
        );
        assert_eq!(
            guard.judge(b'C', 30_001, b""),
            Err(Objection::TooLong { kind: b'C', bytes: 30_001 })
        );
        assert_eq!(
            guard.judge(b'H', 1 << 28, b""),
            Err(Objection::TooLong { kind: b'H', bytes: 1 << 28 })
        );
        assert_eq!(guard.judge(b'<', 4, b""), Err(Objection::Unknown { kind: b'<' }));
    }

    #[test]
    fn a_login_without_end_is_given_up() {
        let mut guard = Guard::new(None);
        let note = vec![b'x'; 20_000];
        let last = (0..100).map(|_| guard.judge(b'S', note.len(), &note)).find(Result::is_err);
        assert!(matches!(last, Some(Err(Objection::TooLong { kind: b'S', .. }))), "{last:?}");
    }

    #[test]
    fn only_admitted_methods_are_answered() {
        let scram = request(10, b"SCRAM-SHA-256\0\0");
        let whole: &[(u8, &[u8])] = &[
            (b'R', &scram),
            (b'R', &request(11, b"x")),
            (b'R', &request(12, b"x")),
            (b'R', &request(0, b"")),
        ];
        check(&mut Guard::new(Some(vec![Method::Scram])), whole).expect("admitted");
        for (asked, method) in [
            (request(3, b""), Method::Password),
            (request(5, b"salt"), Method::Md5),
            (request(0, b""), Method::None),
        ] {
            let mut guard = Guard::new(Some(vec![Method::Scram]));
            assert_eq!(
                check(&mut guard, &[(b'R', &asked)]),
                Err(Objection::Authentication(method))
            );
            check(&mut Guard::new(Some(vec![method])), &[(b'R', &asked)]).expect("admitted");
            check(&mut Guard::new(None), &[(b'R', &asked)]).expect("admitted");
        }
        assert_eq!(Guard::new(None).judge(b'R', 8, &scram[..4]), Ok(Verdict::Whole));
        assert_eq!(Guard::new(None).judge(b'R', 2, b"ab"), Err(Objection::Malformed));
    }
}
