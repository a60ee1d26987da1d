mod choices;

use super::*;
use crate::archive::manifest::{Detail, Object, ObjectId, ObjectKind, testing};
use crate::error::Kind;

/// Builds one object; the place in the list is its number.
struct Builder(Vec<Object>);

impl Builder {
    fn add(
        &mut self,
        kind: ObjectKind,
        schema: Option<&str>,
        name: &str,
        of: Option<u32>,
        depends_on: &[u32],
    ) -> u32 {
        let id = self.0.len() as u32;
        self.0.push(Object {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            of: of.map(ObjectId),
            owner: Some("kong".to_owned()),
            depends_on: depends_on.iter().copied().map(ObjectId).collect(),
            statements: vec![format!("CREATE {name}")],
            ..Object::new(ObjectId(id), kind, format!("{kind} {name}"))
        });
        id
    }
}

/// A small gateway: services ◄ routes with a trigger, a counter with a serial and an identity
/// column, a view, a second schema.
fn database() -> Vec<Object> {
    use ObjectKind::{
        Constraint, Default, Extension, ForeignKey, Function, Index, Publication, PublicationTable,
        Schema, Sequence, SequenceOwner, SequenceValue, Table, Trigger, Type, View,
    };
    let mut b = Builder(Vec::new());
    let p = Some("public");
    let kong = b.add(Schema, None, "kong", None, &[]);
    b.add(Extension, None, "pgcrypto", None, &[]);
    let mood = b.add(Type, Some("kong"), "mood", None, &[kong]);
    let sync_tags = b.add(Function, p, "sync_tags()", None, &[]);
    b.add(Function, p, "unused()", None, &[]);
    let services = b.add(Table, p, "services", None, &[]);
    let routes = b.add(Table, p, "routes", None, &[mood]);
    let counter = b.add(Table, p, "counter", None, &[]);
    let serial = b.add(Sequence, p, "counter_id_seq", None, &[]);
    b.add(SequenceOwner, p, "counter_id_seq", Some(serial), &[serial, counter]);
    b.add(Default, p, "id", Some(counter), &[counter, serial]);
    b.add(Sequence, p, "counter_no_seq", Some(counter), &[counter]);
    b.add(View, p, "overview", None, &[services, routes]);
    let entities = b.add(Table, Some("kong"), "entities", None, &[kong, mood]);
    b.add(SequenceValue, p, "counter_id_seq", Some(serial), &[serial]);
    let key = b.add(Constraint, p, "services_pkey", Some(services), &[services]);
    b.add(Index, p, "routes_idx", Some(routes), &[routes]);
    let foreign = b.add(ForeignKey, p, "routes_service_fkey", Some(routes), &[routes, key]);
    b.0[foreign as usize].detail = Detail::ForeignKey {
        columns: vec!["service_id".to_owned()],
        references: ObjectId(services),
        add_not_valid: Some("ALTER".to_owned()),
        validate: None,
    };
    b.add(Trigger, p, "routes_sync", Some(routes), &[routes, sync_tags]);
    b.add(Index, Some("kong"), "entities_idx", Some(entities), &[entities]);
    let publication = b.add(Publication, None, "all_of_it", None, &[]);
    b.add(PublicationTable, None, "routes", Some(routes), &[routes, publication]);
    b.0
}

fn select(words: &str) -> Selection {
    let mut selection = Selection::default();
    for word in words.split_whitespace() {
        let (option, pattern) = word.split_at(2);
        match option {
            "-t" => selection.tables.push(Pattern::table(pattern).unwrap()),
            "-T" => selection.exclude_tables.push(Pattern::table(pattern).unwrap()),
            "-n" => selection.schemas.push(Pattern::schema(pattern).unwrap()),
            "-N" => selection.exclude_schemas.push(Pattern::schema(pattern).unwrap()),
            "-D" => selection.exclude_table_data.push(Pattern::table(pattern).unwrap()),
            "-e" => selection.extensions.push(Pattern::extension(pattern).unwrap()),
            "-E" => selection.exclude_extensions.push(Pattern::extension(pattern).unwrap()),
            "-I" => selection.named.indexes.push(Pattern::table(pattern).unwrap()),
            "-P" => selection.named.functions.push(Signature::parse(pattern).unwrap()),
            "-G" => selection.named.triggers.push(TriggerName::parse(pattern).unwrap()),
            "-L" => {
                let list = pattern.replace(',', "\n");
                selection.listed = Some(Listed::parse("f", &list).unwrap());
            }
            "-s" => selection.schema_only = true,
            _ => selection.data_only = true,
        }
    }
    selection
}

