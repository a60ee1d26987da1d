//! Cycles of dependencies, how each is cut, and what is postponed until after the data for one.
//! What to do with which is `pg_dump`'s (`pg_dump_sort.c`).

use super::deps::Graph;
use crate::archive::manifest::{NotCarried, ObjectKind, Section};
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::own;

/// Cuts one cycle, in which each node needs the next and the last the first. Returns what had to be
/// given up, if no repair is known.
pub(in crate::pg::catalog) fn repair(
    cycle: &[usize],
    drafts: &mut [Draft],
    graph: &mut Graph,
) -> Option<NotCarried> {
    if stand_in(cycle, drafts, graph)
        || separate(cycle, drafts, graph)
        || postpone(cycle, drafts, graph)
    {
        return None;
    }
    // What ties a draft to a border is never cut: its place would contradict its section. Borders
    // are never alone in a cycle.
    let next = cycle.iter().cycle().skip(1);
    let needs = cycle
        .iter()
        .zip(next)
        .find(|(from, to)| !graph.is_border(**from) && !graph.is_border(**to));
    if let Some((&from, &to)) = needs {
        graph.remove(from, to);
    }
    let names: Vec<&str> = cycle
        .iter()
        .filter_map(|&node| drafts.get(node))
        .map(|draft| draft.identity.as_str())
        .collect();
    let name = names.first().copied().unwrap_or_default().to_owned();
    let reason = format!(
        "these form a dependency cycle, so that one may fail to be made: {}",
        names.join(", ")
    );
    Some(NotCarried { kind: "dependency".to_owned(), name, reason })
}

/// Takes a clause out of its host: a default that calls a function that takes the table's row, a
/// check of the same sort.
fn separate(cycle: &[usize], drafts: &mut [Draft], graph: &mut Graph) -> bool {
    for (at, &host) in cycle.iter().enumerate() {
        let clause = cycle[(at + 1) % cycle.len()];
        if graph.is_border(host)
            || graph.is_border(clause)
            || drafts[clause].host != Some(drafts[host].address)
        {
            continue;
        }
        take_out(clause, host, drafts, graph);
        // What a view shows may need keys; a check, whatever its function reads.
        if matches!(drafts[clause].kind, ObjectKind::Check | ObjectKind::Rule) {
            drafts[clause].section = Section::PostData;
            graph.postpone(clause);
        }
        return true;
    }
    false
}

/// Lets a function need the bare name of a type that needs the function: its input and output, or
/// what makes a range canonical.
fn stand_in(cycle: &[usize], drafts: &mut [Draft], graph: &mut Graph) -> bool {
    for (at, &function) in cycle.iter().enumerate() {
        let of_type = cycle[(at + 1) % cycle.len()];
        if graph.is_border(function)
            || graph.is_border(of_type)
            || drafts[function].kind != ObjectKind::Function
        {
            continue;
        }
        let address = drafts[of_type].address;
        let is_shell = |need: &usize| {
            drafts.get(*need).is_some_and(|draft| {
                draft.address.class == own::SHELL_TYPE && draft.address.object == address.object
            })
        };
        if drafts[of_type].kind != ObjectKind::Type {
            continue;
        }
        if let Some(shell) = graph.needs[of_type].iter().copied().find(is_shell) {
            graph.remove(function, of_type);
            graph.add(function, shell);
            drafts[shell].host = None;
            return true;
        }
    }
    false
}

/// Makes a clause an object of its own, which comes after its host.
fn take_out(clause: usize, host: usize, drafts: &mut [Draft], graph: &mut Graph) {
    graph.remove(host, clause);
    graph.add(clause, host);
    drafts[clause].host = None;
}

/// Postpones a function or a materialized view until after the data when it needs what is only made
/// there, such as a primary key that it groups by; then what needs it, as long as no rows need it.
fn postpone(cycle: &[usize], drafts: &mut [Draft], graph: &mut Graph) -> bool {
    use ObjectKind as K;
    if !cycle.iter().any(|&node| graph.is_border(node)) {
        return false;
    }
    let find = |drafts: &[Draft], kinds: &dyn Fn(ObjectKind) -> bool| {
        let is_movable = |draft: &Draft| draft.section == Section::PreData && kinds(draft.kind);
        cycle.iter().copied().find(|&node| drafts.get(node).is_some_and(is_movable))
    };
    let first = |kind| matches!(kind, K::Function | K::Aggregate | K::MaterializedView);
    let then = |kind| {
        matches!(
            kind,
            K::Default
                | K::Check
                | K::Rule
                | K::Cast
                | K::Operator
                | K::OperatorFamily
                | K::OperatorClass
                | K::Transform
        )
    };
    let Some(node) = find(drafts, &first).or_else(|| find(drafts, &then)) else { return false };
    let host =
        drafts[node].host.and_then(|host| drafts.iter().position(|draft| draft.address == host));
    if let Some(host) = host {
        take_out(node, host, drafts, graph);
    }
    drafts[node].section = Section::PostData;
    graph.postpone(node);
    true
}

#[cfg(test)]
mod tests;
