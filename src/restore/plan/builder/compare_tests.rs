//! Where comparisons stand in the graph, and what is read back together.

use super::super::sample::{find, sample, table, waits_for};
use super::super::{Input, build};
use super::*;
use crate::archive::manifest::TableId;
use crate::pgcopy::RowEncoding;
use crate::restore::plan::graph::Graph;
use crate::restore::plan::input::ChunkSize;
use crate::restore::step::{Afterwards, Step};

fn comparison(ids: &[u32], name: &str) -> Comparison {
    Comparison {
        tables: ids.iter().copied().map(TableId).collect(),
        name: format!("public.{name}"),
        relation: Some(("public".into(), name.into())),
        copy: format!("COPY {name}"),
        encoding: RowEncoding::Binary,
        columns: vec!["id".into()],
    }
}

/// The comparisons of a graph, in order: what each job compares.
fn compared(graph: &Graph) -> Vec<Vec<&str>> {
    graph
        .jobs
        .iter()
        .filter_map(|job| match &job.work {
            Work::Compare(all) => Some(all.iter().map(|one| one.name.as_str()).collect()),
            _ => None,
        })
        .collect()
}

const SERVICES: &str = "compare public.services with the archive";
const WORKSPACES: &str = "compare public.workspaces with the archive";
const LAST: &str = "compare public.schema_meta with the archive";
const LOAD_LAST: &str = "load public.schema_meta";
const READY: &str = "mark the target as usable";

#[test]
fn all_is_compared_before_the_last_rows_and_these_before_ready() {
    let sample = sample();
    let all = [
        comparison(&[2], "schema_meta"),
        comparison(&[0], "workspaces"),
        comparison(&[1], "services"),
    ];
    let raise = Afterwards { option: String::new(), steps: vec![Step::new("raise it", "UPDATE")] };
    for ready in [false, true] {
        let input = Input { compared: &all, afterwards: &raise.steps, ready, ..sample.input() };
        let graph = build(input).unwrap();
        assert_eq!(
            compared(&graph),
            [["public.services"], ["public.workspaces"], ["public.schema_meta"]]
        );
        for one in [SERVICES, WORKSPACES] {
            assert!(waits_for(&graph, one, "validate FOREIGNKEY public.services_ws_fkey") || ready);
            assert!(waits_for(&graph, one, "load public.services"), "all is loaded");
            assert!(waits_for(&graph, one, "load public.workspaces"), "all is loaded");
            assert!(waits_for(&graph, "raise it", one), "what is changed then is not compared");
            assert!(waits_for(&graph, LOAD_LAST, one) && waits_for(&graph, LAST, one));
        }
        for job in graph.jobs.iter().filter(|job| !ready && job.label != WORKSPACES) {
            let label = &job.label;
            let is_before = waits_for(&graph, SERVICES, label);
            assert!(is_before || waits_for(&graph, label, SERVICES), "{label} may run beside it");
        }
        assert!(waits_for(&graph, LAST, LOAD_LAST));
        assert!(!ready || waits_for(&graph, READY, LAST));
        assert!(!waits_for(&graph, SERVICES, WORKSPACES), "side by side");
        let job = &graph.jobs[find(&graph, SERVICES).index()];
        assert_eq!((job.stage, job.locks.len()), (Stage::Compare, 0));
    }
}

#[test]
fn without_comparisons_there_is_no_such_job() {
    let sample = sample();
    let graph = sample.graph();
    assert!(graph.jobs.iter().all(|job| job.stage != Stage::Compare));
    let only_last = [comparison(&[2], "schema_meta")];
    let graph = build(Input { compared: &only_last, ..sample.input() }).unwrap();
    assert_eq!(compared(&graph), [["public.schema_meta"]]);
}

#[test]
fn small_ones_are_compared_in_batches_and_large_ones_first() {
    for (small, expect) in [(1, vec![1]), (2, vec![2]), (32, vec![32]), (33, vec![32, 1])] {
        let mut sample = sample();
        let mut all = vec![comparison(&[1], "services")];
        for id in 0..small {
            let name = format!("small_{id}");
            all.push(comparison(&[3 + id], &name));
            sample.tables.push(table(100 + id, &name));
            sample.chunks.push(vec![ChunkSize { chunk: 0, rows: 1, raw_bytes: SMALL_BYTES }]);
        }
        let graph = build(Input { compared: &all, ..sample.input() }).unwrap();
        let compared = compared(&graph);
        assert_eq!(compared[0], ["public.services"], "the largest");
        assert_eq!(compared[1..].iter().map(Vec::len).collect::<Vec<_>>(), expect);
        if small > 1 {
            find(&graph, &format!("compare {} tables with the archive", small.min(32)));
        }
    }
}

#[test]
fn partitions_together_are_as_large_as_all_of_their_chunks() {
    let mut sample = sample();
    let half = vec![ChunkSize { chunk: 0, rows: 1, raw_bytes: SMALL_BYTES / 2 + 1 }];
    for (id, name) in [(100, "p1"), (101, "p2"), (102, "q")] {
        sample.tables.push(table(id, name));
        sample.chunks.push(half.clone());
    }
    let all = [comparison(&[5], "q"), comparison(&[3, 4], "root"), comparison(&[0], "workspaces")];
    let graph = build(Input { compared: &all, ..sample.input() }).unwrap();
    assert_eq!(compared(&graph), [vec!["public.root"], vec!["public.q", "public.workspaces"]]);
}
