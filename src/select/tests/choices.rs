//! Extensions, single objects, lists, children, sections.

use super::*;
use crate::archive::manifest::Section;

#[test]
fn an_extension_alone_brings_all_that_is_in_schemas() {
    let kept = apply("-epg*");
    assert!(kept.contains("extension pgcrypto") && kept.contains("table routes"), "{kept}");
    assert!(!kept.contains("publication"), "{kept}");
    assert_eq!(apply("-epg* -nkong").replace("extension pgcrypto\n", ""), apply("-nkong"));
    assert!(!apply("-enone").contains("pgcrypto"));
}

#[test]
fn an_excluded_extension_is_expected() {
    let selected = select("-Epgcrypto").apply(database());
    let extension =
        selected.objects.iter().find(|object| object.kind == ObjectKind::Extension).unwrap();
    assert!(extension.statements.is_empty());
    assert_eq!(selected.objects.len(), database().len());
}

#[test]
fn single_objects_come_alone() {
    insta::assert_snapshot!(apply("-Iroutes_idx -Groutes_sync -Psync_tags()"), @r"
    function sync_tags()
    table routes
    index routes_idx
    trigger routes_sync
    ");
    let selected = select("-Iroutes_idx").apply(database());
    let table = selected.objects.iter().find(|object| object.name == "routes").unwrap();
    assert!(table.statements.is_empty(), "its table stands");
    assert_eq!(apply("-I*_idx -nkong"), "table entities\nindex entities_idx");
    // Beside -t, they are more.
    assert_eq!(apply("-Ientities_idx -tcounter_id_seq"), apply_sorted());
    let unmatched = select("-Inone -Pnone() -Gnone -Iroutes_idx").unmatched(&database());
    assert_eq!(unmatched, ["none (-I)", "none() (-P)", "none (--trigger)"]);
}

fn apply_sorted() -> &'static str {
    "sequence counter_id_seq\ntable entities\nsequence value counter_id_seq\nindex entities_idx"
}

