use super::*;
use crate::archive::statistics::{ColumnStatistics, ExtendedStatistics, Values};
use crate::select::Pattern;
use ObjectKind as K;

fn object(id: u32, kind: K, name: &str, of: Option<u32>, needs: &[u32]) -> Object {
    Object {
        schema: Some("s".to_owned()),
        name: name.to_owned(),
        of: of.map(ObjectId),
        depends_on: needs.iter().copied().map(ObjectId).collect(),
        ..Object::new(ObjectId(id), kind, name)
    }
}

/// Statistics of an object, with and without the rows of children.
fn statistics(object: u32) -> Statistics {
    let column = |inherited| ColumnStatistics {
        name: "c".to_owned(),
        number: 1,
        inherited,
        values: Values::new(),
    };
    let extended =
        |inherited| ExtendedStatistics { inherited, values: Values::new(), expressions: vec![] };
    Statistics {
        object: ObjectId(object),
        size: None,
        columns: vec![column(false), column(true)],
        extended: vec![extended(true), extended(false)],
    }
}

fn without_rows_of(name: &str) -> Selection {
    let pattern = Pattern::table(name).expect("a pattern");
    Selection { exclude_table_data: vec![pattern], statistics: true, ..Selection::default() }
}

/// What is kept of each object's statistics: `all`, `own` (not those of children), `none`.
fn kept(selection: &Selection, objects: &[Object]) -> String {
    let withheld = selection.withheld(objects);
    let word = |object: &Object| {
        let what = match withheld.keep(statistics(object.id.0)) {
            None => "none",
            Some(left) if left == statistics(object.id.0) => "all",
            Some(left) => {
                assert!(left.columns.iter().all(|column| !column.inherited));
                assert!(left.extended.iter().all(|extended| !extended.inherited));
                assert_eq!((left.columns.len(), left.extended.len()), (1, 1));
                "own"
            }
        };
        format!("{} {what}", object.name)
    };
    objects.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[test]
fn parts_go_with_their_relation() {
    let objects = [
        object(0, K::Table, "a", None, &[]),
        object(1, K::Index, "a_i", Some(0), &[0]),
        object(2, K::Statistics, "a_s", Some(0), &[0]),
        object(3, K::Table, "b", None, &[]),
        object(4, K::Constraint, "b_k", Some(3), &[3]),
    ];
    for (selection, expect) in [
        (Selection::default(), "a all, a_i all, a_s all, b all, b_k all"),
        (without_rows_of("a"), "a none, a_i none, a_s none, b all, b_k all"),
        (without_rows_of("s.b"), "a all, a_i all, a_s all, b none, b_k none"),
        (without_rows_of("*"), "a none, a_i none, a_s none, b none, b_k none"),
        (
            Selection { schema_only: true, ..Selection::default() },
            "a none, a_i none, a_s none, b none, b_k none",
        ),
    ] {
        assert_eq!(kept(&selection, &objects), expect);
    }
}

#[test]
fn what_is_of_no_relation_has_none() {
    let objects = [
        object(0, K::View, "v", None, &[]),
        object(1, K::Index, "loose", None, &[]),
        object(2, K::Index, "of_view", Some(0), &[]),
        object(3, K::Index, "of_nothing", Some(99), &[]),
    ];
    assert_eq!(
        kept(&Selection::default(), &objects),
        "v none, loose none, of_view none, of_nothing none"
    );
}

#[test]
fn a_parent_keeps_what_is_of_its_own_rows() {
    let objects = [
        object(0, K::Table, "grandparent", None, &[]),
        object(1, K::Table, "parent", None, &[0]),
        object(2, K::Table, "child", None, &[1]),
        object(3, K::Table, "sibling", None, &[1]),
    ];
    assert_eq!(
        kept(&without_rows_of("child"), &objects),
        "grandparent own, parent own, child none, sibling all"
    );
    assert_eq!(
        kept(&without_rows_of("parent"), &objects),
        "grandparent own, parent none, child all, sibling all"
    );
}

#[test]
fn a_partitioned_table_has_no_rows_of_its_own() {
    let mut root = object(0, K::Table, "root", None, &[]);
    root.detail = Detail::Table { relkind: 'p', partition: false, force_row_security: false };
    let objects = [
        root,
        object(1, K::Table, "one", None, &[]),
        object(2, K::Table, "two", None, &[]),
        object(3, K::TableAttach, "attach_one", Some(1), &[0, 1]),
        object(4, K::TableAttach, "attach_two", Some(2), &[0, 2]),
    ];
    assert!(kept(&without_rows_of("one"), &objects).starts_with("root none, one none, two all"));
    assert!(kept(&without_rows_of("x"), &objects).starts_with("root all, one all, two all"));
}

#[test]
fn a_materialized_view_shows_what_it_reads_through_whatever() {
    let objects = [
        object(0, K::Table, "a", None, &[]),
        object(1, K::Table, "b", None, &[]),
        object(2, K::View, "v", None, &[0]),
        object(3, K::MaterializedView, "m", None, &[2]),
        object(4, K::MaterializedView, "n", None, &[1]),
        object(5, K::MaterializedView, "of_m", None, &[3]),
        object(6, K::Index, "m_i", Some(3), &[3]),
    ];
    assert_eq!(
        kept(&without_rows_of("a"), &objects),
        "a none, b all, v none, m none, n all, of_m none, m_i none"
    );
}

#[test]
fn a_rule_on_its_own_shows_what_it_needs() {
    let objects = [
        object(0, K::Table, "a", None, &[]),
        object(1, K::View, "v", None, &[]),
        object(2, K::Rule, "r", Some(1), &[0, 1]),
        object(3, K::MaterializedView, "m", None, &[1]),
    ];
    assert!(kept(&without_rows_of("a"), &objects).ends_with("m none"));
}

#[test]
fn a_function_may_read_any_table() {
    let objects = [
        object(0, K::Table, "a", None, &[]),
        object(1, K::Function, "f", None, &[]),
        object(2, K::Operator, "o", None, &[1]),
        object(3, K::MaterializedView, "of_f", None, &[1]),
        object(4, K::MaterializedView, "of_o", None, &[2]),
        object(5, K::Table, "b", None, &[]),
        object(6, K::MaterializedView, "of_b", None, &[5]),
    ];
    let told = kept(&without_rows_of("a"), &objects);
    assert!(told.ends_with("of_f none, of_o none, b all, of_b all"), "{told}");
    // Where all rows are meant, what it reads is meant too.
    let told = kept(&Selection::default(), &objects);
    assert!(told.contains("of_f all, of_o all"), "{told}");
}

#[test]
fn a_circle_of_views_ends() {
    let objects = [
        object(0, K::Table, "a", None, &[]),
        object(1, K::View, "v", None, &[0, 2]),
        object(2, K::View, "w", None, &[1]),
        object(3, K::MaterializedView, "m", None, &[2]),
    ];
    assert!(kept(&without_rows_of("a"), &objects).ends_with("m none"));
}
