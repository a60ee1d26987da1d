//! What a restore makes of an archive by a list, by name, or not at all.

use super::choice::{FAMILY, dump, entries, list, theirs, tool};
use crate::pair::Pair;
use crate::support::{self, Silverback};

#[test]
fn single_objects_come_into_what_stands() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), "SELECT 1");
        pair.source.execute(FAMILY);
        pair.copy.execute(FAMILY);
        dump(&pair).run().expect(0);
        let theirs = pair.path("theirs.dump").display().to_string();
        tool("pg_dump", &["-Fc", "-d", &pair.source.url_as("postgres"), "-f", &theirs]);
        let as_superuser = pair.copy.url_as("postgres");
        let restore = |words: &[&str]| {
            Silverback::new(["restore", "-d", &as_superuser]).arg(pair.file()).args(words)
        };
        let check = |words: &[&str], drop: &str| {
            let before = testkit::pg_dump_schema(&pair.copy);
            restore(words).run().expect(6).says("exists already");
            pair.copy.execute(drop);
            assert_ne!(testkit::pg_dump_schema(&pair.copy), before);
            restore(words).run().expect(0);
            assert_eq!(testkit::pg_dump_schema(&pair.copy), before, "{words:?}");
            restore(&[words, &["-c"]].concat()).run().expect(0);
            assert_eq!(testkit::pg_dump_schema(&pair.copy), before, "{words:?} -c");
        };
        check(&["-I", "things_name"], "DROP INDEX a.things_name");
        check(&["-I", "things_name", "-I", "base_id"], "DROP INDEX a.things_name, a.base_id");
        check(&["-P", "twice(integer,text)"], "DROP FUNCTION a.twice");
        check(&["-P", "b.work(character varying)"], "DROP PROCEDURE b.work");
        check(&["--trigger", "a.things touched"], "DROP TRIGGER touched ON a.things");
        check(
            &["--trigger", "touched", "-n", "a"],
            "DROP TRIGGER touched ON a.things; DROP TRIGGER touched ON a.base",
        );
        restore(&["-I", "none"]).run().expect(6).says("none (-I)");
        restore(&["-P", "twice"]).run().expect(2).says("brackets");
        // As pg_restore lists them. It knows triggers by "table name", and no patterns.
        for (words, same) in [
            (&["-I", "things_name"][..], &["-I", "things_name"][..]),
            (&["-P", "twice(integer, text)"], &["-P", "twice(integer, text)"]),
            (&["--trigger", "things touched"], &["-T", "things touched"]),
            (&["--trigger", "things touched", "-n", "b"], &["-T", "things touched", "-n", "b"]),
        ] {
            let theirs = entries(&tool("pg_restore", &[&["-l", &theirs][..], same].concat()));
            if !theirs.is_empty() {
                assert_eq!(entries(&list(&pair, words)), theirs, "{words:?}");
            }
        }
        let filter = pair.path("filter");
        std::fs::write(
            &filter,
            "include index things_name\ninclude function twice(integer, text)\n",
        )
        .expect("the folder is ours");
        let words = ["--filter", &filter.display().to_string()];
        assert_eq!(
            entries(&list(&pair, &words)),
            entries(&tool("pg_restore", &[&["-l", &theirs][..], &words[..]].concat()))
        );
    }
}

