use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::archive::manifest::Section;
use crate::pg::catalog::assemble::testing::{at, draft, graph};

/// Every kind, in the order in which those that need nothing of each other are made.
const KINDS: &[ObjectKind] = {
    use ObjectKind as K;
    &[
        K::Database,
        K::Schema,
        K::Language,
        K::Collation,
        K::Transform,
        K::Extension,
        K::Domain,
        K::Cast,
        K::Function,
        K::Aggregate,
        K::AccessMethod,
        K::Operator,
        K::OperatorFamily,
        K::OperatorClass,
        K::Conversion,
        K::TextSearchParser,
        K::TextSearchTemplate,
        K::TextSearchDictionary,
        K::TextSearchConfiguration,
        K::ForeignDataWrapper,
        K::ForeignServer,
        K::UserMapping,
        K::Table,
        K::TableAttach,
        K::SequenceOwner,
        K::Default,
        K::Check,
        K::SequenceValue,
        K::LargeObject,
        K::Constraint,
        K::Index,
        K::IndexAttach,
        K::Statistics,
        K::Rule,
        K::Trigger,
        K::ForeignKey,
        K::RowSecurity,
        K::Policy,
        K::Publication,
        K::PublicationTable,
        K::PublicationSchema,
        K::Subscription,
        K::DefaultAcl,
        K::EventTrigger,
        K::RefreshMaterializedView,
    ]
};

/// Orders drafts and says their names.
fn names(drafts: &mut [Draft], needs: &[(u32, u32)]) -> Vec<String> {
    let mut graph = graph(drafts, needs);
    let ordered = order(drafts, &mut graph);
    assert!(ordered.broken.is_empty(), "{:?}", ordered.broken);
    ordered.order.iter().map(|&node| drafts[node].name.clone()).collect()
}

fn tables(names: &[&str]) -> Vec<Draft> {
    (0..).zip(names).map(|(n, name)| draft(n, ObjectKind::Table, name)).collect()
}

#[test]
fn kinds_come_in_the_order_of_pg_dump() {
    let mut drafts: Vec<Draft> =
        (0..).zip(KINDS.iter().rev()).map(|(n, &kind)| draft(n, kind, "x")).collect();
    let mut graph = graph(&drafts, &[]);
    let ordered = order(&mut drafts, &mut graph);
    let kinds: Vec<ObjectKind> = ordered.order.iter().map(|&node| drafts[node].kind).collect();
    assert_eq!(kinds, KINDS);
}

#[test]
fn some_kinds_share_a_place() {
    use ObjectKind as K;
    for (same, place) in [
        (&[K::Type, K::ShellType, K::Domain][..], 6),
        (&[K::Table, K::ForeignTable, K::View, K::MaterializedView, K::Sequence], 22),
        (&[K::Constraint, K::Check], 41),
    ] {
        for &kind in same {
            assert_eq!(rank(kind), place, "{kind}");
        }
    }
}

#[test]
fn within_a_kind_schema_then_name_then_arguments_then_oid_decide() {
    let one = |n, schema: Option<&str>, name: &str, sort: &str| Draft {
        schema: schema.map(str::to_owned),
        sort: sort.to_owned(),
        ..draft(n, ObjectKind::Function, name)
    };
    let mut drafts = vec![
        one(9, Some("b"), "a", ""),
        one(8, Some("a"), "b", "text"),
        one(7, Some("a"), "b", "integer"),
        one(6, Some("a"), "c", ""),
        one(5, Some("a"), "c", ""),
        one(4, None, "z", ""),
    ];
    let mut graph = graph(&drafts, &[]);
    let order = order(&mut drafts, &mut graph).order;
    let numbers: Vec<u32> =
        order.iter().map(|&node| drafts[node].address.object - at(0).object).collect();
    assert_eq!(numbers, [4, 7, 8, 5, 6, 9]);
}

