//! The driver's errors in our words: the server's message, detail and SQLSTATE.

use crate::error::{Error, Kind};
use crate::sqlstate;

/// What helps where something else than answers came.
pub(super) const NOT_POSTGRESQL: &str =
    "check the network, and that it is PostgreSQL that answers; then try again";

/// Puts a driver's error into our words: the server's message, detail and SQLSTATE, and the kind
/// that its class means.
pub(super) fn explain(doing: &str, source: tokio_postgres::Error) -> Error {
    let Some(db) = source.as_db_error() else {
        let cause = chain(&source);
        // What the server did not say itself, its connection or its protocol did.
        return Error::new(Kind::Server, doing, cause).hint(NOT_POSTGRESQL).with_source(source);
    };
    let mut cause = db.message().to_owned();
    if let Some(detail) = db.detail() {
        cause = format!("{cause} ({detail})");
    }
    if let Some(context) = db.where_() {
        cause = format!("{cause} [{}]", context.lines().next().unwrap_or_default());
    }
    let code = db.code().code().to_owned();
    cause = format!("{cause} [SQLSTATE {code}]");
    let kind = match code.as_str() {
        sqlstate::INSUFFICIENT_PRIVILEGE
        | sqlstate::FEATURE_NOT_SUPPORTED
        | sqlstate::UNDEFINED_FILE => Kind::Requirement,
        sqlstate::LOCK_NOT_AVAILABLE
        | sqlstate::SERIALIZATION_FAILURE
        | sqlstate::DEADLOCK_DETECTED => Kind::Consistency,
        sqlstate::ADMIN_SHUTDOWN
        | sqlstate::CRASH_SHUTDOWN
        | sqlstate::CANNOT_CONNECT_NOW
        | sqlstate::IDLE_SESSION_TIMEOUT => Kind::Server,
        code if code.starts_with("08") || code.starts_with("53") => Kind::Server,
        _ => Kind::Unexpected,
    };
    let hint = db.hint().map(str::to_owned);
    let error = Error::new(kind, doing, cause).with_sqlstate(code).with_source(source);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The messages of an error and its sources; tokio-postgres alone prints little more than "db
/// error".
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        next = source.source();
    }
    text
}