#[test]
fn a_list_says_what_is_restored() {
    let pair = Pair::new(super::SHOP);
    pair.dump().run().expect(0);
    let all = list(&pair, &[]);
    let theirs = theirs(&pair, &[]);
    assert_eq!(entries(&all), theirs, "{all}");
    let file = pair.path("all.list");
    std::fs::write(&file, &all).expect("the folder is ours");
    pair.restore().arg("-L").arg(&file).run().expect(0);
    pair.assert_same();
    // Without the customers' rows, an index, the view, and the table that a key needs.
    let without = |words: &[&str]| {
        let keep = |line: &&str| !words.iter().any(|word| line.contains(word));
        let mut lines: Vec<String> = all
            .lines()
            .map(|line| if keep(&line) { line.into() } else { format!(";{line}") })
            .collect();
        lines[5..].reverse();
        std::fs::write(&file, lines.join("\n")).expect("the folder is ours");
    };
    without(&["TABLE DATA shop log_now", "VIEW shop open"]);
    let third = pair.copy.server().database_of(&pair.owner, "third");
    support::restore(&pair.file(), &third).arg("-L").arg(&file).run().expect(0);
    assert_eq!(third.value("SELECT count(*) FROM shop.log"), "0");
    assert_eq!(third.value("SELECT count(*) FROM shop.orders"), "2");
    assert_eq!(third.value("SELECT to_regclass('shop.open') IS NULL"), "t");
    without(&["CONSTRAINT shop customers customers_pkey"]);
    let fourth = pair.copy.server().database_of(&pair.owner, "fourth");
    let restore = || support::restore(&pair.file(), &fourth).arg("-L").arg(&file);
    restore().run().expect(10).says("orders_customer_fkey").says("customers_pkey");
    assert_eq!(fourth.value("SELECT count(*) FROM shop.customers"), "2");
    for (text, says) in [
        ("3;\n9999; TABLE", "line 2: the archive has no entry 9999"),
        ("TABLE x", "line 1: it does not begin with an entry's number"),
        ("; archive 12\n3;", "it is of archive 12"),
        ("3; TABLE some other", "line 1: entry 3 of the archive is another"),
    ] {
        std::fs::write(&file, text).expect("the folder is ours");
        restore().run().expect(2).says(says);
    }
}

#[test]
fn a_whole_list_leaves_nothing_out() {
    let pair = Pair::new(
        "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 7 AS a; CREATE SEQUENCE s.n START 5;
         CREATE FUNCTION s.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    );
    pair.dump().run().expect(0);
    let file = pair.path("all.list");
    let write = |words: &[&str]| {
        std::fs::write(&file, list(&pair, words)).expect("the folder is ours");
    };
    write(&[]);
    pair.restore().arg("-L").arg(&file).run().expect(0);
    pair.assert_same();
    // A list of rows alone goes with rows alone.
    let third = pair.copy.server().database_of(&pair.owner, "third");
    let restore = || support::restore(&pair.file(), &third);
    restore().args(["--section", "pre-data"]).run().expect(0);
    write(&["-a"]);
    restore().arg("-a").arg("-L").arg(&file).run().expect(0);
    assert_eq!(third.value("SELECT a FROM s.t"), "7");
    let fourth = pair.copy.server().database_of(&pair.owner, "fourth");
    let restore = || support::restore(&pair.file(), &fourth).arg("-L").arg(&file);
    restore().run().expect(2).says("the rows of s.t, and not the table");
    // What clears whole schemas makes no parts of them.
    let clean = "--clean=schemas";
    write(&[]);
    restore().arg(clean).run().expect(2).says("-L asks for parts");
    let single = support::restore(&pair.file(), &pair.copy).args([clean, "-P", "f()"]).run();
    single.expect(2).says("asks for parts");
    assert_eq!(pair.copy.value("SELECT a FROM s.t"), "7");
}

