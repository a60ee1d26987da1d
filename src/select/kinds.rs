//! What an object is to a selection.

use crate::archive::manifest::{Object, ObjectKind};

/// What `-t` may name.
pub(super) fn is_relation(kind: ObjectKind) -> bool {
    use ObjectKind::{ForeignTable, MaterializedView, Sequence, Table, View};
    matches!(kind, Table | ForeignTable | View | MaterializedView | Sequence)
}

pub(super) fn carries_data(object: &Object) -> bool {
    matches!(
        object.kind,
        ObjectKind::SequenceValue | ObjectKind::LargeObject | ObjectKind::RefreshMaterializedView
    )
}