/// What is kept, as `kind name`, one a line, then what is left out, with `!` in front.
fn apply(words: &str) -> String {
    let mut selection = select(words);
    let manifest = testing::manifest(database(), Vec::new());
    selection.find_listed(&manifest, "id", Sections::ALL).unwrap();
    let selected = selection.apply(database());
    let kept = selected.objects.iter().map(|object| format!("{} {}", object.kind, object.name));
    let left_out = selected
        .left_out
        .iter()
        .map(|left| format!("! {} {}: {}", left.kind, left.name, left.reason));
    kept.chain(left_out).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_table_brings_its_parts_and_what_they_need() {
    insta::assert_snapshot!(apply("-troutes"), @r"
    type mood
    function sync_tags()
    table routes
    index routes_idx
    trigger routes_sync
    ! foreign key routes_service_fkey on public.routes: it needs public.services, which is not selected
    ");
}

#[test]
fn two_tables_bring_the_key_between_them() {
    insta::assert_snapshot!(apply("-troutes -tpublic.serv*"), @r"
    type mood
    function sync_tags()
    table services
    table routes
    constraint services_pkey
    index routes_idx
    foreign key routes_service_fkey
    trigger routes_sync
    ");
}

#[test]
fn a_table_brings_its_sequences_and_their_values() {
    insta::assert_snapshot!(apply("-tcounter"), @r"
    table counter
    sequence counter_id_seq
    sequence owner counter_id_seq
    default id
    sequence counter_no_seq
    sequence value counter_id_seq
    ");
}

#[test]
fn a_sequence_comes_alone() {
    insta::assert_snapshot!(apply("-tcounter_id_seq"), @r"
    sequence counter_id_seq
    sequence value counter_id_seq
    ");
}

#[test]
fn a_schema_brings_all_in_it() {
    insta::assert_snapshot!(apply("-nkong"), @r"
    schema kong
    type mood
    table entities
    index entities_idx
    ");
}

#[test]
fn an_excluded_schema_keeps_what_others_need() {
    let kept = apply("-Nkong");
    assert!(
        kept.contains("type mood") && kept.contains("schema kong") && !kept.contains("entities"),
        "{kept}"
    );
    assert!(
        kept.contains("extension pgcrypto") && kept.contains("publication all_of_it"),
        "{kept}"
    );
}

#[test]
fn an_excluded_table_takes_what_needs_it() {
    let kept = apply("-Tservices");
    assert!(kept.contains("function unused()") && !kept.contains("services_pkey"), "{kept}");
    assert!(
        kept.contains("! view public.overview: it needs public.services, which is not selected"),
        "{kept}"
    );
    assert!(kept.contains("! foreign key routes_service_fkey on public.routes"), "{kept}");
    let kept = apply("-Tcounter");
    assert!(
        !kept.contains('!')
            && !kept.contains("counter_no_seq")
            && kept.contains("sequence counter_id_seq"),
        "{kept}"
    );
}

#[test]
fn a_view_asked_for_finds_its_tables_in_the_target() {
    assert_eq!(apply("-toverview"), "view overview");
}

#[test]
fn a_view_falls_with_the_rule_that_completes_it() {
    let p = Some("public");
    let mut b = Builder(Vec::new());
    let base = b.add(ObjectKind::Table, p, "base", None, &[]);
    let grouped = b.add(ObjectKind::View, p, "grouped", None, &[]);
    b.add(ObjectKind::View, p, "above", None, &[grouped]);
    let key = b.add(ObjectKind::Constraint, p, "base_pkey", Some(base), &[base]);
    b.add(ObjectKind::Rule, p, "_RETURN", Some(grouped), &[base, grouped, key]);
    let selected = select("-Tbase").apply(b.0);
    assert!(selected.objects.is_empty());
    let told: Vec<String> =
        selected.left_out.iter().map(|left| format!("{}: {}", left.name, left.reason)).collect();
    let grouped = "public.grouped: it needs public.base, which is not selected";
    assert_eq!(told, [grouped, "public.above: it needs public.grouped, which is left out too"]);
}

#[test]
fn exclusion_wins_over_inclusion() {
    let kept = apply("-tr* -tservices -Troutes");
    assert!(kept.contains("table services") && !kept.contains("table routes"), "{kept}");
    // -N counts for nothing beside -t, as in pg_dump.
    assert!(apply("-tentities -Nkong").contains("table entities"));
}

#[test]
fn schema_only_leaves_values_out() {
    let kept = apply("-s");
    assert!(kept.contains("table routes") && !kept.contains("sequence value"), "{kept}");
}

#[test]
fn data_only_keeps_bare_names() {
    let selected = select("-a").apply(database());
    let table = selected.objects.iter().find(|object| object.name == "routes").unwrap();
    assert!(table.statements.is_empty() && table.owner.is_none());
    let value =
        selected.objects.iter().find(|object| object.kind == ObjectKind::SequenceValue).unwrap();
    assert!(!value.statements.is_empty());
    assert!(
        !selected
            .objects
            .iter()
            .any(|object| matches!(object.kind, ObjectKind::Function | ObjectKind::ForeignKey))
    );
    // The referenced table stands already, whatever is selected.
    assert_eq!(apply("-a -troutes"), "table routes");
    assert_eq!(
        apply("-a -tcounter"),
        "table counter\nsequence counter_id_seq\nsequence counter_no_seq\nsequence value \
         counter_id_seq"
    );
}

#[test]
fn everything_is_left_as_it_is() {
    assert_eq!(select("").apply(database()).objects, database());
    assert!(select("").is_everything() && !select("-Droutes").is_everything());
}

#[test]
fn all_kept_references_resolve() {
    for words in ["-troutes", "-nkong", "-Nkong", "-Tservices", "-a", "-s -tcounter", "-a -troutes"]
    {
        let selected = select(words).apply(database());
        let ids = selected.ids();
        for object in &selected.objects {
            assert!(
                object.depends_on.iter().chain(&object.of).all(|id| ids.contains(id)),
                "{words}: {}",
                object.name
            );
        }
    }
}

#[test]
fn rows() {
    let check = |words: &str, schema: &str, name: &str, expect: bool| {
        assert_eq!(select(words).data_of(schema, name), expect, "{words}: {schema}.{name}");
    };
    check("", "public", "routes", true);
    check("-s", "public", "routes", false);
    check("-a", "public", "routes", true);
    check("-Droutes", "public", "routes", false);
    check("-D*.r*", "public", "services", true);
    check("-troutes", "public", "services", false);
    check("-Nkong", "kong", "entities", false);
    check("-nkong", "kong", "entities", true);
}

#[test]
fn a_pattern_without_a_match_is_refused() {
    let check = |words: &str, expect: &[&str]| {
        assert_eq!(select(words).unmatched(&database()), expect, "{words}");
    };
    check("-troutes -tmissing", &["missing (-t)"]);
    check("-Tmissing -Nmissing -Dmissing", &[]);
    check("-nkon? -npublic -nx", &["x (-n)"]);
    let warned = select("-Tmissing -Troutes -Nmissing -Dmissing").without_effect(&database(), &[]);
    assert_eq!(
        warned,
        [
            "-T missing matches no table, view or sequence",
            "-N missing matches no schema",
            "--exclude-table-data missing matches no table"
        ]
    );
    let error =
        select("-tnone.routes").check_matched(&database(), "kong", FoundIn::Archive).unwrap_err();
    assert_eq!(error.kind(), Kind::Requirement);
    assert!(error.to_string().contains("none.routes"), "{error}");
}
