//! `ALTER … DEPENDS ON EXTENSION`: objects that go when an extension goes, though it does not make
//! them.

use std::collections::HashMap;

use crate::error::Result;
use crate::pg::catalog::draft::address::Address;
use crate::pg::catalog::draft::{Definition, Draft};
use crate::pg::catalog::reader::Reader;
use crate::pg::row::Row;
use crate::sql::ident;

/// Asks what depends so.
pub(in crate::pg::catalog) async fn rows(reader: &Reader<'_>) -> Result<Vec<Row>> {
    let sql = "SELECT d.classid, d.objid, e.extname::text AS extension FROM pg_catalog.pg_depend d \
         JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid \
         WHERE d.deptype = 'x' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass \
         ORDER BY d.classid, d.objid, 3";
    reader.rows("dependencies on extensions", sql).await
}

/// Adds the statement to each object that depends so.
pub(in crate::pg::catalog) fn attach(rows: &[Row], drafts: &mut [Draft]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut words: HashMap<Address, (usize, String)> = HashMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        words.insert(draft.address, (at, draft.identity.clone()));
        words.extend(
            draft.parts.iter().filter_map(|(part, words)| Some((*part, (at, words.clone()?)))),
        );
    }
    for row in rows {
        let Some((at, identity)) = words.get(&Address::new(row.get(0)?, row.get(1)?)) else {
            continue;
        };
        let statement = format!(
            "ALTER {identity} DEPENDS ON EXTENSION {}",
            ident::quote(row.get("extension")?)
        );
        match &mut drafts[*at].definition {
            Definition::Fixed(statements) => statements.push(statement),
            Definition::List(list) => list.after.push(statement),
            Definition::Either(either) => {
                either.whole.push(statement.clone());
                either.provisional.push(statement);
            }
        }
    }
    Ok(())
}
