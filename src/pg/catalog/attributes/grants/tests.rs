use super::*;
use ObjectKind as K;

#[test]
fn grant_has_words_of_its_own_for_some_kinds() {
    for (kind, identity, expect) in [
        (K::Table, "TABLE s.t", "TABLE s.t"),
        (K::View, "VIEW s.v", "TABLE s.v"),
        (K::View, "VIEW s.\"VIEW \"", "TABLE s.\"VIEW \""),
        (K::MaterializedView, "MATERIALIZED VIEW s.m", "TABLE s.m"),
        (K::ForeignTable, "FOREIGN TABLE s.f", "TABLE s.f"),
        (K::Sequence, "SEQUENCE s.q", "SEQUENCE s.q"),
        (K::Domain, "DOMAIN s.d", "TYPE s.d"),
        (K::Type, "TYPE s.y", "TYPE s.y"),
        (K::ForeignServer, "SERVER x", "FOREIGN SERVER x"),
        (K::ForeignDataWrapper, "FOREIGN DATA WRAPPER w", "FOREIGN DATA WRAPPER w"),
        (K::Function, "FUNCTION s.f(integer)", "FUNCTION s.f(integer)"),
        (K::Function, "PROCEDURE s.p()", "PROCEDURE s.p()"),
        (K::Language, "LANGUAGE l", "LANGUAGE l"),
        (K::Schema, "SCHEMA s", "SCHEMA s"),
    ] {
        assert_eq!(on(kind, identity), expect);
    }
}

#[test]
fn members_of_extensions_are_known_by_their_words() {
    for (word, expect) in [
        ("table", (K::Table, "TABLE")),
        ("view", (K::View, "TABLE")),
        ("materialized view", (K::MaterializedView, "TABLE")),
        ("foreign table", (K::ForeignTable, "TABLE")),
        ("sequence", (K::Sequence, "SEQUENCE")),
        ("function", (K::Function, "FUNCTION")),
        ("procedure", (K::Function, "PROCEDURE")),
        ("aggregate", (K::Aggregate, "FUNCTION")),
        ("type", (K::Type, "TYPE")),
        ("language", (K::Language, "LANGUAGE")),
        ("schema", (K::Schema, "SCHEMA")),
        ("foreign-data wrapper", (K::ForeignDataWrapper, "FOREIGN DATA WRAPPER")),
        ("server", (K::ForeignServer, "FOREIGN SERVER")),
    ] {
        assert_eq!(kind_of(word), expect, "{word}");
    }
}

#[test]
fn catalogs_with_privileges_are_named_once() {
    let names: HashSet<&str> = CATALOGS.iter().map(|(catalog, ..)| *catalog).collect();
    assert_eq!(names.len(), CATALOGS.len());
}
