//! One typed error: what was being done, what went wrong, what may help.
//!
//! Knows nothing of sockets, servers or files: a lower error travels along as its `source`.

use std::fmt;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What sort of failure it is; each has one exit code, which is a contract with the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bug, or something nobody thought of: 1.
    Unexpected,
    /// Wrong use or configuration: 2.
    Usage,
    /// Not an archive, cut, damaged: 3.
    Archive,
    /// No session could be opened (address, TLS, password): 4.
    Connect,
    /// The server was lost or stalled; a retry may help: 5.
    Server,
    /// A requirement is missing (privilege, empty target, version, extension): 6.
    Requirement,
    /// The restore is incomplete and the target is marked so: 7.
    Incomplete,
    /// A local file could not be read or written: 8.
    File,
    /// A lock or a consistent view was given up: 9.
    Consistency,
    /// SIGINT: 130.
    Interrupted,
    /// SIGTERM: 143.
    Terminated,
}

impl Kind {
    /// The process's exit code for this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Archive => 3,
            Self::Connect => 4,
            Self::Server => 5,
            Self::Requirement => 6,
            Self::Incomplete => 7,
            Self::File => 8,
            Self::Consistency => 9,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// One word for machines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unexpected => "unexpected",
            Self::Usage => "usage",
            Self::Archive => "archive",
            Self::Connect => "connect",
            Self::Server => "server",
            Self::Requirement => "requirement",
            Self::Incomplete => "incomplete",
            Self::File => "file",
            Self::Consistency => "consistency",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }
}

/// A failure, told as `doing: cause`, with an optional hint.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    doing: String,
    cause: String,
    items: Box<[String]>,
    hint: Option<Box<str>>,
    sqlstate: Option<Box<str>>,
    source: Option<Source>,
}

impl Error {
    /// `doing` is a present-tense phrase ("copy out public.plugins, pages 0..2048"); `cause` says
    /// what went wrong.
    pub fn new(kind: Kind, doing: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            kind,
            doing: doing.into(),
            cause: cause.into(),
            items: Box::default(),
            hint: None,
            sqlstate: None,
            source: None,
        }
    }

    /// A failure of the local file system while `doing`.
    pub fn file(doing: impl Into<String>, source: std::io::Error) -> Self {
        let hint = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Some("free some space, or write somewhere else")
            }
            std::io::ErrorKind::FileTooLarge => {
                Some("raise the limit on the size of files (ulimit -f), or write somewhere else")
            }
            std::io::ErrorKind::BrokenPipe => {
                Some("the program that reads the output has ended; see what it says")
            }
            std::io::ErrorKind::PermissionDenied => {
                Some("check the owner and mode of the file and its directory")
            }
            _ => None,
        };
        let mut error = Self::new(Kind::File, doing, source.to_string());
        error.hint = hint.map(Into::into);
        error.with_source(source)
    }

    /// Adds what the cause is made of, each to be shown on a line of its own.
    #[must_use]
    pub fn with_items(mut self, items: Vec<String>) -> Self {
        self.items = items.into();
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into());
        self
    }

    /// Keeps the server's SQLSTATE for callers that decide by it.
    #[must_use]
    pub fn with_sqlstate(mut self, code: impl Into<String>) -> Self {
        self.sqlstate = Some(code.into().into());
        self
    }

    /// Keeps the lower error for `source()`; its text must already stand in `cause`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same failure under another kind.
    #[must_use]
    pub fn as_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Puts an outer `doing` in front.
    #[must_use]
    pub fn within(mut self, doing: impl fmt::Display) -> Self {
        self.doing = format!("{doing}: {}", self.doing);
        self
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What was being done, outermost first.
    pub fn doing(&self) -> &str {
        &self.doing
    }

    /// What went wrong.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// What the cause is made of, where it is several things.
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// The server's SQLSTATE, if the server said it.
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }

    /// What may help.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)?;
        self.items.iter().try_for_each(|item| write!(f, "\n  - {item}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_sentence() {
        let error = Error::new(Kind::Server, "copy out public.plugins", "connection closed")
            .within("dump kong");
        assert_eq!(error.to_string(), "dump kong: copy out public.plugins: connection closed");
        assert_eq!(error.kind().exit_code(), 5);
    }
}
