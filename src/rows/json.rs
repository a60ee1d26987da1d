//! Rows as `row_to_json` writes them, but for values of composite types and elements of arrays of
//! domains, which are strings here, and for line feeds between the parts of a `json`, which are
//! spaces: a row is a line.

mod array;
mod scalar;

use super::row::Row;
use crate::error::{Error, Kind, Result};
use crate::sql::ident;

/// Writes a row as an object with its end of line.
///
/// # Errors
/// [`Kind::Requirement`] for a value that is not UTF-8, as JSON must be.
pub fn write(row: &Row, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'{');
    for (at, (column, value)) in row.bytes().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        scalar::string(&column.name, out);
        out.push(b':');
        let Some(value) = value else {
            out.extend_from_slice(b"null");
            continue;
        };
        let value = row.str(value).ok_or_else(|| {
            let doing = format!("write column {} as JSON", ident::quote(&column.name));
            Error::new(Kind::Requirement, doing, row.not_utf8())
        })?;
        let type_name = column.sent_as.as_deref().unwrap_or(&column.type_name);
        match type_name.strip_suffix("[]") {
            Some(element) => array::write(value, element, out),
            None => scalar::write(value, type_name, out),
        }
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}