#[test]
fn dependencies_move_no_more_than_they_must() {
    for (needs, expect) in [
        (&[][..], "a b c d"),
        (&[(0, 2)], "c a b d"),
        (&[(0, 3)], "d a b c"),
        (&[(0, 1), (1, 2), (2, 3)], "d c b a"),
        (&[(1, 2)], "a c b d"),
        (&[(3, 0), (2, 0)], "a b c d"),
        (&[(0, 3), (1, 3)], "d a b c"),
        (&[(0, 2), (1, 3)], "c a d b"),
        (&[(0, 2), (0, 2), (2, 2)], "c a b d"),
    ] {
        let mut drafts = tables(&["a", "b", "c", "d"]);
        assert_eq!(names(&mut drafts, needs).join(" "), expect, "{needs:?}");
    }
}

#[test]
fn a_dependency_is_stronger_than_the_kind() {
    use ObjectKind as K;
    let mut drafts =
        vec![draft(0, K::Function, "f"), draft(1, K::Table, "t"), draft(2, K::Type, "y")];
    assert_eq!(names(&mut drafts, &[(0, 1), (2, 0)]), ["t", "f", "y"]);
    assert_eq!(names(&mut drafts, &[]), ["y", "f", "t"]);
}

#[test]
fn nothing_and_one() {
    assert!(names(&mut [], &[]).is_empty());
    assert_eq!(names(&mut tables(&["a"]), &[]), ["a"]);
    assert_eq!(names(&mut tables(&["a"]), &[(0, 0)]), ["a"], "a table may need its own type");
}

#[test]
fn sections_stand_together_whatever_their_names() {
    use ObjectKind as K;
    let mut drafts = vec![
        draft(0, K::Index, "a"),
        draft(1, K::SequenceValue, "b"),
        draft(2, K::Check, "c"),
        draft(3, K::Table, "d"),
        draft(4, K::LargeObject, "e"),
        draft(5, K::Constraint, "f"),
    ];
    // Sorted by kind alone the check would come with the constraints, after the data.
    assert_eq!(names(&mut drafts, &[]), ["d", "c", "b", "e", "f", "a"]);
}

#[test]
fn a_cycle_that_no_repair_knows_is_cut_and_named() {
    let mut drafts = tables(&["a", "b", "c", "d"]);
    let mut graph = graph(&drafts, &[(0, 1), (1, 2), (2, 0), (3, 0)]);
    let ordered = order(&mut drafts, &mut graph);
    let order: Vec<&str> = ordered.order.iter().map(|&node| drafts[node].name.as_str()).collect();
    assert_eq!(order, ["a", "c", "b", "d"], "the first in the order goes first");
    assert_eq!(
        ordered.broken.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["skipped: dependency table s.a: these form a dependency cycle, so that one may \
          fail to be made: table s.a, table s.b, table s.c"]
    );
}

#[test]
fn the_shortest_cycle_is_found_and_begins_where_it_was_sought() {
    let drafts = tables(&["a", "b", "c", "d", "e"]);
    let graph = graph(&drafts, &[(0, 1), (1, 2), (2, 0), (1, 0), (3, 4), (4, 3)]);
    let open = vec![true; graph.needs.len()];
    assert_eq!(shortest_cycle(0, &open, &graph), Some(vec![0, 1]));
    assert_eq!(shortest_cycle(2, &open, &graph), Some(vec![2, 0, 1]));
    assert_eq!(shortest_cycle(4, &open, &graph), Some(vec![4, 3]));
    let closed: Vec<bool> = (0..graph.needs.len()).map(|node| node != 1).collect();
    assert_eq!(shortest_cycle(0, &closed, &graph), None, "it may not pass what is closed");
    assert_eq!(cycles(&[0, 1, 2, 3, 4], &graph), [vec![0, 1], vec![3, 4]]);
}