#[test]
fn a_list_leaves_out_the_rest_and_what_needs_it() {
    // services, its key, the index of routes without routes.
    insta::assert_snapshot!(apply("-L6,16,17"), @r"
    table services
    constraint services_pkey
    ! index routes_idx on public.routes: it needs public.routes, which is not selected
    ");
    // A schema that is not listed is expected, a type is not.
    insta::assert_snapshot!(apply("-L3,7"), @r"
    type mood
    table routes
    ");
    assert_eq!(apply("-L7"), "! table public.routes: it needs kong.mood, which is not selected");
    assert_eq!(
        apply("-L1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22 -troutes"),
        apply("-troutes")
    );
    let error = select("-L23")
        .find_listed(&testing::manifest(database(), Vec::new()), "id", Sections::ALL)
        .unwrap_err();
    assert!(error.to_string().contains("line 1: the archive has no entry 23"), "{error}");
    let mut of_another = select("-L1");
    of_another.listed = Some(Listed::parse("f", ";\n; archive other\n1; TABLE").unwrap());
    let found =
        of_another.find_listed(&testing::manifest(database(), Vec::new()), "id", Sections::ALL);
    assert!(found.unwrap_err().to_string().contains("archive other"));
}

#[test]
fn children_are_those_of_partitions_and_of_inheritance() {
    use ObjectKind::{Table, TableAttach};
    let p = Some("public");
    let mut b = Builder(Vec::new());
    let top = b.add(Table, p, "top", None, &[]);
    let part = b.add(Table, p, "part", None, &[]);
    b.add(TableAttach, p, "part", Some(part), &[part, top]);
    let base = b.add(Table, p, "base", None, &[]);
    let heir = b.add(Table, p, "heir", None, &[base]);
    b.add(Table, p, "typed", None, &[base]);
    b.0[heir as usize].statements = vec!["CREATE TABLE x (\n)\nINHERITS (public.base)".to_owned()];
    let tables = |words: &[&str], excluded: &[&str]| {
        let family = |words: &[&str]| {
            words.iter().map(|word| Pattern::table(word).unwrap().and_children()).collect()
        };
        let mut selection = Selection {
            tables: family(words),
            exclude_tables: family(excluded),
            ..Selection::default()
        };
        selection.find(&b.0, &[]);
        let picked: Vec<&str> = b
            .0
            .iter()
            .filter(|object| object.kind == Table && selection.picks_table("public", &object.name))
            .map(|object| object.name.as_str())
            .collect();
        picked.join(" ")
    };
    assert_eq!(tables(&["top"], &[]), "top part");
    assert_eq!(tables(&["part"], &[]), "part");
    assert_eq!(tables(&["base"], &[]), "base heir");
    assert_eq!(tables(&[], &["base", "top"]), "typed");
}

#[test]
fn sections_leave_bare_names_where_something_is_added() {
    let kept = |sections: Sections| {
        let mut selected = select("").apply(database());
        for object in &mut selected.objects {
            object.section = match object.kind {
                ObjectKind::SequenceValue => Section::Data,
                ObjectKind::Index => Section::PostData,
                _ => Section::PreData,
            };
        }
        selected.keep_sections(sections);
        let name = |object: &Object| {
            let bare = if object.statements.is_empty() { "(" } else { "" };
            format!("{bare}{} {}", object.kind, object.name)
        };
        selected.objects.iter().map(name).collect::<Vec<_>>()
    };
    let none = Sections { pre_data: false, data: false, post_data: false };
    let pre_data = kept(Sections { pre_data: true, ..none });
    assert!(pre_data.iter().all(|name| !name.contains("index") && !name.contains("value")));
    let post_data = kept(Sections { post_data: true, ..none });
    assert!(post_data.contains(&"(table routes".to_owned()), "{post_data:?}");
    assert!(post_data.contains(&"index routes_idx".to_owned()), "{post_data:?}");
    assert!(!post_data.iter().any(|name| name.contains("type") || name.contains("value")));
    let data = kept(Sections { data: true, ..none });
    assert!(data.contains(&"sequence value counter_id_seq".to_owned()), "{data:?}");
}

#[test]
fn an_extensions_rows_are_chosen_by_it_by_their_table_and_by_their_schema() {
    use crate::archive::manifest::{RowEncoding, Table};
    let mut b = Builder(Vec::new());
    let home = b.add(ObjectKind::Schema, None, "c", None, &[]);
    let pgcrypto = b.add(ObjectKind::Extension, None, "pgcrypto", None, &[home]);
    b.add(ObjectKind::Extension, None, "other", None, &[]);
    b.add(ObjectKind::Table, Some("a"), "t", None, &[]);
    b.add(ObjectKind::SequenceValue, Some("c"), "kinds_id_seq", Some(pgcrypto), &[pgcrypto]);
    let table = Table::new(ObjectId(pgcrypto), "c", "kinds", vec![], RowEncoding::Binary);
    let check = |words: &str, rows: bool, value: bool, extension: bool| {
        let mut selection = select(words);
        selection.find(&b.0, [&table]);
        let kept = selection.apply(b.0.clone()).objects;
        let has = |name: &str| kept.iter().any(|object| object.name == name);
        let found = (
            selection.rows_of(&table) && has("pgcrypto"),
            has("kinds_id_seq"),
            kept.iter().any(|object| object.name == "pgcrypto" && !object.statements.is_empty()),
        );
        assert_eq!(found, (rows, value, extension), "{words}");
    };
    check("", true, true, true);
    check("-epgcrypto", true, true, true);
    check("-epgcrypto -na", true, true, true);
    check("-epgcrypto -ta.t -Nc", false, false, true);
    check("-eother", false, false, false);
    check("-eother -nc", false, false, false);
    check("-Epgcrypto", false, false, false);
    check("-Epgcrypto -nc", false, false, false);
    check("-nc", true, true, true);
    check("-nc -s", false, false, false);
    check("-nc -D*.kinds*", false, false, false);
    check("-nc -Tkinds", false, true, true);
    check("-na", false, false, false);
    check("-Nc", false, false, true);
    check("-tkinds", true, false, true);
    check("-tkinds -Nc", false, false, false);
    check("-ta.t", false, false, false);
    let mut unmatched = select("-tkinds -tx");
    unmatched.find(&b.0, [&table]);
    assert_eq!(unmatched.unmatched(&b.0), ["x (-t)"]);
}
