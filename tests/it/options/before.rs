//! What stands in the way is found before the first statement, whatever kind it is of: nothing is
//! dropped or made, and nothing is marked.

use crate::pair::Pair;
use crate::support::{self, Silverback, is_marked};

/// Of all that is made after rows, something.
const AFTERWARDS: &str = "
    CREATE TABLE t (id integer PRIMARY KEY, u integer UNIQUE, CHECK (u > 0)); CREATE INDEX ti ON t (u);
    CREATE TABLE e (id integer PRIMARY KEY REFERENCES t);
    INSERT INTO t VALUES (1, 1); INSERT INTO e VALUES (1);
    ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
    CREATE RULE r AS ON DELETE TO e DO ALSO NOTHING;
    CREATE STATISTICS s ON id, u FROM t";

#[test]
fn what_comes_after_rows_is_dropped_only_where_it_can_be_made_again() {
    for (damage, told) in [
        ("DELETE FROM e", "public.e"),
        ("ALTER TABLE t DROP COLUMN u CASCADE", "table public.t has no column u"),
        ("DROP FUNCTION f() CASCADE", "FUNCTION public.f() does not exist"),
        ("DROP TABLE e", "TABLE public.e does not exist"),
    ] {
        let pair = Pair::new(AFTERWARDS);
        pair.carry();
        pair.copy.connect().execute(damage);
        let before = testkit::pg_dump_schema(&pair.copy);
        let restore = || pair.restore().args(["-c", "--if-exists", "--section", "post-data"]);
        assert!(restore().arg("--dry-run").run().expect(6).stdout.contains(told), "{told}");
        restore().run().expect(6).says(told);
        assert_eq!(testkit::pg_dump_schema(&pair.copy), before, "{damage}");
        assert!(!is_marked(pair.copy.admin()));
    }
    let pair = Pair::new(AFTERWARDS);
    pair.carry();
    pair.restore().args(["-c", "--section", "post-data"]).run().expect(0);
    pair.assert_same();
}

#[test]
fn what_comes_after_rows_and_stands_is_named() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), AFTERWARDS);
        pair.dump().run().expect(0);
        for section in ["pre-data", "data"] {
            pair.restore().args(["--section", section]).run().expect(0);
        }
        for (make, take, told) in [
            ("CREATE POLICY p ON t USING (true)", "DROP POLICY p ON t", "POLICY p ON public.t"),
            (
                "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
                "DROP TRIGGER tr ON t",
                "TRIGGER tr ON public.t",
            ),
            ("CREATE RULE r AS ON DELETE TO e DO ALSO NOTHING", "DROP RULE r ON e", "RULE r"),
            ("CREATE STATISTICS s ON id, u FROM t", "DROP STATISTICS s", "STATISTICS public.s"),
            ("CREATE INDEX ti ON t (u)", "DROP INDEX ti", "INDEX public.ti"),
            (
                "ALTER TABLE e ADD CONSTRAINT e_id_fkey CHECK (id > 0)",
                "ALTER TABLE e DROP CONSTRAINT e_id_fkey",
                "CONSTRAINT e_id_fkey ON public.e",
            ),
        ] {
            pair.copy.connect().execute(make);
            let run = pair.restore().args(["--section", "post-data"]).run().expect(6);
            run.says(told).says("exists already");
            assert!(!is_marked(pair.copy.admin()), "{make}");
            pair.copy.connect().execute(take);
        }
        pair.restore().args(["--section", "post-data"]).run().expect(0);
        pair.assert_same();
    }
}

