//! How many objects of which sort, as people read it.

use super::units;
use crate::archive::manifest::ObjectKind;

/// `4 tables, 3 indexes, 7 other objects`; nothing if there are none.
pub(in crate::cli) fn counted(all: &[(ObjectKind, u64)]) -> String {
    use ObjectKind::{
        Aggregate, Check, Constraint, Domain, ForeignKey, ForeignTable, Function, Index,
        MaterializedView, Schema, Sequence, Table, Trigger, Type, View,
    };
    let groups: [(&str, &str, &[ObjectKind]); 10] = [
        ("schema", "schemas", &[Schema]),
        ("table", "tables", &[Table, ForeignTable]),
        ("view", "views", &[View, MaterializedView]),
        ("sequence", "sequences", &[Sequence]),
        ("type", "types", &[Type, Domain]),
        ("function", "functions", &[Function, Aggregate]),
        ("constraint", "constraints", &[Constraint, Check]),
        ("index", "indexes", &[Index]),
        ("foreign key", "foreign keys", &[ForeignKey]),
        ("trigger", "triggers", &[Trigger]),
    ];
    let sum = |kinds: &[ObjectKind]| {
        all.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, number)| number).sum::<u64>()
    };
    let known: u64 = groups.iter().map(|(.., kinds)| sum(kinds)).sum();
    let others = all.iter().map(|(_, number)| number).sum::<u64>() - known;
    groups
        .iter()
        .map(|(one, many, kinds)| (*one, *many, sum(kinds)))
        .chain([("other object", "other objects", others)])
        .filter(|(.., number)| *number > 0)
        .map(|(one, many, number)| {
            format!("{} {}", units::count(number), if number == 1 { one } else { many })
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_are_summed_up() {
        use ObjectKind::{Constraint, Index, MaterializedView, Policy, Rule, Table, View};
        assert_eq!(counted(&[]), "");
        assert_eq!(counted(&[(Index, 1_200), (Table, 1)]), "1 table, 1,200 indexes");
        assert_eq!(
            counted(&[(View, 1), (Constraint, 2), (Policy, 1), (Rule, 1), (MaterializedView, 1)]),
            "2 views, 2 constraints, 2 other objects"
        );
    }
}
