use super::*;
use crate::archive::manifest::ObjectKind as K;
use crate::pg::catalog::assemble::order;
use crate::pg::catalog::assemble::testing::{at, draft, graph};
use crate::pg::catalog::draft::address::Address;

/// Orders the drafts, and says how: names of those that stand on their own, `/` where the data come,
/// and what was given up.
fn ordered(drafts: &mut [Draft], needs: &[(u32, u32)]) -> (String, Vec<String>) {
    let mut graph = graph(drafts, needs);
    let ordered = order::order(drafts, &mut graph);
    let mut words = Vec::new();
    let mut is_after = false;
    for &node in ordered.order.iter().filter(|&&node| drafts[node].host.is_none()) {
        if drafts[node].section == Section::PostData && !is_after {
            words.push("/");
            is_after = true;
        }
        words.push(&drafts[node].name);
    }
    (words.join(" "), ordered.broken.iter().map(ToString::to_string).collect())
}

/// The same where nothing is given up.
fn check(drafts: &mut [Draft], needs: &[(u32, u32)], expect: &str) {
    assert_eq!(ordered(drafts, needs), (expect.to_owned(), Vec::new()), "{needs:?}");
}

fn clause(n: u32, kind: K, name: &str, host: u32) -> Draft {
    Draft { host: Some(at(host)), of: Some(at(host)), ..draft(n, kind, name) }
}

#[test]
fn a_clause_without_a_cycle_stays_in_its_host() {
    let drafts =
        || [draft(0, K::Table, "t"), clause(1, K::Default, "d", 0), draft(2, K::Function, "f")];
    let mut some = drafts();
    check(&mut some, &[(1, 2)], "f t");
    assert_eq!(some[1].host, Some(at(0)));
}

#[test]
fn a_default_that_calls_a_function_of_the_tables_row_is_taken_out() {
    let mut drafts =
        [draft(0, K::Table, "t"), clause(1, K::Default, "d", 0), draft(2, K::Function, "f")];
    check(&mut drafts, &[(1, 2), (2, 0)], "t f d");
    assert_eq!(drafts[1].host, None);
    assert_eq!(drafts[1].section, Section::PreData, "rows need it");
}

#[test]
fn a_check_of_that_sort_waits_for_the_data() {
    let mut drafts =
        [draft(0, K::Table, "t"), clause(1, K::Check, "c", 0), draft(2, K::Function, "f")];
    check(&mut drafts, &[(1, 2), (2, 0)], "t f / c");
    assert_eq!((drafts[1].host, drafts[1].section), (None, Section::PostData));
}

#[test]
fn two_views_that_show_each_other_lose_one_rule() {
    let mut drafts = [
        draft(0, K::View, "v"),
        clause(1, K::Rule, "v_rule", 0),
        draft(2, K::View, "w"),
        clause(3, K::Rule, "w_rule", 2),
    ];
    for rule in [1, 3] {
        drafts[rule].section = Section::PreData;
    }
    check(&mut drafts, &[(1, 2), (3, 0)], "v w / v_rule");
    assert_eq!(drafts[1].section, Section::PostData);
    assert_eq!(drafts[3].host, Some(at(2)), "one of the two is enough");
}

#[test]
fn only_the_clause_in_the_cycle_is_taken_out() {
    let mut drafts = [
        draft(0, K::Table, "t"),
        clause(1, K::Default, "d", 0),
        clause(2, K::Default, "e", 0),
        draft(3, K::Function, "f"),
    ];
    check(&mut drafts, &[(1, 3), (3, 0)], "t f d");
    assert_eq!(drafts[2].host, Some(at(0)));
}

/// A type, its shell, and its input and output functions.
fn base_type() -> [Draft; 4] {
    let shell = Draft {
        host: Some(at(0)),
        address: Address::new(own::SHELL_TYPE, at(0).object),
        ..draft(1, K::ShellType, "shell")
    };
    let mut of_type = draft(0, K::Type, "y");
    of_type.needs = vec![shell.address];
    [of_type, shell, draft(2, K::Function, "f_in"), draft(3, K::Function, "f_out")]
}

#[test]
fn functions_of_a_base_type_need_its_shell() {
    let mut drafts = base_type();
    check(&mut drafts, &[(0, 2), (0, 3), (2, 0), (3, 0)], "shell f_in f_out y");
}

