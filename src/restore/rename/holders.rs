//! Which types' values hold names of objects, at whatever depth.

use std::collections::{HashMap, HashSet};

use crate::archive::manifest::{Manifest, ObjectKind};
use crate::sql::ident;
use crate::sql::rename::{NAME_TYPES, base_type, parts_of_type};

/// The types whose values hold names of objects (`regclass` and its like): those of the server, and
/// the archive's domains, composite types, ranges and tables that are made of such.
pub(super) struct Holders(HashSet<String>);

impl Holders {
    /// Finds them in an archive whose schemas have their old names.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let mut parts: HashMap<String, Vec<String>> = HashMap::new();
        for object in &manifest.objects {
            let is_made_of_others =
                matches!(object.kind, ObjectKind::Type | ObjectKind::Domain | ObjectKind::Table);
            if let Some(schema) = object.schema.as_deref().filter(|_| is_made_of_others) {
                let of = parts.entry(ident::qualified(schema, &object.name)).or_default();
                of.extend(object.statements.iter().flat_map(|sql| parts_of_type(sql)));
            }
        }
        for table in &manifest.tables {
            let of = parts.entry(ident::qualified(&table.schema, &table.name)).or_default();
            of.extend(table.columns.iter().map(|column| base_type(&column.type_name)));
        }
        let mut holders: HashSet<String> = NAME_TYPES.iter().map(|&name| name.to_owned()).collect();
        loop {
            let found: Vec<String> = parts
                .iter()
                .filter(|(name, of)| {
                    !holders.contains(*name) && of.iter().any(|part| holders.contains(part))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if found.is_empty() {
                return Self(holders);
            }
            holders.extend(found);
        }
    }

    /// Whether values of a type, or arrays of it, hold such names.
    pub(super) fn holds(&self, type_name: &str) -> bool {
        self.0.contains(&base_type(type_name))
    }
}