#[test]
fn what_no_table_type_or_function_is_stands_in_the_way_too() {
    let pair = Pair::new("SELECT 1");
    let all = [
        ("SELECT lo_create(42)", "SELECT lo_unlink(42)", "large object 42 exists already"),
        (
            "CREATE CAST (text AS point) WITH INOUT",
            "DROP CAST (text AS point)",
            "CAST (text AS point)",
        ),
        (
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER \"s rv\" FOREIGN DATA WRAPPER w",
            "DROP FOREIGN DATA WRAPPER w CASCADE",
            "SERVER \"s rv\"",
        ),
        (
            "CREATE COLLATION \"co ll\" FROM \"C\"",
            "DROP COLLATION \"co ll\"",
            "COLLATION public.\"co ll\"",
        ),
        (
            "CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)",
            "DROP OPERATOR === (integer, integer)",
            "OPERATOR public.=== (integer, integer)",
        ),
        (
            "CREATE OPERATOR FAMILY oc USING btree; CREATE OPERATOR CLASS oc FOR TYPE integer \
                 USING btree FAMILY oc AS FUNCTION 1 btint4cmp(integer, integer)",
            "DROP OPERATOR FAMILY oc USING btree",
            "OPERATOR CLASS public.oc USING btree",
        ),
        (
            "CREATE TEXT SEARCH CONFIGURATION tsc (COPY = english)",
            "DROP TEXT SEARCH CONFIGURATION tsc",
            "TEXT SEARCH CONFIGURATION public.tsc",
        ),
        ("CREATE PUBLICATION p2", "DROP PUBLICATION p2", "PUBLICATION p2"),
        (
            "CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
            "DROP CONVERSION conv",
            "CONVERSION public.conv",
        ),
    ];
    let source: Vec<&str> = all.iter().map(|(make, ..)| *make).collect();
    pair.source.admin().execute(&source.join("; "));
    let file = pair.path("all.sbk");
    let run = |command: &str, url: &str| Silverback::new([command, "-d", url]);
    run("dump", &pair.source.url_as("postgres")).arg("-f").arg(&file).run().expect(0);
    let restore = || run("restore", &pair.copy.url_as("postgres")).arg(&file);
    for (make, take, told) in all {
        pair.copy.admin().execute(make);
        assert!(restore().arg("--dry-run").run().expect(6).stdout.contains(told), "{told}");
        restore().run().expect(6).says(told).says("exists already");
        assert!(!is_marked(pair.copy.admin()), "{make}");
        pair.copy.admin().execute(take);
    }
    restore().run().expect(0);
    restore().arg("-c").run().expect(0);
}

/// A materialized view over a table.
const VIEW: &str = "
    CREATE TABLE base (a integer); INSERT INTO base VALUES (1);
    CREATE MATERIALIZED VIEW kept AS SELECT a FROM base; CREATE INDEX ON kept (a);
    CREATE AGGREGATE total (integer) (SFUNC = int4pl, STYPE = integer)";

#[test]
fn rows_alone_fill_the_materialized_views_that_stand() {
    let pair = Pair::new(VIEW);
    pair.dump().run().expect(0);
    pair.copy.connect().execute("CREATE TABLE base (a integer)");
    let told = "MATERIALIZED VIEW public.kept does not exist";
    assert!(pair.restore().args(["-a", "--dry-run"]).run().expect(6).stdout.contains(told));
    pair.restore().arg("-a").run().expect(6).says(told);
    assert_eq!(pair.copy.value("SELECT count(*) FROM base"), "0");
    // What a list does not have is not filled.
    let list = Silverback::new(["restore", "-l", "-a"]).arg(pair.file()).run().expect(0).stdout;
    let rows: Vec<&str> =
        list.lines().filter(|line| line.contains("TABLE DATA public base")).collect();
    assert!(list.contains("MATERIALIZED VIEW DATA public kept"), "{list}");
    let path = pair.path("list");
    std::fs::write(&path, rows.join("\n")).expect("the folder is ours");
    pair.copy.connect().execute("CREATE MATERIALIZED VIEW kept AS SELECT a FROM base WITH NO DATA");
    pair.restore().args(["-a", "-L"]).arg(&path).run().expect(0);
    assert_eq!(pair.copy.value("SELECT count(*) FROM base"), "1");
    let is_filled = "SELECT relispopulated FROM pg_class WHERE relname = 'kept'";
    assert_eq!(pair.copy.value(is_filled), "f");
    let text = Silverback::new(["restore", "-f", "-", "-a", "-L"]).arg(&path).arg(pair.file());
    assert!(!text.run().expect(0).stdout.contains("REFRESH"), "not listed");
    pair.copy.connect().execute("DELETE FROM base");
    pair.restore().arg("-a").run().expect(0);
    assert_eq!(pair.copy.value(is_filled), "t");
}