#[test]
fn without_such_functions_the_shell_is_not_made() {
    let mut drafts = base_type();
    check(&mut drafts, &[(0, 2), (0, 3)], "f_in f_out y");
    assert!(drafts[1].host.is_some());
}

#[test]
fn a_type_without_a_shell_cannot_be_helped() {
    let mut drafts = [draft(0, K::Type, "y"), draft(1, K::Function, "f")];
    let (order, broken) = ordered(&mut drafts, &[(0, 1), (1, 0)]);
    assert_eq!(order, "y f");
    assert_eq!(
        broken,
        ["skipped: dependency type s.y: these form a dependency cycle, so that one may \
          fail to be made: type s.y, function s.f"]
    );
}

#[test]
fn what_needs_something_after_the_data_is_postponed_where_it_may_be() {
    // A materialized view or a function groups by a primary key.
    for kind in [K::MaterializedView, K::Function, K::Aggregate] {
        let mut drafts =
            [draft(0, K::Table, "t"), draft(1, K::Constraint, "k"), draft(2, kind, "x")];
        let (order, broken) = ordered(&mut drafts, &[(1, 0), (2, 1)]);
        assert_eq!((order.as_str(), broken.len()), ("t / k x", 0), "{kind}");
        assert_eq!(drafts[2].section, Section::PostData, "{kind}");
    }
}

#[test]
fn then_what_needs_the_postponed_is_postponed_too() {
    for kind in [
        K::Default,
        K::Check,
        K::Cast,
        K::Operator,
        K::OperatorFamily,
        K::OperatorClass,
        K::Transform,
    ] {
        let mut drafts = [
            draft(0, K::Table, "t"),
            draft(1, K::Constraint, "k"),
            draft(2, K::Function, "f"),
            draft(3, kind, "x"),
        ];
        let (order, broken) = ordered(&mut drafts, &[(1, 0), (2, 1), (3, 2)]);
        let expect = "t / k f x";
        assert_eq!((order.as_str(), broken), (expect, Vec::new()), "{kind}");
        assert_eq!(drafts[3].section, Section::PostData, "{kind}");
    }
}

#[test]
fn a_postponed_default_leaves_its_table() {
    let mut drafts = [
        draft(0, K::Table, "t"),
        draft(1, K::Constraint, "k"),
        draft(2, K::Function, "f"),
        clause(3, K::Default, "d", 4),
        draft(4, K::Table, "u"),
    ];
    check(&mut drafts, &[(1, 0), (2, 1), (3, 2)], "t u / k f d");
    assert_eq!(drafts[3].host, None);
}

#[test]
fn a_table_is_not_postponed_because_its_rows_need_it() {
    let mut drafts =
        [draft(0, K::Table, "t"), draft(1, K::Constraint, "k"), draft(2, K::Table, "u")];
    let (order, broken) = ordered(&mut drafts, &[(1, 0), (2, 1)]);
    assert_eq!(order, "t u / k", "the dependency is given up, and said");
    assert_eq!(broken.len(), 1);
    assert!(broken[0].contains("table s.u, constraint s.k"), "{broken:?}");
}

#[test]
fn a_view_that_needs_a_key_keeps_its_name_and_gets_its_rule_after_the_data() {
    let mut rule = clause(3, K::Rule, "v_rule", 2);
    rule.section = Section::PreData;
    let mut drafts =
        [draft(0, K::Table, "t"), draft(1, K::Constraint, "k"), draft(2, K::View, "v"), rule];
    check(&mut drafts, &[(1, 0), (3, 1)], "t v / k v_rule");
}

/// The place of what was postponed is never before the data, whichever name sorts first.
#[test]
fn a_table_of_a_postponed_views_rows_loses_that_dependency_and_no_other() {
    for name in ["a", "z"] {
        let mut drafts = [
            draft(0, K::Table, "t"),
            draft(1, K::Constraint, "k"),
            draft(2, K::MaterializedView, name),
            draft(3, K::Table, "u"),
        ];
        let (order, broken) = ordered(&mut drafts, &[(1, 0), (2, 0), (2, 1), (3, 2)]);
        assert_eq!(order, format!("t u / k {name}"));
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].contains("table s.u"), "{broken:?}");
        assert_eq!(drafts[2].section, Section::PostData);
    }
}
