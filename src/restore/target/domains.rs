//! Domains whose values are loaded as they travelled: the base type must be the archive's, for the
//! bytes of another would be taken for what they are not.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::OTHER_TABLES;
use crate::archive::manifest::{Object, ObjectKind, Table};
use crate::error::Result;
use crate::pg::session::Session;
use crate::restore::finding::Finding;
use crate::sql::ident;

/// What an archive's domains are over: by qualified name, the text from the base type on.
#[derive(Clone, Debug, Default)]
pub(in crate::restore) struct Domains(BTreeMap<String, String>);

impl Domains {
    /// Those that are among these objects.
    pub(in crate::restore) fn of(objects: &[Object]) -> Self {
        let domain = |object: &Object| {
            let name = ident::qualified(object.schema.as_deref()?, &object.name);
            let statement = object.statements.first()?;
            let base = statement.strip_prefix(&format!("CREATE DOMAIN {name} AS "))?;
            Some((name, base.to_owned()))
        };
        let domains = objects.iter().filter(|object| object.kind == ObjectKind::Domain);
        Self(domains.filter_map(domain).collect())
    }

    /// Compares those that columns of these tables are of, and those that these are over, with what
    /// is there.
    pub(in crate::restore) async fn compare(
        &self,
        session: &Session,
        tables: impl Iterator<Item = &Table>,
    ) -> Result<Vec<Finding>> {
        let used = self.used_by(tables);
        if used.is_empty() {
            return Ok(Vec::new());
        }
        let sql = "SELECT n.nspname::text, t.typname::text, \
                   pg_catalog.format_type(t.typbasetype, t.typtypmod) FROM pg_catalog.pg_type t \
                   JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' \
                   ORDER BY 1, 2";
        let mut findings = Vec::new();
        for row in session.query("read the domains", sql).await? {
            let (schema, name, found): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let name = ident::qualified(&schema, &name);
            let Some(base) = used.get(name.as_str()).filter(|base| !is_over(base, &found)) else {
                continue;
            };
            let problem = format!("domain {name} is over {found}, the archive's over {base}");
            findings.push(Finding::new(problem, OTHER_TABLES));
        }
        Ok(findings)
    }

    fn used_by<'a>(&self, tables: impl Iterator<Item = &'a Table>) -> BTreeMap<&str, &str> {
        let columns = tables.flat_map(|table| &table.columns);
        let mut next: Vec<&str> = columns.map(|column| column.type_name.as_str()).collect();
        let (mut used, mut seen) = (BTreeMap::new(), BTreeSet::new());
        while let Some(name) = next.pop() {
            let name = name.trim_end_matches("[]");
            if !seen.insert(name.to_owned()) {
                continue;
            }
            if let Some((name, base)) = self.0.get_key_value(name) {
                used.insert(name.as_str(), base.as_str());
                let over = self.0.keys().filter(|other| is_over(base, other));
                next.extend(over.map(String::as_str));
            }
        }
        used
    }
}

/// Whether the text begins with this type.
fn is_over(base: &str, type_name: &str) -> bool {
    base.strip_prefix(type_name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_type_ends_where_its_name_ends() {
        assert!(is_over("bigint", "bigint"));
        assert!(is_over("bigint\n    NOT NULL", "bigint"));
        assert!(!is_over("character varying(10)", "character varying"));
        assert!(!is_over("public.ab", "public.a"));
    }
}
