use super::*;
use crate::archive::manifest::{ObjectId, RowEncoding};

/// An archive's schema `old`, which is called `new` by now, and `swapped`, which was `new`.
fn renamed() -> Selection {
    let pairs = [("new", "old"), ("swapped", "new")];
    Selection {
        archived_as: pairs.map(|(new, old)| (new.to_owned(), old.to_owned())).into(),
        ..Selection::default()
    }
}

fn tables(patterns: &[&str]) -> Vec<Pattern> {
    patterns.iter().map(|pattern| Pattern::table(pattern).unwrap()).collect()
}

fn schemas(patterns: &[&str]) -> Vec<Pattern> {
    patterns.iter().map(|pattern| Pattern::schema(pattern).unwrap()).collect()
}

fn picked(selection: &Selection) -> String {
    let all = ["new", "swapped", "other"];
    all.into_iter()
        .filter(|schema| selection.picks_table(schema, "t"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn patterns_are_about_the_archives_names() {
    for (selection, expect) in [
        (renamed(), "new swapped other"),
        (Selection { tables: tables(&["old.t"]), ..renamed() }, "new"),
        (Selection { tables: tables(&["new.t"]), ..renamed() }, "swapped"),
        (Selection { tables: tables(&["swapped.t"]), ..renamed() }, ""),
        (Selection { exclude_tables: tables(&["old.*"]), ..renamed() }, "swapped other"),
        (Selection { schemas: schemas(&["old"]), ..renamed() }, "new"),
        (Selection { schemas: schemas(&["new", "other"]), ..renamed() }, "swapped other"),
        (Selection { exclude_schemas: schemas(&["new"]), ..renamed() }, "new other"),
        // Markers are the target's, under the name that they have there.
        (Selection { markers: vec!["new".into()], ..renamed() }, "swapped other"),
        (Selection { markers: vec!["old".into()], ..renamed() }, "new swapped other"),
    ] {
        assert_eq!(picked(&selection), expect, "{selection:?}");
    }
}

#[test]
fn rows_follow_the_archives_names_and_large_objects_no_pattern() {
    let data = Selection { exclude_table_data: tables(&["old.t", "pg_catalog.*"]), ..renamed() };
    let rows = |selection: &Selection, (schema, name): (&str, &str)| {
        let table = Table::new(ObjectId(0), schema, name, vec![], RowEncoding::Binary);
        selection.rows_of(&table)
    };
    assert!(!rows(&data, ("new", "t")) && rows(&data, ("new", "u")));
    assert!(rows(&data, ("swapped", "t")) && rows(&data, Table::LARGE_OBJECTS));
    let none = Selection { schema_only: true, ..renamed() };
    assert!(!rows(&none, ("new", "t")) && !rows(&none, Table::LARGE_OBJECTS));
}

#[test]
fn whole_schemas_are_told_by_the_archives_names() {
    let chosen = Selection { schemas: schemas(&["old"]), ..renamed() };
    assert!(chosen.picks_whole_schema("new") && !chosen.picks_whole_schema("swapped"));
    let one = Selection { tables: tables(&["old.t"]), ..renamed() };
    assert!(!one.picks_whole_schema("new"), "a table is not its schema");
    assert!(!chosen.is_everything() && renamed().is_everything());
}

#[test]
fn what_matches_nothing_is_told_by_the_archives_names() {
    let mut table = Object::new(ObjectId(1), ObjectKind::Table, "TABLE new.t");
    (table.schema, table.name) = (Some("new".into()), "t".into());
    let unmatched = |selection: Selection| selection.unmatched(std::slice::from_ref(&table));
    let by_table = |names| unmatched(Selection { tables: tables(names), ..renamed() });
    assert_eq!(by_table(&["old.t", "new.t", "old.u"]), ["new.t (-t)", "old.u (-t)"]);
    let by_schema = |names| unmatched(Selection { schemas: schemas(names), ..renamed() });
    assert_eq!(by_schema(&["old", "new", "public"]), ["new (-n)"], "public is always there");
}
