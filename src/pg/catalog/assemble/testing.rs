//! Drafts and graphs for tests, told by small numbers: draft `n` has the address of number `n`.

use super::deps::{Aliases, Graph, Makers};
use crate::archive::manifest::ObjectKind;
use crate::pg::catalog::draft::Draft;
use crate::pg::catalog::draft::address::{Address, FIRST_NORMAL_OID, class};

/// The address of number `n`.
pub(super) fn at(n: u32) -> Address {
    Address::new(class::CLASS, FIRST_NORMAL_OID + n)
}

/// A draft of a kind at number `n`, in the schema `s`.
pub(super) fn draft(n: u32, kind: ObjectKind, name: &str) -> Draft {
    Draft::new(at(n), kind, Some("s"), name, format!("{kind} s.{name}"))
}

/// The graph of the drafts where each pair says that the first needs the second.
pub(super) fn graph(drafts: &[Draft], needs: &[(u32, u32)]) -> Graph {
    let aliases = Aliases::new();
    let edges: Vec<_> = needs.iter().map(|&(from, to)| (at(from), at(to))).collect();
    Graph::new(drafts, &edges, &Makers::new(drafts, &aliases))
}
