//! Names in other encodings than the database's. Roles, databases and tablespaces belong to the
//! whole server, which stores their names as the database wrote them in which they were made.
//! Elsewhere such a name may be no text at all: a server in UTF8 sends it as it is, any other fails
//! to convert it.
//!
//! Does not know whose names they are.

use tokio_postgres::types::Type;

use super::row::Row;
use crate::error::{Error, Kind, Result};
use crate::sqlstate;

/// Whether a text could not be read: its bytes are no text in the database's encoding, or have no
/// place in the other.
pub fn is_unreadable(error: &Error) -> bool {
    matches!(
        error.sqlstate(),
        Some(sqlstate::CHARACTER_NOT_IN_REPERTOIRE | sqlstate::UNTRANSLATABLE_CHARACTER)
    )
}

/// Demands that every text of an answer can be read, in UTF-8, so that no later look at a column
/// can fail.
pub(super) fn check(doing: &str, rows: &[Row]) -> Result<()> {
    for row in rows {
        for (at, column) in row.columns().iter().enumerate() {
            let is_read = match *column.type_() {
                Type::TEXT | Type::NAME | Type::VARCHAR | Type::BPCHAR | Type::UNKNOWN => {
                    row.get::<_, Option<&str>>(at).is_ok()
                }
                Type::TEXT_ARRAY | Type::NAME_ARRAY | Type::VARCHAR_ARRAY => {
                    row.get::<_, Option<Vec<Option<&str>>>>(at).is_ok()
                }
                _ => true,
            };
            if !is_read {
                let bytes = row.bytes(at).unwrap_or_default().escape_ascii();
                let cause =
                    format!("the server sent what is no UTF-8 as {}: {bytes}", column.name());
                return Err(Error::new(Kind::Requirement, doing, cause)
                    .with_sqlstate(sqlstate::CHARACTER_NOT_IN_REPERTOIRE));
            }
        }
    }
    Ok(())
}