#[test]
fn a_materialized_view_alone_is_taken_like_a_view() {
    for version in support::ends() {
        let pair = Pair::on(testkit::server(version), VIEW);
        let alone = pair.path("alone.sbk");
        support::dump(&pair.source, &alone).args(["-t", "kept"]).run().expect(0);
        pair.copy.connect().execute("CREATE TABLE base (a integer); INSERT INTO base VALUES (1)");
        support::restore(&alone, &pair.copy).args(["-c", "--if-exists"]).run().expect(0);
        assert_eq!(pair.copy.value("SELECT a FROM kept"), "1");
        pair.dump().run().expect(0);
        pair.restore().args(["-c", "-t", "kept"]).run().expect(0);
        assert_eq!(pair.copy.value("SELECT a FROM kept"), "1");
        // An aggregate is found as functions are.
        pair.restore().args(["-P", "total(integer)"]).run().expect(0);
        let run = pair.restore().args(["-P", "total(integer)"]).run().expect(6);
        run.says("AGGREGATE public.total(integer) exists already");
        assert!(!is_marked(pair.copy.admin()));
        pair.restore().args(["-c", "-P", "total(integer)"]).run().expect(0);
        pair.assert_same();
    }
}

#[test]
fn what_comes_to_nothing_says_so() {
    let pair = Pair::new(AFTERWARDS);
    let nothing = "nothing is selected";
    for words in [
        &["-t", "t", "-T", "t"][..],
        &["-n", "public", "-N", "public"],
        &["-s", "--section", "data"],
    ] {
        let file = pair.path("nothing.sbk");
        support::dump(&pair.source, &file).args(words).run().expect(0).says(nothing);
        std::fs::remove_file(&file).expect("made");
    }
    let (definitions, rows) = (pair.path("definitions.sbk"), pair.path("rows.sbk"));
    support::dump(&pair.source, &definitions).arg("-s").run().expect(0);
    support::dump(&pair.source, &rows).arg("-a").run().expect(0);
    let restore =
        |file, words: &[&str]| support::restore(file, &pair.copy).args(words).run().expect(0);
    restore(&definitions, &["-a"]).says("the archive holds no rows");
    restore(&definitions, &["--section", "data"]).says("the archive holds no rows");
    restore(&rows, &["-s"]).says("the archive holds rows and no definitions");
    for words in [
        &["dump", "--role", "", "-f", "x"][..],
        &["dump", "--snapshot", "", "-f", "x"],
        &["restore", "x", "--role", ""],
    ] {
        Silverback::new(words).args(["-d", "x"]).run().expect(2).says("it is empty");
    }
}

#[test]
fn a_partitioned_table_without_its_partitions_is_told() {
    let pair = Pair::new(
        "CREATE TABLE parts (a integer) PARTITION BY LIST (a);
         CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts VALUES (1)",
    );
    let dump = |words: &[&str]| {
        let file = pair.path("parts.sbk");
        let run = support::dump(&pair.source, &file).args(words).run().expect(0);
        std::fs::remove_file(&file).expect("made");
        run.stderr
    };
    for (words, told) in [
        (&["-t", "parts"][..], Some("which are not taken: --table-and-children means both")),
        (
            &["--exclude-table-data", "parts"],
            Some("not left out: --exclude-table-data-and-children"),
        ),
        (&["-t", "parts", "-t", "part_1"], None),
        (&["-t", "part*"], None),
        (&["--table-and-children", "parts"], None),
        (&["--exclude-table-data-and-children", "parts"], None),
        (&["--exclude-table-data", "part*"], None),
        (&["-s", "-t", "parts"], None),
    ] {
        let said = dump(words);
        assert_eq!(said.contains("partitioned table"), told.is_some(), "{words:?}: {said}");
        assert!(said.contains(told.unwrap_or_default()), "{words:?}: {said}");
    }
}

#[test]
fn an_index_of_a_partitioned_table_is_whole_with_those_of_its_partitions() {
    let pair = Pair::new(
        "CREATE TABLE parts (a integer) PARTITION BY LIST (a);
         CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);
         CREATE TABLE part_2 PARTITION OF parts FOR VALUES IN (2); CREATE INDEX ai ON parts (a)",
    );
    pair.carry();
    let is_valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ai'::regclass";
    pair.copy.connect().execute("DROP INDEX ai");
    let run = pair.restore().args(["-I", "ai"]).run().expect(0);
    run.says("stays invalid without those of its partitions")
        .says("-I public.part_1_a_idx, -I public.part_2_a_idx");
    assert_eq!(pair.copy.value(is_valid), "f");
    pair.copy.connect().execute("DROP INDEX ai");
    let run = pair.restore().args(["-I", "ai", "-I", "part_*"]).run().expect(0);
    assert!(!run.stderr.contains("invalid"), "{}", run.stderr);
    assert_eq!(pair.copy.value(is_valid), "t");
    pair.assert_same();
}

