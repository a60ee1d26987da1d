//! The SQLSTATEs that something is decided by, under the names of PostgreSQL's documentation
//! (appendix "PostgreSQL Error Codes").

#![expect(missing_docs, reason = "the names say it")]

pub const PROTOCOL_VIOLATION: &str = "08P01";
pub const FEATURE_NOT_SUPPORTED: &str = "0A000";
pub const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
pub const INVALID_PARAMETER_VALUE: &str = "22023";
pub const UNTRANSLATABLE_CHARACTER: &str = "22P05";
pub const UNIQUE_VIOLATION: &str = "23505";
pub const READ_ONLY_SQL_TRANSACTION: &str = "25006";
pub const IN_FAILED_SQL_TRANSACTION: &str = "25P02";
pub const INVALID_AUTHORIZATION_SPECIFICATION: &str = "28000";
pub const INVALID_PASSWORD: &str = "28P01";
pub const DEPENDENT_OBJECTS_STILL_EXIST: &str = "2BP01";
pub const INVALID_CATALOG_NAME: &str = "3D000";
pub const INVALID_SCHEMA_NAME: &str = "3F000";
pub const SERIALIZATION_FAILURE: &str = "40001";
pub const DEADLOCK_DETECTED: &str = "40P01";
pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
pub const UNDEFINED_COLUMN: &str = "42703";
pub const UNDEFINED_OBJECT: &str = "42704";
pub const UNDEFINED_FUNCTION: &str = "42883";
pub const UNDEFINED_TABLE: &str = "42P01";
pub const WRONG_OBJECT_TYPE: &str = "42809";
pub const DUPLICATE_SCHEMA: &str = "42P06";
pub const TOO_MANY_CONNECTIONS: &str = "53300";
pub const OBJECT_NOT_IN_PREREQUISITE_STATE: &str = "55000";
pub const OBJECT_IN_USE: &str = "55006";
pub const LOCK_NOT_AVAILABLE: &str = "55P03";
pub const QUERY_CANCELED: &str = "57014";
pub const ADMIN_SHUTDOWN: &str = "57P01";
pub const CRASH_SHUTDOWN: &str = "57P02";
pub const CANNOT_CONNECT_NOW: &str = "57P03";
pub const IDLE_SESSION_TIMEOUT: &str = "57P05";
pub const UNDEFINED_FILE: &str = "58P01";
pub const INTERNAL_ERROR: &str = "XX000";

/// Whether the server says so of what is not there.
pub fn is_of_what_is_missing(code: &str) -> bool {
    [UNDEFINED_TABLE, UNDEFINED_COLUMN, UNDEFINED_FUNCTION, UNDEFINED_OBJECT, INVALID_SCHEMA_NAME]
        .contains(&code)
}

/// Whether the server says so of what has gone since it was found: besides the codes for it, that
/// it has stumbled.
pub fn is_of_what_vanished(code: &str) -> bool {
    code == INTERNAL_ERROR || is_of_what_is_missing(code)
}
