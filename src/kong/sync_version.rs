//! The version of the incremental sync after a restore: data planes that have a newer one than the
//! restored database would be told that they are up to date, and keep what they have.
//!
//! Pure.

use crate::error::{Error, Kind, Result};
use crate::restore::step::{Afterwards, Step};
use crate::sql::ident;
use crate::swap::raised::Raised;

/// The table.
pub const TABLE: &str = "clustering_sync_version";

/// How far beyond every version that is known.
const BEYOND: i64 = 1000;

/// The option.
const OPTION: &str = "--bump-sync-version";

/// The version that is set: the one that is given, or beyond the largest of those.
///
/// # Errors
/// [`Kind::Usage`] if the table's column cannot hold it.
pub fn choose(given: Option<i64>, known: &[Option<i64>], column_type: &str) -> Result<i64> {
    let largest = known.iter().flatten().max().copied().unwrap_or(0);
    let version = given.unwrap_or_else(|| largest.saturating_add(BEYOND));
    if column_type == "integer" && i32::try_from(version).is_err() {
        let cause = format!("version {version} does not fit into {TABLE}, whose column is integer");
        return Err(Error::new(Kind::Usage, format!("read {OPTION}"), cause)
            .hint(format!("give a smaller one: {OPTION}=N")));
    }
    Ok(version)
}

/// What sets it when the rows are there.
pub fn afterwards(schema: &str, version: i64) -> Afterwards {
    let table = ident::qualified(schema, TABLE);
    let doing = format!("raise the version of the incremental sync to {version}");
    let insert = format!(
        "INSERT INTO {table} (version) SELECT {version} WHERE NOT EXISTS (SELECT FROM {table} WHERE \
         version >= {version})"
    );
    let sequence = format!(
        "SELECT pg_catalog.setval(s.name::pg_catalog.regclass, (SELECT \
         pg_catalog.max(version)::int8 FROM {table})) FROM \
         pg_catalog.pg_get_serial_sequence({}, 'version') s(name) WHERE s.name IS NOT NULL",
        ident::literal(&table)
    );
    Afterwards {
        option: format!("{OPTION}={version}"),
        steps: vec![Step::new(&doing, insert), Step::new(&doing, sequence)],
    }
}

/// What a swap raises: beyond what either copy has, or the version that is given.
pub fn raised(given: Option<i64>) -> Raised {
    Raised { table: TABLE, column: "version", beyond: BEYOND, given }
}

/// The version that an earlier run of the same restore has chosen, from its options.
pub fn chosen_before(options: &[String]) -> Option<i64> {
    options.iter().find_map(|option| option.strip_prefix(OPTION)?.strip_prefix('=')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_all_that_is_known() {
        let check = |given, known: &[Option<i64>], of: &str, expect: Option<i64>| {
            assert_eq!(choose(given, known, of).ok(), expect);
        };
        check(None, &[None, None], "integer", Some(1000));
        check(None, &[Some(7), Some(3)], "integer", Some(1007));
        check(Some(5), &[Some(7)], "integer", Some(5));
        check(None, &[Some(i64::from(i32::MAX))], "integer", None);
        check(None, &[Some(i64::from(i32::MAX))], "bigint", Some(i64::from(i32::MAX) + 1000));
    }

    #[test]
    fn an_earlier_runs_choice_is_found() {
        let afterwards = afterwards("public", 1007);
        assert_eq!(chosen_before(&["-O".to_owned(), afterwards.option]), Some(1007));
        assert_eq!(chosen_before(&["-O".to_owned()]), None);
    }
}