#[test]
fn what_a_choice_leaves_to_the_target_must_be_there() {
    for version in support::ends() {
        let pair = Pair::on(
            testkit::server(version),
            "CREATE TABLE base (a integer); CREATE VIEW seen AS SELECT a FROM base;
             CREATE EXTENSION citext; CREATE TABLE words (word citext)",
        );
        pair.dump().run().expect(0);
        let list = pair.path("list");
        let lines = pair.restore().arg("-l").run().expect(0).stdout;
        let kept: Vec<&str> = lines.lines().filter(|line| !line.contains(" EXTENSION ")).collect();
        std::fs::write(&list, kept.join("\n")).expect("the folder is ours");
        let list = list.display().to_string();
        for (words, told) in [
            (&["-t", "seen"][..], "TABLE public.base does not exist"),
            (&["-L", &list], "extension citext, which is left out, is not in the target"),
        ] {
            let dry = pair.restore().args(words).arg("--dry-run").run().expect(6);
            assert!(dry.stdout.contains(told), "{words:?}: {}", dry.stdout);
            pair.restore().args(words).run().expect(6).says(told);
            assert!(!is_marked(pair.copy.admin()), "{words:?}");
        }
        pair.restore().args(["-t", "seen", "-t", "base"]).run().expect(0);
        pair.copy.connect().execute("DROP VIEW seen; DROP TABLE base; CREATE EXTENSION citext");
        pair.restore().args(["-L", &list]).run().expect(0);
        pair.assert_same();
    }
    // What nothing else needs is left out, and told.
    for (table, code) in [("CREATE TABLE t (a integer)", 10), ("CREATE TABLE t (a citext)", 6)] {
        let pair = Pair::new(&format!("CREATE EXTENSION citext; {table}"));
        pair.dump().args(["--exclude-extension", "citext"]).run().expect(0);
        pair.restore().run().expect(code);
        assert!(!is_marked(pair.copy.admin()));
    }
}

#[test]
fn rows_of_a_domain_over_another_type_are_not_taken_for_its_values() {
    let pair = Pair::new(
        "CREATE DOMAIN inner_one AS bigint; CREATE DOMAIN euros AS inner_one NOT NULL;
         CREATE TABLE acc (id integer, bal euros); INSERT INTO acc VALUES (1, 42)",
    );
    pair.dump().run().expect(0);
    let copy = pair.copy.connect();
    copy.execute(
        "CREATE DOMAIN inner_one AS double precision; CREATE DOMAIN euros AS inner_one NOT NULL;
         CREATE TABLE acc (id integer, bal euros)",
    );
    let run = pair.restore().arg("-a").run().expect(6);
    run.says("domain public.inner_one is over double precision, the archive's over bigint");
    copy.execute("DROP TABLE acc; DROP DOMAIN euros; DROP DOMAIN inner_one");
    pair.restore().arg("-s").run().expect(0);
    pair.restore().arg("-a").run().expect(0);
    pair.assert_same();
}

#[test]
fn a_plain_owner_validates_foreign_keys_before_row_security_is_forced() {
    let pair = Pair::new(
        "CREATE TABLE p (id integer PRIMARY KEY, o text); INSERT INTO p VALUES (1, 'a');
         ALTER TABLE p ENABLE ROW LEVEL SECURITY; CREATE POLICY pp ON p USING (o = 'b');
         CREATE TABLE c (id integer PRIMARY KEY, pid integer REFERENCES p); INSERT INTO c VALUES (1, 1);
         ALTER TABLE p FORCE ROW LEVEL SECURITY",
    );
    let superuser = pair.source.url_as("postgres");
    Silverback::new(["dump", "-d", &superuser, "-f"]).arg(pair.file()).run().expect(0);
    for more in [&[][..], &["-c", "--ready-early"], &["-c"]] {
        pair.restore().args(more).run().expect(0);
        assert_eq!(
            pair.copy.value("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'p'"),
            "t"
        );
    }
}

#[test]
fn large_objects_that_stand_are_found_before_rows_come() {
    let pair = Pair::new("SELECT lo_from_bytea(777, 'a'); CREATE TABLE t (a integer)");
    pair.dump().run().expect(0);
    pair.restore().arg("-s").run().expect(0);
    let lo = pair.copy.connect();
    lo.execute("SELECT lo_from_bytea(777, 'b')");
    pair.restore().arg("-a").run().expect(6).says("large object 777 exists already");
    assert!(!is_marked(pair.copy.admin()));
    lo.execute("SELECT lo_unlink(777)");
    pair.restore().arg("-a").run().expect(0);
    pair.assert_same();
}
