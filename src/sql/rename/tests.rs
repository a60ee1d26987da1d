//! What is rewritten, what is left, what is refused.

use proptest::prelude::*;

use super::*;
use crate::error::Kind;
use crate::sql::ident;

fn renames() -> Renames {
    Renames::parse(&["a=b".into(), "\"We.ird\"=plain".into(), "public=\"Next\"".into()])
        .expect("pairs")
}

#[track_caller]
fn check(reading: Reading, sql: &str, expect: &str) {
    assert_eq!(renames().rewrite(sql, reading).as_deref(), Ok(expect), "{sql}");
}

#[track_caller]
fn refused(reading: Reading, sql: &str) -> String {
    renames().rewrite(sql, reading).expect_err(sql)
}

#[test]
fn names_before_a_point() {
    let plain = |sql, expect| check(Reading::Plain, sql, expect);
    plain("TABLE a.t", "TABLE b.t");
    plain("TABLE \"a\".t", "TABLE b.t");
    plain("TABLE A.t", "TABLE b.t");
    plain("TABLE \"A\".t", "TABLE \"A\".t");
    plain("TABLE \"We.ird\".\"We.ird\"", "TABLE plain.\"We.ird\"");
    plain("COLUMN a.a.a", "COLUMN b.a.a");
    plain("public.f(public.t[], integer)", "\"Next\".f(\"Next\".t[], integer)");
    plain("TRIGGER a ON a.a", "TRIGGER a ON b.a");
    plain("CREATE INDEX a ON a.t USING btree (a)", "CREATE INDEX a ON b.t USING btree (a)");
    plain("x OPERATOR(a.+) y -- a.z", "x OPERATOR(b.+) y -- a.z");
    plain("ab.t, a_.t, xa.t", "ab.t, a_.t, xa.t");
}

#[test]
fn names_of_schemas_themselves() {
    let plain = |sql, expect| check(Reading::Plain, sql, expect);
    plain("CREATE SCHEMA a", "CREATE SCHEMA b");
    plain("CREATE SCHEMA \"We.ird\"", "CREATE SCHEMA plain");
    plain(
        "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA a",
        "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA b",
    );
    plain(
        "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public",
        "CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA \"Next\"",
    );
    plain(
        "ALTER PUBLICATION a ADD TABLES IN SCHEMA a",
        "ALTER PUBLICATION a ADD TABLES IN SCHEMA b",
    );
    plain(
        "ALTER DATABASE a SET search_path TO a, public",
        "ALTER DATABASE a SET search_path TO b, \"Next\"",
    );
}

#[test]
fn texts_that_are_names() {
    let plain = |sql, expect| check(Reading::Plain, sql, expect);
    plain(
        "ALTER TABLE ONLY a.t ALTER COLUMN a SET DEFAULT nextval('a.s'::regclass)",
        "ALTER TABLE ONLY b.t ALTER COLUMN a SET DEFAULT nextval('b.s'::regclass)",
    );
    plain("('\"We.ird\".x'::pg_catalog.regclass)", "('plain.x'::pg_catalog.regclass)");
    plain("SELECT pg_catalog.setval('a.s', 7, true)", "SELECT pg_catalog.setval('b.s', 7, true)");
    plain("'public.\"it''s\"'::regtype", "'\"Next\".\"it''s\"'::regtype");
    plain("COMMENT ON TABLE a.t IS 'a.t'", "COMMENT ON TABLE b.t IS 'a.t'");
    plain("DEFAULT 'a'::text, 'public'", "DEFAULT 'a'::text, 'public'");
    let trigger = |argument: &str| {
        format!(
            "CREATE TRIGGER t BEFORE INSERT ON a.t WHEN ('a' > 'b') EXECUTE FUNCTION c.f('{argument}')"
        )
    };
    assert!(refused(Reading::Query, &trigger("a")).contains("the name of the schema a"));
    check(Reading::Query, &trigger("x"), &trigger("x").replace("ON a.t", "ON b.t"));
    assert!(refused(Reading::Plain, "DEFAULT nextval(('a.s'::text)::regclass)").contains("text"));
}