#[test]
fn a_list_does_nothing_that_has_no_line() {
    let pair = Pair::new(
        "CREATE TABLE one (i integer); CREATE TABLE other (i integer PRIMARY KEY);
         CREATE TABLE p (i integer) PARTITION BY LIST (i);
         CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER g BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
         CREATE PUBLICATION told FOR TABLE other;
         COMMENT ON SCHEMA public IS 'mine'; REVOKE ALL ON SCHEMA public FROM PUBLIC;
         ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    );
    pair.dump().run().expect(0);
    let all = list(&pair, &[]);
    let file = pair.path("some.list");
    let keep = |words: &[&str]| {
        let lines: Vec<&str> =
            all.lines().filter(|line| words.iter().any(|word| line.contains(word))).collect();
        assert!(lines.len() >= words.len(), "{words:?}: {all}");
        std::fs::write(&file, lines.join("\n")).expect("the folder is ours");
    };
    let of_public = "SELECT obj_description(oid, 'pg_namespace') || nspacl::text FROM pg_namespace \
        WHERE nspname = 'public'";
    let before = pair.copy.value(of_public);
    keep(&["TABLE public one"]);
    for words in [&[][..], &["--section=pre-data"], &["--section=data"]] {
        pair.restore().args(words).arg("-L").arg(&file).run().expect(0);
        if words.is_empty() {
            pair.copy.execute("DROP TABLE one");
        }
    }
    assert_eq!(pair.copy.value(of_public), before);
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_default_acl"), "0");
    pair.copy.execute("DROP TABLE one");
    keep(&["SCHEMA - public", "DEFAULT ACL"]);
    pair.restore().arg("-L").arg(&file).run().expect(0);
    assert_ne!(pair.copy.value(of_public), before);
    assert_eq!(pair.copy.value("SELECT count(*) FROM pg_default_acl"), "1");
    // What has a line, and needs what has none.
    keep(&["TABLE public other", "PUBLICATION TABLE"]);
    pair.restore().arg("-L").arg(&file).run().expect(10).says("it needs told");
}

#[test]
fn a_schema_that_is_expected_and_missing_is_told_before_anything_is_done() {
    let pair = Pair::new("CREATE SCHEMA a; CREATE TABLE a.t (i integer)");
    pair.dump().run().expect(0);
    pair.restore().args(["-t", "a.t", "--dry-run"]).run().expect(6);
    pair.restore()
        .args(["-t", "a.t"])
        .run()
        .expect(6)
        .says("schema a does not exist in the target")
        .says("CREATE SCHEMA a");
    pair.copy.connect().execute("CREATE SCHEMA a");
    pair.restore().args(["-t", "a.t"]).run().expect(0);
    pair.assert_same();
}

#[test]
fn what_can_make_nothing_is_not_done_in_silence() {
    let pair = Pair::new(
        "CREATE SCHEMA other; CREATE TABLE t (id int); CREATE INDEX i ON t (id); CREATE TABLE u ();
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    );
    pair.dump().run().expect(0);
    for (words, code, says) in [
        (&["-a", "-I", "i"][..], 2, "read -I: -a restores rows and makes nothing"),
        (&["-a", "-P", "f()"], 2, "read -P"),
        (&["-I", "i", "--section=pre-data"], 2, "add --section post-data"),
        (&["-P", "f()", "--section=post-data"], 2, "add --section pre-data"),
        (&["--trigger", "g", "--section=data"], 2, "add --section post-data"),
        (&["-I", "i", "-l", "--section=data"], 2, "add --section post-data"),
        (&["-I", "i", "-n", "other"], 6, "no object matches i (-I)"),
        (&["--trigger", "g", "-N", "public"], 6, "no object matches g (--trigger)"),
        (&["-t", "u", "-I", "i"], 6, "TABLE public.t does not exist"),
        (&["--trigger", "g"], 6, "FUNCTION public.f() does not exist"),
        (&["-s", "--section=data", "-f", "-"], 0, "warning: nothing is selected"),
        (&["-N", "public", "-N", "other"], 0, "warning: nothing is selected"),
        (&["-N", "public", "-N", "other", "-f", "-"], 0, "warning: nothing is selected"),
    ] {
        let to = if words.contains(&"-f") || words.contains(&"-l") {
            Silverback::new(["restore"]).arg(pair.file())
        } else {
            pair.restore()
        };
        to.args(words).run().expect(code).says(says);
    }
    assert!(!support::is_marked(pair.copy.admin()));
    pair.copy.connect().execute("CREATE TABLE t (id int)");
    let run = pair.restore().args(["--trigger", "g"]).run().expect(6);
    run.says("FUNCTION public.f() does not exist");
    pair.copy.connect().execute("DROP TABLE t");
    let file = pair.path("empty.list");
    for text in ["", "; all of it\n;3; TABLE public t kong\n"] {
        std::fs::write(&file, text).expect("the folder is ours");
        pair.restore().arg("-L").arg(&file).run().expect(2).says("it has no entries");
    }
}

