//! Cycles of dependencies, and how each is cut. What to do with which is `pg_dump`'s (`pg_dump_sort.c`).

use super::deps::Graph;
use super::draft::Draft;
use crate::archive::manifest::{NotCarried, ObjectKind, Section};

/// Cuts one cycle, in which each node needs the next and the last the first. Returns what had to be given up, if no repair is known.
pub(super) fn repair(cycle: &[usize], drafts: &mut [Draft], graph: &mut Graph) -> Option<NotCarried> {
    if separate(cycle, drafts, graph) || postpone(cycle, drafts, graph) {
        return None;
    }
    let (from, to) = (cycle[0], cycle[1 % cycle.len()]);
    graph.remove(from, to);
    // A border has no name; it is never alone in a cycle.
    let names: Vec<&str> = cycle.iter().filter_map(|&node| drafts.get(node)).map(|draft| draft.identity.as_str()).collect();
    let name = names.first().copied().unwrap_or_default().to_owned();
    let reason = format!("these need each other in a circle, so that one may fail to be made: {}", names.join(", "));
    Some(NotCarried { kind: "dependency".to_owned(), name, reason })
}

/// Takes a clause out of its host: a default that calls a function that takes the table's row, a check of the same sort.
fn separate(cycle: &[usize], drafts: &mut [Draft], graph: &mut Graph) -> bool {
    for (at, &host) in cycle.iter().enumerate() {
        let clause = cycle[(at + 1) % cycle.len()];
        if graph.is_border(host) || graph.is_border(clause) || drafts[clause].host != Some(drafts[host].address) {
            continue;
        }
        graph.remove(host, clause);
        graph.add(clause, host);
        drafts[clause].host = None;
        if drafts[clause].kind == ObjectKind::Check {
            drafts[clause].section = Section::PostData;
            graph.postpone(clause);
        }
        return true;
    }
    false
}

/// Makes a function or a materialized view after the data when it needs what is only made there, such as a primary key that it groups by.
fn postpone(cycle: &[usize], drafts: &mut [Draft], graph: &mut Graph) -> bool {
    if !cycle.iter().any(|&node| graph.is_border(node)) {
        return false;
    }
    let movable = |draft: &Draft| {
        draft.section == Section::PreData
            && matches!(draft.kind, ObjectKind::Function | ObjectKind::Aggregate | ObjectKind::MaterializedView)
    };
    let Some(&node) = cycle.iter().find(|&&node| drafts.get(node).is_some_and(movable)) else { return false };
    drafts[node].section = Section::PostData;
    graph.postpone(node);
    true
}