#[test]
fn queries_that_give_the_name_to_something() {
    let query = |sql, expect| check(Reading::Query, sql, expect);
    query(
        "CREATE VIEW a.v AS SELECT t.x AS a, a.f(t.x) AS y FROM a.t",
        "CREATE VIEW b.v AS SELECT t.x AS a, b.f(t.x) AS y FROM b.t",
    );
    for sql in [
        "CREATE VIEW a.v AS SELECT a.x FROM public.t a",
        "CREATE VIEW a.v AS SELECT a.x FROM c.a",
        "CREATE VIEW a.v AS WITH a AS (SELECT 1 AS x) SELECT a.x FROM a",
        "CREATE VIEW a.v AS SELECT a.* FROM (SELECT 1 AS x) a",
        "CREATE VIEW c.v AS SELECT a.x FROM c.t a",
    ] {
        assert!(refused(Reading::Query, sql).contains("called a"), "{sql}");
    }
    // Nothing before a point: nothing to be in doubt about.
    query("CREATE VIEW c.v AS SELECT x AS a FROM c.a", "CREATE VIEW c.v AS SELECT x AS a FROM c.a");
}

#[test]
fn functions_and_their_bodies() {
    let create = |path: &str, body: &str| {
        format!("CREATE FUNCTION a.f(x a.t) RETURNS a.u LANGUAGE plpgsql{path} AS {body}")
    };
    let function = |path: &str, body: &str, new_path: &str| {
        let expect =
            format!("CREATE FUNCTION b.f(x b.t) RETURNS b.u LANGUAGE plpgsql{new_path} AS {body}");
        check(Reading::Function, &create(path, body), &expect);
    };
    function("", "$$ BEGIN a := 1; RETURN 'x'; END $$", "");
    function("", "$f$ -- a.t is not read\n BEGIN SELECT 1 FROM c.a; END $f$", "");
    function(" SET search_path TO 'a', 'pg_temp'", "'x'", " SET search_path TO 'b', 'pg_temp'");
    for body in [
        "$$ SELECT 1 FROM a.t $$",
        "$$ BEGIN EXECUTE 'DELETE FROM a.t'; END $$",
        "$$ SET search_path = a; $$",
        "'SELECT 1 FROM \"We.ird\".x'",
    ] {
        assert!(refused(Reading::Function, &create("", body)).contains("body"), "{body}");
        let kept = renames().with_bodies(Bodies::Kept);
        let sql = create(" SET search_path TO 'a'", body);
        let text = kept.rewrite(&sql, Reading::Function).expect("kept");
        assert!(text.starts_with("CREATE FUNCTION b.f(x b.t) RETURNS b.u"), "{text}");
        assert!(text.ends_with(&format!("SET search_path TO 'a' AS {body}")), "{text}");
    }
    check(
        Reading::Function,
        "CREATE FUNCTION a.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT t.x FROM a.t; END",
        "CREATE FUNCTION b.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT t.x FROM b.t; END",
    );
    let aliased =
        "CREATE FUNCTION a.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a.x FROM c.t a; END";
    assert!(refused(Reading::Function, aliased).contains("called a"));
}