#[test]
fn functions_are_named_as_pg_restore_prints_them() {
    let pair = Pair::new(
        "CREATE FUNCTION v(a integer, VARIADIC b text[], OUT c integer, OUT \"d e\" text)
           LANGUAGE sql AS $$SELECT 1, ''$$;
         CREATE PROCEDURE p(INOUT a integer, b text DEFAULT '') LANGUAGE sql AS 'SELECT 1';
         CREATE PROCEDURE o(a integer, OUT b integer) LANGUAGE sql AS 'SELECT 1';
         CREATE AGGREGATE s(VARIADIC integer[]) (SFUNC = array_cat, STYPE = integer[])",
    );
    let theirs = pair.path("theirs.dump").display().to_string();
    tool("pg_dump", &["-Fc", "-d", &pair.source.url(), "-f", &theirs]);
    pair.dump().run().expect(0);
    let lines = tool("pg_restore", &["-l", &theirs]);
    let mut seen = 0;
    for kind in ["FUNCTION public ", "PROCEDURE public ", "AGGREGATE public "] {
        for line in lines.lines().filter_map(|line| Some(line.split_once(kind)?.1)) {
            let signature = &line[..=line.rfind(')').expect("arguments")];
            let all = list(&pair, &["-P", signature]);
            assert_eq!(entries(&all).len(), 1, "{signature}: {all}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4, "{lines}");
    for signature in
        ["v(integer, VARIADIC text[])", "v(integer, variadic text[], OUT integer, OUT text)"]
    {
        assert_eq!(entries(&list(&pair, &["-P", signature])).len(), 1, "{signature}");
    }
}

#[test]
fn lists_and_filters_may_begin_with_a_byte_order_mark() {
    let pair = Pair::new("CREATE TABLE t (); CREATE TABLE u ()");
    pair.dump().run().expect(0);
    let file = pair.path("marked");
    let write = |text: &str| std::fs::write(&file, format!("\u{feff}{text}")).expect("ours");
    write("include table t\n");
    let filter = file.display().to_string();
    let listed = list(&pair, &["--filter", &filter]);
    assert_eq!(entries(&listed).len(), 2, "{listed}");
    let first = listed.lines().find(|line| !line.starts_with(';')).expect("an entry");
    write(first);
    assert!(list(&pair, &["-L", &filter]).contains(first));
}

#[test]
fn what_fails_of_single_objects_marks_nothing_and_empties_nothing() {
    let pair = Pair::new("CREATE TABLE s (id int, v text); CREATE UNIQUE INDEX su ON s (v)");
    pair.carry();
    let live = pair.copy.connect();
    live.execute("DROP INDEX su; INSERT INTO s VALUES (1, 'live'), (2, 'live')");
    let failed = pair.restore().args(["-I", "su"]).run().expect(7);
    let failed = failed.says("run the same command again").says("all else is as it was");
    assert!(!failed.stderr.contains("empty the tables"), "{}", failed.stderr);
    assert!(!support::is_marked(pair.copy.admin()));
    support::dump(&pair.copy, &pair.path("tonight.sbk")).run().expect(0);
    live.execute("DELETE FROM s WHERE id = 2; BEGIN; UPDATE s SET id = 3");
    let given_up = pair.restore().args(["-I", "su", "--lock-wait-timeout", "200"]).run().expect(9);
    given_up.says("no lock within 200 ms");
    live.execute("COMMIT");
    pair.restore().args(["-I", "su"]).run().expect(0);
}