#[test]
fn what_only_hangs_on_a_cycle_is_in_none() {
    let drafts = tables(&["a", "b", "c", "d"]);
    // a needs the cycle b, c; d is needed by it and needs nothing.
    let graph = graph(&drafts, &[(0, 1), (1, 2), (2, 1), (2, 3)]);
    assert_eq!(cycles(&[0, 1, 2, 3], &graph), [vec![1, 2]]);
    assert_eq!(cycles(&[0, 3], &graph), Vec::<Vec<usize>>::new());
}

/// Drafts of some kinds with names that do not follow their places, and who needs whom.
fn any_drafts() -> impl Strategy<Value = (Vec<Draft>, Vec<(u32, u32)>)> {
    use ObjectKind as K;
    let kinds = [
        K::Table,
        K::Function,
        K::MaterializedView,
        K::View,
        K::Type,
        K::Index,
        K::Constraint,
        K::SequenceValue,
        K::Check,
        K::Schema,
    ];
    let kind = proptest::sample::select(kinds.to_vec());
    vec((kind, "[a-c]{1,2}"), 1..16).prop_flat_map(|kinds| {
        let drafts: Vec<Draft> =
            (0..).zip(&kinds).map(|(n, (kind, name))| draft(n, *kind, name)).collect();
        let count = drafts.len() as u32;
        // A sequence's value needs its sequence, and nothing else.
        let is_data: Vec<bool> =
            drafts.iter().map(|draft| draft.section == Section::Data).collect();
        let needs = vec((0..count, 0..count), 0..24).prop_map(move |needs| {
            needs.into_iter().filter(|(from, _)| !is_data[*from as usize]).collect::<Vec<_>>()
        });
        (Just(drafts), needs)
    })
}

proptest! {
    /// Whatever needs what: each comes once, after all that it still needs, and sections are kept.
    #[test]
    fn everything_is_placed_after_what_it_needs((drafts, needs) in any_drafts()) {
        let mut drafts = drafts;
        let mut graph = graph(&drafts, &needs);
        let ordered = order(&mut drafts, &mut graph);
        let mut all = ordered.order.clone();
        all.sort_unstable();
        prop_assert_eq!(all, (0..drafts.len()).collect::<Vec<_>>());
        let mut place = vec![0; drafts.len()];
        for (at, &node) in ordered.order.iter().enumerate() {
            place[node] = at;
        }
        for (node, needs) in graph.needs.iter().enumerate().take(drafts.len()) {
            for &need in needs.iter().filter(|&&need| need < drafts.len()) {
                prop_assert!(place[need] < place[node], "{} before {}", need, node);
            }
        }
        let sections: Vec<Section> =
            ordered.order.iter().map(|&node| drafts[node].section).collect();
        prop_assert!(sections.is_sorted(), "{:?}", sections);
    }

    /// What is asked for is given up only where there is a cycle.
    #[test]
    fn without_a_cycle_nothing_is_given_up((drafts, needs) in any_drafts()) {
        let mut drafts = drafts;
        for draft in &mut drafts {
            draft.section = Section::PreData;
        }
        let needs: Vec<_> = needs.into_iter().filter(|(from, to)| from > to).collect();
        let mut graph = graph(&drafts, &needs);
        let before = graph.needs.clone();
        let ordered = order(&mut drafts, &mut graph);
        prop_assert!(ordered.broken.is_empty());
        prop_assert_eq!(before, graph.needs);
    }

    /// Equal schemas give equal orders, in whatever order the server told of them.
    #[test]
    fn the_order_does_not_depend_on_the_reading((drafts, needs) in any_drafts()) {
        let needs: Vec<_> = needs.into_iter().filter(|(from, to)| from > to).collect();
        let run = |drafts: &[Draft]| {
            let mut drafts = drafts.to_vec();
            for draft in &mut drafts {
                draft.section = Section::PreData;
            }
            let mut graph = graph(&drafts, &needs);
            let order = order(&mut drafts, &mut graph).order;
            order.iter().map(|&node| drafts[node].address).collect::<Vec<_>>()
        };
        let mut turned = drafts.clone();
        turned.reverse();
        prop_assert_eq!(run(&drafts), run(&turned));
    }
}
