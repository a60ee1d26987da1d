use super::*;
use crate::archive::manifest::ObjectId;

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn calls_name_only_what_is_known() {
    let column = |name: &str, number, values| ColumnStatistics {
        name: name.to_owned(),
        number,
        inherited: false,
        values,
    };
    let statistics = Statistics {
        object: ObjectId(1),
        size: Some(RelationSize {
            pages: 2,
            rows: "1e+06".to_owned(),
            all_visible: 1,
            all_frozen: None,
        }),
        columns: vec![column(
            "it's",
            3,
            values(&[("null_frac", "0.5"), ("most_common_vals", "{a}"), ("), x(", "1")]),
        )],
        extended: vec![ExtendedStatistics {
            inherited: true,
            values: values(&[("n_distinct", "[]")]),
            expressions: vec![values(&[("null_frac", "0")])],
        }],
    };
    let name = Name {
        object: ("public".to_owned(), "o".to_owned()),
        table: ("public".to_owned(), "t".to_owned()),
        is_index: false,
    };
    let all = statements([(&statistics, &name)], 180_001, 190_000);
    insta::assert_snapshot!(all.join("\n").replace(" UNION", "\nUNION"), @r#"
    SELECT pg_catalog.pg_restore_relation_stats('version', 180001::integer, 'schemaname', 'public'::text, 'relname', 'o'::text, 'relpages', '2'::integer, 'reltuples', '1e+06'::real, 'relallvisible', '1'::integer)
    UNION ALL SELECT pg_catalog.pg_restore_attribute_stats('version', 180001::integer, 'schemaname', 'public'::text, 'relname', 'o'::text, 'attname', 'it''s'::text, 'inherited', 'false'::boolean, 'null_frac', '0.5'::real, 'most_common_vals', '{a}'::text)
    UNION ALL SELECT pg_catalog.pg_restore_extended_stats('version', 180001::integer, 'schemaname', 'public'::text, 'relname', 't'::text, 'statistics_schemaname', 'public'::text, 'statistics_name', 'o'::text, 'inherited', 'true'::boolean, 'n_distinct', '[]'::pg_catalog.pg_ndistinct, 'exprs', '[{"null_frac":"0"}]'::jsonb)
    "#);
    let index = Name { is_index: true, ..name };
    let all = statements([(&statistics, &index)], 180_001, 180_000).concat();
    assert!(all.contains("'attnum', '3'::smallint") && !all.contains("extended"), "{all}");
}

/// Statistics of a relation with a size and so many columns; the name has a quote in it.
fn of_columns(count: i16) -> Statistics {
    let column = |number| ColumnStatistics {
        name: format!("c{number}"),
        number,
        inherited: number % 2 == 0,
        values: values(&[("correlation", "1")]),
    };
    Statistics {
        object: ObjectId(1),
        size: None,
        columns: (1..=count).map(column).collect(),
        extended: Vec::new(),
    }
}

fn name(object: &str) -> Name {
    Name {
        object: ("s".to_owned(), object.to_owned()),
        table: ("s".to_owned(), "t".to_owned()),
        is_index: false,
    }
}

#[test]
fn nothing_is_no_statement() {
    assert!(statements([], 180_000, 190_000).is_empty());
    assert!(statements([(&of_columns(0), &name("o"))], 180_000, 190_000).is_empty());
}

#[test]
fn calls_are_put_together_up_to_a_number() {
    let name = name("o");
    for (columns, expect) in
        [(1, &[1][..]), (199, &[199]), (200, &[200]), (201, &[200, 1]), (450, &[200, 200, 50])]
    {
        let statistics = of_columns(columns);
        let all = statements([(&statistics, &name)], 180_000, 180_000);
        let calls: Vec<usize> =
            all.iter().map(|sql| sql.matches("pg_restore_attribute_stats(").count()).collect();
        assert_eq!(calls, expect, "{columns}");
        assert!(all.iter().all(|sql| sql.starts_with("SELECT pg_catalog.pg_restore_")));
    }
}

#[test]
fn calls_are_put_together_up_to_a_size_and_a_larger_one_stands_alone() {
    let name = name("o");
    let mut statistics = of_columns(6);
    for (at, bytes) in [(0, 700 << 10), (1, 200 << 10), (2, 400 << 10), (3, 3 << 20)] {
        statistics.columns[at].values.insert("histogram_bounds".to_owned(), "x".repeat(bytes));
    }
    let all = statements([(&statistics, &name)], 180_000, 180_000);
    let calls: Vec<usize> = all.iter().map(|sql| sql.matches("'attname'").count()).collect();
    assert_eq!(calls, [2, 1, 1, 2]);
    assert!([0, 1, 3].into_iter().all(|at| all[at].len() <= STATEMENT_BYTES_MAX + 64));
}

#[test]
fn several_objects_share_a_statement() {
    let one = of_columns(1);
    let all = statements([(&one, &name("a")), (&one, &name("b"))], 180_000, 180_000);
    assert_eq!(all.len(), 1);
    assert!(all[0].contains("'relname', 'a'::text") && all[0].contains("'relname', 'b'::text"));
}

#[test]
fn names_are_quoted_as_literals() {
    let odd = Name { object: ("it's".to_owned(), "a\\b".to_owned()), ..name("o") };
    let sql = statements([(&of_columns(1), &odd)], 180_000, 180_000).concat();
    assert!(sql.contains("'schemaname', 'it''s'::text, 'relname', E'a\\\\b'::text"), "{sql}");
}

#[test]
fn what_is_frozen_is_said_where_it_is_known() {
    for (all_frozen, expect) in [(None, false), (Some(0), true), (Some(9), true)] {
        let size =
            RelationSize { pages: i32::MAX, rows: "-1".to_owned(), all_visible: 0, all_frozen };
        let statistics = Statistics { size: Some(size), ..of_columns(0) };
        let sql = statements([(&statistics, &name("o"))], 170_000, 180_000).concat();
        assert_eq!(sql.contains("'relallfrozen'"), expect, "{sql}");
        assert!(sql.contains("'relpages', '2147483647'::integer, 'reltuples', '-1'::real"));
        assert!(sql.starts_with("SELECT pg_catalog.pg_restore_relation_stats('version', 170000::"));
    }
}

#[test]
fn every_known_value_has_its_type() {
    for (known, ours) in
        [(OF_COLUMNS, "'null_frac', 'v'::real"), (EXTENDED, "'n_distinct', 'v'::pg")]
    {
        let mut arguments = Arguments(String::new());
        let all: Values =
            known.iter().map(|(name, _)| ((*name).to_owned(), "v".to_owned())).collect();
        arguments.add_all(&all, known);
        assert!(arguments.0.contains(ours), "{}", arguments.0);
        assert_eq!(arguments.0.matches("'v'::").count(), known.len());
    }
}
