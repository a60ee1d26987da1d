//! An order in which everything can be made: by kind and name, then moved as little as the
//! dependencies ask for. The method, and the precedence of kinds, are `pg_dump`'s
//! (`pg_dump_sort.c`), so that equal schemas give equal archives.

use std::collections::{BinaryHeap, VecDeque};

use super::cycles;
use super::deps::Graph;
use crate::archive::manifest::{NotCarried, ObjectKind};
use crate::pg::catalog::draft::Draft;

/// What the order is, and which dependencies had to be given up for it.
#[derive(Debug)]
pub(in crate::pg::catalog) struct Ordered {
    /// Places in the list of drafts.
    pub(in crate::pg::catalog) order: Vec<usize>,
    /// Cycles that no repair knows.
    pub(in crate::pg::catalog) broken: Vec<NotCarried>,
}

/// The place of a kind among the others.
fn rank(kind: ObjectKind) -> u32 {
    use ObjectKind as K;
    match kind {
        K::Database => 0,
        K::Schema => 1,
        K::Language => 2,
        K::Collation => 3,
        K::Transform => 4,
        K::Extension => 5,
        K::Type | K::ShellType | K::Domain => 6,
        K::Cast => 7,
        K::Function => 8,
        K::Aggregate => 9,
        K::AccessMethod => 10,
        K::Operator => 11,
        K::OperatorFamily => 12,
        K::OperatorClass => 13,
        K::Conversion => 14,
        K::TextSearchParser => 15,
        K::TextSearchTemplate => 16,
        K::TextSearchDictionary => 17,
        K::TextSearchConfiguration => 18,
        K::ForeignDataWrapper => 19,
        K::ForeignServer => 20,
        K::UserMapping => 21,
        K::Table | K::ForeignTable | K::View | K::MaterializedView | K::Sequence => 22,
        K::TableAttach => 23,
        K::SequenceOwner => 24,
        K::Default => 25,
        K::SequenceValue => 31,
        K::LargeObject => 32,
        K::Constraint | K::Check => 41,
        K::Index => 42,
        K::IndexAttach => 43,
        K::Statistics => 44,
        K::Rule => 45,
        K::Trigger => 46,
        K::ForeignKey => 47,
        K::RowSecurity => 48,
        K::Policy => 49,
        K::Publication => 50,
        K::PublicationTable => 51,
        K::PublicationSchema => 52,
        K::Subscription => 53,
        K::Comment => 54,
        K::DefaultAcl => 55,
        K::EventTrigger => 56,
        K::RefreshMaterializedView => 57,
    }
}

const PRE_DATA_END: u32 = 30;
const POST_DATA_START: u32 = 40;

/// Sorts, and repairs cycles until there are none.
pub(in crate::pg::catalog) fn order(drafts: &mut [Draft], graph: &mut Graph) -> Ordered {
    let mut sorted: Vec<usize> = (0..graph.needs.len()).collect();
    let key = |node: usize| {
        let border = if node == graph.pre_data_end() { PRE_DATA_END } else { POST_DATA_START };
        drafts.get(node).map_or((border, None, "", "", 0), |draft| {
            (
                rank(draft.kind),
                draft.schema.as_deref(),
                draft.name.as_str(),
                draft.sort.as_str(),
                draft.address.object,
            )
        })
    };
    sorted.sort_by(|&a, &b| key(a).cmp(&key(b)));
    let mut broken = Vec::new();
    loop {
        match topological(&sorted, graph) {
            Ok(mut order) => {
                order.retain(|&node| !graph.is_border(node));
                return Ordered { order, broken };
            }
            Err(stuck) => {
                for cycle in cycles(&stuck, graph) {
                    broken.extend(cycles::repair(&cycle, drafts, graph));
                }
            }
        }
    }
}

/// Places nodes from the last to the first: of those that nothing still unplaced needs, the one
/// that stands last in `sorted`. When nodes are left over, some of them form cycles.
fn topological(sorted: &[usize], graph: &Graph) -> Result<Vec<usize>, Vec<usize>> {
    let mut place = vec![0; sorted.len()];
    for (at, &node) in sorted.iter().enumerate() {
        place[node] = at;
    }
    let mut needed_by = vec![0_u32; sorted.len()];
    for &need in graph.needs.iter().flatten() {
        needed_by[need] += 1;
    }
    let mut free: BinaryHeap<usize> =
        sorted.iter().filter(|&&node| needed_by[node] == 0).map(|&node| place[node]).collect();
    let mut order = Vec::with_capacity(sorted.len());
    while let Some(at) = free.pop() {
        let node = sorted[at];
        order.push(node);
        for &need in &graph.needs[node] {
            needed_by[need] -= 1;
            if needed_by[need] == 0 {
                free.push(place[need]);
            }
        }
    }
    if order.len() == sorted.len() {
        order.reverse();
        return Ok(order);
    }
    Err(sorted.iter().copied().filter(|&node| needed_by[node] > 0).collect())
}

/// Where no order can be found: disjoint cycles among the nodes that could not be placed, each the
/// shortest through its first node, which needs the second, and so on.
fn cycles(stuck: &[usize], graph: &Graph) -> Vec<Vec<usize>> {
    let mut is_open = vec![false; graph.needs.len()];
    for &node in stuck {
        is_open[node] = true;
    }
    // What needs nothing that is stuck is in no cycle, only needed by one.
    let mut order: Vec<usize> = stuck.to_vec();
    loop {
        let before = order.len();
        order.retain(|&node| {
            is_open[node] = graph.needs[node].iter().any(|&need| is_open[need]);
            is_open[node]
        });
        if order.len() == before {
            break;
        }
    }
    let mut found = Vec::new();
    for &start in &order {
        if is_open[start]
            && let Some(cycle) = shortest_cycle(start, &is_open, graph)
        {
            for &node in &cycle {
                is_open[node] = false;
            }
            found.push(cycle);
        }
    }
    found
}

fn shortest_cycle(start: usize, is_open: &[bool], graph: &Graph) -> Option<Vec<usize>> {
    let mut came_from = vec![None; graph.needs.len()];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &need in &graph.needs[node] {
            if need == start {
                let mut cycle = vec![node];
                let mut at = node;
                while let Some(previous) = came_from[at] {
                    cycle.push(previous);
                    at = previous;
                }
                cycle.reverse();
                return Some(cycle);
            }
            if is_open[need] && came_from[need].is_none() {
                came_from[need] = Some(node);
                queue.push_back(need);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
