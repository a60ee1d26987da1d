//! Whether a product will find its tables where the archive has them.
//!
//! Knows them by one: that which loads last. Does not look at the target.

use std::collections::BTreeSet;

use crate::archive::manifest::{Object, ObjectKind};
use crate::profile::{Home, Profile};
use crate::restore::finding::Finding;
use crate::sql::ident;

/// The product would look in another schema, and take its database for an empty one. `live`: under
/// which name a schema will be looked for.
pub(in crate::restore) fn elsewhere<'a>(
    home: &Home,
    profile: &Profile,
    objects: &'a [Object],
    live: impl Fn(&'a str) -> &'a str,
) -> Option<Finding> {
    let schemas: BTreeSet<&str> = objects
        .iter()
        .filter(|object| object.kind == ObjectKind::Table && (profile.loads_last)(&object.name))
        .filter_map(|object| object.schema.as_deref().map(&live))
        .collect();
    if schemas.is_empty() || schemas.contains(home.schema.as_str()) {
        return None;
    }
    let names: Vec<String> = schemas.iter().map(|schema| ident::quote(schema)).collect();
    let names = names.join(", ");
    let problem = format!(
        "the archive has the tables in schema {names}, but {} says otherwise",
        home.said_by
    );
    let renamed = if schemas.len() == 1 {
        let home = ident::quote(&home.schema);
        format!("; --rename-schema {names}={home} restores it there")
    } else {
        String::new()
    };
    let way_out =
        format!("set {0} to {names} as in the archive, or unset {0}{renamed}", home.setting);
    Some(Finding::new(problem, way_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::ObjectId;

    fn check(home: &str, tables: &[(&str, &str)], expect: Option<&str>) {
        let home =
            Home { schema: home.into(), said_by: format!("place = {home}"), setting: "place" };
        let profile = Profile { loads_last: |name| name == "ledger", ..Profile::default() };
        let objects: Vec<Object> = tables
            .iter()
            .zip(1..)
            .map(|((schema, name), id)| Object {
                schema: Some((*schema).to_owned()),
                name: (*name).to_owned(),
                ..Object::new(ObjectId(id), ObjectKind::Table, "")
            })
            .collect();
        let found = elsewhere(&home, &profile, &objects, |schema| schema)
            .map(|finding| finding.to_string());
        assert_eq!(found.as_deref(), expect);
    }

    #[test]
    fn only_the_products_own_tables_count() {
        check("kong", &[], None);
        check("kong", &[("public", "other")], None);
        check("kong", &[("kong", "ledger"), ("public", "ledger")], None);
        let expect = "the archive has the tables in schema public, but place = kong says otherwise \
            (set place to public as in the archive, or unset place; --rename-schema public=kong \
            restores it there)";
        check("kong", &[("public", "ledger"), ("kong", "other")], Some(expect));
    }
}
