//! Which schema is meant where several have a `schema_meta`.
//!
//! Does not know how they were found.

use crate::error::{Error, Kind, Result};
use crate::sql::ident;

/// Kong's table of migrations, and the columns by which it is told from another of that name.
pub(super) const SCHEMA_META: &str = "schema_meta";
pub(super) const COLUMNS: [&str; 5] = ["key", "subsystem", "last_executed", "executed", "pending"];

/// Whether there is one to take.
pub(super) fn is_there(found: &[String], wanted: Option<&str>) -> bool {
    wanted.map_or(!found.is_empty(), |wanted| found.iter().any(|schema| schema == wanted))
}

/// Takes the schema that is wanted, or the one that Kong itself would take: that of the role's
/// name, `public`, or any. Returns it and the others.
///
/// # Errors
/// There is none, or not the wanted one.
pub(super) fn choose(
    mut found: Vec<String>,
    wanted: Option<&str>,
    role: Option<&str>,
    place: &str,
) -> Result<(String, Vec<String>)> {
    found.sort_unstable();
    let at = |name: &str| found.iter().position(|schema| schema == name);
    let chosen = match wanted {
        Some(wanted) => at(wanted),
        None => role.and_then(at).or_else(|| at("public")).or((!found.is_empty()).then_some(0)),
    };
    if let Some(chosen) = chosen {
        let chosen = found.remove(chosen);
        return Ok((chosen, found));
    }
    let has = "Kong's table schema_meta";
    let (cause, hint) = match wanted {
        Some(wanted) if found.is_empty() => {
            (format!("schema {} does not have {has}", ident::quote(wanted)), String::new())
        }
        Some(wanted) => (
            format!("schema {} does not have {has}", ident::quote(wanted)),
            format!("name a schema that has it: {}", ident::list(found.iter().map(String::as_str))),
        ),
        None => (
            format!("it is no Kong database: no schema has {has}"),
            "check the name of the database; Kong older than 1.0 is not known".to_owned(),
        ),
    };
    let error = Error::new(Kind::Requirement, format!("look for Kong in {place}"), cause);
    Err(if hint.is_empty() { error } else { error.hint(hint) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &[&str], wanted: Option<&str>, expect: Option<(&str, &[&str])>) {
        let found = found.iter().map(|&name| name.to_owned()).collect();
        let chosen = choose(found, wanted, Some("kong"), "database d");
        let expect = expect.map(|(schema, others)| {
            (schema.to_owned(), others.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
        });
        assert_eq!(chosen.as_ref().ok(), expect.as_ref());
        if let Err(error) = chosen {
            assert_eq!(error.kind(), Kind::Requirement);
        }
    }

    #[test]
    fn as_kong_would() {
        check(&["public"], None, Some(("public", &[])));
        check(&["z", "public", "a"], None, Some(("public", &["a", "z"])));
        check(&["z", "public", "kong"], None, Some(("kong", &["public", "z"])));
        check(&["z", "a"], None, Some(("a", &["z"])));
        check(&["z", "public"], Some("z"), Some(("z", &["public"])));
        check(&["public"], Some("z"), None);
        check(&[], Some("z"), None);
        check(&[], None, None);
    }
}
