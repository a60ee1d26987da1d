use super::*;
use crate::archive::manifest::{Comment, ObjectKind as K, Section, SecurityLabel};
use crate::pg::catalog::assemble::deps::Aliases;
use crate::pg::catalog::assemble::testing::{at, draft, graph};
use crate::pg::catalog::draft::{Definition, Item, List};

/// Turns drafts numbered from 0 into objects, in the given order.
fn made(drafts: &[Draft], needs: &[(u32, u32)], order: &[usize]) -> Vec<Object> {
    let aliases = Aliases::new();
    objects(drafts, &graph(drafts, needs), order, &Makers::new(drafts, &aliases))
}

fn ids(numbers: &[u32]) -> Vec<ObjectId> {
    numbers.iter().copied().map(ObjectId).collect()
}

/// A table, its default as a clause, a function that the default calls, and an index.
fn hosted() -> [Draft; 4] {
    let mut table = draft(0, K::Table, "t");
    table.definition = Definition::List(Box::new(List {
        head: "CREATE TABLE s.t (".to_owned(),
        items: vec![Item {
            before: "a integer".to_owned(),
            clause: Some((at(1), " DEFAULT s.f()".to_owned())),
            after: String::new(),
        }],
        separator: ", ",
        tail: ")".to_owned(),
        after: Vec::new(),
    }));
    let mut clause = draft(1, K::Default, "a");
    (clause.host, clause.of) = (Some(at(0)), Some(at(0)));
    clause = clause.made_by(vec!["ALTER TABLE s.t ALTER a SET DEFAULT s.f()".to_owned()]);
    clause.comments = vec![Comment { on: "COLUMN s.t.a".to_owned(), text: "c".to_owned() }];
    clause.labels = vec![SecurityLabel {
        on: "COLUMN s.t.a".to_owned(),
        provider: "p".to_owned(),
        label: "l".to_owned(),
    }];
    let mut index = draft(3, K::Index, "i");
    index.of = Some(at(0));
    [table, clause, draft(2, K::Function, "f"), index]
}

#[test]
fn numbers_count_what_stands_on_its_own_in_order() {
    let drafts = hosted();
    let numbers = numbers(&drafts, &[2, 1, 0, 3]);
    let found = |n| numbers.get(&at(n)).map(|id| id.0);
    assert_eq!([found(0), found(1), found(2), found(3)], [Some(1), None, Some(0), Some(2)]);
}

#[test]
fn a_host_takes_its_clauses_needs_words_and_comments() {
    let objects = made(&hosted(), &[(1, 2)], &[2, 1, 0, 3]);
    let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    assert_eq!(names, ["f", "t", "i"]);
    let table = &objects[1];
    assert_eq!(table.statements, ["CREATE TABLE s.t (a integer DEFAULT s.f())"]);
    assert_eq!(table.depends_on, ids(&[0]));
    assert_eq!(table.comments.len(), 1);
    assert_eq!(table.security_labels.len(), 1);
    assert_eq!((objects[2].of, &objects[2].depends_on), (Some(ObjectId(1)), &ids(&[1])));
}

#[test]
fn a_clause_taken_out_is_an_object_of_its_own() {
    let mut drafts = hosted();
    drafts[1].host = None;
    let objects = made(&drafts, &[(1, 2), (2, 0)], &[0, 2, 1, 3]);
    assert_eq!(objects[0].statements, ["CREATE TABLE s.t (a integer)"]);
    assert!(objects[0].comments.is_empty() && objects[0].depends_on.is_empty());
    assert_eq!(objects[2].statements, ["ALTER TABLE s.t ALTER a SET DEFAULT s.f()"]);
    assert_eq!((objects[2].of, &objects[2].depends_on), (Some(ObjectId(0)), &ids(&[0, 1])));
    assert_eq!(objects[2].comments.len(), 1);
}

#[test]
fn who_needs_a_clause_needs_its_host() {
    let objects = made(&hosted(), &[(3, 1), (3, 2)], &[2, 1, 0, 3]);
    assert_eq!(objects[2].depends_on, ids(&[0, 1]), "sorted and once, though told twice");
}

#[test]
fn borders_are_no_dependencies() {
    let drafts =
        [draft(0, K::Table, "t"), draft(1, K::SequenceValue, "v"), draft(2, K::Index, "i")];
    let objects = made(&drafts, &[], &[0, 1, 2]);
    assert!(objects.iter().all(|object| object.depends_on.is_empty()), "{objects:?}");
    let sections: Vec<Section> = objects.iter().map(|object| object.section).collect();
    assert_eq!(sections, [Section::PreData, Section::Data, Section::PostData]);
}

