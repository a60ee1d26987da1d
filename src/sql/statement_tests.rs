use super::*;
use crate::archive::manifest::{Acl, Comment, ObjectId, testing};

fn object(kind: ObjectKind, statements: &[&str]) -> Object {
    Object {
        schema: Some("s".to_owned()),
        name: "t".to_owned(),
        statements: statements.iter().map(|&sql| sql.to_owned()).collect(),
        ..Object::new(ObjectId(1), kind, "TABLE s.t")
    }
}

#[track_caller]
fn passes(kind: ObjectKind, sql: &str) {
    check(&object(kind, &[sql])).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[track_caller]
fn refused(kind: ObjectKind, sql: &str, expect: &str) {
    let error = check(&object(kind, &[sql])).expect_err(sql);
    assert!(error.contains(expect), "{sql}: {error}");
}

#[test]
fn what_a_dump_writes_passes() {
    passes(ObjectKind::Table, "CREATE TABLE s.t (\n    a text DEFAULT '; COPY'::text\n)");
    passes(
        ObjectKind::Function,
        "CREATE FUNCTION s.f() RETURNS void LANGUAGE sql AS $function$ SELECT 1; -- x\n SELECT 2 \
         $function$",
    );
    passes(
        ObjectKind::Function,
        "CREATE FUNCTION s.f() RETURNS int LANGUAGE sql\nBEGIN ATOMIC\n SELECT CASE WHEN true THEN \
         1 ELSE 2 END;\n SELECT 2;\nEND",
    );
    passes(
        ObjectKind::Rule,
        "CREATE RULE r AS ON INSERT TO s.t DO ALSO (INSERT INTO s.a VALUES (1); DELETE FROM s.b)",
    );
    passes(ObjectKind::SequenceValue, "SELECT pg_catalog.setval('s.q', 1, true)");
    passes(ObjectKind::Database, "ALTER ROLE \"A b\" IN DATABASE d SET work_mem TO '1MB'");
    passes(
        ObjectKind::Trigger,
        "create constraint trigger g AFTER INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.f()",
    );
}

#[test]
fn other_statements_are_refused() {
    for sql in [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "DO $$ BEGIN END $$",
        "CALL s.p()",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER SYSTEM SET archive_command = 'id'",
        "ALTER ROLE a SUPERUSER",
        "CREATE ROLE a SUPERUSER",
        "GRANT a TO b",
        "SELECT 1",
        "(SELECT 1)",
        "LOAD 'x'",
        "\"CREATE\" TABLE s.t ()",
        "",
    ] {
        refused(ObjectKind::Table, sql, "by which no table is made");
    }
    refused(
        ObjectKind::Index,
        "CREATE TABLE s.t ()",
        "begins with \"CREATE TABLE s\", by which no index is made",
    );
    refused(
        ObjectKind::SequenceValue,
        "SELECT pg_catalog.lo_import('/etc/passwd')",
        "no sequence value",
    );
    refused(ObjectKind::SequenceValue, "SELECT public.setval('s.q', 1)", "no sequence value");
    refused(ObjectKind::Database, "ALTER ROLE a SUPERUSER", "no database");
}

#[test]
fn one_statement_and_no_comment() {
    for sql in [
        "CREATE TABLE s.t (); COPY s.t FROM PROGRAM 'id'",
        "CREATE TABLE s.t ();;",
        "CREATE TABLE s.t () /**/; SELECT 1",
    ] {
        check(&object(ObjectKind::Table, &[sql])).expect_err(sql);
    }
    passes(ObjectKind::Table, "CREATE TABLE s.t ();");
    refused(ObjectKind::Table, "/* x */ CREATE TABLE s.t ()", "comment");
    refused(ObjectKind::Table, "CREATE TABLE s.t () --", "comment");
    refused(ObjectKind::Table, "CREATE TABLE s.t ('", "does not end");
    refused(ObjectKind::Table, "CREATE TABLE s.t ())", "brackets");
    refused(
        ObjectKind::Function,
        "CREATE FUNCTION s.f() BEGIN ATOMIC SELECT 1; END; COPY s.t FROM PROGRAM 'id'",
        "more than one",
    );
    refused(ObjectKind::Table, "CREATE TABLE s.t () \0", "NUL");
}

#[test]
fn words_beside_the_statements_are_looked_at() {
    let change = |change: fn(&mut Object)| {
        let mut object = object(ObjectKind::Table, &["CREATE TABLE s.t ()"]);
        change(&mut object);
        check(&object)
    };
    change(|o| (o.owner, o.drop) = (Some("a".into()), Some("DROP TABLE s.t".into())))
        .expect("usual");
    change(|o| o.comments.push(Comment { on: "COLUMN s.t.\"a;b\"".into(), text: "; --".into() }))
        .expect("usual");
    change(|o| o.drop = Some("DROP ROLE a".into())).expect_err("another's");
    change(|o| o.drop = Some("DO $$ $$".into())).expect_err("no drop");
    change(|o| o.comments.push(Comment { on: "TABLE s.t IS 'x' --".into(), text: String::new() }))
        .expect_err("a comment");
    change(|o| (o.owner, o.identity) = (Some("a".into()), "SYSTEM SET a TO b".into()))
        .expect_err("ALTER SYSTEM");
    change(|o| (o.owner, o.identity) = (Some("a".into()), "TABLE s.t; COPY".into()))
        .expect_err("two");
    let grant = |privilege: &str, on: &str| {
        let items = vec![testing::grant(None, "a", &[privilege])];
        let acl = Acl { on: on.to_owned(), initial: Vec::new(), items };
        check(&Object { acl: Some(acl), ..object(ObjectKind::Table, &["CREATE TABLE s.t ()"]) })
    };
    grant("SELECT", "TABLE s.t").expect("usual");
    grant("pg_read_all_data TO b --", "TABLE s.t").expect_err("no privilege");
    grant("SELECT", "TABLE s.t TO b --").expect_err("a comment");
}
