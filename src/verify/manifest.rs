//! What a manifest says that the reader takes and no restore needs to refuse, and that is wrong all
//! the same: an order in which things cannot be made, rows of what has none.
//!
//! Does not know what the reader refuses (two of one number, references to nothing): `archive` says
//! so alone. Nor whether a statement is good SQL.

use std::collections::{HashMap, HashSet};

use super::finding::{Findings, Place, short};
use crate::archive::manifest::{Manifest, Object, ObjectId, ObjectKind, Section, Table};
use crate::sql::ident;

/// Checks a manifest that the reader has taken.
pub(super) fn check(manifest: &Manifest, findings: &mut Findings) {
    let places: HashMap<ObjectId, usize> =
        manifest.objects.iter().enumerate().map(|(at, object)| (object.id, at)).collect();
    for (at, object) in manifest.objects.iter().enumerate() {
        check_order(manifest, &places, at, object, findings);
    }
    for table in &manifest.tables {
        if let Some(object) = places.get(&table.object).map(|at| &manifest.objects[*at]) {
            check_table(object, table, findings);
        }
    }
}

/// A table's place in findings.
pub(super) fn table_place(table: &Table) -> Place {
    Place::Table { table: ident::qualified(&table.schema, &table.name) }
}

fn place(object: &Object) -> Place {
    Place::Object { id: object.id.0, identity: short(&object.identity) }
}

fn check_order(
    manifest: &Manifest,
    places: &HashMap<ObjectId, usize>,
    at: usize,
    object: &Object,
    findings: &mut Findings,
) {
    for other in object.depends_on.iter().filter_map(|needed| places.get(needed)).copied() {
        let needed = &manifest.objects[other];
        if other == at {
            findings.add(place(object), "it depends on itself");
        } else if other > at {
            findings.add(
                place(object),
                format!("it stands before {}, which it depends on", short(&needed.identity)),
            );
        }
        if needed.section > object.section {
            let (own, others) = (name(object.section), name(needed.section));
            findings.add(
                place(object),
                format!(
                    "it is made {own} and depends on {}, which is made {others}",
                    short(&needed.identity)
                ),
            );
        }
    }
}

fn check_table(object: &Object, table: &Table, findings: &mut Findings) {
    // An extension's configuration table has rows and no definition of its own; one table stands
    // for all large objects.
    let fits = match object.kind {
        ObjectKind::Table | ObjectKind::Extension => !table.is_large_objects(),
        ObjectKind::LargeObject => table.is_large_objects(),
        _ => false,
    };
    if !fits {
        findings.add(
            table_place(table),
            format!("its object is {}, which is no table", short(&object.identity)),
        );
    } else if object.kind == ObjectKind::Table
        && (object.schema.as_deref(), object.name.as_str()) != (Some(&table.schema), &table.name)
    {
        findings.add(
            table_place(table),
            format!("its object is another table, {}", short(&object.identity)),
        );
    }
    let mut names = HashSet::new();
    for column in table.columns.iter().filter(|column| !names.insert(&column.name)) {
        findings
            .add(table_place(table), format!("it has two columns {}", ident::quote(&column.name)));
    }
}

fn name(section: Section) -> &'static str {
    match section {
        Section::PreData => "before the rows",
        Section::Data => "with the rows",
        Section::PostData => "after the rows",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::manifest::testing::column;
    use crate::archive::manifest::{Detail, RowEncoding};
    use crate::verify::testing;

    fn check_changed(change: impl FnOnce(&mut Manifest)) -> String {
        let mut manifest = testing::manifest();
        change(&mut manifest);
        let mut findings = Findings::default();
        check(&manifest, &mut findings);
        findings.into_list().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_good_one_has_no_findings() {
        assert_eq!(check_changed(|_| ()), "");
    }

    #[test]
    fn an_extension_has_several_tables_and_may_be_referred_to() {
        let change = |m: &mut Manifest| {
            m.objects[0].kind = ObjectKind::Extension;
            m.tables[1].object = ObjectId(0);
            m.objects[1].detail = Detail::ForeignKey {
                columns: vec!["id".to_owned()],
                references: ObjectId(0),
                add_not_valid: None,
                validate: None,
            };
        };
        assert_eq!(check_changed(change), "");
    }

    #[test]
    fn order() {
        let check =
            |expect: &str, change: fn(&mut Manifest)| assert_eq!(check_changed(change), expect);
        check("object 1 (TABLE public.routes): it depends on itself", |m| {
            m.objects[1].depends_on.push(ObjectId(1));
        });
        check(
            "object 0 (TABLE public.services): it stands before TABLE public.routes, which it \
             depends on",
            |m| {
                m.objects[0].depends_on.push(ObjectId(1));
            },
        );
        check(
            "object 1 (TABLE public.routes): it is made before the rows and depends on TABLE \
             public.services, which is made after the rows",
            |m| {
                m.objects[0].section = Section::PostData;
                m.objects[1].depends_on.push(ObjectId(0));
            },
        );
    }

    #[test]
    fn tables() {
        let check =
            |expect: &str, change: fn(&mut Manifest)| assert_eq!(check_changed(change), expect);
        check("table public.routes: its object is VIEW public.routes, which is no table", |m| {
            m.objects[1].kind = ObjectKind::View;
            m.objects[1].identity = "VIEW public.routes".to_owned();
        });
        check("table public.routes: it has two columns id", |m| {
            m.tables[1].columns = vec![column("id", "integer"), column("id", "integer")];
            m.tables[1].encoding = RowEncoding::Text;
        });
        check("table public.routes: its object is another table, TABLE public.services", |m| {
            m.tables[1].object = ObjectId(0);
        });
    }
}