#[test]
fn a_foreign_key_refers_by_number() {
    let mut key = draft(2, K::ForeignKey, "k");
    key.of = Some(at(0));
    key.references = Some(at(1));
    key.detail = Detail::ForeignKey {
        columns: vec!["a".to_owned()],
        references: ObjectId(77),
        add_not_valid: None,
        validate: None,
    };
    let mut lost = key.clone();
    (lost.address, lost.references) = (at(3), Some(at(60)));
    let drafts = [draft(0, K::Table, "t"), draft(1, K::Table, "u"), key, lost];
    let objects = made(&drafts, &[], &[1, 0, 2, 3]);
    let references = |object: &Object| match object.detail {
        Detail::ForeignKey { references, .. } => references,
        _ => panic!("a foreign key"),
    };
    assert_eq!(references(&objects[2]), ObjectId(0));
    assert_eq!(references(&objects[3]), ObjectId(u32::MAX));
}

#[test]
fn every_word_of_a_draft_reaches_its_object() {
    let mut one = draft(0, K::Trigger, "t").owned_by("o".to_owned()).on_extension(Some("e"));
    one.roles = vec!["r".to_owned()];
    one.tablespace = Some("fast".to_owned());
    one.detail = Detail::Trigger { row: true };
    one.definition = Definition::Fixed(vec!["CREATE TRIGGER".to_owned()]);
    let object = &made(&[one], &[], &[0])[0];
    let expect = Object {
        schema: Some("s".to_owned()),
        name: "t".to_owned(),
        owner: Some("o".to_owned()),
        section: Section::PostData,
        roles: vec!["r".to_owned()],
        tablespace: Some("fast".to_owned()),
        extension: Some("e".to_owned()),
        statements: vec!["CREATE TRIGGER".to_owned()],
        detail: Detail::Trigger { row: true },
        ..Object::new(ObjectId(0), K::Trigger, "trigger s.t")
    };
    assert_eq!(*object, expect);
}

/// A table of number `oid`; a partition of `parent`, if there is one.
fn relation(oid: u32, parent: Option<u32>) -> Relation {
    Relation {
        oid,
        schema: "s".to_owned(),
        name: format!("t{oid}"),
        kind: 'r',
        owner: "o".to_owned(),
        persistence: 'p',
        tablespace: None,
        access_method: None,
        parameters: Vec::new(),
        replica_identity: 'd',
        row_security: false,
        force_row_security: false,
        of_type: None,
        partition_key: None,
        hashes_enum: false,
        server: None,
        foreign_options: Vec::new(),
        bound: parent.map(|_| "FOR VALUES".to_owned()),
        parents: parent.into_iter().collect(),
        attached_indexes: Vec::new(),
        extension: None,
        rows_estimate: -1,
        table_bytes: 0,
        main_pages: 0,
    }
}

/// Which table's rows go through which, sorted.
fn through(relations: &[Relation], all: bool) -> Vec<(u32, u32)> {
    let mut found: Vec<(u32, u32)> =
        roots(relations, all).into_iter().map(|(oid, root)| (oid, root.oid)).collect();
    found.sort_unstable();
    found
}

#[test]
fn only_partitions_of_a_hash_of_an_enum_go_through_the_root() {
    // 1 ← 2 ← 3, and 1 ← 4.
    let mut tables =
        vec![relation(1, None), relation(2, Some(1)), relation(3, Some(2)), relation(4, Some(1))];
    assert_eq!(through(&tables, false), []);
    assert_eq!(through(&tables, true), [(2, 1), (3, 1), (4, 1)]);
    tables[1].hashes_enum = true;
    assert_eq!(through(&tables, false), [(3, 1)], "by the topmost, whichever level hashes");
    tables[0].hashes_enum = true;
    assert_eq!(through(&tables, false), [(2, 1), (3, 1), (4, 1)]);
}

#[test]
fn inheritance_is_no_partitioning() {
    let mut child = relation(2, Some(1));
    child.bound = None;
    assert_eq!(through(&[relation(1, None), child], true), []);
}

#[test]
fn an_extensions_parent_is_no_root() {
    let mut parent = relation(1, None);
    parent.extension = Some("e".to_owned());
    assert_eq!(through(&[parent, relation(2, Some(1))], true), []);
    assert_eq!(through(&[relation(2, Some(1))], true), [], "nor one that is not read");
}

#[test]
fn a_circle_of_parents_ends() {
    assert_eq!(through(&[relation(1, Some(2)), relation(2, Some(1))], false), []);
}
