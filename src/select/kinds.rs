//! What an object is to a selection.

use crate::archive::manifest::ObjectKind;

/// What `-t` may name.
pub(super) fn is_relation(kind: ObjectKind) -> bool {
    use ObjectKind::{ForeignTable, MaterializedView, Sequence, Table, View};
    matches!(kind, Table | ForeignTable | View | MaterializedView | Sequence)
}
