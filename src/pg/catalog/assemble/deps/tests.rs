use super::*;
use crate::archive::manifest::ObjectKind as K;
use crate::pg::catalog::assemble::testing::{at, draft, graph};

/// What a node needs among the drafts, borders left out.
fn needs(graph: &Graph, node: usize) -> Vec<usize> {
    graph.needs[node].iter().copied().filter(|&need| !graph.is_border(need)).collect()
}

#[test]
fn aliases_are_followed_step_by_step_and_not_forever() {
    let chain: Aliases = (0..9).map(|n| (at(n), at(n + 1))).collect();
    let steps: Vec<_> = follow(at(0), &chain).collect();
    assert_eq!(steps, [at(0), at(1), at(2), at(3), at(4)]);
    assert_eq!(follow(at(20), &chain).collect::<Vec<_>>(), [at(20)]);
    let mutual = Aliases::from([(at(0), at(1)), (at(1), at(0))]);
    assert_eq!(follow(at(0), &mutual).count(), 5);
}

#[test]
fn makers_are_found_by_address_by_part_and_by_alias() {
    let mut table = draft(0, K::Table, "t");
    table.parts = vec![(at(10), None), (at(1), None)];
    let drafts = [table, draft(1, K::Index, "i"), draft(2, K::Type, "y")];
    let aliases = Aliases::from([(at(20), at(21)), (at(21), at(2)), (at(30), at(10))]);
    let makers = Makers::new(&drafts, &aliases);
    for (number, expect) in [
        (0, Some(0)),
        (10, Some(0)),
        // A draft's own address wins over another's claim to make it along.
        (1, Some(1)),
        (2, Some(2)),
        (20, Some(2)),
        (21, Some(2)),
        (30, Some(0)),
        (99, None),
    ] {
        assert_eq!(makers.of(at(number)), expect, "{number}");
    }
}

#[test]
fn edges_become_needs_sorted_and_once() {
    let drafts: Vec<_> = (0..4).map(|n| draft(n, K::Table, "t")).collect();
    let graph = graph(&drafts, &[(0, 3), (0, 1), (0, 3), (0, 0), (1, 99), (99, 1)]);
    assert_eq!(needs(&graph, 0), [1, 3]);
    for node in 1..4 {
        assert!(needs(&graph, node).is_empty(), "{node}");
    }
}

#[test]
fn a_draft_needs_what_it_says_and_what_it_is_of() {
    let mut index = draft(1, K::Index, "i");
    index.of = Some(at(0));
    index.needs = vec![at(2), at(77)];
    let drafts = [draft(0, K::Table, "t"), index, draft(2, K::Function, "f")];
    assert_eq!(needs(&graph(&drafts, &[]), 1), [0, 2]);
}

#[test]
fn what_a_draft_ignores_it_does_not_need() {
    let mut one = draft(0, K::Table, "t");
    one.ignores = vec![at(10)];
    let mut other = draft(1, K::Type, "y");
    other.parts = vec![(at(10), None)];
    let drafts = [one, other, draft(2, K::Type, "z")];
    assert_eq!(needs(&graph(&drafts, &[(0, 10), (0, 2)]), 0), [2]);
    // Ignoring is by what makes it, whichever part the edge names.
    assert_eq!(needs(&graph(&drafts, &[(0, 1)]), 0), Vec::<usize>::new());
    assert_eq!(needs(&graph(&drafts, &[(2, 1)]), 2), [1]);
}

#[test]
fn a_host_needs_its_clauses_and_not_the_other_way() {
    let mut clause = draft(1, K::Default, "d");
    clause.host = Some(at(0));
    clause.of = Some(at(0));
    let drafts = [draft(0, K::Table, "t"), clause, draft(2, K::Function, "f")];
    let graph = graph(&drafts, &[(1, 0), (1, 2)]);
    assert_eq!(needs(&graph, 0), [1]);
    assert_eq!(needs(&graph, 1), [2]);
}

#[test]
fn a_host_that_is_not_there_hosts_nothing() {
    let mut clause = draft(0, K::Default, "d");
    clause.host = Some(at(50));
    let drafts = [clause, draft(1, K::Table, "t")];
    assert_eq!(needs(&graph(&drafts, &[(0, 1)]), 0), [1]);
}

#[test]
fn sections_hang_on_the_borders() {
    let drafts =
        [draft(0, K::Table, "t"), draft(1, K::SequenceValue, "v"), draft(2, K::Index, "i")];
    let graph = graph(&drafts, &[]);
    let (before, after) = (graph.pre_data_end(), graph.post_data_start());
    assert_eq!((before, after), (3, 4));
    assert_eq!(graph.needs, [vec![], vec![before], vec![after], vec![0], vec![1, before]]);
    assert!([before, after].into_iter().all(|node| graph.is_border(node)));
    assert!(!(0..3).any(|node| graph.is_border(node)));
}

#[test]
fn without_drafts_there_are_two_borders() {
    assert_eq!(graph(&[], &[]).needs, [vec![], vec![0]]);
}

#[test]
fn a_postponed_node_changes_its_border() {
    let drafts = [draft(0, K::Function, "f"), draft(1, K::Table, "t")];
    let mut graph = graph(&drafts, &[(0, 1)]);
    graph.postpone(0);
    assert_eq!(graph.needs, [vec![1, 3], vec![], vec![1], vec![2]]);
    graph.postpone(0);
    assert_eq!(graph.needs[0], [1, 3], "twice is once");
}

#[test]
fn needs_stay_sorted_and_single_when_added_and_removed() {
    let drafts: Vec<_> = (0..5).map(|n| draft(n, K::Table, "t")).collect();
    let mut graph = graph(&drafts, &[]);
    for need in [3, 1, 4, 1, 2, 3] {
        graph.add(0, need);
    }
    assert_eq!(needs(&graph, 0), [1, 2, 3, 4]);
    graph.remove(0, 2);
    graph.remove(0, 2);
    assert_eq!(needs(&graph, 0), [1, 3, 4]);
}