#[test]
fn bodies_in_sql() {
    let create = |head: &str, body: &str| {
        format!("CREATE FUNCTION {head}\n RETURNS integer\n LANGUAGE sql\nAS {body}")
    };
    for (body, expect) in [
        ("$function$ SELECT a.f($1)::a.t $function$", "$function$ SELECT b.f($1)::b.t $function$"),
        ("'SELECT 1 FROM \"We.ird\".x -- a.t'", "'SELECT 1 FROM plain.x -- a.t'"),
        ("$$ SELECT nextval('a.s'::regclass) $$", "$$ SELECT nextval('b.s'::regclass) $$"),
        ("$$ SELECT 'one text' FROM public.t $$", "$$ SELECT 'one text' FROM \"Next\".t $$"),
        ("$$ UPDATE a.t SET x = 'it''s' $$", "$$ UPDATE b.t SET x = 'it''s' $$"),
        ("$$ SELECT 1 FROM c.a $$", "$$ SELECT 1 FROM c.a $$"),
    ] {
        check(Reading::Function, &create("c.f(x a.t)", body), &create("c.f(x b.t)", expect));
    }
    for (head, body) in [
        // Something else may be meant.
        ("c.f()", "$$ SELECT a.x FROM c.t a $$"),
        ("c.f()", "$$ SELECT a.x FROM c.t AS a $$"),
        ("c.f()", "$$ SELECT a.x FROM c.a $$"),
        ("c.f()", "$$ WITH a AS (SELECT 1 AS x) SELECT a.x FROM a $$"),
        ("c.f()", "$$ SELECT a.x, U&\"\\0061\".x FROM c.t $$"),
        ("c.f()", "$$ SELECT a.* FROM c.t $$"),
        ("c.f(a c.t)", "$$ SELECT a.x $$"),
        ("c.a(x integer)", "$$ SELECT a.x $$"),
        // A text, a path.
        ("c.f()", "$$ SELECT public.unaccent('public.unaccent', $1) $$"),
        ("c.f()", "$$ SELECT query_to_xml('SELECT 1 FROM a.t', true, true, '') $$"),
        ("c.f()", "$$ SELECT set_config('search_path', 'a', true), a.f() $$"),
        ("c.f()", "$$ SET search_path = a; SELECT a.f() $$"),
        // No end.
        ("c.f()", "$$ SELECT a.f(' $$"),
    ] {
        assert!(refused(Reading::Function, &create(head, body)).contains("schema"), "{body}");
    }
    let kept = renames().with_bodies(Bodies::Kept);
    let sql = create("c.f()", "$$ SELECT a.f() $$");
    assert_eq!(kept.rewrite(&sql, Reading::Function).as_deref(), Ok(&*sql));
}

#[test]
fn labels_of_enums_are_no_names() {
    check(
        Reading::Plain,
        "CREATE TYPE a.mood AS ENUM (\n    'a.x',\n    'public.y'\n)",
        "CREATE TYPE b.mood AS ENUM (\n    'a.x',\n    'public.y'\n)",
    );
    // A value that is one by its look may be read as a name.
    refused(Reading::Plain, "ALTER TABLE ONLY a.t ALTER COLUMN a SET DEFAULT 'a.x'::a.mood");
}

#[test]
fn pairs_are_read_as_sql_reads_names() {
    let parse = |pairs: &[&str]| {
        Renames::parse(&pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>())
    };
    let renames = parse(&["Kong=\"Old=Kong\"", "x = y"]).expect("pairs");
    assert_eq!(renames.pairs().collect::<Vec<_>>(), [("kong", "Old=Kong"), ("x", "y")]);
    for wrong in [
        &["a"][..],
        &["a="],
        &["=b"],
        &["a=b=c"],
        &["a.b=c"],
        &["a=pg_x"],
        &["information_schema=x"],
        &["a=b", "a=c"],
        &["a=c", "b=c"],
        &["\"a=b"],
    ] {
        assert_eq!(parse(wrong).expect_err("refused").kind(), Kind::Usage, "{wrong:?}");
    }
}

proptest! {
    /// Whatever the names are: each qualified one is found, and none else.
    #[test]
    fn any_names(schema in "[a-zA-Z\"'. é]{1,6}", table in "[a-zA-Z\"'. é]{1,6}", new in "[a-z\" ]{1,6}") {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let pair = format!("{}={}", quoted(&schema), quoted(&new));
        let renames = Renames::parse(&[pair]).expect("a pair");
        let sql = format!("COLUMN {}.{}.{}", quoted(&schema), quoted(&table), quoted(&schema));
        let expect = format!("COLUMN {}.{}.{}", ident::quote(&new), quoted(&table), quoted(&schema));
        let text = renames.rewrite(&sql, Reading::Plain).expect("names");
        prop_assert_eq!(text.as_ref(), expect.as_str());
        let name = format!("{}.{}", quoted(&schema), quoted(&table)).replace('\'', "''");
        let sql = format!("nextval('{name}'::regclass)");
        let text = renames.rewrite(&sql, Reading::Plain).expect("a name");
        let new_name = format!("{}.{}", ident::quote(&new), quoted(&table));
        let expect = format!("nextval({}::regclass)", ident::literal(&new_name));
        prop_assert_eq!(text.as_ref(), expect.as_str());
    }
}
