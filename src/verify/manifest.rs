//! Whether a manifest holds together: every number that it mentions is there, and everything stands in an order in which it can be made.
//!
//! Does not know whether a statement is good SQL.

use std::collections::{HashMap, HashSet};

use super::finding::{Findings, Place};
use crate::archive::manifest::{Detail, Manifest, Object, ObjectId, ObjectKind, Section, Table};
use crate::pg::ident;

/// Checks the manifest's own references.
pub(super) fn check(manifest: &Manifest, findings: &mut Findings) {
    let mut places: HashMap<ObjectId, usize> = HashMap::with_capacity(manifest.objects.len());
    for (at, object) in manifest.objects.iter().enumerate() {
        let first = *places.entry(object.id).or_insert(at);
        if first != at {
            let other = &manifest.objects[first].identity;
            findings.add(place(object), format!("its number is {other}'s too"));
        }
    }
    for (at, object) in manifest.objects.iter().enumerate() {
        check_references(manifest, &places, at, object, findings);
    }
    let mut seen = HashSet::new();
    for table in &manifest.tables {
        check_table(manifest, &places, table, findings);
        if !seen.insert(table.object) {
            findings.add(table_place(table), "its rows are listed twice");
        }
    }
}

/// A table's place in findings.
pub(super) fn table_place(table: &Table) -> Place {
    Place::Table { table: ident::qualified(&table.schema, &table.name) }
}

fn place(object: &Object) -> Place {
    Place::Object { id: object.id.0, identity: object.identity.clone() }
}

fn check_references(manifest: &Manifest, places: &HashMap<ObjectId, usize>, at: usize, object: &Object, findings: &mut Findings) {
    for needed in &object.depends_on {
        match places.get(needed) {
            None => findings.add(place(object), format!("it depends on object {}, which is not there", needed.0)),
            Some(other) if *other == at => findings.add(place(object), "it depends on itself"),
            Some(other) => {
                let needed = &manifest.objects[*other];
                if *other > at {
                    findings.add(place(object), format!("it stands before {}, which it depends on", needed.identity));
                }
                if needed.section > object.section {
                    let (own, others) = (name(object.section), name(needed.section));
                    findings.add(place(object), format!("it is made {own} and depends on {}, which is made {others}", needed.identity));
                }
            }
        }
    }
    if let Some(of) = object.of.filter(|of| !places.contains_key(of)) {
        findings.add(place(object), format!("it is a part of object {}, which is not there", of.0));
    }
    if let Detail::ForeignKey { references, .. } = &object.detail {
        match places.get(references) {
            None => findings.add(place(object), format!("it refers to object {}, which is not there", references.0)),
            Some(other) if manifest.objects[*other].kind != ObjectKind::Table => {
                findings.add(place(object), format!("it refers to {}, which is no table", manifest.objects[*other].identity));
            }
            Some(_) => {}
        }
    }
}

fn check_table(manifest: &Manifest, places: &HashMap<ObjectId, usize>, table: &Table, findings: &mut Findings) {
    let Some(object) = places.get(&table.object).map(|at| &manifest.objects[*at]) else {
        return findings.add(table_place(table), format!("its object {} is not there", table.object.0));
    };
    // An extension's configuration table has rows and no definition of its own; one table stands for all large objects.
    let fits = match object.kind {
        ObjectKind::Table | ObjectKind::Extension => !table.is_large_objects(),
        ObjectKind::LargeObject => table.is_large_objects(),
        _ => false,
    };
    if !fits {
        findings.add(table_place(table), format!("its object is {}, which is no table", object.identity));
    } else if object.kind == ObjectKind::Table && (object.schema.as_deref(), object.name.as_str()) != (Some(&table.schema), &table.name) {
        findings.add(table_place(table), format!("its object is another table, {}", object.identity));
    }
    let mut names = HashSet::new();
    for column in table.columns.iter().filter(|column| !names.insert(&column.name)) {
        findings.add(table_place(table), format!("it has two columns {}", ident::quote(&column.name)));
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
    use crate::archive::manifest::{Column, RowEncoding};
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
    fn references() {
        let check = |expect: &str, change: fn(&mut Manifest)| assert_eq!(check_changed(change), expect);
        check(
            "object 0 (TABLE public.routes): its number is TABLE public.services's too\ntable public.routes: its object 1 is not there",
            |m| m.objects[1].id = ObjectId(0),
        );
        check("object 1 (TABLE public.routes): it depends on object 9, which is not there", |m| m.objects[1].depends_on.push(ObjectId(9)));
        check("object 1 (TABLE public.routes): it depends on itself", |m| m.objects[1].depends_on.push(ObjectId(1)));
        check("object 1 (TABLE public.routes): it is a part of object 7, which is not there", |m| m.objects[1].of = Some(ObjectId(7)));
        check("object 0 (TABLE public.services): it stands before TABLE public.routes, which it depends on", |m| {
            m.objects[0].depends_on.push(ObjectId(1));
        });
        check(
            "object 1 (TABLE public.routes): it is made before the rows and depends on TABLE public.services, which is made after the rows",
            |m| {
                m.objects[0].section = Section::PostData;
                m.objects[1].depends_on.push(ObjectId(0));
            },
        );
    }

    #[test]
    fn tables() {
        let check = |expect: &str, change: fn(&mut Manifest)| assert_eq!(check_changed(change), expect);
        check("table public.routes: its object 5 is not there", |m| m.tables[1].object = ObjectId(5));
        check("table public.routes: its object is VIEW public.routes, which is no table", |m| {
            m.objects[1].kind = ObjectKind::View;
            m.objects[1].identity = "VIEW public.routes".to_owned();
        });
        check("table public.routes: it has two columns id", |m| {
            let id = Column { name: "id".to_owned(), type_name: "integer".to_owned(), not_null: true };
            m.tables[1].columns = vec![id.clone(), id];
            m.tables[1].encoding = RowEncoding::Text;
        });
        check(
            "table public.routes: its object is another table, TABLE public.services\ntable public.routes: its rows are listed twice",
            |m| m.tables[1].object = ObjectId(0),
        );
    }
}
