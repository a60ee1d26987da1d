use super::*;
use crate::archive::manifest::ObjectKind as K;
use crate::pg::catalog::assemble::testing::{at, draft};

/// Prunes drafts numbered from 0; says the names of those that stay, and who was lost for what.
fn pruned(
    drafts: Vec<Draft>,
    edges: &[(u32, u32)],
    aliases: &[(u32, u32)],
    missing: &[u32],
) -> (String, Vec<(Address, Address)>) {
    let mut drafts = drafts;
    let edges: Vec<_> = edges.iter().map(|&(from, to)| (at(from), at(to))).collect();
    let aliases: Aliases = aliases.iter().map(|&(from, to)| (at(from), at(to))).collect();
    let missing: Vec<Address> = missing.iter().map(|&n| at(n)).collect();
    let lost = prune(&mut drafts, &edges, &aliases, &missing);
    let names: Vec<&str> = drafts.iter().map(|draft| draft.name.as_str()).collect();
    (names.join(" "), lost)
}

fn tables(names: &[&str]) -> Vec<Draft> {
    (0..).zip(names).map(|(n, name)| draft(n, K::Table, name)).collect()
}

#[test]
fn nothing_missing_loses_nothing() {
    let (left, lost) = pruned(tables(&["a", "b"]), &[(0, 1), (0, 99)], &[], &[]);
    assert_eq!((left.as_str(), lost.len()), ("a b", 0), "what is the server's own is no loss");
}

#[test]
fn what_is_missing_and_needed_by_nobody_loses_nothing() {
    let (left, lost) = pruned(tables(&["a", "b"]), &[(0, 1)], &[], &[50]);
    assert_eq!((left.as_str(), lost.len()), ("a b", 0));
}

#[test]
fn what_needs_the_missing_goes_and_what_needs_that_with_the_first_cause() {
    let (left, lost) =
        pruned(tables(&["a", "b", "c", "d"]), &[(2, 50), (1, 2), (0, 1), (3, 99)], &[], &[50]);
    assert_eq!(left, "d");
    assert_eq!(lost, [(at(2), at(50)), (at(1), at(50)), (at(0), at(50))]);
}

#[test]
fn each_is_lost_once_however_many_causes() {
    let (left, lost) = pruned(tables(&["a", "b"]), &[(0, 50), (0, 51), (1, 0)], &[], &[50, 51]);
    assert_eq!(left, "");
    assert_eq!(lost, [(at(0), at(50)), (at(1), at(50))]);
}

#[test]
fn cycles_of_losses_end() {
    let (left, lost) = pruned(tables(&["a", "b", "c"]), &[(0, 1), (1, 0), (1, 50)], &[], &[50]);
    assert_eq!((left.as_str(), lost.len()), ("c", 2));
}

#[test]
fn the_array_of_a_missing_type_is_missing() {
    let (left, lost) = pruned(tables(&["a"]), &[(0, 60)], &[(60, 61), (61, 50)], &[50]);
    assert_eq!((left.as_str(), lost), ("", vec![(at(0), at(50))]));
}

#[test]
fn an_edge_from_a_part_is_its_makers() {
    let mut drafts = tables(&["a", "b"]);
    drafts[0].parts = vec![(at(10), None)];
    let (left, lost) = pruned(drafts, &[(10, 50)], &[], &[50]);
    assert_eq!((left.as_str(), lost), ("b", vec![(at(0), at(50))]));
}

#[test]
fn the_parts_of_the_lost_are_lost() {
    let mut drafts = tables(&["a", "b"]);
    drafts[0].parts = vec![(at(10), None)];
    let (left, lost) = pruned(drafts, &[(0, 50), (1, 10)], &[], &[50]);
    assert_eq!(left, "");
    assert_eq!(lost, [(at(0), at(50)), (at(1), at(50))]);
}

#[test]
fn what_a_draft_itself_says_that_it_needs_counts() {
    let mut drafts = tables(&["a", "b", "c"]);
    drafts[0].needs = vec![at(50)];
    drafts[1].of = Some(at(50));
    let (left, lost) = pruned(drafts, &[], &[], &[50]);
    assert_eq!((left.as_str(), lost.len()), ("c", 2));
}

#[test]
fn the_rule_of_a_view_is_not_named_beside_it() {
    let rules = |hosted: bool| {
        let mut rule = draft(1, K::Rule, "r");
        rule.of = Some(at(0));
        rule.host = hosted.then(|| at(0));
        vec![draft(0, K::View, "v"), rule]
    };
    // The view shows the missing: its rule needs it, and the view its rule.
    let (left, lost) = pruned(rules(true), &[(1, 50), (0, 1)], &[], &[50]);
    assert_eq!((left.as_str(), lost), ("", vec![(at(0), at(50))]));
    let (left, lost) = pruned(rules(false), &[(1, 50)], &[], &[50]);
    assert_eq!((left.as_str(), lost), ("v", vec![(at(1), at(50))]), "a rule of a user's own is");
}

#[test]
fn every_catalog_that_is_swept_is_named_once_and_sorted() {
    let names: Vec<&str> = CATALOGS.iter().map(|(catalog, _)| *catalog).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    assert!(KNOWN_BESIDES.is_sorted_by(|a, b| a < b), "{KNOWN_BESIDES:?}");
    for catalog in KNOWN_BESIDES {
        assert!(!names.contains(catalog), "{catalog} is swept and needs no look");
    }
}

#[test]
fn schemas_are_told_of_catalogs_that_are_swept() {
    for (catalog, expect) in [
        ("pg_class", Some("relnamespace")),
        ("pg_constraint", Some("connamespace")),
        ("pg_conversion", Some("connamespace")),
        ("pg_proc", Some("pronamespace")),
        ("pg_type", Some("typnamespace")),
        ("pg_ts_template", Some("tmplnamespace")),
        ("pg_cast", None),
        ("pg_namespace", None),
        ("pg_of_the_future", None),
    ] {
        assert_eq!(schema_column(catalog), expect, "{catalog}");
    }
}
